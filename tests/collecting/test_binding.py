"""Binding: where each parameter of a cell gets its value from."""

import functools
import sys
import types
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock, create_autospec

import pytest

from aiocells import (
    AmbiguousCell,
    DependencyGraph,
    Graph,
    Input,
    UnbindableParameter,
    UnknownCell,
    async_compute_sequential,
    cell,
    compute_sequential,
    depends_on,
)
from tests.helpers import Modules, text, value_of

since_3_14 = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="it is new in Python 3.14"
)

# The six rules, and which goes first

FAR = """
@cell
def price(): return "far"
"""
TRIP = """
import far

@cell
def price(): return "module"

@cell
def other(): return "keyword"
"""


def asking(decorators: str, parameter: str, *, near: bool = True) -> str:
    """The source of a cell that asks for a price, beside one or not."""
    defined = TRIP if near else "import far"
    return f"{defined}\n\n@cell\n{decorators}\ndef total({parameter}): return price"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (asking("@depends_on(far.price, price=other)", "price='default'"), "keyword"),
        (asking("@depends_on(far.price)", "price='default'"), "far"),
        (asking("@depends_on(far.price)", "price"), "far"),
        (asking("", "price='default'"), "module"),
        (asking("", "price"), "module"),
        (asking("", "price", near=False), "given"),
        (asking("", "price='default'", near=False), "input"),
    ],
)
def test_the_rules_go_in_order(modules: Modules, source: str, value: str) -> None:
    """Keyword, positional, module, given (no default), input: the first decides."""
    modules.make("far", FAR)
    trip = modules.make("trip", source)
    given = cell(name="price")(lambda: "given")
    graph = Graph.from_cells(trip.total, given)
    inputs = {"price": "input"} if "price" in graph.inputs else {}
    assert value_of(trip.total, graph, **inputs) == value


def test_a_default_is_the_last_resort(modules: Modules) -> None:
    """What nobody provides keeps its default; an input given by the caller wins."""
    modules.make("far", FAR)
    trip = modules.make("trip", asking("", "price='default'", near=False))
    assert value_of(trip.total) == "default"
    assert value_of(trip.total, price="input") == "input"
    assert value_of(trip.total, price=None) is None


# 1: by keyword


def test_a_keyword_binds_and_orders() -> None:
    """`depends_on(param=cell)` gives the value under another name."""

    @depends_on(chosen=text("plan"))
    def invoice(chosen: str) -> str:
        return f"invoice for {chosen}"

    graph = Graph.from_cells(invoice)
    assert len(graph) == 2
    assert len(graph.dependency_dict[invoice]) == 1
    assert value_of(invoice, graph) == "invoice for plan"


def test_a_keyword_binds_any_kind_of_parameter() -> None:
    """Positional-only and keyword-only parameters bind as the others do."""

    @depends_on(a=text("A"), b=text("B"), c=text("C"))
    def function(a: str, /, b: str, *, c: str, d: str = "D") -> str:
        return a + b + c + d

    assert value_of(function) == "ABCD"
    assert value_of(function, d="E") == "ABCE"


@pytest.mark.parametrize("parameters", ["a, /, b, *, c", "a, b, c, /", "*, c, b, a"])
def test_names_bind_any_kind_of_parameter(modules: Modules, parameters: str) -> None:
    """By name too, whatever the order of the parameters."""
    trip = modules.make(
        "trip",
        f"""
        @cell
        def a(): return "A"

        @cell
        def c(): return "C"

        @cell
        def all({parameters}): return a + b + c
        """,
    )
    assert value_of(trip.all, b="B") == "ABC"


def test_a_list_gives_the_list_of_values() -> None:
    """`depends_on(parts=[...])` lists cells, inputs and strings, as often as told."""
    a = text("A")

    @depends_on(parts=[a, Input("b"), a, "builtins:dict"], rest=())
    def joined(parts: list[Any], rest: list[Any], *, last: str = "last") -> Any:
        return parts, rest, last

    graph = Graph.from_cells(joined)
    parts, rest, last = value_of(joined, graph, b="B")
    assert (parts, rest, last) == (["A", "B", "A", {}], [], "last")
    assert list(graph.inputs) == ["b", "last"]


