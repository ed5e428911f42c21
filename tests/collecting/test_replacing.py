"""Replacing: other functions in the place of a graph's cells."""

import asyncio
import copy
import functools
import pickle
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aiocells
from aiocells import (
    AmbiguousCell,
    CircularDependency,
    DeclarationError,
    DependencyGraph,
    Graph,
    Input,
    MissingInput,
    MissingValue,
    UnbindableParameter,
    UnknownCell,
    UnknownInput,
    UnsupportedCell,
    async_compute_concurrent,
    cell,
    compute_sequential,
    depends_on,
    resource,
)
from aiocells.drawing import draw
from tests.helpers import COMPUTERS, Modules, described
from tests.strategies import Built, Node, Reference, Shape, shapes, value_of

SHOP = """
RAN = []

@cell
def settings(env):
    RAN.append("settings")
    return {"env": env}

@cell(run_in="backend", limit="db")
def pool(settings, size=3):
    RAN.append("pool")
    return ["pool", settings["env"], size]

@cell
def rates():
    RAN.append("rates")
    return {"EUR": 2}

@cell
def page(pool, rates, customer):
    RAN.append("page")
    return [*pool, rates["EUR"], customer]

@cell
@depends_on("pool", parts=[pool, "rates"])
def report(parts):
    RAN.append("report")
    return parts
"""


@pytest.fixture
def shop(modules: Modules) -> Any:
    """A module whose cells take down that they ran."""
    return modules.make("shop", SHOP)


def fake_pool() -> list[str]:
    """Stands for a pool; pickled by name."""
    return ["fake"]


def computed(graph: Graph, *targets: Any, **inputs: Any) -> Any:
    """The results of a computation in order."""
    return compute_sequential(graph, targets=targets or None, inputs=inputs)


# Which graph comes out


def test_every_edge_follows_and_the_old_graph_stays(shop: Any) -> None:
    """By name, by string, in a list, by order: what needs the cell gets the fake."""
    graph = Graph.from_module(shop)
    replaced = graph.replace({shop.pool: fake_pool})
    assert type(replaced) is Graph
    assert replaced is not graph
    results = computed(replaced, shop.page, shop.report, customer="ann")
    assert results[shop.page] == ["fake", 2, "ann"]
    assert results[shop.report] == [["fake"], {"EUR": 2}]
    assert replaced.dependency_dict[shop.report] == {shop.pool, shop.rates}
    old = computed(graph, shop.page, customer="ann", env="test")
    assert old[shop.page] == ["pool", "test", 3, 2, "ann"]


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
def test_the_old_function_stays_the_key_and_the_new_one_works_too(
    shop: Any, computer: Any
) -> None:
    """As target, in results and in overrides, by the function and by the name."""
    graph = Graph.from_module(shop).replace({"pool": fake_pool})
    for target in (shop.pool, fake_pool, "pool"):
        results = computer(graph, targets=[target])
        assert dict(results) == {shop.pool: ["fake"]}
        assert results[shop.pool] == results[fake_pool] == results["pool"] == ["fake"]
        assert fake_pool in results
        assert results.get(fake_pool) == ["fake"]
        given = {target: ["given"]}
        inputs = {"customer": "ann"}
        results = computer(graph, targets=[shop.page], inputs=inputs, overrides=given)
        assert results[shop.page] == ["given", 2, "ann"]
    assert list(graph.cells) == ["settings", "pool", "rates", "page", "report"]
    both = "is given twice, as .*pool.* and as .*fake_pool"
    with pytest.raises(ValueError, match=both):
        computer(graph, overrides={shop.pool: 1, fake_pool: 2})


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
def test_failures_skips_and_events_have_the_old_function(
    shop: Any, computer: Any
) -> None:
    """`failures`, `skipped`, what observers are told; the note has the new place."""

    def broken() -> None:
        msg = "down"
        raise LookupError(msg)

    graph = Graph.from_module(shop).replace({shop.pool: broken})
    seen: list[tuple[str, Any, str]] = []
    options: dict[str, Any] = {
        "targets": [shop.page],
        "inputs": {"customer": "ann"},
        "observers": [lambda event: seen.append((event.kind, event.cell, event.name))],
    }
    results = computer(graph, on_error="continue", **options)
    failed = results.failures[shop.pool]
    assert list(results.failures) == [shop.pool]
    assert results.skipped == {shop.page}
    assert ("failure", shop.pool, "pool") in seen
    assert failed.__notes__ == [
        f"in cell {described('pool', broken)}, needed by 'page'"
    ]
    for key in (shop.pool, broken, "pool"):
        with pytest.raises(LookupError):
            results[key]
    with pytest.raises(LookupError) as caught:
        computer(graph, **options)
    assert list(aiocells.failures(caught.value)) == [shop.pool]


