"""Which cells a module has, whoever made them, and in which order."""

import importlib
import os
import sys
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells import (
    DeclarationError,
    Graph,
    UnknownCell,
    cell,
    compute_sequential,
    depends_on,
)
from aiocells._planning.compiling import plan_of
from tests.helpers import FIRST_LINE, Modules
from tests.strategies import HELPERS, Statement, statements

TRIP = """
@cell
def forecast(city): return f"sun in {city}"

@cell
def plan(forecast): return f"go: {forecast}"

def unmarked(): ...
"""


def labels(graph: Graph) -> list[str]:
    """The names by which the cells of a graph go, in order."""
    return plan_of(graph).program.names


# Every way to come by a cell


def run(name: str, *sources: str) -> Any:
    """A module made of statements."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec("\n".join([FIRST_LINE, "import functools", *sources]), vars(module))
    return module


def written(made: tuple[Statement, ...]) -> list[str]:
    """The source of a module."""
    forward = [f"{each.name} = None" for each in made if each.is_forward]
    return [*forward, *(each.source for each in made)]


@given(statements(), st.data())
def test_a_module_has_what_it_marks_makes_or_defines(
    made: tuple[Statement, ...], data: st.DataObject
) -> None:
    """In the order of marking, by the name that it has there; nothing is lost."""
    asked = data.draw(st.lists(st.sampled_from(made), unique=True))
    parameters = ", ".join(each.name for each in asked)
    asking = f"@cell\ndef asking({parameters}): return [{parameters}]"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("far", "near", "other"):
            patch.setitem(sys.modules, name, None)
        run("far", HELPERS)
        helpers = ["import far", HELPERS]
        module = run("near", *helpers, *written(made), asking)
        graph = Graph.from_module(module)
        cells = [name for each in made for name in each.cells]
        assert labels(graph)[: len(cells) + 1] == [*cells, "asking"]
        assert set(labels(graph)[len(cells) + 1 :]) <= {"plain"}
        results = compute_sequential(graph)
        assert results["asking"] == [each.value for each in asked]
        assert [results[name] for name in cells] == cells

        # Who merely imports has only what it needs, and what says of no module.
        names = ", ".join(each.variable for each in made)
        other = run("other", f"from near import {names}", asking)
        imported = labels(Graph.from_module(other))
        needed = {name for each in asked for name in each.cells}
        homeless = {
            name
            for each in made
            for name, way in zip(each.cells, each.ways, strict=True)
            if way in ("partial", "object")
        }
        assert set(imported) - {"plain"} == needed | homeless | {"asking"}
        assert compute_sequential(Graph.from_module(other))["asking"] == [
            each.value for each in asked
        ]


# Where a cell stands, and where its function does


LIB = """
def loader(name):
    @cell
    def load(): return name
    return load

def bare(function):
    def wrapper(*args): return function(*args)
    return wrapper

def mean(): return 5

