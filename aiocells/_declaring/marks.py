"""The mark that the decorators leave on a function, and how it is read.

Reading a mark runs no code of the object that is looked at, which need be no cell: a
proxy would load what it stands for.
"""

import functools
import inspect
import itertools
import sys
import types
import weakref
from collections.abc import Mapping
from typing import Any

import attrs

from aiocells._declaring.spec import PLAIN_SPEC, CellSpec

MARK = "__aiocells__"


@attrs.frozen
class Mark:
    """What the decorators leave on a function.

    Attributes:
        spec: what they said.
        sequence: counts the marks of the program, in the order of their making.
        modules: the names of the modules that were running when it was marked, unless
            that is the one in which it was written.
    """

    spec: CellSpec
    sequence: int
    modules: tuple[str, ...]

    def __deepcopy__(self, _: object) -> "Mark":
        """Itself: it names cells, and copying those would copy all that they name."""
        return self


# Under a bare `@cell` where it is written, as most are, a function has this number
# alone for its mark: to make a `Mark` would take as long again as all else that the
# decorator does. Those who read it by `mark_of` or `spec_of` see no difference.
next_sequence = itertools.count().__next__


def leave(function: Any, spec: CellSpec) -> None:
    """Mark a function, in place of the mark that it may have.

    Raises:
        Exception: it takes no attributes.
    """
    known = mark_of(function)
    modules = _running_modules(function)
    if known is None:
        mark = Mark(spec, next_sequence(), modules)
    else:
        modules = tuple(dict.fromkeys(known.modules + modules))
        mark = Mark(spec, known.sequence, modules)
    holder = function.__func__ if isinstance(function, staticmethod) else function
    setattr(holder, MARK, mark)
    if mark_of(function) is not mark:
        _keep_beside(holder, mark)


def _running_modules(function: Any) -> tuple[str, ...]:
    """The module whose statements call for a mark, where the function is of another.

    A factory may stand in between. What has no module counts wherever it is found.
    """
    home = home_of(function)
    if home is None:
        return ()
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and (
        frame.f_code.co_flags & inspect.CO_OPTIMIZED  # a function
        or frame.f_locals is not frame.f_globals  # the body of a class
    ):
        frame = frame.f_back
    name = None if frame is None else frame.f_globals.get("__name__")
    return (name,) if isinstance(name, str) and name != home else ()


def home_of(function: Any) -> str | None:
    """The module in which a function was written; None for what does not say.

    An instance shows its class's module, which says nothing about itself.
    """
    if isinstance(function, types.FunctionType | type):
        return function.__module__
    own = _own_attributes(function).get("__module__")
    return own if isinstance(own, str) else None


def spec_of(function: Any) -> CellSpec | None:
    """The spec that `function` itself carries, or None."""
    if type(function) is types.FunctionType:  # nearly all
        mark = function.__dict__.get(MARK)
        if type(mark) is int:
            return PLAIN_SPEC
    else:
        mark = mark_of(function)
    return mark.spec if type(mark) is Mark else None


def mark_of(function: Any) -> Mark | None:
    """The mark that `function` itself carries, or None.

    Only the object's own attributes count: an instance of a marked class, or a
    subclass of it, is not marked. A method is marked where its function is.
    """
    kind = type(function)
    if kind is types.FunctionType:
        mark = function.__dict__.get(MARK)
    elif kind in _HOLDERS:
        return mark_of(function.__func__)
    elif callable(function):
        mark = _own_attributes(function).get(MARK)
    else:
        return None
    if type(mark) is int:
        return Mark(PLAIN_SPEC, mark, ())
    return mark if type(mark) is Mark else None


_HOLDERS = (types.MethodType, staticmethod, classmethod)


# The attributes of an object


class _Usual:
    """A class as nearly all are."""


_attributes_of_class: Any = type.__dict__["__dict__"].__get__
_mro_of: Any = type.__dict__["__mro__"].__get__
_USUAL = vars(_Usual)["__dict__"].__doc__
# These are written in C.
_KNOWN = (functools.partial, type(functools.cache(len)))


def _own_attributes(value: Any) -> Mapping[str, Any]:
    """What stands in the `__dict__` of an object, if no code has to run to see it."""
    kind = type(value)
    if issubclass(kind, type):
        return _attributes_of_class(value)  # type: ignore[no-any-return]
    if _shows_attributes(kind):
        return object.__getattribute__(value, "__dict__")  # type: ignore[no-any-return]
    return _beside.get(id(value), (None, {}))[1]


def _shows_attributes(kind: type) -> bool:
    """Whether the `__dict__` of a class's instances is there, and just read.

    So it is where Python makes it. A wrapper of a function, which can be told by its
    being bound as functions are, may show that of the function.
    """
    classes = [_attributes_of_class(each) for each in _mro_of(kind)]
    made = next((each["__dict__"] for each in classes if "__dict__" in each), None)
    if type(made) is types.GetSetDescriptorType and (
        made.__doc__ == _USUAL or made.__objclass__ in _KNOWN
    ):
        return True
    return made is not None and any("__get__" in each for each in classes)


# The marks of objects that pass their attributes on, by id, each with what keeps that.
_beside: dict[int, tuple[Any, dict[str, Mark]]] = {}


def _keep_beside(function: Any, mark: Mark) -> None:
    key = id(function)
    try:
        kept: Any = weakref.ref(function, lambda _: _beside.pop(key, None))
    except TypeError:  # then it stays for good
        kept = function
    _beside[key] = kept, {MARK: mark}