def test_it_is_bound_in_the_place_of_its_cell(modules: Modules) -> None:
    """Names and strings mean what they would mean in the replaced cell's module."""
    far = modules.make(
        "far", "@cell\ndef rate(): return 5\n@cell\ndef price(rate): return rate"
    )
    near = modules.make("near", "@cell\ndef rate(): return 7\n")
    names: dict[str, Any] = {"cell": cell, "depends_on": depends_on}
    exec("def fake(rate, count=2): return rate * count", vars(near))
    exec("@depends_on('rate')\ndef ordered(): return 'fine'", vars(near) | names, names)
    graph = Graph.from_module(far)
    assert computed(graph.replace({far.price: near.fake}))[far.price] == 10
    assert computed(graph.replace({far.price: near.fake}), count=3)[far.price] == 15
    replaced = graph.replace({far.price: names["ordered"]})
    assert replaced.dependency_dict[far.price] == {far.rate}
    given = Graph.from_module(far, near)
    fake = depends_on(rate=near.rate)(lambda rate: rate)
    assert computed(given.replace({far.price: fake}))[far.price] == 7


def test_its_name_is_that_of_its_cell_and_never_means_itself(shop: Any) -> None:
    """`name=` on the fake counts for nothing; a parameter of its name is an input."""
    fake = cell(name="other")(lambda pool: pool)
    graph = Graph.from_module(shop).replace({"pool": fake})
    assert graph.cells["pool"] is shop.pool
    assert graph.inputs["pool"] == (shop.pool,)
    assert computed(graph, "pool", pool="given")["pool"] == "given"
    named = Graph.from_cells(cell(name="long name")(fake_lambda()))
    replaced = named.replace({"long name": lambda: 3})
    assert computed(replaced)["long name"] == 3


def fake_lambda() -> Any:
    """A new function that has no name of its own."""
    return lambda: 1


def test_what_the_cell_was_found_as_is_its_name(modules: Modules) -> None:
    """Members of families, and what only its module names, are replaced by that."""
    levels = modules.make(
        "levels",
        "def level(city): return cell(lambda: city)\n"
        "levels = {city: level(city) for city in ('Oslo', 'Rome')}\n"
        "rows = [level('a'), level('b')]\n"
        "alone = level('c')\n"
        "@cell\n"
        "def all_of(levels, rows, alone): return [levels, rows, alone]\n",
    )
    graph = Graph.from_module(levels)
    replaced = graph.replace(
        {"levels['Oslo']": lambda: "o", levels.rows[1]: lambda: "r", "alone": str}
    )
    assert computed(replaced)["all_of"] == [
        {"Oslo": "o", "Rome": "Rome"},
        ["a", "r"],
        "",
    ]
    assert list(replaced.cells) == list(graph.cells)
    with pytest.raises(UnknownCell, match="replace: there is no cell 'levels'"):
        graph.replace({"levels": dict})


class Order:
    """An order of so many."""

    def __init__(self, count: int) -> None:
        """Take down the count."""
        self.count = count

    @cell
    def price(self) -> int:
        """What one costs."""
        raise ConnectionError

    @cell(name="sum")
    def total(self, price: int) -> int:
        """What all cost."""
        return price * self.count

    @staticmethod
    @cell
    def label(total: int) -> str:
        """What is printed."""
        return f"total {total}"