def test_a_list_for_a_keyword_only_parameter() -> None:
    """A list goes where a keyword is needed."""

    @depends_on(parts=[text("A"), text("B")])
    def joined(first: str, *, parts: list[str]) -> str:
        return first + "".join(parts)

    assert value_of(joined, first=">") == ">AB"


def test_an_input_binds_another_name() -> None:
    """`Input` takes the input of its own name, and the parameter's default."""

    @depends_on(url=Input("billing_url"))
    def page(url: str = "/") -> str:
        return f"GET {url}"

    graph = Graph.from_cells(page)
    assert dict(graph.inputs) == {"billing_url": (page,)}
    assert value_of(page, graph, billing_url="/bills") == "GET /bills"
    assert value_of(page, graph) == "GET /"


def test_an_input_binds_even_where_a_cell_has_its_name(modules: Modules) -> None:
    """`Input("price")` is the caller's value, whatever cells there are."""
    modules.make("far", FAR)
    trip = modules.make("trip", asking("@depends_on(price=Input('price'))", "price"))
    assert value_of(trip.total, price="input") == "input"


def test_cells_share_an_input_each_with_its_default() -> None:
    """One input, several cells: a given value reaches all, a default only its own."""

    @cell
    def one(x: int = 1) -> int:
        return x

    @cell
    def two(x: int = 2) -> int:
        return x

    @depends_on(y=Input("x"))
    def three(y: int) -> int:
        return y

    graph = Graph.from_cells(one, two, three)
    assert dict(graph.inputs) == {"x": (one, two, three)}
    assert list(compute_sequential(graph, inputs={"x": 5}).values()) == [5, 5, 5]
    results = compute_sequential(graph, targets=[one, two])
    assert list(results.values()) == [1, 2]


# 2: by position


def test_a_positional_cell_only_orders_where_no_parameter_bears_its_name() -> None:
    """It comes first, and is not passed."""
    seen: list[str] = []
    first = cell(name="first")(lambda: seen.append("first"))

    @depends_on(first)
    def last(second: str = "unset") -> str:
        seen.append("last")
        return second

    assert value_of(last) == "unset"
    assert seen == ["first", "last"]


def test_a_positional_cell_binds_the_parameter_of_its_name() -> None:
    """By the name of the function, by `name=`, and by the string that names it."""

    @cell
    def one() -> int:
        return 1

    two = cell(name="two")(lambda: 2)
    three = cell(name="three")(lambda: 3)

    # A partial has no name of its own.
    @depends_on(one, two, "three", functools.partial(len, "four"))
    def function(one: int, two: int, three: int = 0, len: int = 0) -> tuple[int, ...]:
        return one, two, three, len

    assert value_of(function, Graph.from_cells(function, three)) == (1, 2, 3, 0)


def test_a_string_with_a_module_binds_by_its_last_part(modules: Modules) -> None:
    """`"module:name"` binds the parameter `name`, whatever the cell calls itself."""
    modules.make(
        "far",
        """
        @cell(name="cost")
        def price(): return "far"
        """,
    )

    @depends_on("far:price")
    def total(price: str, cost: str) -> str:
        return price + cost

    assert value_of(total) == "farfar"


def test_two_positional_cells_of_one_name_are_ambiguous(modules: Modules) -> None:
    """The error names both, with their places, and the remedy."""
    modules.make("far", FAR)
    trip = modules.make("trip", asking("@depends_on(far.price, price)", "price"))
    with pytest.raises(AmbiguousCell) as caught:
        Graph.from_module(trip)
    assert str(caught.value) == (
        "'total' (trip.py:11) asks for 'price', which is the name of 'price' "
        "(far.py:2) and 'price' (trip.py:4). Say which one: @depends_on(price=...)."
    )
    assert caught.value.name == "price"
    assert caught.value.candidates == (sys.modules["far"].price, trip.price)
    modules.run(trip, "total = depends_on(price=far.price)(total)")
    assert value_of(trip.total) == "far"


# 3: what the module knows


