"""Collecting: which cells make up the graph of modules, cells and objects."""

import importlib
import importlib.util
import pathlib
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from aiocells import (
    CircularDependency,
    DeclarationError,
    DependencyGraph,
    Graph,
    cell,
    compute_sequential,
    depends_on,
)
from tests.helpers import Modules, names, text, value_of

TRIP = """
@cell
def forecast(city): return f"sun in {city}"

@cell
def plan(forecast): return f"go: {forecast}"

def helper(): ...
"""


# From modules


def test_cells_come_in_definition_order(modules: Modules) -> None:
    """What a module defines is taken, marked functions only."""
    trip = modules.make("trip", TRIP)
    graph = Graph.from_module(trip)
    assert names(graph) == ["forecast", "plan"]
    assert dict(graph.inputs) == {"city": (trip.forecast,)}
    assert value_of(trip.plan, graph, city="Oslo") == "go: sun in Oslo"


def test_a_graph_is_a_dependency_graph(modules: Modules) -> None:
    """Nodes can be looked at, added and ordered by hand."""
    trip = modules.make("trip", TRIP)
    graph = Graph.from_module(trip)
    assert isinstance(graph, DependencyGraph)
    seen: list[str] = []
    graph.add_precedence(lambda: seen.append("before"), trip.forecast)
    graph.add_precedence(trip.plan, lambda: seen.append("after"))
    assert len(graph) == 4
    results = compute_sequential(graph, inputs={"city": "Oslo"})
    assert seen == ["before", "after"]
    assert results["plan"] == "go: sun in Oslo"
    assert list(graph.inputs) == ["city"]


@pytest.mark.parametrize("way", ["object", "name", "path", "beside"])
def test_a_module_without_cells_is_refused(modules: Modules, way: str) -> None:
    """By the name that was given for it, also where others have cells."""
    modules.make("trip", TRIP)
    empty = modules.make("empty", "NUMBER = 3\ndef plan(): ...")
    given: Any = {
        "object": [empty],
        "name": ["empty"],
        "path": [pathlib.Path("empty.py")],
        "beside": ["trip", "empty"],
    }[way]
    with pytest.raises(DeclarationError) as caught:
        Graph.from_module(*given)
    name = "empty.py" if way == "path" else "empty"
    assert str(caught.value) == (f"{name} has no cells. Mark its functions with @cell.")
    assert caught.value.cell is empty


def test_a_module_that_only_imports_cells_adds_none(modules: Modules) -> None:
    """It may be given beside others."""
    modules.make("trip", TRIP)
    for source in ("from trip import plan", "import trip\nboth = [trip.plan]"):
        modules.make("other", source)
        assert len(Graph.from_module("other")) == 0
        assert len(Graph.from_module("other", "trip")) == 2


@pytest.mark.parametrize("way", ["object", "name", "path", "string"])
def test_a_module_can_be_given_in_four_ways(modules: Modules, way: str) -> None:
    """As an object, a dotted name, a `Path` or the text of a path."""
    path = modules.write("trip", TRIP)
    given: Any = {
        "object": lambda: importlib.import_module("trip"),
        "name": lambda: "trip",
        "path": lambda: path,
        "string": lambda: "./trip.py",
    }[way]()
    graph = Graph.from_module(given)
    assert names(graph) == ["forecast", "plan"]
    assert list(graph.dependency_dict) == list(
        Graph.from_module(sys.modules["trip"]).dependency_dict
    )


def test_several_modules_make_one_graph(modules: Modules) -> None:
    """Their cells come in the order given, bound across modules."""
    modules.make("trip", TRIP)
    prices = modules.make("prices", "@cell\ndef price(plan, days): ...")
    graph = Graph.from_module("prices", modules.folder / "trip.py")
    assert names(graph) == ["price", "forecast", "plan"]
    assert list(graph.inputs) == ["days", "city"]
    assert graph.dependency_dict[prices.price] == {sys.modules["trip"].plan}