@cell
def own(): return "own"
"""


def test_cells_that_are_written_elsewhere_are_the_modules(modules: Modules) -> None:
    """By a factory, by a decorator without `wraps`, and by marking an import."""
    modules.make("lib", LIB)
    app = modules.make(
        "app",
        """
        from lib import bare, loader, mean, own

        users = loader("users")
        orders = loader("orders")
        average = cell(mean)

        @cell
        @bare
        def plan(): return "plan"
        """,
    )
    graph = Graph.from_module(app)
    assert labels(graph) == ["users", "orders", "mean", "plan"]
    results = compute_sequential(graph)
    assert [results[each] for each in (app.users, app.orders, app.average)] == [
        "users",
        "orders",
        5,
    ]
    assert results["plan"] == "plan"
    assert set(labels(Graph.from_module("lib"))) == {"mean", "own"}


def test_a_function_that_two_modules_mark_is_a_cell_of_both(modules: Modules) -> None:
    """And of the module where it was written."""
    lib = modules.make("lib", LIB)
    for name in ("one", "two"):
        modules.make(name, "import lib\nmean = cell(lib.mean)\n@cell\ndef x(mean): ...")
    modules.make("three", "from one import mean\n@cell\ndef y(): ...")
    for name in ("one", "two"):
        assert labels(Graph.from_module(name)) == ["mean", "x"]
    assert labels(Graph.from_module("three")) == ["y"]
    assert lib.mean in Graph.from_module("lib").dependency_dict


def test_cells_made_by_a_class_or_an_inner_function_are_the_modules(
    modules: Modules,
) -> None:
    """However many functions stand between the module and the mark."""
    modules.make(
        "lib", "def outer(value):\n    return (lambda: inner(value))()\n" + LIB
    )
    modules.make(
        "deep",
        """
        import lib
        def inner(value): return lib.loader(value)
        lib.inner = inner
        class Holder:
            made = lib.outer("deep")
        deep = Holder.made
        """,
    )
    assert labels(Graph.from_module("deep")) == ["deep"]


def test_the_order_is_that_of_definition(modules: Modules) -> None:
    """Though a name was bound before, as a placeholder or before a reload."""
    path = modules.write(
        "trip", "plan = None\n@cell\ndef a(): ...\n@cell\ndef plan(): ..."
    )
    trip = importlib.import_module("trip")
    assert labels(Graph.from_module(trip)) == ["a", "plan"]
    modules.write(
        "trip", "@cell\ndef plan(): ...\n@cell\ndef new(): ...\n@cell\ndef a(): ..."
    )
    sys.modules["trip"] = trip
    os.utime(path, (1, 1))
    importlib.reload(trip)
    assert labels(Graph.from_module(trip)) == ["plan", "new", "a"]


def test_the_order_of_methods_is_that_of_definition() -> None:
    """In a class too; what is overridden keeps its place."""

    class Base:
        last: Any = None

        @cell
        def first(self) -> None: ...

        @cell
        def last(self) -> None: ...  # noqa: F811

    class Derived(Base):
        more: Any = None

        @cell
        def also(self) -> None: ...

        @cell
        def more(self) -> None: ...  # noqa: F811

        def first(self) -> None: ...

    assert labels(Graph.from_object(Derived())) == ["first", "last", "also", "more"]


def test_a_method_of_a_bare_decorator_goes_by_its_attribute() -> None:
    """The wrapper's own name says nothing; an alias adds nothing."""

    def bare(function: Any) -> Any:
        def wrapper(self: Any) -> Any:
            return function(self)

        return wrapper

    class Trip:
        @cell
        @bare
        def plan(self) -> int:
            return 3

        again = plan

        @cell
        def total(self, plan: int) -> int:
            return plan

        sum = total

    results = compute_sequential(Graph.from_object(Trip()))
    assert (results["plan"], results["total"], len(results)) == (3, 3, 2)


# What is no cell is left alone


class Waking:
    """A lazy object, which tells when it is woken."""

    woken = 0

    def _wake(self, *_: Any) -> Any:
        type(self).woken += 1
        raise AssertionError

    __call__ = __getattr__ = __iter__ = __len__ = __bool__ = __eq__ = _wake
    __class__ = __dict__ = property(_wake)  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class WakingClass(type):
    """A class that is lazy itself."""

    __dict__ = __mro__ = property(Waking._wake)  # type: ignore[assignment]


def test_nothing_is_woken_that_is_no_cell(modules: Modules) -> None:
    """Proxies of tasks, of requests and of imports stay asleep."""
    trip = modules.make("trip", TRIP)
    trip.lazy, trip.city, trip.family = Waking(), Waking(), [Waking()]
    trip.lazy_class = WakingClass("lazy_class", (), {"__call__": Waking._wake})
    trip.lazy_instance = trip.lazy_class()
    trip.__all__ = ["lazy", "family", "plan"]

    class Shop:
        lazy: Any = Waking()

        @cell
        def price(self, lazy: Any) -> Any: ...

    for graph in (
        Graph.from_module(trip),
        Graph.from_cells(trip.plan),
        Graph.from_object(Shop()),
    ):
        assert len(graph.inputs) == 1
    with pytest.raises(UnknownCell):
        Graph.from_cells(depends_on("plam")(trip.unmarked))
    assert Waking.woken == 0


