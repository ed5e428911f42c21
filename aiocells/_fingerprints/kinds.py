"""Digests of what pickle does not take apart, or not as it counts here."""

import functools
import hashlib
import marshal
import operator
import types
import weakref
from collections.abc import Callable
from typing import Any

from aiocells._fingerprints.feeding import (
    ATOMS,
    MARSHAL,
    Feeding,
    Undigestible,
    kind_of,
)
from aiocells._fingerprints.project import version_of


def _set(feeding: Feeding, value: Any) -> None:
    feeding.tell(type(value).__name__, b"%d" % len(value))
    if ATOMS.issuperset(map(type, value)):
        digests = sorted(_digest_of_atom(each) for each in value)
        feeding.update(b"*" + b"".join(digests))
        return
    feeding.enter(value)
    told = [feeding.apart(each) for each in value]
    for digest in sorted(told, key=operator.attrgetter("data")):
        feeding.take(digest)
    feeding.leave(value)


def _digest_of_atom(value: Any) -> bytes:
    return hashlib.sha256(marshal.dumps(value, MARSHAL)).digest()


def _function(feeding: Feeding, value: types.FunctionType) -> None:
    feeding.name(value)


def _memory(feeding: Feeding, value: memoryview) -> None:
    feeding.tell("memoryview", f"{value.format} {value.shape}")
    feeding.update(value.tobytes())


def _module(feeding: Feeding, value: types.ModuleType) -> None:
    feeding.tell("module", f"{value.__name__} {version_of(value.__name__)}")


def _method(feeding: Feeding, value: types.MethodType) -> None:
    feeding.tell("method")
    feeding.feed(value.__func__)
    feeding.feed(value.__self__)


def _builtin(feeding: Feeding, value: Any) -> None:
    """A function in C, which may be bound to a value."""
    module = getattr(value, "__module__", None)
    feeding.tell("builtin", f"{module} {value.__qualname__}")
    feeding.feed(value.__self__)


def _partial(feeding: Feeding, value: "functools.partial[Any]") -> None:
    feeding.tell("partial")
    feeding.feed(value.func)
    feeding.feed(value.args)
    feeding.feed(value.keywords)


def _lru_cache(feeding: Feeding, value: Any) -> None:
    feeding.tell("lru_cache")
    feeding.feed(value.cache_parameters())
    feeding.feed(value.__wrapped__)


def _holder(feeding: Feeding, value: Any) -> None:
    feeding.tell(type(value).__name__)
    feeding.feed(value.__func__)


def _property(feeding: Feeding, value: property) -> None:
    feeding.tell("property")
    feeding.feed((value.fget, value.fset, value.fdel))


def _cached_property(feeding: Feeding, value: Any) -> None:
    """In 3.11 it has a lock."""
    feeding.tell("cached_property", value.attrname)
    feeding.feed(value.func)


def _proxy(feeding: Feeding, value: Any) -> None:
    feeding.tell("mappingproxy")
    feeding.feed({**value})


def _weak(_: Feeding, value: Any) -> None:
    """What is in it comes and goes with the garbage collector."""
    msg = f"{kind_of(value)}: it holds its values weakly"
    raise Undigestible(msg)


def _bytearray(feeding: Feeding, value: bytearray) -> None:
    feeding.tell("bytearray", bytes(value))


KINDS: dict[type, Callable[[Feeding, Any], None]] = {
    set: _set,
    frozenset: _set,
    bytearray: _bytearray,
    memoryview: _memory,
    types.ModuleType: _module,
    types.FunctionType: _function,
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
    types.MethodWrapperType: _builtin,
    functools.partial: _partial,
    type(functools.cache(len)): _lru_cache,
    functools.cached_property: _cached_property,
    staticmethod: _holder,
    classmethod: _holder,
    property: _property,
    types.MappingProxyType: _proxy,
    weakref.WeakKeyDictionary: _weak,
    weakref.WeakValueDictionary: _weak,
    weakref.WeakSet: _weak,
}
