// Runs the tests in Pyodide, which is CPython compiled to WebAssembly, under Node.js:
//
//     node run.mjs PYODIDE SITE ROOT [arguments of pytest]
//
// PYODIDE is the folder of the npm package, SITE one of installed Python packages, and
// ROOT the checkout. `nox -s browser` makes the first two.

import { writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker, isMainThread } from "node:worker_threads";

const [pyodideFolder, site, root, ...pytestArguments] = process.argv.slice(2);

async function main() {
  const { loadPyodide } = await import(pathToFileURL(join(pyodideFolder, "pyodide.mjs")));
  const python = await loadPyodide({
    env: { COLUMNS: "80", HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1" },
  });
  // A thread of Node.js has streams, and no file descriptors of its own.
  python.setStdin({ stdin: () => null });
  python.setStdout({ write: (bytes) => writeSync(1, bytes) });
  python.setStderr({ write: (bytes) => writeSync(2, bytes) });
  for (const [folder, path] of [[site, "/site"], [root, "/aiocells"]]) {
    python.FS.mkdirTree(path);
    python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, path);
  }
  python.globals.set("arguments", python.toPy(pytestArguments));
  await python.runPythonAsync(`
import os, sys
sys.path[:0] = ["/aiocells/tests/browser", "/site"]
os.chdir("/aiocells")
import own_loop
del sys.path[0]
await own_loop.main()
`);
  return python.runPython(`
import pytest
int(pytest.main(["-p", "no:cacheprovider", "-o", "testpaths=tests", *arguments]))
`);
}

if (isMainThread) {
  // A thread of its own, for the size of its stack: there Python's calls are nested, and
  // how deeply is only known by the overflow, which ends everything.
  const worker = new Worker(new URL(import.meta.url), {
    argv: process.argv.slice(2),
    resourceLimits: { stackSizeMb: 200 },
  });
  worker.on("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  worker.on("exit", (code) => {
    process.exitCode ||= code;
  });
} else {
  try {
    process.exit(await main());
  } catch (error) {
    // The stack would show Pyodide's source, which is one line of a megabyte.
    writeSync(2, `${error.message}\n`);
    process.exit(1);
  }
}