def test_the_same_module_twice_counts_once(modules: Modules) -> None:
    """Given again, in another way, a module adds nothing."""
    modules.make("trip", TRIP)
    assert len(Graph.from_module("trip", "trip.py", "trip")) == 2


@pytest.mark.parametrize("module", [3, None, pathlib.Path("trip.txt"), b"trip"])
def test_what_is_no_module_is_refused(module: Any) -> None:
    """The error says what can be given."""
    with pytest.raises(TypeError) as caught:
        Graph.from_module(module)
    assert str(caught.value) == (
        f"Graph.from_module got {module!r}. Give a module, its dotted name, or the "
        "path of a .py file."
    )


def test_a_missing_module_or_file_is_an_error(modules: Modules) -> None:
    """By name it is Python's own error; by path it names the file."""
    with pytest.raises(ModuleNotFoundError, match="not_there"):
        Graph.from_module("not_there")
    with pytest.raises(FileNotFoundError) as caught:
        Graph.from_module("not_there.py")
    path = modules.folder / "not_there.py"
    assert str(caught.value) == f"There is no file {str(path)!r} to collect cells from."


def test_imported_cells_come_only_if_needed(modules: Modules) -> None:
    """What is merely imported stays out; what a cell needs comes, from anywhere."""
    modules.make("trip", TRIP + "@cell\ndef unused(): ...")
    prices = modules.make(
        "prices",
        """
        from trip import *

        @cell
        def price(plan): ...
        """,
    )
    graph = Graph.from_module(prices)
    assert names(graph) == ["price", "plan", "forecast"]


def test_all_adds_imported_cells(modules: Modules) -> None:
    """What a module lists in its `__all__` is its own, beside what it defines."""
    modules.make("trip", TRIP)
    public = modules.make(
        "public",
        """
        from trip import forecast, plan

        __all__ = ["forecast", "not_there", "NUMBER"]
        NUMBER = 3

        @cell
        def not_listed(): ...
        """,
    )
    assert names(Graph.from_module(public)) == ["forecast", "not_listed"]


def test_one_cell_under_two_names_is_one_cell(modules: Modules) -> None:
    """An alias adds nothing, in one module or in two."""
    trip = modules.make(
        "trip", TRIP + "\nagain = plan\ncopy = cell(lambda: 1)\nx = copy"
    )
    modules.make("other", "from trip import plan as p\n__all__ = ['p']")
    graph = Graph.from_module("trip", "other")
    assert len(graph) == 3
    assert compute_sequential(graph, targets=["copy"])[trip.x] == 1


def test_a_package_means_its_init(modules: Modules) -> None:
    """The modules within a package are not looked into."""
    modules.write("shop.prices", "@cell\ndef price(): ...")
    modules.make("shop.__init__", "from shop import prices\n@cell\ndef total(): ...")
    assert names(Graph.from_module("shop")) == ["total"]
    assert names(Graph.from_module("shop/__init__.py")) == ["total"]
    assert names(Graph.from_module("shop.prices")) == ["price"]


def test_what_has_no_module_counts_where_it_is_found(modules: Modules) -> None:
    """Partials, instances and nameless functions do not say where they come from."""
    far = modules.make(
        "far",
        """
        import functools, types

        class Adder:
            def __call__(self): ...

        adder = cell(Adder())
        partial = cell(functools.partial(len, ()))
        nameless = cell(types.FunctionType((lambda: 1).__code__, {}))
        moved = cell(Adder())
        moved.__module__ = "elsewhere"
        """,
    )
    trip = modules.make("trip", "from far import *")
    for module in (far, trip):
        graph = Graph.from_module(module)
        assert list(graph.dependency_dict) == [far.adder, far.partial, far.nameless]


def test_a_class_says_where_it_comes_from(modules: Modules) -> None:
    """An imported class that is a cell stays out, as a function does."""
    far = modules.make("far", "@cell\nclass Report: ...")
    trip = modules.make("trip", "from far import Report")
    assert list(Graph.from_module(far).dependency_dict) == [far.Report]
    assert len(Graph.from_module(trip)) == 0


