"""What compiled code says: its digest, and the names that it asks for.

Docstrings, comments, line numbers and file names do not count. It is kept for each code
object, which never changes.
"""

import dis
import inspect
import types
import weakref
from collections.abc import Iterator

import attrs

from aiocells._fingerprints.project import Project
from aiocells._fingerprints.values import Feeder

# From 3.14 on it tells whether the first constant is a docstring.
_HAS_DOCSTRING: int = getattr(inspect, "CO_HAS_DOCSTRING", 0)
_IMPORT = dis.opmap["IMPORT_NAME"]
_EXTENDED = dis.opmap["EXTENDED_ARG"]
_LOAD_GLOBAL = dis.opmap["LOAD_GLOBAL"]
_LOADS = {
    dis.opmap[name]
    for name in ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    if name in dis.opmap
}


@attrs.frozen
class Import:
    """An import statement within a function.

    Attributes:
        name: the module.
        level: how many dots stand before it.
        members: what is asked of it; empty for a plain `import`.
    """

    name: str
    level: int
    members: tuple[str, ...]


@attrs.frozen
class Bytecode:
    """What the code of a function, and of those within it, says.

    Attributes:
        digest: the same for the same instructions.
        globals: the names that it looks up in its module.
        names: those, and the attributes that it asks for.
        imports: the modules that it imports.
    """

    digest: bytes
    globals: tuple[str, ...]
    names: tuple[str, ...]
    imports: tuple[Import, ...]


_known: dict[int, tuple["weakref.ref[types.CodeType]", Bytecode]] = {}


def bytecode_of(code: types.CodeType) -> Bytecode:
    """What the code of a function says."""
    known = _known.get(id(code))
    if known is not None:
        return known[1]
    # Codes that are equal may differ in what counts here, so none is a key.
    key = id(code)
    found = _read(code)
    _known[key] = weakref.ref(code, lambda _: _known.pop(key, None)), found
    return found


def _read(code: types.CodeType) -> Bytecode:
    feeder = Feeder(Project())
    codes = [*_with_nested(code)]
    for each in codes:
        _feed(feeder, each)
    names = [name for each in codes for name in each.co_names]
    asked = [name for each in codes for name in _globals_of(each)]
    return Bytecode(
        feeder.digest().data,
        tuple(dict.fromkeys(asked)),
        tuple(dict.fromkeys(names)),
        tuple(found for each in codes for found in _imports_of(each)),
    )


def _with_nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _with_nested(each)


def _feed(feeder: Feeder, code: types.CodeType) -> None:
    feeder.tell("code", code.co_code)
    feeder.tell("exceptions", code.co_exceptiontable)
    counts = (code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount)
    feeder.feed((*counts, code.co_flags & ~_HAS_DOCSTRING))
    variables = (code.co_varnames, code.co_freevars, code.co_cellvars)
    feeder.feed((code.co_names, *variables))
    constants = [*code.co_consts]
    if _has_docstring(code):
        constants[0] = None
    # Nested code follows.
    feeder.feed([None if isinstance(c, types.CodeType) else c for c in constants])


def _has_docstring(code: types.CodeType) -> bool:
    # Until 3.13 the first constant of a function is its docstring, or None, and only
    # `<genexpr>` and its like have no place for one.
    return (
        code.co_flags & _HAS_DOCSTRING != 0
        if _HAS_DOCSTRING
        else code.co_flags & inspect.CO_OPTIMIZED != 0
        and code.co_name[:1] != "<"
        and isinstance(code.co_consts[0], str)
    )


def _globals_of(code: types.CodeType) -> Iterator[str]:
    """The names that are looked up in the module, read as `dis` would, but quicker."""
    data = code.co_code
    high = 0
    for at in range(0, len(data), 2):
        operation, argument = data[at], data[at + 1] | high
        high = argument << 8 if operation == _EXTENDED else 0
        if operation == _LOAD_GLOBAL:
            yield code.co_names[argument >> 1]
        elif operation in _LOADS:
            yield code.co_names[argument]


def _imports_of(code: types.CodeType) -> Iterator[Import]:
    if _IMPORT not in code.co_code[::2]:
        return
    constants: list[object] = []
    for each in dis.get_instructions(code):
        if each.opcode == _IMPORT:
            level, members = constants[-2:]
            assert isinstance(level, int)
            assert isinstance(members, tuple | None)
            yield Import(each.argval, level, members or ())
        elif each.opname.startswith("LOAD_"):
            constants.append(each.argval)
