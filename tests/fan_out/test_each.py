"""Declaring a fan-out: what `each` makes, and what it refuses."""

import copy
import functools
import inspect
import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import aiocells
from aiocells import (
    DeclarationError,
    Graph,
    Input,
    Lazy,
    UnbindableParameter,
    cell,
    compute_sequential,
    depends_on,
    each,
)
from tests.helpers import Modules, described, names


def page(path: str, session: str = "s") -> str:
    """What most fan-outs here call."""
    return f"{session}:{path}"


@cell
def paths(folder: str) -> list[str]:
    """What most fan-outs here go through."""
    return [f"{folder}/a", f"{folder}/b"]


pages = each(page, path=paths)

TRIP = """
from aiocells import each

@cell
def paths(folder: str):
    return [folder + "/a", folder + "/b"]

def page(path, session="s"):
    return session + ":" + path

pages = each(page, path=paths)

@cell
def report(pages):
    return " ".join(pages)
"""


def value_of(made: Any, **inputs: Any) -> Any:
    """What a fan-out gives, collected on its own."""
    return compute_sequential(Graph.from_cells(made), inputs=inputs)[made]


# What it makes


def test_it_is_a_cell_that_gives_a_list() -> None:
    """The function is called once for each item, in order."""
    assert value_of(pages, folder="x") == ["s:x/a", "s:x/b"]


def test_the_function_is_left_as_it_is() -> None:
    """It is neither changed nor marked, and so becomes no cell."""
    assert vars(page) == {}
    assert page("a") == "s:a"


def test_it_is_bound_by_the_name_that_its_module_has_for_it(modules: Modules) -> None:
    """A parameter of that name gets the whole list."""
    trip = modules.make("trip", TRIP)
    graph = Graph.from_module(trip)
    assert repr(graph) == "<Graph: 3 cells of trip, inputs: folder, session>"
    results = compute_sequential(graph, inputs={"folder": "x"})
    assert results[trip.report] == "s:x/a s:x/b"
    assert results["pages"] == ["s:x/a", "s:x/b"]


def test_it_belongs_to_the_module_that_made_it(modules: Modules) -> None:
    """Where it is merely imported it is no cell, unless it is listed there."""
    modules.make("trip", TRIP)
    modules.write("user", "from trip import pages\n@cell\ndef one(): ...")
    modules.write("lister", "from trip import pages\n__all__ = ['pages']")
    assert names(Graph.from_module("user")) == ["one"]
    assert "pages" in names(Graph.from_module("lister"))


def test_one_that_a_factory_makes_belongs_to_its_caller_too(modules: Modules) -> None:
    """As a function does that a factory marks."""
    modules.write(
        "factory",
        """
        from aiocells import each
        def made(function, over):
            return each(function, x=over)
        """,
    )
    user = modules.make(
        "user",
        """
        from factory import made
        def twice(x):
            return 2 * x
        doubled = made(twice, Input("xs"))
        """,
    )
    graph = Graph.from_module(user)
    assert compute_sequential(graph, inputs={"xs": [1, 2]})["doubled"] == [2, 4]


def test_its_place_is_that_of_the_call(modules: Modules) -> None:
    """So messages name the line that a person would change."""
    trip = modules.make("trip", TRIP)
    assert repr(trip.pages) == "<each 'pages' (trip.py:11)>"
    with pytest.raises(aiocells.UnknownCell, match=r"'pagse'.*Did you mean 'pages'"):
        compute_sequential(Graph.from_module(trip), targets=["pagse"])


def test_its_name_is_the_one_given_the_modules_or_the_functions() -> None:
    """It is looked up when somebody asks, however the fan-out was collected."""
    assert pages.name == "pages"
    assert names(Graph.from_cells(pages)) == ["paths", "pages"][::-1]
    local = each(page, path=paths)
    assert local.name == "each(page)"
    assert each(page, path=paths, name="all_pages").name == "all_pages"
    assert each(functools.partial(page, session="t"), path=paths).name == "each(page)"


def test_a_name_that_is_given_to_something_else_is_its_name_no_more(
    modules: Modules,
) -> None:
    """As in a notebook, where a cell is defined anew."""
    trip = modules.make("trip", TRIP)
    before = trip.pages
    assert before.name == "pages"
    modules.run(trip, "pages = each(page, path=paths)")
    assert before.name == "each(page)"
    assert trip.pages.name == "pages"


def test_a_family_of_fan_outs_is_collected(modules: Modules) -> None:
    """Each of a list goes by its place in that."""
    module = modules.make(
        "family",
        """
        from aiocells import each
        def add(x, y):
            return x + y
        sums = [each(add, {"x": Input("xs")}, name=None), each(add, y=Input("ys"))]
        """,
    )
    graph = Graph.from_module(module)
    assert names(graph) != []
    inputs = {"xs": [1], "ys": [2], "x": 3, "y": 4}
    results = compute_sequential(graph, inputs=inputs)
    assert (results["sums[0]"], results["sums[1]"]) == ([5], [5])