class Fake:
    """Has what stands for methods of an order."""

    @cell
    def price(self, discount: int) -> int:
        """What one costs, less."""
        return 10 - discount


def test_the_cells_of_an_object_are_replaced() -> None:
    """Functions and methods of other objects are bound as methods of the object."""
    order = Order(3)
    graph = Graph.from_object(order)
    replaced = graph.replace({order.price: lambda: 5})
    assert computed(replaced)[order.total] == 15
    replaced = graph.replace({"price": Fake().price})
    assert list(replaced.inputs) == ["discount"]
    assert computed(replaced, discount=2)["label"] == "total 24"
    replaced = graph.replace({order.total: lambda price: price, "price": lambda: 2})
    assert computed(replaced)["sum"] == 2
    replaced = graph.replace({"label": lambda total, price: [total, price]})
    replaced = replaced.replace({"price": lambda: 1})
    assert computed(replaced)[order.label] == [3, 1]


# Its marks are its own


def test_its_marks_are_its_own(shop: Any) -> None:
    """Bindings and options are those of the fake; the cell's own are gone."""

    @cell(timeout=3)
    @depends_on(shop.rates, where=Input("place"), both=[shop.rates, "settings"])
    async def fake(where: str, both: list[Any]) -> list[Any]:
        return [where, *both]

    graph = Graph.from_module(shop).replace({shop.pool: fake})
    inputs = {"place": "here", "env": "test"}
    computing = async_compute_concurrent(graph, targets=[shop.report], inputs=inputs)
    results = asyncio.run(computing)
    pool = ["here", {"EUR": 2}, {"env": "test"}]
    assert results[shop.report] == [pool, {"EUR": 2}]


def test_a_resource_for_a_cell_and_the_other_way_round() -> None:
    """Kinds may change: a resource is closed, and is no target; a cell may be one."""
    log: list[str] = []

    @resource
    def connection() -> Iterator[str]:
        log.append("real")
        yield "real"

    @cell
    def user(connection: str) -> str:
        return f"user of {connection}"

    @resource
    async def fake() -> AsyncIterator[str]:
        log.append("opened")
        yield "fake"
        log.append("closed")

    @resource
    def bracket() -> Iterator[str]:
        yield "bracket"
        log.append("bracket closed")

    user = depends_on(connection=connection)(user)
    graph = Graph.from_cells(user)
    plain = graph.replace({connection: lambda: "plain"})
    assert computed(plain, connection)[connection] == "plain"
    opening = graph.replace({connection: fake})
    with pytest.raises(UnsupportedCell, match=r"'connection' .* async"):
        compute_sequential(opening)
    results = asyncio.run(async_compute_concurrent(opening))
    assert results[user] == "user of fake"
    assert log == ["opened", "closed"]
    both = plain.replace({user: bracket})
    assert dict(computed(both)) == {}
    assert log[2:] == ["bracket closed"]
    with pytest.raises(UnsupportedCell, match=r"'user' .* is a resource") as caught:
        computed(both, user)
    assert described("user", bracket) in str(caught.value)
    assert caught.value.cell is user


def test_what_does_not_fit_a_fake_is_refused_as_of_its_cell(shop: Any) -> None:
    """Declarations of the fake are checked, by the cell's name and the fake's place."""
    graph = Graph.from_module(shop)
    fake = cell(timeout=3)(fake_lambda())
    with pytest.raises(DeclarationError, match=r"has timeout=3, but is") as caught:
        graph.replace({shop.pool: fake})
    assert str(caught.value).startswith(described("pool", fake))
    fake = depends_on(b=shop.rates)(lambda a: a)
    with pytest.raises(UnbindableParameter, match=r"@depends_on\(b=...\) of 'pool'"):
        graph.replace({shop.pool: fake})
    with pytest.raises(DeclarationError, match="bound to no object"):
        graph.replace({shop.pool: Order.price})
    with pytest.raises(
        UnknownCell, match=r"of 'pool' .*: there is no cell of that name"
    ):
        graph.replace({shop.pool: depends_on("nothing")(fake_lambda())})


