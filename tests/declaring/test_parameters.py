"""The parameters of callables: read off code objects as `inspect` would say."""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells._declaring.parameters import NO_PARAMETERS, Parameters, parameters_of

KINDS = inspect.Parameter


@st.composite
def signatures(draw: st.DrawFn) -> str:
    """The text between the parentheses of any `def`."""
    names = iter(draw(st.permutations(["a", "b", "c", "d", "e", "f", "g", "h"])))
    counts = [draw(st.integers(0, 2)) for _ in range(3)]
    with_default = draw(st.integers(0, counts[0] + counts[1]))
    plain = [
        next(names) + (f"={number}" if number >= with_default else "")
        for number in range(counts[0] + counts[1])
    ]
    parts = plain[: counts[0]]
    parts += ["/"] if counts[0] else []
    parts += plain[counts[0] :]
    variadic = draw(st.booleans())
    keyword = [
        next(names) + draw(st.sampled_from(["", "=None"])) for _ in range(counts[2])
    ]
    parts += ["*args"] if variadic else ["*"] if keyword else []
    parts += keyword
    parts += ["**kwargs"] if draw(st.booleans()) else []
    return ", ".join(parts)


def expected(function: Callable[..., Any]) -> Parameters:
    """The parameters of a function as `inspect.signature` tells them."""
    parameters = inspect.signature(function).parameters.values()
    variadic = (KINDS.VAR_POSITIONAL, KINDS.VAR_KEYWORD)
    bindable = [each for each in parameters if each.kind not in variadic]
    by_keyword = [each.name for each in bindable if each.kind is KINDS.KEYWORD_ONLY]
    return Parameters(
        positional=tuple(each.name for each in bindable if each.name not in by_keyword),
        keyword=tuple(by_keyword),
        defaults={
            each.name: each.default
            for each in bindable
            if each.default is not each.empty
        },
        unbindable={
            each.name: f"it collects any number of arguments ({each})"
            for each in parameters
            if each.kind in variadic
        },
    )


def same(one: Parameters, other: Parameters) -> bool:
    """Whether two say the same; their mappings may be of any kind."""
    return (
        (one.positional, one.keyword, one.is_known)
        == (other.positional, other.keyword, other.is_known)
        and dict(one.defaults) == dict(other.defaults)
        and dict(one.unbindable) == dict(other.unbindable)
    )


@given(signatures(), st.sampled_from(["", "async "]), st.sampled_from(["", "yield"]))
def test_a_function_is_read_as_inspect_reads_it(
    parameters: str, kind: str, body: str
) -> None:
    """Whatever its parameters, and whether it is async or a generator."""
    namespace: dict[str, Any] = {}
    exec(f"{kind}def function({parameters}):\n    local = 1\n    {body}", namespace)
    function = namespace["function"]
    assert same(parameters_of(function), expected(function))


@given(signatures())
def test_a_method_is_read_as_inspect_reads_it(parameters: str) -> None:
    """What is bound already is no parameter."""
    namespace: dict[str, Any] = {}
    receiver = "self, " + parameters if parameters else "self"
    exec(f"class Class:\n    def method({receiver}): ...", namespace)
    method = namespace["Class"]().method
    assert same(parameters_of(method), expected(method))


class Adder:
    """Is called with one argument, and made with another."""

    def __init__(self, amount: int = 1) -> None:
        """Take down the amount."""

    def __call__(self, value: int, *, scale: int = 1) -> None:
        """Do nothing."""


def plain(a: int, b: int = 2, *, c: int, d: int = 4) -> None:
    """Have parameters of several kinds."""


@functools.wraps(plain)
def wrapper(*args: Any, **kwargs: Any) -> None:
    """Pass everything on."""


@functools.wraps(plain)
def fixed_wrapper(x: Any) -> None:
    """Take something else than what it wraps."""


def with_signature(*args: Any) -> None:
    """Say what the parameters are."""


