"""Declaring: what the decorators accept, store and refuse."""

import copy
import functools
import pickle
import types
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar
from unittest.mock import AsyncMock, Mock

import attrs
import pytest

from aiocells import (
    DeclarationError,
    Graph,
    Input,
    cell,
    compute_sequential,
    depends_on,
    resource,
)
from aiocells._declaring.marks import mark_of, spec_of
from aiocells._declaring.spec import PLAIN_SPEC
from tests.helpers import COMPUTERS, Modules

Value = TypeVar("Value")


def plain() -> int:
    """A function that no test marks."""
    return 1


@cell
def marked() -> int:
    """A cell that tests depend on."""
    return 2


@cell
def bare() -> int:
    """A cell that one test looks at."""
    return 3


@pytest.mark.parametrize(
    "decorator",
    [
        cell,
        cell(),
        cell(name="other"),
        cell(run_in="thread", limit="backend"),
        resource,
        resource(),
        resource(name="other"),
        depends_on(),
        depends_on(marked),
        depends_on("marked"),
        depends_on(x=marked),
    ],
)
def test_the_same_function_is_returned(decorator: Callable[..., Any]) -> None:
    """A decorator gives back the function itself, which works as before."""

    def function(x: int) -> int:
        return x + 1

    assert decorator(function) is function
    assert function(1) == 2


def test_cell_can_be_called_on_a_function() -> None:
    """`cell(fn)` and `cell(name=...)(fn)` mark like the decorators."""
    one = cell(lambda: 1)
    two = cell(name="two")(lambda: 2)
    results = compute_sequential(Graph.from_cells(one, two))
    assert results[one] == 1
    assert results["two"] == 2


def test_the_mark_is_the_only_trace() -> None:
    """A mark is one attribute, a frozen spec; nothing else of a function changes."""

    def function() -> None: ...

    before = dict(vars(function))
    cell(name="other")(depends_on("a", "b", x=marked)(function))
    [spec] = [value for name, value in vars(function).items() if name not in before]
    assert attrs.has(type(spec))
    for field in attrs.fields(type(spec)):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(spec, field.name, None)


def test_a_bare_mark_says_as_much_as_any_other() -> None:
    """Under a bare `@cell` a function has a number for its mark, and reads the same."""
    assert type(vars(bare)["__aiocells__"]) is int
    assert spec_of(bare) is PLAIN_SPEC
    mark = mark_of(bare)
    assert mark is not None
    assert mark.sequence == vars(bare)["__aiocells__"]
    assert mark.modules == ()
    again = mark_of(cell(bare))
    assert again is not None
    assert (again.spec, again.sequence) == (PLAIN_SPEC, mark.sequence)


def test_a_list_binding_is_taken_as_it_is_now() -> None:
    """The spec does not change, and stays hashable, when a bound list does."""
    parts = [marked]

    @depends_on(parts=parts)
    def total(parts: list[int]) -> int:
        return sum(parts)

    parts.append(marked)
    assert compute_sequential(Graph.from_cells(total))[total] == 2
    assert hash(vars(total)["__aiocells__"])


def test_a_copy_of_a_marked_partial_has_the_same_mark() -> None:
    """What it depends on is not copied with it, however long the chain is."""
    last: Any = cell(functools.partial(int, 0))
    for number in range(2000):
        last = depends_on(last, value=[last])(functools.partial(max, number))
    for copied in (copy.copy(last), copy.deepcopy(last)):
        assert vars(copied) == vars(last)
        assert vars(copied)["__aiocells__"].spec is vars(last)["__aiocells__"].spec


def test_a_cell_can_be_pickled_and_copied() -> None:
    """A cell pickles by its name, as any function does, and copies as itself."""
    assert pickle.loads(pickle.dumps(marked)) is marked
    assert copy.deepcopy(marked) is marked


# Stacking


def outline(function: Callable[..., Any]) -> dict[str, Any]:
    """What a graph of one cell and its needs says of it."""
    graph = Graph.from_cells(function)
    names = {needed.__name__ for needed in graph.dependency_dict[function]}
    results = compute_sequential(graph, inputs=dict.fromkeys(graph.inputs, 7))
    return {"needs": names, "inputs": list(graph.inputs), "value": results[function]}