def test_the_cells_that_a_fake_brings_along_are_bound() -> None:
    """What a fake needs comes into the graph, though by no name that others ask for."""

    @cell
    def seed(start: int = 3) -> int:
        return start

    @cell
    @depends_on(start=seed)
    def made(start: int) -> int:
        return start + 1

    @cell
    def real(missing: int) -> int:
        return missing

    @cell
    def user(real: int, made: int = 0) -> list[int]:
        return [real, made]

    user = depends_on(real=real)(user)
    graph = Graph.from_cells(user)
    replaced = graph.replace({real: depends_on(made=made)(lambda made: made)})
    results = computed(replaced)
    assert results[user] == [4, 0]
    assert results[made] == 4
    assert list(replaced.cells) == ["user", "real", "made", "seed"]
    assert list(graph.cells) == ["user", "real"]
    assert results[seed] == 3


def test_fakes_may_need_each_other(shop: Any) -> None:
    """A fake that names another means the cell for which that one stands."""
    rates = cell(lambda: {"EUR": 9})
    pool = depends_on(found=rates, ordered=[rates, shop.rates])(
        lambda found, ordered: [found, *ordered]
    )
    replaced = Graph.from_module(shop).replace({shop.pool: pool, shop.rates: rates})
    assert replaced.dependency_dict[shop.pool] == {shop.rates}
    assert computed(replaced, "pool")[pool] == [{"EUR": 9}] * 3


# What is run, and what may be given


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
def test_what_only_replaced_cells_needed_is_run_only_if_asked_for(
    shop: Any, computer: Any
) -> None:
    """Neither run nor a result, but there as a target."""
    graph = Graph.from_module(shop).replace({shop.pool: fake_pool})
    results = computer(graph, inputs={"customer": "ann"})
    assert list(results) == [shop.pool, shop.rates, shop.page, shop.report]
    assert sorted(shop.RAN) == ["page", "rates", "report"]
    with pytest.raises(MissingValue, match="was not computed: no target needs it"):
        results[shop.settings]
    assert shop.settings not in results
    asked = computer(graph, targets=["settings", "pool"], inputs={"env": "test"})
    assert dict(asked) == {shop.settings: {"env": "test"}, shop.pool: ["fake"]}
    with pytest.raises(MissingInput, match="'env' is needed by 'settings'"):
        computer(graph, targets=["settings"])
    results = computer(
        graph, inputs={"customer": "ann"}, overrides={"rates": {"EUR": 1}}
    )
    assert list(results) == [shop.pool, shop.rates, shop.page, shop.report]


def test_what_others_need_too_is_run(shop: Any) -> None:
    """A cell is left out only where nobody is left who needs it."""
    graph = Graph.from_module(shop)
    fake = depends_on("settings")(lambda: ["fake"])
    assert shop.settings in computed(
        graph.replace({shop.pool: fake}), customer="ann", env="test"
    )
    page = depends_on(value=shop.settings)(lambda value: value)
    both = graph.replace({shop.pool: fake_pool, shop.page: page})
    assert computed(both, env="test")[shop.page] == {"env": "test"}
    ended = graph.replace({shop.page: lambda: 1, shop.report: lambda: 2})
    assert dict(computed(ended)) == {shop.page: 1, shop.report: 2}


@pytest.mark.needs_threads
def test_all_that_the_old_graph_knew_may_still_be_given(shop: Any) -> None:
    """Inputs, cells, limits and executors, though nobody wants them any more."""
    graph = Graph.from_module(shop).replace({shop.pool: fake_pool})
    for replaced in (graph, graph.replace({"page": lambda customer: customer})):
        with ThreadPoolExecutor() as executor:
            computing = async_compute_concurrent(
                replaced,
                inputs={"customer": "ann", "env": "test", "size": 1},
                overrides={shop.settings: {}},
                limits={"db": 1},
                executors={"backend": executor},
            )
            assert asyncio.run(computing)[shop.report][0] == ["fake"]
        computing = async_compute_concurrent(replaced, limits={"dbs": 1})
        with pytest.raises(ValueError, match="Did you mean 'db'"):
            asyncio.run(computing)
    assert list(graph.inputs) == ["env", "customer"]
    assert repr(graph) == "<Graph: 5 cells of shop, inputs: env, customer>"
    with pytest.raises(UnknownInput, match="Did you mean 'size'"):
        computed(graph, sise=3)