@pytest.mark.parametrize(
    ("imported", "parameter"),
    [
        ("from far import price", "price"),
        ("from far import price as cost", "cost"),
        ("from far import bill as cost", "cost"),
        ("from far import make_bill", "bill"),
        ("from far import make_bill", "make_bill"),
    ],
)
def test_imported_cells_bind_by_key_or_name(
    modules: Modules, imported: str, parameter: str
) -> None:
    """The key in the module's globals counts, alias or not; else the cell's `name=`."""
    modules.make(
        "far",
        """
        @cell
        def price(): return "far"

        @cell(name="bill")
        def make_bill(): return "far"

        bill = price
        """,
    )
    trip = modules.make(
        "trip", f"{imported}\n@cell\ndef total({parameter}): return {parameter}"
    )
    assert value_of(trip.total) == "far"


def test_a_key_goes_before_a_name(modules: Modules) -> None:
    """Where a key and another cell's `name=` are the same, the key decides."""
    trip = modules.make(
        "trip",
        """
        @cell(name="price")
        def renamed(): return "by name"

        @cell(name="other")
        def price(): return "by key"

        @cell
        def total(price): return price
        """,
    )
    assert value_of(trip.total) == "by key"


def test_two_cells_of_one_given_name_are_ambiguous(modules: Modules) -> None:
    """Two cells of a module with the same `name=`: the error names both."""
    modules.make(
        "trip",
        """
        @cell(name="price")
        def one(): ...

        @cell(name="price")
        def two(): ...

        @cell
        def total(price): ...
        """,
    )
    with pytest.raises(AmbiguousCell) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == (
        "'total' (trip.py:8) asks for 'price', which is the name of 'price' "
        "(trip.py:2) and 'price' (trip.py:5). Say which one: @depends_on(price=...)."
    )


def test_one_cell_under_two_keys_is_not_ambiguous(modules: Modules) -> None:
    """An alias in the module adds no second cell."""
    trip = modules.make(
        "trip",
        """
        @cell(name="price")
        def one(): return 1

        two = one

        @cell
        def total(price, one, two): return price + one + two
        """,
    )
    graph = Graph.from_module(trip)
    assert len(graph) == 2
    assert value_of(trip.total, graph) == 3


def test_a_cell_is_not_its_own_input(modules: Modules) -> None:
    """A parameter of the cell's own name or key means another cell, or an input."""
    trip = modules.make(
        "trip",
        """
        @cell
        def price(price): return price + 1

        @cell(name="cost")
        def renamed(renamed, cost): return renamed, cost
        """,
    )
    graph = Graph.from_cells(trip.price, trip.renamed)
    assert list(graph.inputs) == ["price", "renamed", "cost"]
    assert value_of(trip.price, price=1) == 2
    given = cell(name="price")(lambda: 10)
    assert value_of(trip.price, Graph.from_cells(trip.price, given)) == 11
    modules.run(trip, "one = cell(name='cost')(lambda: 1)")
    assert value_of(trip.renamed, renamed=0) == (0, 1)


def test_a_module_binds_even_a_parameter_with_a_default(modules: Modules) -> None:
    """A default does not keep a cell of the module away."""
    modules.make("far", FAR)
    trip = modules.make("trip", asking("", "price='default'"))
    assert value_of(trip.total) == "module"


@pytest.mark.parametrize(
    "defined", ["price = 3", "def price(): ...", "price = None", "import far as price"]
)
def test_what_is_no_cell_does_not_bind(modules: Modules, defined: str) -> None:
    """A plain function, a number or a module of that name is not taken."""
    modules.make("far", "")
    trip = modules.make("trip", f"{defined}\n@cell\ndef total(price): return price")
    assert value_of(trip.total, price=5) == 5


def test_what_is_local_to_a_function_is_not_seen() -> None:
    """Cells within a function bind only where they are given."""

    @cell
    def price() -> int:
        return 3

    @cell
    def total(price: int) -> int:
        return price

    assert list(Graph.from_cells(total).inputs) == ["price"]
    assert value_of(total, Graph.from_cells(total, price)) == 3


def test_each_module_knows_its_own_names(modules: Modules) -> None:
    """Two modules with cells of the same name do not get in each other's way."""
    modules.make("far", FAR + "@cell\ndef total(price): return price")
    modules.make("trip", asking("", "price"))
    graph = Graph.from_module("far", "trip")
    values = list(compute_sequential(graph).values())
    assert values == ["far", "far", "module", "keyword", "module"]