@pytest.mark.parametrize(
    "decorate",
    [
        lambda f: cell(name="x")(depends_on(plain)(depends_on(a=marked)(f))),
        lambda f: depends_on(plain)(cell(name="x")(depends_on(a=marked)(f))),
        lambda f: depends_on(plain)(depends_on(a=marked)(cell(name="x")(f))),
        lambda f: depends_on(a=marked)(cell(name="x")(depends_on(plain)(f))),
        lambda f: cell(name="x")(depends_on(plain, a=marked)(f)),
        lambda f: depends_on(plain, a=marked)(cell(name="x")(f)),
    ],
)
def test_decorators_stack_in_any_order(
    decorate: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> None:
    """`cell` and any number of `depends_on` add up the same in any order."""

    def function(a: int, b: int) -> tuple[int, int]:
        return a, b

    function = decorate(function)
    assert outline(function) == {
        "needs": {"plain", "marked"},
        "inputs": ["b"],
        "value": (2, 7),
    }
    assert compute_sequential(Graph.from_cells(function), inputs={"b": 0})["x"]


def test_several_depends_on_order_as_they_are_read() -> None:
    """What stands higher comes first, as the arguments of one `depends_on` would."""
    seen: list[str] = []
    one, two, three, four = (
        functools.partial(seen.append, name) for name in ("one", "two", "three", "four")
    )

    @depends_on(one, two)
    @cell
    @depends_on(three)
    @depends_on(four)
    def last() -> None: ...

    compute_sequential(Graph.from_cells(last))
    assert seen == ["one", "two", "three", "four"]


def test_the_same_mark_twice_is_one_mark() -> None:
    """Marking a function again in the same way changes nothing."""
    again = cell(name="x")(cell(name="x")(lambda: 1))
    assert cell(cell(again := cell(lambda: 1))) is again
    bound = depends_on(a=marked)(depends_on(a=marked)(lambda a: a))
    assert compute_sequential(Graph.from_cells(bound))[bound] == 2


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("cell", "cell(name='b')", "as @cell and as @cell(name='b')"),
        ("cell(name='a')", "cell", "as @cell(name='a') and as @cell"),
        (
            "cell(name='a')",
            "cell(name='b')",
            "as @cell(name='a') and as @cell(name='b')",
        ),
        ("cell", "resource", "as @cell and as @resource"),
        (
            "cell(run_in='thread', limit='db')",
            "resource(name='b', timeout=2)",
            "as @cell(run_in='thread', limit='db') "
            "and as @resource(name='b', timeout=2)",
        ),
    ],
)
def test_marking_a_function_twice_is_refused(
    modules: Modules, first: str, second: str, told: str
) -> None:
    """One function is one cell: two different marks are an error that says which."""
    with pytest.raises(DeclarationError) as caught:
        modules.make(
            "trip",
            f"""
            @{second}
            @depends_on("other")
            @{first}
            def plan(): ...
            """,
        )
    assert str(caught.value) == (
        f"'plan' (trip.py:2) is marked twice, {told}. One function is one cell: make a "
        "family of cells with functools.partial, as in "
        "cell(functools.partial(function, ...), name=...)."
    )
    assert caught.value.cell.__name__ == "plan"


def test_a_family_of_cells_is_made_with_partial() -> None:
    """The way that the error about marking twice advises works."""

    def price(symbol: str) -> str:
        return f"price of {symbol}"

    family = [
        cell(name=f"price_{symbol}")(functools.partial(price, symbol))
        for symbol in ("a", "b")
    ]

    @cell
    def both(price_a: str, price_b: str) -> str:
        return f"{price_a}, {price_b}"

    results = compute_sequential(Graph.from_cells(both, *family))
    assert results["both"] == "price of a, price of b"


def test_binding_a_parameter_twice_is_refused(modules: Modules) -> None:
    """Two `depends_on` that bind one parameter to different cells are an error."""
    with pytest.raises(DeclarationError) as caught:
        modules.make(
            "trip",
            """
            @depends_on(x="one")
            @depends_on(x="two")
            def plan(x): ...
            """,
        )
    assert str(caught.value) == (
        "the parameter 'x' of 'plan' (trip.py:2) is bound twice, to 'one' and to "
        "'two'. Keep one of the two."
    )
    assert caught.value.cell.__name__ == "plan"