# Again, by hand, copied


def test_replacing_twice(shop: Any) -> None:
    """The last function counts; each that stood for the cell is a key of it."""
    graph = Graph.from_module(shop)
    first, second = lambda rates: ["first", rates], lambda: ["second"]
    once = graph.replace({shop.pool: first})
    for key in (shop.pool, first, "pool"):
        twice = once.replace({key: second})
        results = computed(twice, customer="ann")
        assert results[shop.page] == ["second", 2, "ann"]
        assert results[first] == results[second] == results[shop.pool] == ["second"]
        assert shop.settings not in results
    again = once.replace({"pool": second}).replace({"pool": first})
    assert computed(again, "pool")["pool"] == ["first", {"EUR": 2}]
    assert computed(again.replace({"pool": first}), "pool")["pool"][0] == "first"
    other = once.replace({"rates": lambda: {"EUR": 7}})
    assert computed(other, customer="ann")["page"] == ["first", {"EUR": 7}, 7, "ann"]
    assert computed(once, "pool")["pool"] == ["first", {"EUR": 2}]
    assert computed(graph.replace({}), env="e", customer="c")["settings"] == {
        "env": "e"
    }


def test_what_came_by_hand_stays(shop: Any) -> None:
    """Nodes and edges that were added by hand are in the new graph, in their places."""
    log: list[str] = []

    def before() -> None:
        log.append("before")

    def after() -> None:
        log.append("after")

    graph = Graph.from_module(shop)
    graph.add_node(after)
    graph.add_precedence(before, shop.pool)
    graph.add_precedence(shop.rates, shop.pool)
    graph.add_precedence(shop.pool, after)

    @depends_on(shop.rates)
    def fake() -> list[str]:
        log.append("fake")
        return ["fake"]

    replaced = graph.replace({shop.pool: fake})
    assert replaced.dependency_dict[shop.pool] == {before, shop.rates}
    computed(replaced, shop.page, after, customer="ann")
    assert log == ["before", "fake", "after"]
    graph.add_precedence(shop.settings, shop.pool)
    plain = graph.replace({shop.pool: fake_pool})
    assert shop.settings in plain.dependency_dict[shop.pool]
    assert shop.settings not in replaced.dependency_dict[shop.pool]
    plain = Graph.from_module(shop)
    plain.add_precedence(before, shop.pool)
    plain.add_precedence(shop.rates, shop.pool)
    plain = plain.replace({shop.pool: fake_pool})
    assert plain.dependency_dict[shop.pool] == {before, shop.rates}
    replaced.add_precedence(shop.page, late := lambda: log.append("late"))
    again = replaced.replace({before: lambda rates: log.append("instead")})
    del log[:]
    results = computed(again, customer="ann")
    assert log == ["instead", "fake", "after", "late"]
    assert late in results
    assert shop.settings not in results
    assert shop.settings not in graph.replace({before: fake}).dependency_dict[before]


def test_a_node_by_hand_that_is_no_function_may_stay() -> None:
    """It is refused when the graph is computed, as ever, unless it is replaced."""
    graph = Graph()
    graph.add_precedence("a", "b")
    once = graph.replace({"a": lambda: 1})
    with pytest.raises(UnsupportedCell, match="The node 'b' is not callable"):
        compute_sequential(once)
    both = once.replace({"b": lambda a=0: a + 1})
    assert dict(compute_sequential(both, inputs={"a": 4})) == {"a": 1, "b": 5}
    assert both.dependency_dict == {"a": frozenset(), "b": {"a"}}


def test_a_graph_put_together_by_hand_has_no_replace() -> None:
    """Only a graph of cells has it: what 1.x knew stays as it was."""
    assert not hasattr(DependencyGraph(), "replace")