class Hostile:
    """Raises when any attribute is asked for."""

    def __getattribute__(self, name: str) -> Any:
        """Refuse."""
        raise RuntimeError(name)


class Eager:
    """Has every attribute that is asked for."""

    def __getattr__(self, name: str) -> Any:
        """Say yes to all."""
        return Eager()


class Odd:
    """Has something else where its attributes should be."""

    __slots__ = ()
    __dict__ = {"__aiocells__": "no spec"}  # type: ignore[assignment]


def test_strange_objects_in_a_module_do_no_harm(modules: Modules) -> None:
    """Objects that refuse to be looked at, or say yes to all, are no cells."""
    trip = modules.make("trip", TRIP)
    trip.hostile, trip.eager, trip.odd = Hostile(), Eager(), Odd()
    assert names(Graph.from_module(trip)) == ["forecast", "plan"]


def test_a_module_that_refuses_attributes_does_no_harm(modules: Modules) -> None:
    """A `__getattr__` of a module is not asked."""
    modules.make("trip", TRIP + "def __getattr__(name): raise RuntimeError(name)")
    assert names(Graph.from_module("trip")) == ["forecast", "plan"]


def test_a_module_without_a_file_can_be_given(modules: Modules) -> None:
    """Modules that were made by hand, as that of a notebook, collect as others do."""
    book = modules.blank("book")
    modules.run(book, TRIP)
    assert names(Graph.from_module(book)) == ["forecast", "plan"]
    assert names(Graph.from_module("book")) == ["forecast", "plan"]
    nowhere = types.ModuleType("nowhere")
    exec(f"from aiocells import cell\n{TRIP}", vars(nowhere))
    assert names(Graph.from_module(nowhere)) == ["forecast", "plan"]


def test_bare_depends_on_is_refused(modules: Modules) -> None:
    """A function that bare `@depends_on` replaced is not lost silently."""
    trip = modules.make("trip", "@depends_on\ndef plan(): ...")
    with pytest.raises(DeclarationError) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == (
        "'plan' (trip.py:2) was decorated with @depends_on without parentheses, and is "
        "lost. Write @cell, or @depends_on(...) with what must come first."
    )
    assert caught.value.cell is trip.plan.order[0]


def test_a_decorator_can_be_kept_in_a_module(modules: Modules) -> None:
    """`after_plan = depends_on(plan)` is fine, and used as a decorator."""
    trip = modules.make(
        "trip", TRIP + "after_plan = depends_on(plan)\n@after_plan\ndef audit(): ..."
    )
    graph = Graph.from_module("trip")
    assert graph.dependency_dict[trip.audit] == {trip.plan}


# From paths


def test_a_loaded_module_is_reused(modules: Modules) -> None:
    """A path to a file that is loaded already gives the same functions."""
    trip = modules.make("trip", TRIP)
    graph = Graph.from_module(modules.folder / "trip.py")
    assert trip.plan in graph.topological_ordering


def test_a_link_goes_by_its_own_name(modules: Modules) -> None:
    """What a path is called decides, not what a symbolic link points to."""
    path = modules.write("store.hashed", "import near\n" + TRIP)
    modules.write("sub.near", "")
    (modules.folder / "sub" / "trip.py").symlink_to(path)
    (modules.folder / "linked").symlink_to(modules.folder / "sub")
    graph = Graph.from_module("sub/trip.py")
    assert graph.topological_ordering[0].__module__ == "trip"
    again = Graph.from_module("linked/trip.py")
    assert again.topological_ordering == graph.topological_ordering


def test_a_path_is_imported_under_its_own_name(modules: Modules) -> None:
    """Its folder goes on sys.path, so that it can import its neighbours."""
    modules.write("sub.near", "@cell\ndef price(): ...")
    modules.write("sub.trip", "import near\n@cell\ndef total(x=near.price): ...")
    Graph.from_module("sub/trip.py")
    assert sys.path[0] == str(modules.folder / "sub")
    assert sys.modules["trip"].total.__module__ == "trip"
    assert sys.modules["near"].price.__module__ == "near"
    Graph.from_module("sub/near.py")
    assert sys.path.count(sys.path[0]) == 1