def test_it_takes_overrides_and_is_a_target() -> None:
    """As any cell; what is given is the whole list."""

    @cell
    @depends_on(pages=pages)
    def count(pages: list[str]) -> int:
        return len(pages)

    graph = Graph.from_cells(count)
    results = compute_sequential(graph, overrides={pages: ["a"]})
    assert results[count] == 1
    results = compute_sequential(graph, targets=["pages"], inputs={"folder": "x"})
    assert list(results) == [pages]


def test_it_may_be_replaced_and_may_replace() -> None:
    """A fake stands for it, and it stands for a plain cell."""
    graph = Graph.from_cells(pages)
    fake = graph.replace({pages: lambda: ["fake"]})
    assert compute_sequential(fake)[pages] == ["fake"]
    graph = Graph.from_cells(paths)
    real = graph.replace({paths: each(str.upper, self=Input("names"))})
    assert compute_sequential(real, inputs={"names": ["a"]})[paths] == ["A"]


def test_chains_of_fan_outs() -> None:
    """One goes through what another gives; nested lists are flattened in between."""
    twice = each(lambda x: [x, x], x=Input("xs"), name="twice")

    @cell
    @depends_on(lists=twice)
    def flat(lists: list[list[int]]) -> list[int]:
        return [x for xs in lists for x in xs]

    added = each(lambda x: x + 1, x=flat, name="added")
    assert value_of(added, xs=[1, 2]) == [2, 2, 3, 3]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_pickled_by_name_where_its_module_has_it(protocol: int) -> None:
    """As a function is; else whole."""
    assert pickle.loads(pickle.dumps(pages, protocol)) is pages
    assert copy.copy(pages) is pages
    assert copy.deepcopy(pages) is pages
    local = each(page, path=paths, name="local")
    if protocol >= 2:
        again = pickle.loads(pickle.dumps(local, protocol))
        assert again is not local
        assert again.name == "local"
        assert value_of(again, folder="x") == ["s:x/a", "s:x/b"]
        assert repr(again) == repr(local)
        nameless = pickle.loads(pickle.dumps(each(page, path=paths), protocol))
        assert nameless.name == "each(page)"


def test_results_of_fan_outs_pickle() -> None:
    """The cell comes along by its name."""
    results = compute_sequential(Graph.from_cells(pages), inputs={"folder": "x"})
    again = pickle.loads(pickle.dumps(results))
    assert again[pages] == ["s:x/a", "s:x/b"]


# Its other parameters


def test_other_parameters_are_bound_as_those_of_a_cell() -> None:
    """By the function's module, its `depends_on`, defaults, and inputs."""

    @cell
    def first() -> int:
        return 10

    @depends_on(base=first)
    def add(base: int, n: int, step: int = 1, *, scale: int) -> int:
        return (base + n + step) * scale

    sums = each(add, n=Input("ns"))
    assert value_of(sums, ns=[1, 2], scale=2) == [24, 26]
    assert value_of(sums, ns=[1, 2], scale=2, step=0) == [22, 24]


def test_the_fan_out_may_be_bound_as_well() -> None:
    """`depends_on` marks it, and leaves the function alone."""

    def add(base: int, n: int) -> int:
        return base + n

    @cell
    def first() -> int:
        return 10

    sums = depends_on(base=first)(each(add, n=Input("ns")))
    assert value_of(sums, ns=[1, 2]) == [11, 12]
    assert vars(add) == {}


def test_order_only_dependencies_of_the_function_count() -> None:
    """What must come first comes before the first item."""
    seen: list[str] = []

    @cell
    def setup() -> None:
        seen.append("setup")

    @depends_on(setup)
    def work(x: int) -> None:
        seen.append(f"item {x}")

    value_of(each(work, x=Input("xs")), xs=[1, 2])
    assert seen == ["setup", "item 1", "item 2"]


def test_a_list_of_cells_is_gone_through() -> None:
    """Their values are the items."""

    @cell
    def one() -> int:
        return 1

    @cell
    def two() -> int:
        return 2

    assert value_of(each(lambda x: 2 * x, x=[one, two])) == [2, 4]


def test_what_is_iterated_must_be_given_even_if_it_has_a_default() -> None:
    """The default is that of one item."""

    def add(x: int = 5, y: int = 1) -> int:
        return x + y

    sums = each(add, x=Input("xs"))
    with pytest.raises(aiocells.MissingInput, match="xs"):
        value_of(sums)
    assert value_of(sums, xs=[1, 2]) == [2, 3]
    assert value_of(each(add, y=Input("ys")), ys=[1, 2]) == [6, 7]
    assert each(add, y=Input("ys"))(y=[1]) == [6]
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        each(add, y=Input("ys"))()