class NamedGraph(Graph):
    """A graph of a user's own class."""


def test_the_new_graph_is_of_the_same_class_and_name(shop: Any) -> None:
    """Class, name and origins go along."""
    graph = NamedGraph.from_module(shop)
    graph.name = "mine"
    replaced = graph.replace({shop.pool: fake_pool})
    assert repr(replaced) == (
        "<NamedGraph 'mine': 5 cells of shop, inputs: env, customer>"
    )


def real_pool(settings: str) -> str:
    """Is replaced; pickled by name."""
    return settings


def user_of(real_pool: Any) -> Any:
    """Needs it; pickled by name."""
    return real_pool


cell(real_pool)
cell(user_of)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda graph: pickle.loads(pickle.dumps(graph))],
)
def test_copies_and_pickles_have_the_replacement(copied: Any) -> None:
    """A copy computes the same, under the same keys, and can be replaced again."""
    graph = Graph.from_cells(user_of).replace({real_pool: fake_pool})
    twin = copied(graph)
    results = compute_sequential(twin)
    assert results[user_of] == results[real_pool] == results[fake_pool] == ["fake"]
    again = twin.replace({real_pool: lambda: 2})
    assert compute_sequential(again)[user_of] == 2
    assert compute_sequential(graph)[user_of] == ["fake"]
    twin.add_node(late := lambda: 3)
    assert late in compute_sequential(twin)
    assert late not in compute_sequential(graph)


def test_pickled_results_have_both_functions_as_keys() -> None:
    """Those that are found by name, those that are not; each that stood for a cell."""
    mine = cell(fake_lambda())
    first, alike = (lambda: 1), [fake_lambda(), fake_lambda()]
    others = [cell(name=f"other {n}")(lambda n=n: n) for n in range(2)]
    graph = Graph.from_cells(user_of, mine, *others)
    replaced = graph.replace({mine: first}).replace({real_pool: fake_pool, mine: str})
    replaced = replaced.replace(dict(zip(others, alike, strict=True)))
    results = compute_sequential(replaced)
    again = pickle.loads(pickle.dumps(results))
    for read in (again, pickle.loads(pickle.dumps(again))):
        for key in (user_of, real_pool, fake_pool, first, str):
            assert read[key] == results[key]
            assert key in read
        for key in (*alike, lambda: 1):
            assert key not in read
    asked = compute_sequential(replaced, targets=[user_of])
    again = pickle.loads(pickle.dumps(asked))
    for key in (real_pool, fake_pool):
        with pytest.raises(MissingValue, match=r"'real_pool' .* but is no target"):
            again[key]


def test_a_drawing_has_the_new_edges_and_the_old_names(shop: Any) -> None:
    """What is drawn below a replaced cell is what its function needs."""
    graph = Graph.from_module(shop)
    fake = depends_on("rates")(lambda region: region)
    replaced = graph.replace({"pool": fake})
    for target in (shop.pool, fake, "pool"):
        assert draw(replaced, targets=[target]) == ("pool\n├─ [region]\n└╌ rates")
    drawn = draw(replaced.replace({"settings": dict}))
    assert "settings" in drawn
    assert "env" not in drawn


@pytest.mark.needs_processes
def test_a_fake_runs_where_it_says(shop: Any) -> None:
    """A fake with `run_in="process"` is the function that is sent."""
    fake = cell(functools.partial(sum, [1, 2]), run_in="process")
    graph = Graph.from_module(shop).replace({shop.pool: fake})
    results = asyncio.run(async_compute_concurrent(graph, targets=["pool"]))
    assert results[shop.pool] == 3
    graph = graph.replace({shop.pool: cell(run_in="process")(lambda: 1)})
    with pytest.raises(UnsupportedCell, match=r"'pool' .* cannot be sent") as caught:
        asyncio.run(async_compute_concurrent(graph, targets=["pool"]))
    assert caught.value.cell is shop.pool


# What is refused


