"""Reading a value of some type from text. This loads pydantic."""

import collections.abc
import contextlib
import dataclasses
import datetime
import decimal
import enum
import functools
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal

import attrs
import pydantic
import typing_extensions

_MAX_REASONS = 3
_COMPACT_DATE = re.compile(r"\d{8}")
# What pydantic says of a text that is no JSON, and of one that UTF-8 cannot hold.
_NO_JSON = {"json_invalid", "string_unicode"}
_AS_LISTS = (collections.abc.Iterable, collections.abc.Collection)


class Unreadable(Exception):
    """A text is no value of the type; says why."""


def reader_of(annotation: Any) -> Callable[[str], Any] | None:
    """What reads a value of a type from text; None for types that cannot be read.

    The function raises `Unreadable`.
    """
    try:
        adapter = pydantic.TypeAdapter[Any](_known(annotation))
    except Exception:  # whatever keeps a class from being described
        return None
    return functools.partial(_read, adapter)


def _read(adapter: "pydantic.TypeAdapter[Any]", text: str) -> Any:
    """The value that a text is exactly, as JSON; else what can be made of the text."""
    with contextlib.suppress(pydantic.ValidationError):
        return _exact(adapter.validate_json(text, strict=True), text)
    try:
        return adapter.validate_python(text)
    except pydantic.ValidationError as error:
        as_text = error
    try:
        return _exact(adapter.validate_json(text), text)
    except pydantic.ValidationError as error:
        is_json = text.startswith(("[", "{")) or not _NO_JSON.intersection(
            each["type"] for each in error.errors()
        )
        problem = error if is_json else as_text
    raise Unreadable(_told(problem))


def _exact(value: Any, text: str) -> Any:
    """A value of JSON; what is lost on the way through a float comes from the text."""
    if isinstance(value, decimal.Decimal):
        with contextlib.suppress(ArithmeticError):  # it is in quotes
            return decimal.Decimal(text)
    return value


def _told(error: pydantic.ValidationError) -> str:
    reasons = [
        ": ".join([*filter(None, [".".join(map(str, each["loc"]))]), each["msg"]])
        for each in error.errors(include_url=False, include_input=False)
    ]
    more = f" and {len(reasons) - _MAX_REASONS} more"
    return "; ".join(reasons[:_MAX_REASONS]) + more * (len(reasons) > _MAX_REASONS)


# What pydantic is told in place of some types


def _known(annotation: Any, inside: tuple[Any, ...] = ()) -> Any:
    """An annotation in terms that pydantic has a reader for.

    Args:
        annotation: what a parameter is annotated with.
        inside: the classes around it, whose fields it is of.
    """
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return Annotated[(_known(args[0], inside), *args[1:])]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_known(each, inside) for each in args)]  # noqa: UP007
    if origin in _AS_LISTS or annotation in _AS_LISTS:
        # pydantic would give an iterator, which one cell only could use.
        return list[_known(args[0], inside)] if args else list  # type: ignore[misc]
    if origin is not None and origin is not Literal:
        known = tuple(_known(each, inside) for each in args)
        return annotation if known == args else origin[known]
    if not isinstance(annotation, type):
        return annotation
    if annotation in inside:
        return Annotated[Any, pydantic.PlainValidator(_reader_later(annotation))]
    if issubclass(annotation, enum.Enum):
        return Annotated[annotation, _before(_member, annotation)]
    if issubclass(annotation, datetime.date):
        return Annotated[annotation, _before(_date, annotation)]
    if attrs.has(annotation) or _is_plain_dataclass(annotation):
        return _object_of(annotation, (*inside, annotation))
    return annotation


def _before(function: Callable[[Any, Any], Any], kind: Any) -> Any:
    return pydantic.BeforeValidator(functools.partial(function, kind))


def _member(kind: type[enum.Enum], value: Any) -> Any:
    """A member by its value, or else by its name, which is what people know."""
    if value in {each.value for each in kind}:
        return value
    return kind.__members__.get(value, value)


def _date(kind: type[datetime.date], value: Any) -> Any:
    """A date as in 20240131, which pydantic would take for seconds since 1970."""
    if isinstance(value, str) and _COMPACT_DATE.fullmatch(value):
        return kind.fromisoformat(value)
    return value


def _is_plain_dataclass(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and not hasattr(kind, "__pydantic_fields__")


def _reader_later(kind: type) -> Callable[[Any], Any]:
    """What reads an object inside another one of its kind: without this, no end."""
    return lambda value: pydantic.TypeAdapter(_known(kind)).validate_python(value)


def _object_of(kind: type, inside: tuple[Any, ...]) -> Any:
    """An object of attrs or a dataclass, read from a mapping with its fields only."""
    module = vars(sys.modules[kind.__module__])
    hints = typing.get_type_hints(kind.__init__, module, include_extras=True)  # type: ignore[misc]
    optional: Any = typing_extensions.NotRequired
    typed_dict: Any = typing_extensions.TypedDict
    fields = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        hint = hints.get(name, Any)
        hint = _known(getattr(hint, "type", hint), inside)  # of an InitVar
        has_default = parameter.default is not parameter.empty
        fields[name] = optional[hint] if has_default else hint
    mapping = typed_dict(kind.__name__, fields)
    mapping.__pydantic_config__ = pydantic.ConfigDict(extra="forbid")

    def make(given: dict[str, Any]) -> Any:
        try:
            return kind(**given)
        except TypeError as error:  # as a validator of attrs raises
            raise ValueError(error) from error

    return Annotated[mapping, pydantic.AfterValidator(make)]
