"""Loading the modules that a graph is collected from."""

import importlib
import importlib.util
import os
import pathlib
import pickle
import sys
import types
from typing import Any


def load(module: str | os.PathLike[str]) -> types.ModuleType:
    """The module of a dotted name, or of the path of a `.py` file.

    Args:
        module: the name or path; what is loaded already is not loaded again.

    Raises:
        TypeError: it is neither.
        ModuleNotFoundError: there is no such module.
        FileNotFoundError: there is no such file.
    """
    if isinstance(module, str | os.PathLike) and os.fspath(module).endswith(".py"):
        return _load_path(pathlib.Path(module))
    if isinstance(module, str):
        return importlib.import_module(module)
    msg = (
        f"Graph.from_module got {module!r}. Give a module, its dotted name, or the "
        "path of a .py file."
    )
    raise TypeError(msg)


def _load_path(path: pathlib.Path) -> types.ModuleType:
    path = pathlib.Path(os.path.abspath(path))
    if not path.is_file():
        msg = f"There is no file {str(path)!r} to collect cells from."
        raise FileNotFoundError(msg)
    for loaded in list(sys.modules.values()):
        file = _file_of(loaded)
        if file.endswith(path.name) and _is_same(file, path):
            return _whole(loaded)
    folder, named = path.parent, [(path.stem, path)]
    if path.stem == "__init__":
        named = []
    while (init := folder / "__init__.py").is_file():
        named.insert(0, (folder.name, init))
        folder = folder.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return _import_as(named)


def _whole(module: types.ModuleType) -> types.ModuleType:
    """A loaded module, once another thread that still loads it is done."""
    spec = module.__spec__
    if spec is None or sys.modules.get(spec.name) is not module:
        return module  # the main module, or one that has no name to import it by
    return importlib.import_module(spec.name)


def _file_of(module: object) -> str:
    """The file of a module; "" for what only stands in for one."""
    if not issubclass(type(module), types.ModuleType):
        return ""
    # A lazy module is not to be woken.
    file = object.__getattribute__(module, "__dict__").get("__file__")
    return file if isinstance(file, str) else ""


def _import_as(named: list[tuple[str, pathlib.Path]]) -> types.ModuleType:
    """Import the last of these, by its name if `import` finds it so, else by its path.

    Args:
        named: the packages around a module from outside in, and the module: the name
            and the file of each.
    """
    importlib.invalidate_caches()
    name, path = ".".join(name for name, _ in named), named[-1][1]
    if name not in sys.modules and _is_found(named):
        return importlib.import_module(name)
    # Without a dot, or import would take what is before it for a package.
    alone = f"{name}@{path}".replace("%", "%25").replace(".", "%2E")
    return _load_alone(alone, path)


def _load_alone(name: str, path: pathlib.Path) -> types.ModuleType:
    """Load a file as the module of a name by which no import finds it."""
    own = importlib.util.spec_from_file_location(name, path)
    assert own is not None
    assert own.loader is not None
    module = importlib.util.module_from_spec(own)
    sys.modules[name] = module
    try:
        own.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _alone[name] = path
    return module


# The modules that only their path leads to, by the name that they have here.
_alone: dict[str, pathlib.Path] = {}


class Sendable:
    """What was pickled, and is read in a process that loads by path what it names.

    Args:
        pickled: what `pickle.dumps` gave.
    """

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled
        # A pickle names the modules of what is in it.
        self.paths = {
            name: path for name, path in _alone.items() if name.encode() in pickled
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.paths, self._pickled)


def _unpickled(paths: dict[str, pathlib.Path], pickled: bytes) -> object:
    for name, path in paths.items():
        if name not in sys.modules:
            _load_alone(name, path)
    return pickle.loads(pickled)


def _is_found(named: list[tuple[str, pathlib.Path]]) -> bool:
    """Whether `import` would find the last of these under its name.

    To look for a module in a package executes the package, so that the packages come
    first: no other one of the same name is executed.
    """
    found: list[str] = []
    for name, path in named:
        found.append(name)
        try:
            spec = None if "." in name else importlib.util.find_spec(".".join(found))
        except ValueError:  # a module of that name was made by hand
            spec = None
        if spec is None or spec.origin is None or not _is_same(spec.origin, path):
            return False
    return True


def _is_same(file: str, path: pathlib.Path) -> bool:
    return pathlib.Path(file).resolve() == path.resolve()