def test_an_unknown_cell_is_refused(shop: Any) -> None:
    """By name with near names; a function that is no cell; a name of several."""
    graph = Graph.from_module(shop)
    with pytest.raises(UnknownCell) as caught:
        graph.replace({"pol": fake_pool})
    message = "replace: there is no cell 'pol' in the graph. Did you mean 'pool'?"
    assert str(caught.value) == message
    assert caught.value.suggestions == ("pool",)
    with pytest.raises(UnknownCell, match=r"'customer' in the graph. It is an input"):
        graph.replace({"customer": fake_pool})
    with pytest.raises(UnknownCell, match=r"replace: 'fake_pool' .* is no cell"):
        graph.replace({fake_pool: lambda: 1})
    twins = Graph.from_cells(*(cell(name="twin")(fake_lambda()) for _ in range(2)))
    with pytest.raises(AmbiguousCell, match="replace: 'twin' is the name of"):
        twins.replace({"twin": lambda: 1})
    with pytest.raises(ValueError, match=r"replace: 'pool' .* is given twice"):
        graph.replace({"pool": fake_pool, shop.pool: lambda: 1})


def test_a_cycle_is_refused(shop: Any) -> None:
    """The message has the way round, with the place of the fake."""
    graph = Graph.from_module(shop)
    fake = fake_rates()
    with pytest.raises(CircularDependency) as caught:
        graph.replace({"rates": fake})
    assert str(caught.value) == (
        f"Circular dependency detected in graph: {described('rates', fake)} needs "
        f"{described('page', shop.page)} needs 'rates'. Remove one of these "
        "dependencies."
    )
    assert caught.value.path == (shop.rates, shop.page, shop.rates)


def fake_rates() -> Any:
    """A function that needs what needs it."""
    return lambda page: page


def test_one_function_for_two_cells_is_refused(shop: Any) -> None:
    """A key would mean both; each cell takes a function of its own."""
    graph = Graph.from_module(shop)
    with pytest.raises(DeclarationError) as caught:
        graph.replace({"pool": fake_pool, shop.rates: fake_pool})
    assert str(caught.value) == (
        f"replace: {described('fake_pool', fake_pool)} is to stand for two cells, "
        f"{described('pool', shop.pool)} and {described('rates', shop.rates)}. Give "
        "each a function of its own."
    )
    with pytest.raises(DeclarationError, match="is a cell of the graph itself"):
        graph.replace({"pool": fake_pool}).replace({"rates": fake_pool})


def test_a_cell_is_no_replacement_of_itself(shop: Any) -> None:
    """A function that passes its value on would take an input of that name."""
    graph = Graph.from_module(shop)
    for replaced in (graph, graph.replace({"pool": fake_pool})):
        with pytest.raises(DeclarationError) as caught:
            replaced.replace({shop.pool: shop.pool})
        assert str(caught.value).endswith(
            ": it is a cell of the graph itself. Leave it out; the graph before has it "
            "as it was."
        )


def test_a_cell_of_the_graph_is_refused(shop: Any) -> None:
    """The message says how to have it all the same."""
    graph = Graph.from_module(shop)
    with pytest.raises(DeclarationError) as caught:
        graph.replace({shop.pool: shop.rates})
    assert str(caught.value) == (
        f"replace: {described('rates', shop.rates)} cannot stand for "
        f"{described('pool', shop.pool)}: it is a cell of the graph itself. Give a "
        "function that passes its value on: lambda rates: rates."
    )
    replaced = graph.replace({shop.pool: lambda rates: rates})
    assert computed(replaced, "pool")["pool"] == {"EUR": 2}
    odd = cell(name="two words")(fake_lambda())
    with pytest.raises(DeclarationError, match=r"depends_on\(value=...\)\(lambda v"):
        Graph.from_cells(odd, shop.rates).replace({"rates": odd})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "replace: 3 cannot stand for 'pool' .* it is no function. .* overrides="),
        (depends_on("rates"), "depends_on"),
        (functools.partial(print, []), None),
    ],
)
def test_what_is_no_function_is_refused(shop: Any, given: Any, message: str) -> None:
    """A value belongs to `overrides=`; a decorator lacks its function."""
    graph = Graph.from_module(shop)
    if message is None:
        assert graph.replace({"pool": given}).cells["pool"] is shop.pool
        return
    with pytest.raises(DeclarationError, match=message):
        graph.replace({"pool": given})