# What can be a cell


class Adder:
    """Can be called."""

    def __init__(self, amount: int) -> None:
        """Take down what to add."""
        self.amount = amount

    def __call__(self, marked: int) -> int:
        """Add."""
        return marked + self.amount


class Box(Generic[Value]):
    """A class whose instances hold a cell's value."""

    def __init__(self, marked: Value) -> None:
        """Take down the value."""
        self.held = marked


def generic(marked: Value) -> list[Value]:
    """A generic function."""
    return [marked]


class Counter:
    """Has methods to make cells of with partial."""

    def count(self, marked: int) -> int:
        """Add one."""
        return marked + 1


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda marked: marked, 2),
        (Adder(3), 5),
        (functools.partial(lambda a, marked: a + marked, 10), 12),
        (functools.partial(functools.partial(pow, 3), 2), 9),
        (functools.partial(Counter().count), 3),
        (functools.partial(sum, [1, 2]), 3),
        (functools.lru_cache(lambda marked: marked), 2),
        (generic, [2]),
        (Mock(return_value="mocked"), "mocked"),
    ],
)
def test_any_callable_can_be_a_cell(function: Any, value: object) -> None:
    """Lambdas, instances, partials, cached and generic functions, and mocks do."""
    cell(function)
    graph = Graph.from_cells(function, marked)
    assert compute_sequential(graph)[function] == value


def test_a_class_can_be_a_cell() -> None:
    """A class is called like a function; its instance is the value."""
    made = types.new_class("Made", (Box,))
    cell(made)
    results = compute_sequential(Graph.from_cells(made, marked))
    assert isinstance(results[made], Box)
    assert results[made].held == 2


@pytest.mark.parametrize("computer", sorted(set(COMPUTERS) - {"sequential"}))
def test_async_callables_can_be_cells(computer: str) -> None:
    """What awaits is found out for instances, partials, methods and async mocks."""

    class Awaited:
        async def __call__(self) -> str:
            return "instance"

        async def method(self) -> str:
            return "method"

    async def function(text: str) -> str:
        return text

    mock = cell(AsyncMock(return_value="mock"))
    instance = cell(Awaited())
    partial = cell(functools.partial(function, "partial"))
    method = Awaited().method
    graph = Graph.from_cells(mock, instance, partial, method)
    values = list(COMPUTERS[computer](graph).values())
    assert values == ["mock", "instance", "partial", "method"]


def test_a_wrapper_that_carries_the_mark_is_the_cell() -> None:
    """functools.wraps copies the mark: the wrapper runs, with the inner parameters."""

    def shout(function: Callable[..., str]) -> Callable[..., str]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> str:
            return function(*args, **kwargs).upper()

        return wrapper

    @shout
    @depends_on(number=marked)
    @cell
    def hello(name: str, *, number: int) -> str:
        return f"hello {name} {number}"

    graph = Graph.from_cells(hello)
    assert list(graph.inputs) == ["name"]
    assert compute_sequential(graph, inputs={"name": "ann"})[hello] == "HELLO ANN 2"