class Rooted:
    """A wrapper that passes its attributes on, as those of wrapt do."""

    __slots__ = ("_inside",)

    def __init__(self, inside: Any) -> None:
        """Wrap a callable."""
        object.__setattr__(self, "_inside", inside)

    def __getattr__(self, name: str) -> Any:
        """Pass it on."""
        return getattr(self._inside, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Pass it on."""
        setattr(self._inside, name, value)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        """Pass it on."""
        return vars(self._inside)

    def __call__(self, *args: Any) -> Any:
        """Call what is inside."""
        return self._inside(*args)


class Passing(Rooted):
    """The same, with weak references."""

    __slots__ = ("__weakref__",)


class Binding(Passing):
    """The same, bound as functions are."""

    __slots__ = ()

    def __get__(self, owner: Any, _: Any) -> Any:
        """Bind it."""
        return self


def test_a_wrapper_that_passes_attributes_on_carries_the_mark(modules: Modules) -> None:
    """As one made with `wraps` does; a proxy of something else is not asked."""
    trip = modules.make("trip", "")
    trip.plan = Binding(cell(lambda: 3))
    trip.other = Passing(cell(lambda: 4))
    trip.upper = str.upper
    graph = Graph.from_module(trip)
    assert compute_sequential(graph)[trip.plan] == 3
    assert len(graph) == 1


@pytest.mark.parametrize("kind", [Passing, Rooted])
def test_a_proxy_that_is_marked_is_a_cell(modules: Modules, kind: Any) -> None:
    """The mark is the proxy's own, though its attributes are not."""
    trip = modules.make("trip", "")
    trip.marked = cell(name="marked")(kind(lambda: 3))
    trip.asleep = kind(lambda: 4)
    graph = Graph.from_module(trip)
    assert compute_sequential(graph)["marked"] == 3
    assert trip.asleep not in graph.dependency_dict
    with pytest.raises(DeclarationError, match="marked twice"):
        cell(name="other")(trip.marked)


def test_the_mark_of_a_proxy_goes_with_it() -> None:
    """No later object of the same place in memory inherits it."""
    from aiocells._declaring import marks

    before = len(marks._beside)
    proxy = cell(Passing(lambda: 3))
    assert len(marks._beside) == before + 1
    del proxy
    assert len(marks._beside) == before


# __all__


def test_all_takes_what_the_module_makes_when_asked(modules: Modules) -> None:
    """What only a module's `__getattr__` serves is taken where `__all__` lists it."""
    modules.make("lib", LIB)
    lazy = modules.make(
        "lazy",
        """
        __all__ = ["own", "mean", "missing"]

        @cell
        def first(): ...

        def __getattr__(name):
            if name == "missing":
                raise AttributeError(name)
            import lib
            return getattr(lib, name)
        """,
    )
    assert labels(Graph.from_module(lazy)) == ["own", "first"]


@pytest.mark.parametrize(
    "written", [None, 3, [[]], ["plan", {}], {"plan": 1}, "plan", object()]
)
def test_a_strange_all_does_no_harm(modules: Modules, written: Any) -> None:
    """Names in it count; whatever else there is does not."""
    trip = modules.make("trip", TRIP)
    trip.__all__ = written
    assert labels(Graph.from_module(trip)) == ["forecast", "plan"]


def test_a_module_without_a_name_can_be_given(modules: Modules) -> None:
    """Its functions know the name that it had."""
    trip = modules.make("trip", TRIP)
    trip.half = cell(lambda: 1)
    del trip.__name__
    assert set(labels(Graph.from_module(trip))) <= {"forecast", "plan", "half"}