def test_own_options_count_all_but_the_name() -> None:
    """The fan-out says otherwise where it says something."""

    @cell(name="one", run_in="thread", limit="api", fallback=repr, secret=True)
    def work(x: int) -> int:
        return x

    def options_of(made: Any) -> Any:
        return made.__aiocells__.spec.options

    inherited = options_of(each(work, x=Input("xs")))
    assert inherited.name is None
    assert (inherited.run_in, inherited.limit) == ("thread", "api")
    assert inherited.fallback is repr
    assert inherited.secret is True
    own = options_of(each(work, x=Input("xs"), run_in="process", limit=3, secret=False))
    assert (own.run_in, own.limit, own.fan_out.limit) == ("process", None, 3)
    assert own.secret is False


def odd_callables() -> Iterator[Any]:
    """Callables of one parameter `x`, of many kinds."""

    class Adder:
        def method(self, x: int) -> int:
            return x + 1

        @classmethod
        def of_class(cls, x: int) -> int:
            return x + 1

        @staticmethod
        def static(x: int) -> int:
            return x + 1

        def __call__(self, x: int) -> int:
            return x + 1

    @functools.wraps(page)
    def wrapper(x: int) -> int:
        return x + 1

    del wrapper.__wrapped__  # type: ignore[attr-defined]
    adder = Adder()
    yield from (adder.method, Adder.of_class, Adder.static, adder, wrapper)
    yield lambda x: x + 1
    yield functools.partial(lambda y, x: x + y, 1)
    yield functools.partial(lambda x, y: x + y, y=1)
    yield functools.cache(lambda x: x + 1)

    def by_keyword(*, x: int) -> int:
        return x + 1

    def by_position(x: int, /) -> int:
        return x + 1

    def with_more(x: int, *args: int, y: int = 1, **named: int) -> int:
        return x + y

    def in_the_middle(y: int = 1, x: int = 2, z: int = 0) -> int:
        return x + y + z

    yield from (by_keyword, by_position, with_more, in_the_middle)


@pytest.mark.parametrize("function", [*odd_callables()])
def test_any_callable_will_do(function: Callable[..., int]) -> None:
    """However it takes what is iterated."""
    made = each(function, x=Input("xs"))
    assert value_of(made, xs=[1, 2]) == [2, 3]
    [parameter] = [
        p for p in inspect.signature(made).parameters.values() if p.name == "x"
    ]
    if parameter.kind is parameter.POSITIONAL_ONLY:
        assert made([1, 2]) == [2, 3]
    else:
        assert made(x=[1, 2]) == [2, 3]


def test_a_class_and_a_function_in_c() -> None:
    """What is called need not be written in Python."""
    assert value_of(each(complex, real=Input("xs"), name="c"), xs=[1], imag=2) == [
        1 + 2j
    ]
    texts = each(str, {"object": Input("xs")}, name="texts")  # of unknown parameters
    assert value_of(texts, xs=[1, 2]) == ["1", "2"]
    assert value_of(each(math.sqrt, x=Input("xs")), xs=[4, 9]) == [2, 3]


def test_letters_that_look_alike_are_the_same() -> None:
    """Names of parameters are read as Python reads them."""

    def add(ﬁrst: int) -> int:
        return ﬁrst + 1

    assert value_of(each(add, {"ﬁrst": Input("xs")}), xs=[1]) == [2]


# A mapping in place of keywords


def fetch(url: str, timeout: float) -> str:
    """A function of a parameter that has the name of an option."""
    return f"{url} in {timeout}"


def test_a_mapping_takes_the_place_of_keywords() -> None:
    """So a parameter may bear an option's name."""
    made = each(fetch, {"url": Input("urls"), "timeout": Input("timeouts")}, limit=3)
    assert value_of(made, urls=["a"], timeouts=[1]) == ["a in 1"]


def test_an_option_that_is_a_parameter_too_is_refused() -> None:
    """Nobody could tell which of the two is meant."""
    msg = (
        f"each(): 'timeout' is an option and a parameter of "
        f"{described('fetch', fetch)}. Give what is iterated as a mapping: "
        'each(fetch, {"url": ..., "timeout": ...}, ...).'
    )
    with pytest.raises(DeclarationError) as caught:
        each(fetch, url=Input("urls"), timeout=3)  # type: ignore[call-overload]
    assert str(caught.value) == msg


# What is refused


def gives(x: int) -> Iterator[int]:
    """A generator function."""
    yield x


async def gives_async(x: int) -> Any:
    """An async generator function."""
    yield x


async def waits(x: int) -> int:
    """An async function."""
    return x