def test_the_module_is_that_of_the_innermost_function(modules: Modules) -> None:
    """Wrappers, partials, instances and classes from elsewhere bind where written."""
    modules.make(
        "tools",
        """
        import functools

        def twice(function):
            @functools.wraps(function)
            def wrapper(*args):
                return 2 * function(*args)
            return wrapper

        @cell
        def price(): return "tools"
        """,
    )
    trip = modules.make(
        "trip",
        """
        import functools
        import tools

        @cell
        def price(): return "trip "

        @tools.twice
        def function(price): return price

        class Report:
            def __init__(self, price): self.text = price
            def __call__(self, price): return self.text + price

        wrapped = cell(function)
        partial = cell(functools.partial(function))
        instance = cell(Report("by "))
        made = cell(Report)
        """,
    )
    assert value_of(trip.wrapped) == "trip trip "
    assert value_of(trip.partial) == "trip trip "
    assert value_of(trip.instance) == "by trip "
    assert value_of(trip.made).text == "trip "


def test_a_callable_without_a_module_binds_among_the_given() -> None:
    """Where Python does not know a module, only the given cells are seen."""
    lost = types.FunctionType(
        compile("lambda price: price", "lost.py", "eval").co_consts[0], {}
    )
    graph = Graph.from_cells(cell(lost), text("price"))
    assert value_of(lost, graph) == "price"


# 3: what an object knows


def test_a_method_asks_its_object_first(modules: Modules) -> None:
    """The object's attribute, then the module, then the given."""
    trip = modules.make(
        "trip",
        """
        @cell
        def price(): return "module"

        @cell
        def tax(): return "module"

        class Trip:
            @cell
            def price(self): return "object"

            @cell
            def total(self, price, tax, extra=0): return price, tax, extra
        """,
    )
    total = trip.Trip().total
    assert value_of(total) == ("object", "module", 0)


def test_an_attribute_of_the_object_that_is_a_cell_counts(modules: Modules) -> None:
    """A cell that was set on the object binds, by its attribute's name."""
    trip = modules.make("trip", FAR)

    class Trip:
        def __init__(self, price: Any) -> None:
            self.cost = price
            self.tax = "no cell"

        @cell
        def total(self, cost: str, tax: str) -> str:
            return cost + tax

    assert value_of(Trip(trip.price).total, tax="!") == "far!"


def test_a_method_is_not_its_own_input() -> None:
    """A parameter of the method's own name means another cell, or an input."""

    class Trip:
        @cell
        def price(self, price: int) -> int:
            return price + 1

    assert value_of(Trip().price, price=1) == 2


def test_methods_of_two_objects_bind_each_to_its_own() -> None:
    """Each object's cells see that object's cells."""

    class Trip:
        def __init__(self, days: int) -> None:
            self.days = days

        @cell
        def price(self) -> int:
            return 10 * self.days

        @cell
        def total(self, price: int) -> int:
            return price + 1

    one, two = Trip(1), Trip(2)
    graph = Graph.from_cells(one.total, two.total)
    assert len(graph) == 4
    results = compute_sequential(graph)
    assert (results[one.total], results[two.total]) == (11, 21)


# 4: among the given


def test_a_given_cell_binds_where_there_is_no_default() -> None:
    """With a default, a cell of that name elsewhere is not taken."""
    price = text("price")

    @cell
    def strict(price: str) -> str:
        return price

    @cell
    def lenient(price: str = "default") -> str:
        return price

    results = compute_sequential(Graph.from_cells(strict, lenient, price))
    assert results[strict] == "price"
    assert results[lenient] == "default"


def test_a_cell_that_was_only_pulled_in_does_not_bind() -> None:
    """A dependency of another cell provides no names."""
    price = text("price")

    @depends_on(price)
    def other() -> None: ...

    @cell
    def total(price: str) -> str:
        return price

    graph = Graph.from_cells(other, total)
    assert len(graph) == 3
    assert list(graph.inputs) == ["price"]