class Unhashable:
    """Callable, but no key of a dict."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> None:
        """Do nothing."""


def test_what_cannot_be_a_key_is_refused(shop: Any) -> None:
    """As a cell that is not hashable is."""
    graph = Graph.from_module(shop)
    with pytest.raises(DeclarationError, match=r"'Unhashable' .* not hashable"):
        graph.replace({"pool": Unhashable()})


def test_what_is_no_mapping_is_refused(shop: Any) -> None:
    """The message has the form that is expected."""
    graph: Any = Graph.from_module(shop)
    with pytest.raises(
        TypeError, match=r"replace\(\{cell: function\}\), not \['pool'\]"
    ):
        graph.replace(["pool"])


# Random graphs


@st.composite
def replacements(draw: st.DrawFn) -> tuple[Shape, list[int], list[bool], bool]:
    """A shape; the ranks to replace, by functions async or not; at once or in turn."""
    shape = draw(shapes(max_cells=8))
    ranks = draw(
        st.lists(st.sampled_from(range(len(shape.nodes))), unique=True)
        if shape.nodes
        else st.just([])
    )
    kinds = [draw(st.booleans()) for _ in ranks]
    return shape, ranks, kinds, draw(st.booleans())


def equal_to(built: Built, node: Node, *, is_async: bool) -> Any:
    """A function of the same meaning as a cell, of another form."""

    def body(listed: list[Any], alone: list[Any], extra: Any = None) -> Any:
        return value_of(node, [*listed, *alone], extra)

    async def async_body(listed: list[Any], alone: list[Any], extra: Any = None) -> Any:
        await asyncio.sleep(0)
        return value_of(node, [*listed, *alone], extra)

    needed = [built.cells[rank] for rank in node.values]
    fixed: dict[str, Any] = {} if node.wants_input else {"extra": None}
    bindings: dict[str, Any] = {"listed": needed[:1], "alone": needed[1:]}
    if node.wants_input:
        bindings["extra"] = Input("extra")
    made = functools.partial(async_body if is_async else body, **fixed)
    orders = [f"cell_{rank}" for rank in node.orders]
    return depends_on(*orders, **bindings)(made)


@given(replacements(), st.data())
def test_functions_of_equal_meaning_give_equal_values(
    drawn: tuple[Shape, list[int], list[bool], bool], data: st.DataObject
) -> None:
    """Random replacements in random graphs, at once or in turn, in every computer."""
    shape, ranks, kinds, at_once = drawn
    built = Built(shape)
    fakes = {
        built.cells[rank]: equal_to(built, shape.nodes[rank], is_async=is_async)
        for rank, is_async in zip(ranks, kinds, strict=True)
    }
    graph = built.graph
    if at_once:
        graph = graph.replace(fakes)
    else:
        for replaced, fake in fakes.items():
            graph = graph.replace({replaced: fake})
    expected = Reference(shape, extra="input")
    for node in shape.nodes:
        expected.compute(node.rank)
    targets = data.draw(
        st.lists(st.sampled_from(range(len(shape.nodes))), unique=True)
        if shape.nodes
        else st.just([])
    )
    is_async = any(node.is_async for node in shape.nodes) or any(kinds)
    for name, computer in COMPUTERS.items():
        if name == "sequential" and is_async:
            continue
        inputs = {"extra": "input"} if "extra" in built.graph.inputs else {}
        results = computer(graph, inputs=inputs)
        assert {built.ranks[key]: value for key, value in results.items()} == (
            expected.values
        )
        chosen = computer(
            graph,
            targets=[fakes.get(each, each) for each in map(built.cells.get, targets)],
            inputs=inputs,
        )
        assert [built.ranks[key] for key in chosen] == targets
