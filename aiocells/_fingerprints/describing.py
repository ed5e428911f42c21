"""What a function or class of the project says itself, and to which others it refers.

The others are followed by who asks (`fingerprints.py`), so that it does not matter
where one begins, nor that functions call each other in a circle.
"""

import contextlib
import dataclasses
import enum
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from typing import Any

import attrs

from aiocells._declaring.marks import MARK
from aiocells._fingerprints.bytecode import Bytecode, Import, bytecode_of
from aiocells._fingerprints.feeding import Digest, Undigestible, kind_of
from aiocells._fingerprints.project import Project, version_of
from aiocells._fingerprints.values import Feeder, label_of


@attrs.frozen
class Description:
    """What a function or class says itself.

    Attributes:
        digest: its own, and the functions and classes that it refers to.
        opaque: what has no digest, and counts by its type: names.
    """

    digest: Digest
    opaque: tuple[str, ...]


class Describer:
    """Describes functions and classes, as they are at one time."""

    def __init__(self, project: Project) -> None:
        self._project = project
        # By id, with what keeps that. What many refer to is digested once.
        self._members: dict[int, tuple[Any, Digest, bool]] = {}

    def describe(self, code: Any) -> Description:
        """Describe a function or class."""
        telling = _Telling(self, Feeder(self._project))
        telling.feeder.tell("described", label_of(code))
        if isinstance(code, type):
            telling.tell_class(code)
        else:
            telling.tell_function(code)
        return Description(telling.feeder.digest(), tuple(telling.opaque))

    def member(self, value: Any) -> tuple[Digest, bool]:
        """The digest of what code refers to, and whether that is its type's alone."""
        known = self._members.get(id(value))
        if known is not None:
            return known[1], known[2]
        is_opaque = False
        try:
            digest = Feeder(self._project).digest_of(value)
        except Undigestible:
            is_opaque = True
            feeder = Feeder(self._project)
            feeder.tell("opaque", kind_of(value))
            digest = feeder.digest()
        self._members[id(value)] = value, digest, is_opaque
        return digest, is_opaque

    def is_own(self, module: str) -> bool:
        """Whether a module is of the project."""
        return self._project.is_own(module)


class _Telling:
    """Makes one description."""

    def __init__(self, describer: Describer, feeder: Feeder) -> None:
        self.feeder = feeder
        self.opaque: dict[str, None] = {}
        self._describer = describer

    def _member(self, name: str, value: Any, place: str | None = None) -> None:
        digest, is_opaque = self._describer.member(value)
        self.feeder.tell("member", name)
        self.feeder.take(digest)
        if is_opaque:
            self.opaque[place or name] = None

    # Functions

    def tell_function(self, function: types.FunctionType) -> None:
        """Take in what a function does, and all that it does it with."""
        if function.__defaults__:
            self._member("defaults", function.__defaults__)
        if function.__kwdefaults__:
            self._member("keyword defaults", function.__kwdefaults__)
        wrapped = function.__dict__.get("__wrapped__")
        if wrapped is not None:
            self._member("wrapped", wrapped)
        code = function.__code__
        for name, holder in zip(
            code.co_freevars, function.__closure__ or (), strict=True
        ):
            with contextlib.suppress(ValueError):  # nothing is in it yet
                self._member(name, holder.cell_contents)
        home = function.__globals__.get("__name__")
        if not self._describer.is_own(home):  # type: ignore[arg-type]
            self.feeder.tell("foreign", f"{code.co_qualname} {version_of(f'{home}')}")
            return
        said = bytecode_of(code)
        self.feeder.tell("bytecode", said.digest)
        for name in said.globals:
            if name in function.__globals__:
                self._global(said, name, function.__globals__[name], f"{home}.{name}")
        for each in said.imports:
            self._import(said, each, function.__globals__)

    def _global(self, said: Bytecode, name: str, value: Any, place: str) -> None:
        if isinstance(value, types.ModuleType):
            self.feeder.tell("global", name)
            self._module(said, value, set())
        else:
            self._member(name, value, place)

    def _module(self, said: Bytecode, module: types.ModuleType, seen: set[str]) -> None:
        """Take in what the code may ask of a module of the project."""
        self.feeder.feed(module)
        if module.__name__ in seen or not self._describer.is_own(module.__name__):
            return
        seen.add(module.__name__)
        for name in said.names:
            if name in vars(module):
                value = vars(module)[name]
                if isinstance(value, types.ModuleType):
                    self._module(said, value, seen)
                else:
                    self._member(name, value, f"{module.__name__}.{name}")

    def _import(self, said: Bytecode, statement: Import, known: dict[str, Any]) -> None:
        """Take in what an import statement within a function gives."""
        name = statement.name
        if statement.level:
            package = known.get("__package__") or known.get("__name__") or ""
            with contextlib.suppress(ImportError):
                name = importlib.util.resolve_name(
                    "." * statement.level + name, package
                )
        self.feeder.tell("import", f"{name} {version_of(name)}")
        if not self._describer.is_own(name):
            return
        # What is not loaded yet is loaded, or it would count only the second time.
        names = [name, *(f"{name}.{member}" for member in statement.members)]
        seen: set[str] = set()
        for each in names:
            with contextlib.suppress(Exception):
                importlib.import_module(each)
            if each in sys.modules:
                self._module(said, sys.modules[each], seen)

    # Classes

    def tell_class(self, kind: type) -> None:
        """Take in all that a class has, and its bases."""
        self._member("metaclass", type(kind))
        for base in kind.__bases__:
            self._member("base", base)
        if issubclass(kind, enum.Enum):
            members = {name: each.value for name, each in kind.__members__.items()}
            self._member("members", members)
        for name, value in vars(kind).items():
            if _counts(kind, name, value):
                self._member(name, value, f"{label_of(kind)}.{name}")
        self._member("decorators", _pydantic_decorators_of(kind))
        for name, field in _fields_of(kind):
            for attribute in _FIELD:
                value = getattr(field, attribute, None)
                self._member(attribute, value, f"{label_of(kind)}.{name}")