@depends_on(path=paths)
def bound(path: str) -> str:
    """A function whose parameter is bound already."""
    return path


@depends_on(other=Lazy(paths))
def asks(x: int, other: Any) -> int:
    """A plain function that asks."""
    return x


XS = Input("xs")
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no function": (lambda: each(3, x=XS), r"each\(3\): expected a function"),  # type: ignore[call-overload]
    "nothing": (
        lambda: each(page),
        r"nothing is iterated. Say which parameter of 'page' \(.*\) gets one item at a "
        r"time: each\(page, path=cell\)",
    ),
    "no mapping": (lambda: each(page, paths), "is no mapping. Say by keyword"),  # type: ignore[call-overload]
    "both": (
        lambda: each(page, {"path": paths}, session=paths),  # type: ignore[call-overload]
        "given as a mapping, and.*by keyword too",
    ),
    "a generator": (
        lambda: each(gives, x=XS),
        "is a generator function, so that each item would be a generator",
    ),
    "an async generator": (lambda: each(gives_async, x=XS), "an async generator"),
    "a fan-out": (
        lambda: each(pages, path=paths),
        r"a fan-out of a fan-out. Chain them: flatten in a plain cell",
    ),
    "a value": (lambda: each(page, path=3), r"each\(path=3\): expected a cell"),
    "bound twice": (
        lambda: each(bound, path=paths),
        r"each\(path=\.\.\.\): @depends_on binds 'path' of 'bound' \(.*\) as well",
    ),
    "lazy": (lambda: each(page, path=Lazy(paths)), "is computed before, and not asked"),
    "asks": (lambda: each(asks, x=XS), "only async items can ask"),
    "limit": (lambda: each(page, path=paths, limit=0), "limit=0: expected a whole"),
    "a bool limit": (lambda: each(page, path=paths, limit=True), "limit=True"),
    "limits": (lambda: each(page, path=paths, limit=()), "expected one or more names"),
    "timeout": (
        lambda: each(page, path=paths, timeout=3),
        "has timeout=3, but is a pl",
    ),
    "no timeout": (lambda: each(waits, x=XS, timeout=-3), "timeout=-3: expected a num"),
    "run_in": (
        lambda: each(waits, x=XS, run_in="thread"),
        "has run_in='thread', but is an async function",
    ),
    "on_error": (
        lambda: each(page, path=paths, on_error="kepp"),  # type: ignore[call-overload]
        "on_error='kepp': expected 'raise' or 'keep'. Did you mean 'keep'?",
    ),
    "product": (
        lambda: each(page, path=paths, product="yes"),  # type: ignore[call-overload]
        "product='yes': expected True or False",
    ),
    "fallback": (lambda: each(page, path=paths, fallback=3), "fallback=3: expected"),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_at_the_call(case: str) -> None:
    """Each message says what is wrong, and what to do."""
    call, message = REFUSED[case]
    with pytest.raises(DeclarationError, match=message):
        call()


def test_an_unknown_parameter_is_refused() -> None:
    """Near names are told, of parameters and of options."""
    with pytest.raises(UnbindableParameter) as caught:
        each(page, paht=paths)
    place = described("page", page)
    assert str(caught.value) == (
        f"each(paht=...): {place} has no parameter 'paht'. Did you mean 'path'?"
    )
    assert (caught.value.cell, caught.value.parameter) == (page, "paht")
    with pytest.raises(UnbindableParameter, match=r"Did you mean 'limit'\?"):
        each(page, limti=3)
    with pytest.raises(
        UnbindableParameter, match=r"cannot get 'y' item by item: .*fix"
    ):
        each(functools.partial(lambda x, y: x, y=1), y=XS)


def test_a_class_body_is_no_place_for_it() -> None:
    """It would be bound to no object."""

    class Trip:
        @cell
        def paths(self) -> list[str]:
            return ["a"]

        pages = each(page, path=paths)

    with pytest.raises(DeclarationError, match=r"'pages'.*in the body of a class"):
        Graph.from_object(Trip())


async def test_async_function_may_ask() -> None:
    """What an item asks for is computed once, for all items."""
    seen: list[str] = []

    @cell
    async def rare() -> int:
        seen.append("rare")
        return 10

    @depends_on(rare=Lazy(rare))
    async def work(x: int, rare: Any) -> int:
        return x + (await rare() if x > 1 else 0)

    made = each(work, x=XS)
    graph = Graph.from_cells(made)
    for computer in (
        aiocells.async_compute_concurrent,
        aiocells.async_compute_sequential,
    ):
        for xs, wanted in (([1], [1]), ([1, 2, 3], [1, 12, 13])):
            seen.clear()
            results = await computer(graph, targets=[made], inputs={"xs": xs})
            assert results[made] == wanted
            assert len(seen) == (len(xs) > 1)