def test_two_given_cells_of_one_name_are_ambiguous(modules: Modules) -> None:
    """The error names both files and lines, and the remedy."""
    far = modules.make("far", FAR)
    near = modules.make("near", FAR)
    trip = modules.make("trip", "@cell\ndef total(price): return price")
    with pytest.raises(AmbiguousCell) as caught:
        Graph.from_module("trip", "far", "near")
    assert str(caught.value) == (
        "'total' (trip.py:2) asks for 'price', which is the name of 'price' "
        "(far.py:2) and 'price' (near.py:2). Say which one: @depends_on(price=...)."
    )
    assert caught.value.candidates == (far.price, near.price)
    chosen = depends_on(price=near.price)(trip.total)
    assert value_of(chosen, Graph.from_module("trip", "far", "near")) == "far"


def test_a_lambda_goes_by_the_name_under_which_it_was_found(modules: Modules) -> None:
    """What has no name of its own binds, and is told of, by its key."""
    modules.make(
        "far",
        """
        import functools
        price = cell(lambda: 2)
        count = cell(functools.partial(int, "3"))
        """,
    )
    modules.make("trip", "@cell\ndef total(price, count): return price * count")
    graph = Graph.from_module("trip", "far")
    results = compute_sequential(graph)
    assert (results["total"], results["price"], results["count"]) == (6, 2, 3)


# What cannot be bound


def test_variadic_parameters_get_nothing(modules: Modules) -> None:
    """`*args` and `**kwargs` stay empty, whatever cells there are."""
    trip = modules.make(
        "trip",
        """
        @cell
        def args(): return 1

        @cell
        def kwargs(): return 2

        @cell
        def total(x, *args, y=3, **kwargs): return x, args, y, kwargs
        """,
    )
    graph = Graph.from_cells(trip.total)
    assert list(graph.inputs) == ["x", "y"]
    assert value_of(trip.total, graph, x=1) == (1, (), 3, {})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "@depends_on(args=print)\ndef total(*args): ...",
            "@depends_on(args=...) of 'total' (trip.py:2): 'args' cannot be bound: it "
            "collects any number of arguments (*args).",
        ),
        (
            "@depends_on(rest=print)\ndef total(a, **rest): ...",
            "@depends_on(rest=...) of 'total' (trip.py:2): 'rest' cannot be bound: it "
            "collects any number of arguments (**rest).",
        ),
        (
            "@depends_on(pirce=print)\ndef total(price): ...",
            "@depends_on(pirce=...) of 'total' (trip.py:2): there is no parameter "
            "'pirce'. Did you mean 'price'?",
        ),
        (
            "@depends_on(x=print)\ndef total(price, count): ...",
            "@depends_on(x=...) of 'total' (trip.py:2): there is no parameter 'x'. Its "
            "parameters: price, count.",
        ),
        (
            "@depends_on(x=print)\ndef total(**rest): ...",
            "@depends_on(x=...) of 'total' (trip.py:2): there is no parameter 'x'. Its "
            "parameters: none that can be bound.",
        ),
        (
            "import functools\n"
            "def function(a, b): ...\n"
            "total = depends_on(b=print)(functools.partial(function, b=2))",
            "@depends_on(b=...) of 'total' (trip.py:3): 'b' cannot be bound: "
            "functools.partial fixes it to 2.",
        ),
        (
            "import functools\n"
            "def function(a, b): ...\n"
            "total = depends_on(a=print)(functools.partial(function, 1))",
            "@depends_on(a=...) of 'total' (trip.py:3): there is no parameter 'a'. Its "
            "parameters: b.",
        ),
    ],
)
def test_an_unbindable_parameter_is_refused(
    modules: Modules, source: str, told: str
) -> None:
    """`depends_on` names a parameter that cannot be given: the error says why."""
    modules.make("trip", source)
    with pytest.raises(UnbindableParameter) as caught:
        Graph.from_module("trip")
    assert str(caught.value) == told
    assert caught.value.parameter in told
    assert caught.value.cell is sys.modules["trip"].total


def test_self_is_no_parameter() -> None:
    """What a bound method already has cannot be bound."""

    class Trip:
        @depends_on(self=print)
        def total(self) -> None: ...

    with pytest.raises(UnbindableParameter, match="there is no parameter 'self'"):
        Graph.from_object(Trip())


