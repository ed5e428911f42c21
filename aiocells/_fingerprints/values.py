"""Digests of values: equal ones have the same in every process.

A digest is made of what a value is made of, down to numbers and text, told apart by
type. A function or class of the project counts by its name only, and is noted besides:
its code may change while a digest is kept, so it is fingerprinted anew each time.
"""

import copyreg
import enum
import hashlib
import marshal
import types
from collections.abc import Callable
from typing import Any

from aiocells._declaring.marks import MARK
from aiocells._fingerprints import tables
from aiocells._fingerprints.feeding import (
    ATOMS,
    MARSHAL,
    Digest,
    Undigestible,
    kind_of,
)
from aiocells._fingerprints.kinds import KINDS
from aiocells._fingerprints.project import Project, version_of

SIZE = 20
MOST_NESTED = 500
OWN_DIGEST = "__aiocells_digest__"


def label_of(code: Any) -> str:
    """A function or class as it is told apart from others: "trip.Order.total"."""
    return f"{code.__module__}.{code.__qualname__}"


class Feeder:
    """Makes one digest."""

    def __init__(self, project: Project, within: "Feeder | None" = None) -> None:
        self.project = project
        self._hash = hashlib.sha256()
        self.update: Callable[[Any], object] = self._hash.update
        self._numbers: dict[int, int] = {}
        self._code: list[Any] = []
        self._open: set[int] = set() if within is None else within._open

    def digest(self) -> Digest:
        """That of what was fed."""
        return Digest(self._hash.digest()[:SIZE], tuple(self._code))

    def digest_of(self, value: Any) -> Digest:
        """That of a value, which is all that is fed.

        Raises:
            Undigestible: it has no digest.
        """
        try:
            self.feed(value)
        except Undigestible:
            raise
        except RecursionError:
            msg = f"{kind_of(value)}: it is nested too deep"
            raise Undigestible(msg) from None
        except Exception as error:
            msg = f"{kind_of(value)}: {error}"
            raise Undigestible(msg) from None
        return self.digest()

    def tell(self, tag: str, text: str | bytes = b"") -> None:
        """Take in what is told apart by a tag."""
        data = text.encode("utf-8", "surrogatepass") if type(text) is str else text
        self.update(b"%s %d:" % (tag.encode(), len(data)))
        self.update(data)

    def feed(self, value: Any) -> None:
        """Take in a value.

        Raises:
            Undigestible: it has no digest, or what is in it has none.
        """
        kind = type(value)
        if kind in ATOMS:
            self.update(b"." + marshal.dumps(value, MARSHAL))
        elif kind is list or kind is tuple:
            self.tell(kind.__name__, b"%d" % len(value))
            if ATOMS.issuperset(map(type, value)):
                self.update(b"*" + marshal.dumps(value, MARSHAL))
                return
            self.enter(value)
            for each in value:
                self.feed(each)
            self.leave(value)
        elif kind is dict:
            self._dict(value)
        else:
            self._other(value, kind)

    def _dict(self, value: dict[Any, Any]) -> None:
        self.tell("dict", b"%d" % len(value))
        if ATOMS.issuperset(map(type, value.values())) and ATOMS.issuperset(
            map(type, value)
        ):
            self.update(b"*" + marshal.dumps([*value.items()], MARSHAL))
            return
        self.enter(value)
        for key, each in value.items():
            self.feed(key)
            self.feed(each)
        self.leave(value)

    def _other(self, value: Any, kind: type) -> None:
        special = KINDS.get(kind)
        if special is not None:
            special(self, value)
            return
        library = kind.__module__.partition(".")[0]
        if library in tables.LIBRARIES:
            table = tables.feeds_of(library).get(kind)
            if table is not None:
                table(self, value)
                return
        if isinstance(value, type):
            self.name(value)
        elif isinstance(value, enum.Enum):
            self.name(kind)
            self.tell("member", f"{value.name or value.value}")
        else:
            self.enter(value)
            self._instance(value, kind)
            self.leave(value)

    # What refers to what

    def enter(self, value: Any) -> None:
        """Begin with what a value has in it."""
        if id(value) in self._open:
            msg = f"{kind_of(value)}: it contains itself"
            raise Undigestible(msg)
        if len(self._open) == MOST_NESTED:
            msg = f"{kind_of(value)}: it is nested more than {MOST_NESTED} deep"
            raise Undigestible(msg)
        self._open.add(id(value))

    def leave(self, value: Any) -> None:
        """End with what a value has in it."""
        self._open.remove(id(value))

    def name(self, code: Any) -> None:
        """Take in a function or class by its name; note it if it is the project's."""
        if self.is_own(code):
            self.note(code)
            return
        module, name = code.__module__, code.__qualname__
        if type(code) is types.FunctionType:
            # Attrs gives one function to all classes, and it the name of each.
            module, name = code.__globals__.get("__name__"), code.__code__.co_qualname
        self.tell("foreign", f"{module}.{name} {version_of(f'{module}')}")

    def is_own(self, code: Any) -> bool:
        """Whether the code of a function or class counts, and not its name alone."""
        if type(code) is not types.FunctionType:
            return self.project.is_own(code.__module__)
        # A wrapper shows the module of what it wraps.
        if self.project.is_own(code.__globals__.get("__name__")):
            return True
        return code.__closure__ is not None or "__wrapped__" in code.__dict__

    def note(self, code: Any) -> None:
        """Note a function or class."""
        number = self._numbers.setdefault(id(code), len(self._code))
        if number == len(self._code):
            self._code.append(code)
        self.tell("code", f"{number} {label_of(code)}")

    def take(self, digest: Digest) -> None:
        """Take in what was digested apart."""
        self.tell("apart", digest.data)
        for code in digest.code:
            self.note(code)

    def apart(self, value: Any) -> Digest:
        """The digest of a value within another."""
        return Feeder(self.project, self).digest_of(value)

    # Instances of any class, as pickle takes them apart

    def _instance(self, value: Any, kind: type) -> None:
        self.name(kind)
        own = getattr(kind, OWN_DIGEST, None)
        try:
            reduced = _reduced(value, kind) if own is None else own(value)
        except Exception as error:
            msg = f"{kind_of(value)}: {error}"
            raise Undigestible(msg) from None
        if own is not None:
            self.tell("own digest")
            self.feed(reduced)
        elif isinstance(reduced, str):
            self.tell("global", reduced)
        else:
            self._parts(kind, *reduced)

    def _parts(
        self,
        kind: type,
        maker: Any,
        args: Any,
        state: Any = None,
        items: Any = None,
        pairs: Any = None,
        _: Any = None,
    ) -> None:
        self.tell("made", getattr(maker, "__qualname__", ""))
        self.feed([each for each in args if each is not kind])
        if state is not None:
            self.tell("state")
            self.feed(_settled(state, kind))
        if items is not None:
            self.tell("items")
            self.feed([*items])
        if pairs is not None:
            self.tell("pairs")
            self.feed([*pairs])


def _reduced(value: Any, kind: type) -> Any:
    if kind.__module__ == "itertools":  # deprecated, and gone from 3.14 on
        msg = f"cannot pickle '{kind.__module__}.{kind.__qualname__}' object"
        raise TypeError(msg)
    if issubclass(kind, BaseException):
        # Some libraries register for all of them what takes tracebacks along. And who
        # has looked at its attributes leaves a dictionary there, if an empty one.
        reduced = value.__reduce_ex__(5)
        return reduced[:2] if reduced[2:] == ({},) else reduced
    reduce = copyreg.dispatch_table.get(kind)
    return value.__reduce_ex__(5) if reduce is None else reduce(value)


def _settled(state: Any, kind: type) -> Any:
    """The state of an instance, less what is of this process alone."""
    if type(state) is dict and MARK in state:
        return {name: each for name, each in state.items() if name != MARK}
    if type(state) is tuple and len(state) == 2 and type(state[1]) is dict:
        # Slots are told in the order of `__slots__`, which may be a set.
        slots = dict(sorted(state[1].items())) if _is_by_slots(kind) else state[1]
        return _settled(state[0], kind), slots
    return state


def _is_by_slots(kind: Any) -> bool:
    return bool(kind.__getstate__ is object.__getstate__)
