"""References: what the arguments of `depends_on` mean when a graph is assembled."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from aiocells import (
    AmbiguousCell,
    DeclarationError,
    Graph,
    UnknownCell,
    cell,
    compute_sequential,
    depends_on,
)
from tests.helpers import Modules, text, value_of

FAR = """
@cell
def price(): return "far"
"""


def test_any_callable_can_come_first(modules: Modules) -> None:
    """An unmarked function is a cell where another depends on it, binding as any."""
    trip = modules.make(
        "trip",
        """
        def prepare(price): return f"prepared {price}"

        @cell
        def price(): return 3

        @cell
        @depends_on(prepare)
        def total(prepare): return prepare

        @cell
        @depends_on(made="prepare")
        def other(made): return made
        """,
    )
    assert value_of(trip.total) == "prepared 3"
    assert value_of(trip.other) == "prepared 3"
    assert len(Graph.from_module(trip)) == 4


@pytest.mark.parametrize("reference", ["late", "renamed", "far:price", "box.far:price"])
def test_a_string_is_resolved_at_assembly(modules: Modules, reference: str) -> None:
    """A name defined later, a `name=`, or a module that was never imported."""
    modules.write("far", FAR)
    modules.write("box.__init__", "")
    modules.write("box.far", FAR)
    trip = modules.make(
        "trip",
        f"""
        @cell
        @depends_on(x="{reference}")
        def first(x): return x

        @cell
        def late(): return "late"

        @cell(name="renamed")
        def renamed_later(): return "renamed"
        """,
    )
    expected = "far" if ":" in reference else reference
    assert value_of(trip.first) == expected


def test_a_string_finds_a_given_cell() -> None:
    """A name that the module does not know is looked for among the given cells."""
    last = depends_on(x="x")(lambda x: x + "!")
    assert value_of(last, Graph.from_cells(last, text("x"))) == "x!"


def test_a_string_finds_what_the_object_has() -> None:
    """For a method, the attribute of that name comes first, marked or not."""

    class Trip:
        @depends_on("helper", x="price")
        def total(self, helper: str, x: str) -> str:
            return helper + x

        @cell
        def price(self) -> str:
            return "price"

        def helper(self) -> str:
            return "helper"

    assert value_of(Trip().total) == "helperprice"


def test_a_string_finds_a_method_of_a_class_elsewhere(modules: Modules) -> None:
    """`"module:Class.method"` walks the attributes."""
    modules.make(
        "far",
        """
        class Prices:
            @staticmethod
            def price(): return "far"
        """,
    )
    total = depends_on("far:Prices.price")(lambda price: price)
    assert value_of(total) == "far"


def test_a_string_finds_a_name_elsewhere(modules: Modules) -> None:
    """`"module:name"` knows the `name=` of that module's cells."""
    modules.make("far", '@cell(name="cost")\ndef price(): return "far"')
    total = depends_on(x="far:cost")(lambda x: x)
    assert value_of(total) == "far"


@pytest.mark.parametrize("reference", ["date", "far:date"])
@pytest.mark.parametrize(
    ("defined", "value"),
    [
        ("from datetime import date\n@cell(name='date')\ndef made(): return 1", 1),
        ("@cell(name='date')\ndef made(): return 1\n@cell\ndef date(): return 2", 2),
        ("def date(): return 3\nmade = [cell(lambda: 4)]", 3),
        ("date = [cell(lambda: 4)]", [4]),
        ("date = [cell(lambda: 4)]\n@cell(name='date')\ndef made(): return 5", 5),
        ("made = (cell(name='date')(lambda: 6),)", 6),
    ],
)
def test_a_name_means_the_same_with_and_without_a_module(
    modules: Modules, reference: str, defined: str, value: Any
) -> None:
    """A cell of that key goes first, then one by `name=`, a family, a callable."""
    far = modules.make(
        "far", f"{defined}\n@depends_on(x={reference!r})\ndef total(x): return x"
    )
    assert value_of(far.total) == value