def test_partial_leaves_the_other_parameters_to_bind(modules: Modules) -> None:
    """What partial does not fix binds by name, keyword-only after a fixed keyword."""
    trip = modules.make(
        "trip",
        """
        import functools

        def function(a, b, c, d="D"): return a + b + c + d

        @cell
        def c(): return "C"

        fixed = cell(functools.partial(functools.partial(function, "A"), b="B"))
        """,
    )
    graph = Graph.from_module(trip)
    assert list(graph.inputs) == ["d"]
    assert value_of(trip.fixed, graph) == "ABCD"
    assert value_of(trip.fixed, graph, d="E") == "ABCE"


def test_a_callable_with_unknown_parameters_takes_what_it_is_told() -> None:
    """Where Python cannot tell the parameters, keywords are passed as given."""
    one = cell(name="one")(functools.partial(dict))
    two = depends_on(a=text("A"), b=[text("B")])(functools.partial(dict))
    results = compute_sequential(Graph.from_cells(one, two))
    assert results[one] == {}
    assert results[two] == {"a": "A", "b": ["B"]}


def test_annotations_are_never_read() -> None:
    """Nonsense in annotations does no harm."""

    def function(a: "no such thing" = 1) -> "neither": ...  # type: ignore[name-defined,assignment] # noqa: F722, F821

    assert list(Graph.from_cells(function).inputs) == ["a"]


@since_3_14
def test_annotations_are_never_evaluated(modules: Modules) -> None:
    """They may name, unquoted, what only type checkers import."""
    trip = modules.make(
        "trip",
        """
        import functools

        limit: Missing = 1

        def passed(function):
            @functools.wraps(function)
            def wrapper(*args: Missing, **named: Missing) -> Missing:
                return function(*args, **named)
            return wrapper

        @cell
        def plain(limit: Missing) -> Missing: return limit

        @cell
        @passed
        def wrapped(plain: Missing) -> Missing: return plain + 1

        class Report:
            text: Missing
            def __call__(self, wrapped: Missing) -> Missing: return wrapped + 1

        instance = cell(name="instance")(Report())

        @cell
        def unbindable(*args: Missing, **named: Missing) -> Missing: return args

        partial = cell(functools.partial(lambda a, b: a + b, 1), name="partial")

        class Trip:
            size: Missing
            @cell
            def method(self, instance: Missing, *args: Missing) -> Missing:
                return instance + 1
        """,
    )
    results = compute_sequential(Graph.from_module(trip), inputs={"limit": 1, "b": 1})
    assert list(results.values()) == [1, 2, 3, (), 2]
    graph = Graph.from_object(trip.Trip())
    results = compute_sequential(graph, targets=["method"], inputs={"limit": 1})
    assert results["method"] == 4


@since_3_14
def test_a_partial_may_leave_room_before_what_it_fixes() -> None:
    """What a Placeholder stands for is bound, by name as all is."""
    power = functools.partial(
        lambda base, exponent: base**exponent,
        functools.Placeholder,  # type: ignore[attr-defined]
        2,
    )
    assert value_of(cell(power, name="power"), base=3) == 9


def test_nodes_added_by_hand_get_no_arguments() -> None:
    """As in 1.x; only collected cells bind."""
    seen: list[object] = []
    graph = Graph.from_cells(text("x"))

    def by_hand(x: str = "default") -> None:
        seen.append(x)

    graph.add_node(by_hand)
    first = DependencyGraph()
    first.add_node(cell(by_hand))
    compute_sequential(graph)
    compute_sequential(first)
    assert seen == ["default", "default"]
    assert list(graph.inputs) == []


# Names that look alike


MICRO, MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"


@pytest.mark.parametrize("letter", [MICRO, MU])
def test_names_are_read_as_python_reads_them(modules: Modules, letter: str) -> None:
    """Letters that look alike are one, wherever a name is written."""
    trip = modules.make(
        "trip",
        f"""
        @cell(name="{letter}")
        def named(): return 1

        @cell
        def total({letter}, x=2): return {letter}, x

        @cell
        @depends_on("{letter}", **{{"{letter}_": Input("in_{letter}")}})
        @depends_on(a="trip:{letter}")
        def other({letter}, a, {MU}_): return {letter}, a, {MU}_

        @cell
        def optional(in_{MU}=4, x_{MU}=5): return in_{MU}, x_{MU}
        """,
    )
    graph = Graph.from_module(trip)
    assert set(graph.inputs) == {"x", f"in_{MU}", f"x_{MU}"}
    results = compute_sequential(graph, inputs={f"in_{letter}": 3})
    assert results[trip.total] == (1, 2)
    assert results[trip.other] == (1, 1, 3)
    assert results[trip.optional] == (3, 5)
    assert results[letter] == 1
    results = compute_sequential(
        graph, targets=["total"], overrides={letter: 7}, inputs={"x": 8}
    )
    assert results["total"] == (7, 8)