def test_the_outermost_callable_decides_the_kind() -> None:
    """A plain wrapper that runs an `async def` function is a plain cell."""

    def run(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            try:
                function(*args).send(None)
            except StopIteration as done:
                return done.value
            raise AssertionError

        return wrapper

    @cell
    @run
    async def answer() -> int:
        return 42

    assert compute_sequential(Graph.from_cells(answer))[answer] == 42


def test_marking_a_class_marks_neither_subclasses_nor_instances() -> None:
    """Only the object that was decorated is a cell."""
    module = types.ModuleType("shapes")

    @cell
    class Shape:
        def __call__(self) -> None: ...

    module.Shape = Shape  # type: ignore[attr-defined]
    module.Round = type("Round", (Shape,), {})  # type: ignore[attr-defined]
    module.one = Shape()  # type: ignore[attr-defined]
    Shape.__module__ = "shapes"
    assert Graph.from_module(module).topological_ordering == [Shape]


# What cannot


class Slotted:
    """Takes no attributes."""

    __slots__ = ()

    def __call__(self) -> None:
        """Do nothing."""

    def __repr__(self) -> str:
        """Stable for messages."""
        return "<slotted>"


@attrs.frozen
class Frozen:
    """Takes no attributes either."""

    def __call__(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (len, "<built-in function len>"),
        (Slotted(), "<slotted>"),
        (Frozen(), "Frozen()"),
        (dict, "<class 'dict'>"),
    ],
)
@pytest.mark.parametrize("decorator", [cell, resource, depends_on("x")])
def test_what_takes_no_attributes_is_refused(
    decorator: Callable[..., Any], function: Any, shown: str
) -> None:
    """Built-ins and the like are refused, with the way around."""
    with pytest.raises(DeclarationError) as caught:
        decorator(function)
    assert str(caught.value) == (
        f"{shown} cannot be a cell: it takes no attributes, so it cannot be marked. "
        "Wrap it: cell(functools.partial(...)), or call it from a function of your own."
    )
    assert caught.value.cell is function
    wrapped = cell(functools.partial(function))
    assert len(Graph.from_cells(wrapped)) == 1


@pytest.mark.parametrize(("mark", "name"), [(cell, "cell"), (resource, "resource")])
def test_a_name_by_position_is_refused(mark: Any, name: str) -> None:
    """The error says how a name is given."""
    with pytest.raises(DeclarationError) as caught:
        mark("trip")
    assert str(caught.value) == (
        f"@{name}('trip'): a name is given by keyword: @{name}(name='trip')."
    )


@pytest.mark.parametrize("thing", [3, b"text", property(plain), ()])
def test_what_cannot_be_called_is_refused(thing: Any) -> None:
    """A cell must be callable."""
    with pytest.raises(DeclarationError) as caught:
        cell(thing)
    assert str(caught.value) == (
        f"{thing!r} cannot be a cell: it is not callable. A cell is a function, or "
        "another object that can be called."
    )
    assert caught.value.cell is thing


def test_cell_above_classmethod_is_refused() -> None:
    """The error says in which order the two decorators go."""
    with pytest.raises(DeclarationError) as caught:

        class Order:
            @cell
            @classmethod
            def total(cls) -> None: ...

    assert str(caught.value).startswith("<classmethod(<function ")
    assert str(caught.value).endswith(
        " cannot be a cell: it is not callable. Put @classmethod above @cell."
    )


def test_a_bound_method_is_refused(modules: Modules) -> None:
    """The function in the class is what takes the mark."""
    trip = modules.make(
        "trip",
        """
        class Trip:
            def plan(self): ...
        """,
    )
    with pytest.raises(DeclarationError) as caught:
        cell(trip.Trip().plan)
    assert str(caught.value) == (
        "'Trip.plan' (trip.py:3) is a bound method, which cannot be marked. Mark the "
        "function in the class, and collect the object's cells with "
        "Graph.from_object(obj)."
    )


@pytest.mark.parametrize(
    "use",
    [
        cell,
        depends_on(marked),
        depends_on,
        lambda lost: depends_on(x=lost),
        lambda lost: depends_on(x=[marked, lost]),
        Graph.from_cells,
    ],
)
def test_depends_on_without_parentheses_is_refused(
    modules: Modules, use: Callable[[Any], Any]
) -> None:
    """What bare `@depends_on` made of a function is no cell, wherever it turns up."""
    trip = modules.make(
        "trip",
        """
        @depends_on
        def plan(): ...
        """,
    )
    with pytest.raises(DeclarationError) as caught:
        use(trip.plan)
    assert str(caught.value) == (
        "depends_on('plan' (trip.py:2)) stands where a cell is expected. Was a "
        "function decorated with @depends_on without parentheses? Write @cell, or "
        "@depends_on(...) with what must come first."
    )
    assert caught.value.cell is trip.plan