@pytest.mark.parametrize(
    ("reference", "told", "near"),
    [
        (
            "forcast",
            "there is no cell of that name in its module or among the collected cells. "
            "Did you mean 'forecast'?",
            ("forecast",),
        ),
        (
            "zzz",
            "there is no cell of that name in its module or among the collected cells.",
            (),
        ),
        (
            "far:pirce",
            "module 'far' has no cell 'pirce'. Did you mean 'price'?",
            ("price",),
        ),
        ("far:NUMBER", "module 'far' has no cell 'NUMBER'.", ()),
        ("far:price.long.path", "module 'far' has no cell 'price.long.path'.", ()),
        ("near:price", "there is no module 'near'. Is it on sys.path?", ()),
        ("far.near:price", "there is no module 'far.near'. Is it on sys.path?", ()),
    ],
)
def test_an_unknown_name_is_an_error(
    modules: Modules, reference: str, told: str, near: tuple[str, ...]
) -> None:
    """It names the cell, its place, the reason, and near names."""
    modules.write("far", FAR + "NUMBER = 3")
    modules.make(
        "trip",
        f"""
        @cell
        def forecast(): ...

        @cell
        @depends_on("{reference}")
        def plan(): ...
        """,
    )
    with pytest.raises(UnknownCell) as caught:
        Graph.from_module("trip")
    expected = f"@depends_on({reference!r}) of 'plan' (trip.py:5): {told}"
    assert str(caught.value) == expected
    assert caught.value.name == reference
    assert caught.value.suggestions == near


def test_what_a_module_raises_on_import_is_not_hidden(modules: Modules) -> None:
    """A module that is there but broken fails with its own error."""
    modules.write("broken", "import not_there_at_all")
    modules.write("wrong", "1 / 0")
    for name, error in [("broken", ModuleNotFoundError), ("wrong", ZeroDivisionError)]:
        with pytest.raises(error):
            Graph.from_cells(depends_on(f"{name}:price")(lambda: 1))


@pytest.mark.parametrize("reference", ["price", "trip:price"])
def test_an_ambiguous_string_is_an_error(modules: Modules, reference: str) -> None:
    """Two cells of the same `name=`: the error names both, and the remedy."""
    modules.make(
        "trip",
        f"""
        @cell(name="price")
        def one(): ...

        @cell(name="price")
        def two(): ...

        @cell
        @depends_on("{reference}")
        def total(): ...
        """,
    )
    with pytest.raises(AmbiguousCell) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == (
        "'total' (trip.py:8) asks for 'price', which is the name of 'price' "
        "(trip.py:2) and 'price' (trip.py:5). Say which one: give depends_on the "
        "function."
    )


def test_a_cell_that_is_not_hashable_is_refused(modules: Modules) -> None:
    """Nodes are hashable: given, or named by `depends_on` of a function or a method."""
    trip = modules.make(
        "trip",
        """
        class Adder:
            __hash__ = None
            def __call__(self): ...

        adder = cell(Adder())

        @cell
        @depends_on(adder)
        def total(): ...

        class Trip:
            @cell
            @depends_on(x=adder)
            def total(self, x): ...
        """,
    )
    collects: list[Callable[[], Graph]] = [
        lambda: Graph.from_module(trip),
        lambda: Graph.from_cells(trip.total),
        lambda: Graph.from_object(trip.Trip()),
    ]
    for collect in collects:
        with pytest.raises(DeclarationError) as caught:
            collect()
        assert str(caught.value) == (
            "'Adder' (trip.py:4) cannot be a cell: it is not hashable. Call it from a "
            "function of your own."
        )


# Defined anew, as in a notebook

NOTEBOOK = """
@cell
def load(): return "old"

@cell
@depends_on(loaded=load)
def use(loaded): return loaded

@cell
@depends_on(both=[load, load])
def twice(both): return both
"""
ANEW = """
@cell
def load(): return "new"
"""


def test_the_newest_definition_is_taken_with_a_warning(modules: Modules) -> None:
    """What `depends_on` captured before it was defined anew is replaced."""
    book = modules.make("book", NOTEBOOK)
    old = book.load
    modules.run(book, ANEW)
    with pytest.warns(UserWarning, match="defined anew") as caught:
        graph = Graph.from_cells(book.use)
    assert [str(warning.message) for warning in caught] == [
        "'use' (book.py:5) depends on 'load' as it was before it was defined anew; the "
        "newest 'load' is taken. Define 'use' anew too, and this warning goes."
    ]
    assert caught[0].filename == __file__
    assert old not in graph.topological_ordering
    assert value_of(book.use, graph) == "new"


def test_the_newest_definition_is_taken_in_a_list(modules: Modules) -> None:
    """Each of a list's cells is looked at."""
    book = modules.make("book", NOTEBOOK)
    modules.run(book, ANEW)
    with pytest.warns(UserWarning, match="^'twice' .* depends on 'load'"):
        graph = Graph.from_cells(book.twice)
    assert value_of(book.twice, graph) == ["new", "new"]