with_signature.__signature__ = inspect.signature(lambda x, y=1: None)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "function",
    [
        plain,
        lambda a, *, b: None,
        lambda: None,
        wrapper,
        fixed_wrapper,
        with_signature,
        Adder,
        Adder(),
        functools.partial(plain, 1),
        functools.partial(functools.partial(wrapper)),
        functools.lru_cache(plain),
        types.FunctionType(plain.__code__, {}),
        sorted,
    ],
)
def test_other_callables_are_read_by_inspect(function: Callable[..., Any]) -> None:
    """Wrappers, instances, classes, partials and built-ins."""
    assert same(parameters_of(function), expected(function))


def test_what_partial_fixes_is_not_bindable() -> None:
    """By keyword: it is told apart, with what it is fixed to."""
    found = parameters_of(functools.partial(plain, 1, d=5))
    assert found.names == ("b", "c")
    assert dict(found.unbindable) == {"d": "functools.partial fixes it to 5"}
    assert dict(found.defaults) == {"b": 2}


def test_names_are_in_the_order_of_a_call() -> None:
    """Positional parameters, then keyword-only ones."""
    assert parameters_of(plain).names == ("a", "b", "c", "d")
    assert parameters_of(lambda: None).names == ()


@pytest.mark.parametrize("function", [dict, max, type("Class", (), {})().__init__])
def test_what_python_cannot_tell_is_unknown(function: Callable[..., Any]) -> None:
    """Some built-ins do not say what they take."""
    try:
        inspect.signature(function)
    except ValueError:
        assert not parameters_of(function).is_known
        assert parameters_of(function).names == ()
    else:
        assert parameters_of(function).is_known


def test_functions_without_parameters_share_one_answer() -> None:
    """Nothing is built for the many cells that take nothing."""
    assert parameters_of(lambda: None) is NO_PARAMETERS


CALLS = {
    "plain": "def __call__({self}{parameters}): ...",
    "static": "@staticmethod\n    def __call__({parameters}): ...",
    "class": "@classmethod\n    def __call__({self}{parameters}): ...",
    "cached": "@functools.cache\n    def __call__({self}{parameters}): ...",
    "wrapped": "@wrapped\n    def __call__({self}{parameters}): ...",
    "partial method": (
        "def fixed(self, zero{rest}): ...\n"
        "    __call__ = functools.partialmethod(fixed, 0)"
    ),
    "object": (
        "class Inner:\n        def __call__({self}{parameters}): ...\n"
        "    __call__ = Inner()"
    ),
}


@given(signatures(), st.sampled_from(sorted(CALLS)), st.integers(0, 2))
def test_an_object_has_the_parameters_of_its_call(
    parameters: str, form: str, depth: int
) -> None:
    """Whatever `__call__` is in its class, alone and in partials."""

    def wrapped(function: Any) -> Any:
        return functools.wraps(function)(lambda *args, **named: None)

    known: dict[str, Any] = {"functools": functools, "wrapped": wrapped}
    written = CALLS[form].format(
        self="self, " if parameters else "self",
        parameters=parameters,
        rest=f", {parameters}" if parameters else "",
    )
    exec(f"class Class:\n    {written}\ndef function({parameters}): ...", known)
    function = known["Class"]()
    for _ in range(depth):
        function = functools.partial(function)
    assert same(parameters_of(function), expected(known["function"]))


def test_an_object_may_say_what_its_parameters_are() -> None:
    """`__signature__` and `__wrapped__` of an object come before its `__call__`."""

    class Wrapper:
        @staticmethod
        def __call__(*args: Any) -> None: ...

    signed, wrapping = Wrapper(), functools.update_wrapper(Wrapper(), plain)
    signed.__signature__ = inspect.signature(plain)  # type: ignore[attr-defined]
    for each in (signed, wrapping):
        assert parameters_of(each).names == ("a", "b", "c", "d")