def test_depends_on_within_cell_is_refused() -> None:
    """`@cell(depends_on(...))` is no way to write the two decorators."""
    told = r"^depends_on\('later', x=\.\.\.\) stands where a cell is expected\. "
    with pytest.raises(DeclarationError, match=told):
        cell(depends_on("later", x=plain))


# Arguments


@pytest.mark.parametrize("option", ["name", "run_in", "limit"])
@pytest.mark.parametrize("text", ["", 3, ["a"], plain])
@pytest.mark.parametrize("decorator", [cell, resource])
def test_options_that_are_no_text_are_refused(
    decorator: Callable[..., Any], text: Any, option: str
) -> None:
    """Names are strings with something in them."""
    with pytest.raises(DeclarationError) as caught:
        decorator(**{option: text})
    message = f"{option}={text!r}: expected a string that is not empty."
    assert str(caught.value) == message


@pytest.mark.parametrize("timeout", [0, -1.5, "1", True, float("nan")])
def test_a_timeout_is_a_number_of_seconds(timeout: Any) -> None:
    """Zero, negative numbers and what is no number are refused."""
    with pytest.raises(DeclarationError) as caught:
        cell(timeout=timeout)
    message = f"timeout={timeout!r}: expected a number of seconds above 0."
    assert str(caught.value) == message


async def awaited(error: BaseException) -> None:
    """No fallback."""


def yielding(error: BaseException) -> Iterator[None]:
    """No fallback either."""
    yield


@pytest.mark.parametrize("decorator", [cell, resource])
@pytest.mark.parametrize("value", [[], 0, "none", False])
def test_a_fallback_is_a_function_not_a_value(decorator: Any, value: Any) -> None:
    """A value in its place is refused, and shown as the function that gives it."""
    with pytest.raises(DeclarationError) as caught:
        decorator(fallback=value)
    assert str(caught.value) == (
        f"fallback={value!r}: expected a function of the exception, such as "
        f"fallback=lambda error: {value!r}."
    )


@pytest.mark.parametrize("decorator", [cell, resource])
@pytest.mark.parametrize(
    ("function", "kind"),
    [(awaited, "an async function"), (yielding, "a generator function")],
)
def test_a_fallback_is_a_plain_function(
    decorator: Any, function: Any, kind: str
) -> None:
    """It runs inline, where nobody would await it."""
    with pytest.raises(DeclarationError) as caught:
        decorator(fallback=function)
    assert str(caught.value) == (
        f"fallback={function!r} is {kind}: expected a function of the exception that "
        "returns the value at once."
    )


@pytest.mark.parametrize(
    "function", [lambda: 1, lambda one, two: 1, lambda *, error: 1, Modules]
)
def test_a_fallback_takes_the_exception(function: Any) -> None:
    """One that cannot be called with it would turn every failure into another."""
    if function is Modules:
        cell(fallback=function)  # it takes one argument, whatever it makes of it
        return
    with pytest.raises(DeclarationError) as caught:
        cell(fallback=function)
    assert str(caught.value) == (
        f"fallback={function!r}: expected a function of the exception, which can be "
        "called with that alone, such as fallback=lambda error: None."
    )


@pytest.mark.parametrize(
    "function", [str, dict, print, functools.partial(divmod, 1), [].append]
)
def test_any_callable_that_may_take_the_exception_is_a_fallback(function: Any) -> None:
    """Where Python cannot tell what it takes, it is taken as it is."""
    marked = cell(fallback=function)(lambda: 1)
    assert len(Graph.from_cells(marked)) == 1


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        (None, "None"),
        (3, "3"),
        ("", "''"),
        (":name", "':name'"),
        ("module:", "'module:'"),
        (".sibling:name", "'.sibling:name'"),
    ],
)
def test_depends_on_takes_callables_and_names(reference: Any, shown: str) -> None:
    """Anything else is refused at once, also within a list."""
    expected = (
        'expected a cell, another callable, or a string such as "name" or '
        '"package.module:name".'
    )
    with pytest.raises(DeclarationError) as caught:
        depends_on(marked, reference)
    assert str(caught.value) == f"depends_on({shown}): {expected}"
    with pytest.raises(DeclarationError) as caught:
        depends_on(x=reference)
    assert str(caught.value) == f"depends_on(x={shown}): {expected}"
    with pytest.raises(DeclarationError) as caught:
        depends_on(x=[marked, reference])
    assert str(caught.value) == f"depends_on(x={shown}): {expected}"