def test_defining_the_dependent_anew_ends_the_warning(modules: Modules) -> None:
    """The remedy that the warning names works."""
    book = modules.make("book", NOTEBOOK)
    modules.run(book, ANEW)
    modules.run(book, NOTEBOOK.replace('"old"', '"newest"'))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = Graph.from_module(book)
    assert value_of(book.use, graph) == "newest"


@pytest.mark.parametrize(
    "replaced",
    [
        "load = 3",
        "del load",
        "def load(): return 'unmarked'",
        "load = cell(lambda: 'another function')",
        "from far import load",
    ],
)
def test_another_thing_of_that_name_is_not_taken(
    modules: Modules, replaced: str
) -> None:
    """Only a cell of the same module and qualified name counts as defined anew."""
    modules.make("far", "@cell\ndef load(): return 'far'")
    book = modules.make("book", NOTEBOOK)
    modules.run(book, replaced)
    assert value_of(book.use) == "old"


def test_cells_of_one_def_in_a_loop_are_all_meant(modules: Modules) -> None:
    """The last one is no new definition of the others."""
    module = modules.make(
        "regions",
        """
        from aiocells import cell, depends_on

        cells = []
        for amount in (1, 2):
            @cell(name=f"sales_{amount}")
            def sales(amount=amount): return amount
            cells.append(sales)

        @depends_on(parts=cells)
        def total(parts): return parts
        """,
    )
    graph = Graph.from_cells(module.total)
    assert compute_sequential(graph)[module.total] == [1, 2]


def test_a_cell_that_is_given_itself_is_meant(modules: Modules) -> None:
    """Also where its name stands for another by now."""
    module = modules.make(
        "loads",
        """
        from aiocells import cell, depends_on

        @cell
        def load(): return 1

        first = load

        @cell
        def load(): return 2

        @depends_on(first)
        def both(load): return load
        """,
    )
    graph = Graph.from_cells(module.first, module.both)
    assert compute_sequential(graph)[module.both] == 1


def test_an_own_function_comes_before_a_collected_cell(modules: Modules) -> None:
    """A string means the function of the module, marked or not."""
    own = modules.make(
        "own",
        """
        from aiocells import depends_on

        def helper(): return "own"

        @depends_on(value="helper")
        def uses(value): return value
        """,
    )
    other = modules.make(
        "other",
        """
        from aiocells import cell

        @cell
        def helper(): return "other"
        """,
    )
    graph = Graph.from_module(own, other)
    assert compute_sequential(graph)[own.uses] == "own"


ADDERS = """
import dataclasses

@dataclasses.dataclass(unsafe_hash=True)
class Adder:
    number: int
    def __call__(self, x): return x + self.number

@cell
def one(): return 1

@cell
def ten(): return 10
"""


@pytest.mark.parametrize(
    "made",
    [
        "cell(name='a')(Adder(1)), cell(name='b')(Adder(1))",
        "depends_on(x=one)(Adder(1)), depends_on(x=ten)(Adder(1))",
        "cell(Adder(1)), depends_on(x=ten)(Adder(1))",
        "cell(limit='x')(Adder(1)), cell(Adder(1))",
    ],
)
@pytest.mark.parametrize("way", ["module", "family", "needed"])
def test_equal_cells_that_are_declared_differently_are_refused(
    modules: Modules, made: str, way: str
) -> None:
    """A graph would lose one of them; the error names both."""
    asking = "\n\n@cell\ndef total(a, b): return a, b"
    stands = f"both = {made}" if way == "family" else f"a, b = {made}"
    trip = modules.make("trip", f"{ADDERS}{stands}{asking}")
    collect = Graph.from_cells if way == "needed" else Graph.from_module
    with pytest.raises(DeclarationError) as caught:
        collect(trip.total if way == "needed" else trip)
    first, second = "a", "b"
    if "name=" not in made and way == "family":
        first, second = "both[0]", "both[1]"
    elif "name=" not in made and way == "needed":
        second = "Adder"
    assert str(caught.value) == (
        f"'{first}' (trip.py:7) and '{second}' (trip.py:7) are equal, but declared "
        "differently, so that a graph would lose one of them. Have their class compare "
        "by identity, as @dataclass(eq=False) does."
    )


def test_equal_cells_that_are_declared_alike_are_one_cell(modules: Modules) -> None:
    """As one cell under two names is."""
    trip = modules.make("trip", f"{ADDERS}a, b = cell(Adder(1)), cell(Adder(1))\nc = a")
    graph = Graph.from_module(trip)
    assert len(graph) == 3
    assert compute_sequential(graph, inputs={"x": 2})[trip.b] == 3