# What stands in a class and says nothing, or what is said otherwise.
_PASSED_OVER = frozenset(
    {
        MARK,
        "__abstractmethods__",
        "__annotate__",
        "__annotate_func__",
        "__annotations__",
        "__annotations_cache__",
        "__attrs_attrs__",
        "__classcell__",
        "__classdictcell__",
        "__dataclass_fields__",
        "__dict__",
        "__doc__",
        "__firstlineno__",
        "__module__",
        # These name the class by where it lies in memory.
        "__pydantic_core_schema__",
        "__pydantic_decorators__",
        "__pydantic_serializer__",
        "__pydantic_validator__",
        "__slotnames__",  # copyreg leaves it there
        "__slots__",
        "__static_attributes__",
        "__weakref__",
        "_abc_impl",
    }
)
_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)
_ENUM = frozenset(vars(enum.Enum)) | {"_generate_next_value_", "_new_member_"}
_FIELD = ["name", "default", "default_factory", "converter", "validator"]
_FIELD += ["init", "repr", "eq", "order", "hash", "compare", "kw_only"]


def _counts(kind: type, name: str, value: Any) -> bool:
    if name in _PASSED_OVER or isinstance(value, _DESCRIPTORS):
        return False
    if issubclass(kind, enum.Enum):
        is_made = name[:1] == "_" and not isinstance(value, types.FunctionType)
        return not (is_made or name in kind.__members__)
    return not _is_generated(value)


def _is_generated(value: Any) -> bool:
    """Whether dataclasses or attrs made a method, of fields that count by themselves.

    Attrs puts a constant into `__hash__` that depends on the seed of hashes.
    """
    value = getattr(value, "__wrapped__", value)
    if not isinstance(value, types.FunctionType):
        return False
    code = value.__code__
    return code.co_filename.startswith("<attrs generated") or (
        code.co_filename == "<string>" and code.co_qualname.startswith("__create_fn__")
    )


def _pydantic_decorators_of(kind: type) -> dict[str, Any]:
    """How the validators and serializers of a model are used, by name."""
    found = vars(kind).get("__pydantic_decorators__")
    groups = dataclasses.fields(found) if dataclasses.is_dataclass(found) else ()
    return {
        name: decorator.info
        for group in groups
        if group.init
        for name, decorator in getattr(found, group.name).items()
    }


def _fields_of(kind: type) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(kind):
        yield from vars(kind).get("__dataclass_fields__", {}).items()
    for field in vars(kind).get("__attrs_attrs__", ()):
        yield field.name, field
