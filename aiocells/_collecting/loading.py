"""Loading the modules that a graph is collected from."""

import importlib
import importlib.util
import os
import pathlib
import sys
import types


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
    folder, parts = path.parent, [path.stem]
    if path.stem == "__init__":
        parts = []
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return _import_as(".".join(parts), path)


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


def _import_as(name: str, path: pathlib.Path) -> types.ModuleType:
    """Import `path` under `name`, or, where another module has that name, under one
    of its own."""
    importlib.invalidate_caches()
    if name not in sys.modules and _is_found(name, path):
        return importlib.import_module(name)
    alone = f"{name}@{path}"
    own = importlib.util.spec_from_file_location(alone, path)
    assert own is not None
    assert own.loader is not None
    module = importlib.util.module_from_spec(own)
    sys.modules[alone] = module
    try:
        own.loader.exec_module(module)
    except BaseException:
        del sys.modules[alone]
        raise
    return module


def _is_found(name: str, path: pathlib.Path) -> bool:
    """Whether `import` would find `path` under `name`."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # a package on the way to it needs what is not there
        return False
    origin = spec.origin if spec is not None else None
    return origin is not None and _is_same(origin, path)


def _is_same(file: str, path: pathlib.Path) -> bool:
    return pathlib.Path(file).resolve() == path.resolve()
