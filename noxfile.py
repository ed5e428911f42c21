"""The checks of this project, each a nox session. `nox --list` shows them."""

import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
# An interpreter that this machine lacks is skipped, on CI too, and never downloaded.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
# Named, so that a session for some occasions only does not run each time.
nox.options.sessions = [
    "lint",
    "typing",
    "docs",
    "tests",
    "others",
    "coverage",
    "browser",
]

ROOT = Path(__file__).parent
DIST = ROOT / "dist"

# Python 3.14 in WebAssembly, as its version says: tested even where no interpreter of
# that version is installed, but without measuring coverage.
PYODIDE = "pyodide@~314.0"
IN_BROWSER = "3.14"

# The benchmarks compare with it; it has the same name, and so a folder of its own.
FIRST_VERSION = "aiocells==1.0.4"

PYPROJECT = nox.project.load_toml("pyproject.toml")
PROJECT = PYPROJECT["project"]
PYTHONS = nox.project.python_versions(PYPROJECT)
# The tests run once on each: on the one at hand, and on the newest of the others with
# their coverage measured.
AT_HAND = f"{sys.version_info.major}.{sys.version_info.minor}"
MEASURED = [each for each in PYTHONS if each not in (AT_HAND, IN_BROWSER)][-1]
OTHERS = [each for each in PYTHONS if each not in (AT_HAND, MEASURED)]


def group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


def install_wheel(session: nox.Session, *requirements: str) -> None:
    """Install the wheel that `build` made, with its extras and `requirements`."""
    [wheel] = DIST.glob("*.whl")
    extras = ",".join(PROJECT["optional-dependencies"])
    session.install(f"{wheel}[{extras}]", *requirements)
    # A kept environment may hold an older wheel of the same version.
    session.install("--force-reinstall", "--no-deps", str(wheel))


@nox.session
def build(session: nox.Session) -> None:
    """Build the source distribution, and from it the wheel."""
    # Installed here, the backend need not be installed twice more.
    session.install("build", *PYPROJECT["build-system"]["requires"])
    shutil.rmtree(DIST, ignore_errors=True)
    command = ("python", "-m", "build", "--no-isolation", "--outdir", str(DIST))
    session.run(*command, silent=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format and style with ruff."""
    session.install(*group("lint"))
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types of aiocells/ and typing_tests/ with mypy and pyright.

    Two newer checkers, pyrefly and ty, look at typing_tests/ only.
    """
    extras = PROJECT["optional-dependencies"].values()
    required = [*PROJECT["dependencies"], *(each for extra in extras for each in extra)]
    session.install(*required, *group("typing"))
    session.run("mypy")
    # Named, since pyright would prefer its own file in any folder above.
    session.run("pyright", "--project", "pyproject.toml")
    session.run("pyrefly", "check")
    session.run("ty", "check")


@nox.session(requires=["build"])
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build/html; warnings are errors."""
    install_wheel(session, *group("docs"))
    session.run("sphinx-build", "-W", "-n", "-q", "docs", "docs/_build/html")


def run_tests(session: nox.Session, *runner: str, **env: str) -> None:
    """Run the tests against the built wheel, on all processors."""
    install_wheel(session, *group("tests"), *group("tables"))
    # No Python of this session, a test's subprocess included, looks for modules in the
    # current folder: it would find the checkout there instead of the wheel.
    env = {"PYTHONSAFEPATH": "1"} | env
    session.run(*runner, "-m", "pytest", "-n", "auto", *session.posargs, env=env)


@nox.session(requires=["build"])
def tests(session: nox.Session) -> None:
    """Run the tests on the Python at hand."""
    run_tests(session, "python")


@nox.session(python=OTHERS, requires=["build"])
def others(session: nox.Session) -> None:
    """Run the tests on the other Pythons, but for the one that `coverage` takes."""
    run_tests(session, "python")


@nox.session(python=MEASURED, requires=["build"])
def coverage(session: nox.Session) -> None:
    """Run the tests on the newest other one: each line and branch must run."""
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    folder.mkdir()
    file = str(folder / ".coverage")
    run_tests(session, "coverage", "run", COVERAGE_FILE=file)
    env = {"COVERAGE_FILE": file}
    session.run("coverage", "combine", env=env, silent=True)
    session.run("coverage", "report", env=env)


@nox.session(requires=["build"])
def browser(session: nox.Session) -> None:
    """Run the tests in WebAssembly, less those that need threads or processes.

    That is Pyodide, the Python of browsers, under Node.js. What follows `--` goes to
    pytest.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        session.skip(f"Python {IN_BROWSER} is not tested: it needs Node.js, with npm.")
    folder = Path(session.create_tmp()).resolve()
    npm = ["npm", "install", "--no-save", "--no-audit", "--no-fund"]
    session.run(*npm, "--prefix", str(folder), PYODIDE, external=True, silent=True)
    # It has no network: all that it imports is laid out for it, in pure Python.
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    [wheel] = DIST.glob("*.whl")
    pure = ["--only-binary=:all:", "--implementation=py", "--platform=any"]
    pure += [f"--python-version={IN_BROWSER}", f"--target={site}"]
    session.install("pip")
    pip = ["python", "-m", "pip", "install", *pure]
    # The core of pydantic is compiled.
    cli = PROJECT["optional-dependencies"]["cli"]
    cli = [each for each in cli if not each.startswith("pydantic")]
    # Pip asks this machine whether a requirement is for its platform.
    tests = [each for each in group("tests") if not each.startswith("uvloop")]
    # The browser has no time zones of its own.
    session.run(*pip, str(wheel), *cli, *tests, "tzdata", silent=True)
    pyodide = folder / "node_modules" / "pyodide"
    command = ["node", "tests/browser/run.mjs", str(pyodide), str(site), str(ROOT)]
    session.run(*command, *session.posargs, external=True)


@nox.session(python=PYTHONS[:2], requires=["build"])
def bench(session: nox.Session) -> None:
    """Measure the built wheel against code written by hand, and other libraries.

    The first Python version measures everything, the next one only the rows of the
    table. What follows `--` goes to `python -m benchmarks`, such as --quick.
    """
    install_wheel(session, *group("bench"))
    folder = Path(session.create_tmp()).resolve()
    first_version = folder / "aiocells-1"
    if not first_version.exists():
        session.install("--no-deps", "--target", str(first_version), FIRST_VERSION)
    # Found by a link, since the folder that they are in has the checkout as well.
    link = folder / "benchmarks"
    if not link.is_symlink():
        link.symlink_to(ROOT / "benchmarks")
    env = {
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": str(folder),
        "AIOCELLS_1": str(first_version),
    }
    default = [] if session.python == PYTHONS[0] else ["--rows"]
    arguments = session.posargs or default
    session.run("python", "-m", "benchmarks", *arguments, env=env)


@nox.session(requires=["build"])
def soak(session: nox.Session) -> None:
    """Compute random failing graphs for an hour, or as many minutes as `--` says."""
    install_wheel(session, *group("tests"))
    session.run("python", "tests/soak.py", *(session.posargs or ["60"]))