def test_a_list_within_a_list_is_refused() -> None:
    """A list binding lists cells and inputs, nothing deeper."""
    with pytest.raises(DeclarationError, match=r"^depends_on\(x=\['marked'\]\): exp"):
        depends_on(x=[["marked"]])  # type: ignore[list-item]


def test_an_input_orders_nothing() -> None:
    """A positional `Input` is refused with the remedy."""
    with pytest.raises(DeclarationError) as caught:
        depends_on(Input("url"))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "depends_on(Input(name='url')): an input orders nothing, so it must be bound "
        "to a parameter: depends_on(parameter=Input(name='url'))."
    )


def test_an_input_has_a_name() -> None:
    """`Input` takes a string, and is a value: equal, hashable, frozen."""
    assert Input("a") == Input("a") != Input("b")
    assert len({Input("a"), Input("a")}) == 1
    for wrong in (3, ""):
        with pytest.raises(DeclarationError) as caught:
            Input(wrong)  # type: ignore[arg-type]
        told = "expected the name of an input, a string."
        assert str(caught.value) == f"Input({wrong!r}): {told}"


# Kinds of function that do not fit the mark


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_generator_function_under_plain_cell_is_refused(
    modules: Modules, kind: str
) -> None:
    """A generator nobody would run: refused at assembly, saying so."""
    modules.make(
        "trip",
        f"""
        @cell
        {kind} lines():
            yield 1
        """,
    )
    told = {"def": "a generator function", "async def": "an async generator function"}
    with pytest.raises(DeclarationError) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == (
        f"'lines' (trip.py:2) is {told[kind]}, so its value would be a generator that "
        "nobody runs. If it yields once, mark it with @resource in place of @cell; "
        "else return a list."
    )
    assert caught.value.cell.__name__ == "lines"


@pytest.mark.parametrize(
    ("kind", "told"), [("def", "a plain function"), ("async def", "an async function")]
)
def test_a_resource_must_yield(modules: Modules, kind: str, told: str) -> None:
    """A function that cannot yield is refused as a resource at assembly."""
    modules.make("trip", f"@resource\n{kind} connection(): ...")
    with pytest.raises(DeclarationError) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == (
        f"'connection' (trip.py:2) is marked with @resource, but is {told}. A resource "
        "yields its value once, then cleans up; without clean-up, mark it with @cell "
        "and return the value."
    )


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "@cell(timeout=2)\ndef slow(): ...",
            "has timeout=2, but is a plain function, which cannot be stopped. Only "
            "async cells take a timeout; have the function itself give up, for "
            "instance with the timeout of the call that it waits for.",
        ),
        (
            "@resource(timeout=0.5)\ndef slow(): yield",
            "has timeout=0.5, but is a generator function, which cannot be stopped. "
            "Only async cells take a timeout; have the function itself give up, for "
            "instance with the timeout of the call that it waits for.",
        ),
        (
            "@cell(run_in='thread')\nasync def slow(): ...",
            "has run_in='thread', but is an async function, which runs on the event "
            "loop. Leave run_in out, or make it a plain function.",
        ),
        (
            "@resource(run_in='process')\ndef slow(): yield",
            "has run_in='process', but is a resource, which must be closed where it "
            'was opened. Use run_in="thread", or leave it out.',
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(
    modules: Modules, source: str, told: str
) -> None:
    """What cannot work in any computer is refused at assembly."""
    modules.make("trip", source)
    with pytest.raises(DeclarationError) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == f"'slow' (trip.py:2) {told}"


def test_options_that_fit_are_accepted() -> None:
    """Each option where it makes sense."""

    @cell(timeout=1, limit="backend")
    async def awaited() -> None: ...

    @cell(run_in="pool", limit="backend")
    def moved() -> None: ...

    @resource(run_in="thread")
    def opened() -> Iterator[None]:
        yield

    assert len(Graph.from_cells(awaited, moved, opened)) == 3