def test_a_path_within_a_package_is_imported_as_part_of_it(modules: Modules) -> None:
    """Relative imports work, since the package's name is found out."""
    modules.write("top.shop.inner.__init__", "")
    modules.write(
        "top.shop.__init__", "from .prices import price\n@cell\ndef shop(): ..."
    )
    modules.write("top.shop.prices", "@cell\ndef price(): ...")
    modules.write("top.shop.inner.deep", "from ..prices import price as p\n")
    assert names(Graph.from_module("top/shop/__init__.py")) == ["shop"]
    assert names(Graph.from_module("top/shop/prices.py")) == ["price"]
    assert names(Graph.from_module("top/shop/inner/deep.py")) == []
    assert {"shop", "shop.prices", "shop.inner.deep"} <= set(sys.modules)


@pytest.mark.parametrize(
    "path", ["random/trip.py", "json.py", "trip.v2.py", "my-trip.py", "__main__.py"]
)
def test_a_path_whose_name_is_taken_is_loaded_all_the_same(
    modules: Modules, path: str
) -> None:
    """Files named as another module, or as no import could name, load once."""
    file = modules.folder / path
    file.parent.mkdir(exist_ok=True)
    if file.parent != modules.folder:
        (file.parent / "__init__.py").touch()
    file.write_text(f"from aiocells import cell\n{TRIP}")
    before = {name: sys.modules.get(name) for name in ("random", "json", "__main__")}
    graph = Graph.from_module(file)
    assert names(graph) == ["forecast", "plan"]
    again = Graph.from_module(file)
    assert list(graph.dependency_dict) == list(again.dependency_dict)
    assert {name: sys.modules.get(name) for name in before} == before


def test_a_path_executes_no_file_but_its_own(modules: Modules) -> None:
    """A neighbour, or a package of the same name elsewhere, is not imported for it."""
    for name in ("trip", "pack.v2.__init__", "shop.__init__", "shop.inner.__init__"):
        modules.write(name, "raise RuntimeError('executed')")
    modules.write("sub.shop.__init__", "")
    modules.write("sub.shop.inner.__init__", "")
    modules.write("sub.shop.inner.deep", TRIP)
    folder = modules.folder / "sub" / "pack.v2"
    folder.mkdir()
    for path in (modules.folder / "trip.v2.py", folder / "__init__.py"):
        path.write_text(f"from aiocells import cell\n{TRIP}")
    sys.path.insert(1, str(modules.folder / "sub"))
    for target in ("trip.v2.py", "sub/pack.v2/__init__.py", "sub/shop/inner/deep.py"):
        assert names(Graph.from_module(target)) == ["forecast", "plan"]


def test_a_path_in_a_package_whose_name_is_taken_by_hand_is_loaded(
    modules: Modules,
) -> None:
    """A module that was made by hand does not stand for the package on disk."""
    modules.blank("shop")
    (modules.folder / "shop").mkdir()
    (modules.folder / "shop" / "__init__.py").touch()
    path = modules.folder / "shop" / "trip.py"
    path.write_text(f"from aiocells import cell\n{TRIP}")
    assert names(Graph.from_module(path)) == ["forecast", "plan"]


@pytest.mark.parametrize("name", ["trip", "json"])
def test_a_path_that_fails_to_load_leaves_no_module(
    modules: Modules, name: str
) -> None:
    """The error is the module's own, and the next try starts afresh."""
    path = modules.write(name, "1 / 0")
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        Graph.from_module(path)
    assert set(sys.modules) == before
    path.write_text(f"from aiocells import cell\n{TRIP}", encoding="utf-8")
    assert names(Graph.from_module(path)) == ["forecast", "plan"]