def test_an_input_given_twice_in_other_letters_is_refused(modules: Modules) -> None:
    """One of the two would be lost."""
    total = depends_on(x=Input(MU))(lambda x: x)
    message = f"inputs: {MU!r} is given twice, in letters that look alike."
    with pytest.raises(ValueError, match=message):
        value_of(total, **{MICRO: 1, MU: 2})


def test_a_name_that_is_no_identifier_stays_as_it_is() -> None:
    """Python would not touch it."""
    area = cell(name="km\N{SUPERSCRIPT TWO}")(lambda: 3)
    results = compute_sequential(Graph.from_cells(area))
    assert results["km\N{SUPERSCRIPT TWO}"] == 3


# What stands in no module by a name of its own


@pytest.mark.parametrize(
    "made", ["lambda: 2", "functools.partial(int, 2)", "Two()", "two", "factory()"]
)
@pytest.mark.parametrize("asked", ["half", "far.half"])
def test_a_nameless_callable_binds_by_position(
    modules: Modules, made: str, asked: str
) -> None:
    """By the name that it has in the module of the cell, or in its own."""
    source = f"""
        import functools, sys
        far = sys.modules[__name__]
        class Two:
            def __call__(self): return 2
        def two(): return 2
        def factory(): return lambda: 2
        half = {made}
        """
    far = modules.make("far", source)
    if asked == "far.half" and made not in ("lambda: 2", "factory()"):
        return  # nothing says where the others are written, but a module that has them
    asking = "import far\nfrom far import half" if asked == "half" else "import far"
    trip = modules.make(
        "trip", f"{asking}\n@depends_on({asked})\ndef total(half): return half"
    )
    assert value_of(trip.total) == 2
    assert far.half() == 2


def test_a_nameless_callable_of_a_function_binds_by_position() -> None:
    """By the variable that it stands in."""
    half, third = lambda: 2, functools.partial(int, 3)

    @depends_on(half, third, len)
    def total(half: int, third: int) -> tuple[int, int]:
        return half, third

    graph = Graph.from_cells(total)
    assert compute_sequential(graph, targets=[total], overrides={len: 0})[total] == (
        2,
        3,
    )


# Mocks


def priced(city: str, nights: int = 2) -> int:
    """What the mocks stand for."""
    return len(city) * nights


@pytest.mark.parametrize(
    ("made", "inputs"),
    [
        (lambda: Mock(return_value=3), []),
        (lambda: Mock(spec=priced, return_value=3), []),
        (lambda: MagicMock(spec=priced, return_value=3), []),
        (lambda: Mock(spec=len, return_value=3), []),
        (lambda: create_autospec(priced, return_value=3), ["city", "nights"]),
    ],
)
def test_mocks_are_cells(made: Any, inputs: list[str]) -> None:
    """By the signature that they show, if they show any."""
    mock = made()
    total = depends_on(x=mock)(lambda x: x)
    graph = Graph.from_cells(total)
    assert list(graph.inputs) == inputs
    results = compute_sequential(graph, inputs=dict.fromkeys(inputs[:1], "x"))
    assert results[mock] == results[total] == 3
    marked = cell(name="marked")(made())
    assert compute_sequential(Graph.from_cells(marked), inputs=dict.fromkeys(inputs))
    with pytest.raises(UnknownCell, match="is no cell of the graph"):
        compute_sequential(graph, targets=[made()])


async def test_async_mocks_are_async_cells() -> None:
    """They are awaited, and have no place in the source."""
    mock = cell(name="mock")(AsyncMock(return_value=3))
    graph = Graph.from_cells(mock)
    assert (await async_compute_sequential(graph))[mock] == 3
    with pytest.raises(UnknownCell, match="'AsyncMock' is no cell of the graph"):
        await async_compute_sequential(graph, targets=[AsyncMock(spec=priced)])