def test_a_package_that_lacks_a_module_says_so(modules: Modules) -> None:
    """What the packages above a path cannot import is not hidden."""
    modules.write("shop.__init__", "import not_there_at_all")
    modules.write("shop.prices", "")
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        Graph.from_module("shop/prices.py")


def test_strange_modules_do_no_harm(modules: Modules) -> None:
    """Stand-ins among the loaded modules are not touched when a path is looked up."""
    modules.write("lazy", "raise RuntimeError")
    spec = importlib.util.find_spec("lazy")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    by_hand = modules.blank("by_hand")
    by_hand.__file__ = None
    modules.blanks |= {"hostile", "eager", "lazy"}
    sys.modules["lazy"] = lazy
    sys.modules["hostile"] = Hostile()  # type: ignore[assignment]
    sys.modules["eager"] = Eager()  # type: ignore[assignment]
    path = modules.write("trip", TRIP)
    assert names(Graph.from_module(path)) == ["forecast", "plan"]


# From cells


def test_100_000_cells_can_be_collected() -> None:
    """A chain and a fan: neither depth nor width is a problem."""
    before: Any = cell(lambda: 0)
    fan = []
    for _ in range(50_000):
        before = depends_on(x=before)(lambda x: x + 1)
        fan.append(cell(lambda: 1))
    last = depends_on(x=before, fan=fan)(lambda x, fan: x + sum(fan))
    graph = Graph.from_cells(last)
    assert len(graph) == 100_002
    assert compute_sequential(graph, targets=[last])[last] == 100_000


def test_cells_bring_what_they_need() -> None:
    """`from_cells` takes the cells in the order given, then their dependencies."""
    first = text("first")

    @cell
    @depends_on(first)
    def second() -> None: ...

    def unmarked(second: None, x: int) -> int:
        return x

    graph = Graph.from_cells(unmarked, second)
    assert list(graph.dependency_dict) == [unmarked, second, first]
    assert dict(graph.inputs) == {"x": (unmarked,)}


def test_no_cells_make_an_empty_graph() -> None:
    """`from_cells()` is a graph to add to."""
    graph = Graph.from_cells()
    assert len(graph) == 0
    assert str(graph) == "{}"


def test_a_cell_given_twice_is_one_cell() -> None:
    """Also where another cell of the call needs it."""
    first = text("first")
    last = depends_on(first)(lambda: None)
    assert len(Graph.from_cells(last, first, last)) == 2


@pytest.mark.parametrize("thing", [3, "plan", None, classmethod(len)])
def test_what_cannot_be_called_is_no_cell(thing: Any) -> None:
    """Names are for `targets=`; a graph is made of functions."""
    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(thing)
    assert str(caught.value) == f"{thing!r} is no cell: it is not callable."
    assert caught.value.cell is thing


def test_a_graph_can_be_filled_by_hand() -> None:
    """`Graph()` is an empty graph, which takes nodes as a `DependencyGraph` does."""
    graph = Graph()
    assert dict(graph.inputs) == {}
    first = graph.add_node(text("first"))
    graph.add_precedence(first, lambda: "last")
    results = compute_sequential(graph, targets=["first"])
    assert results["first"] == "first"
    assert dict(graph.inputs) == {}


def test_a_subclass_of_graph_collects_itself() -> None:
    """The class methods give a graph of the class that they are called on."""

    class Mine(Graph):
        pass

    assert type(Mine.from_cells(text("x"))) is Mine


# When a graph cannot be made


@pytest.mark.parametrize(
    ("collect", "lines"),
    [
        (lambda trip: Graph.from_module(trip), (2, 4, 6)),
        (lambda trip: Graph.from_cells(trip.a), (2, 4, 6)),
        (lambda trip: Graph.from_object(trip.Trip()), (9, 11, 13)),
    ],
)
def test_a_cycle_is_refused_with_its_path(
    modules: Modules, collect: Callable[[Any], Graph], lines: tuple[int, int, int]
) -> None:
    """Assembly names the cells of the cycle, each with its place, in order."""
    trip = modules.make(
        "trip",
        """
        @cell
        def a(b): ...
        @cell
        def b(c): ...
        @cell
        def c(a): ...
        class Trip:
            @cell
            def a(self, b): ...
            @cell
            def b(self, c): ...
            @cell
            def c(self, a): ...
        """,
    )
    with pytest.raises(CircularDependency) as caught:
        collect(trip)
    assert str(caught.value) == (
        f"Circular dependency detected in graph: 'a' (trip.py:{lines[0]}) needs 'b' "
        f"(trip.py:{lines[1]}) needs 'c' (trip.py:{lines[2]}) needs 'a'. Remove one of "
        "these dependencies."
    )
    assert [node.__name__ for node in caught.value.path] == ["a", "b", "c", "a"]
    assert caught.value.path[0] == caught.value.path[-1]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "@cell\n@depends_on('a')\ndef a(): ...",
            "'a' (trip.py:2) needs 'a'",
        ),
        (
            "@cell\ndef one(two): ...\n@depends_on(one)\n@cell(name='two')\n"
            "def second(): ...",
            "'one' (trip.py:2) needs 'two' (trip.py:4) needs 'one'",
        ),
        (
            "@cell\ndef out(a): ...\n@cell\ndef a(b): ...\n@cell\ndef b(a): ...",
            "'a' (trip.py:4) needs 'b' (trip.py:6) needs 'a'",
        ),
        (
            "\n".join(f"@cell\ndef c{n}(c{(n + 1) % 12}): ..." for n in range(12)),
            "'c0' (trip.py:2) needs 'c1' (trip.py:4) needs 'c2' (trip.py:6) needs 'c3' "
            "(trip.py:8) needs ... 5 more ... needs 'c9' (trip.py:20) needs 'c10' "
            "(trip.py:22) needs 'c11' (trip.py:24) needs 'c0'",
        ),
    ],
)
def test_a_cycle_of_any_length_is_told(
    modules: Modules, source: str, told: str
) -> None:
    """Of itself, of two, reached from outside, and long with its middle left out."""
    modules.make("trip", source)
    with pytest.raises(CircularDependency) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == (
        f"Circular dependency detected in graph: {told}. Remove one of these "
        "dependencies."
    )


def test_the_main_module_is_reused(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of what runs as `__main__` gives that, though nobody can import it."""
    path = modules.write("script", TRIP)
    script = importlib.import_module("script")
    monkeypatch.setattr(script, "__spec__", None)
    graph = Graph.from_module(path)
    assert list(graph.dependency_dict) == [script.forecast, script.plan]


@pytest.mark.parametrize(
    ("given", "how"),
    [
        (sys, "a module with Graph.from_module(module)"),
        ("trip", "a module with Graph.from_module(module)"),
        (pathlib.Path("x.py"), "a module with Graph.from_module(module)"),
        ([len], "functions with Graph.from_cells(*functions)"),
        (len, "functions with Graph.from_cells(*functions)"),
        (3, "an object with Graph.from_object(obj)"),
    ],
)
def test_a_graph_takes_nothing_by_position(given: Any, how: str) -> None:
    """The error says with what it is made."""
    with pytest.raises(TypeError) as caught:
        Graph(given)
    shown = getattr(given, "__name__", repr(given))
    assert str(caught.value) == f"Graph({shown}): a graph is made from {how}."


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ([len], " Unpack it: Graph.from_cells(*cells)."),
        ((len,), " Unpack it: Graph.from_cells(*cells)."),
        ({"a": len}, " Unpack it: Graph.from_cells(*cells.values())."),
        (sys, " Collect a module's cells with Graph.from_module(module)."),
        ("plan", ""),
        (3, ""),
    ],
)
def test_what_is_no_cell_is_refused_with_the_remedy(given: Any, hint: str) -> None:
    """A list is to be unpacked, a module is collected otherwise."""
    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(given)
    assert str(caught.value) == f"{given!r} is no cell: it is not callable.{hint}"
