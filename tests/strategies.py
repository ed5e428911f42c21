"""Random graphs, and a reference that computes them."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import strategies as st

from aiocells import Graph, Input, cell, depends_on


@attrs.frozen
class Node:
    """One cell of a random graph.

    Attributes:
        rank: it needs only cells of a lower rank.
        values: the ranks of the cells whose values it gets.
        orders: the ranks of the cells that only come before it.
        is_async: whether it is an `async def` function.
        turns: how often an async cell lets others run.
        wants_input: whether it gets an input as well.
    """

    rank: int
    values: tuple[int, ...]
    orders: tuple[int, ...]
    is_async: bool
    turns: int
    wants_input: bool

    @property
    def needs(self) -> tuple[int, ...]:
        """All cells that come before it, in the order declared."""
        return tuple(dict.fromkeys(self.orders + self.values))


@attrs.frozen
class Shape:
    """A random graph: its nodes by rank, and the order in which they are declared."""

    nodes: tuple[Node, ...]
    declared: tuple[int, ...]


@st.composite
def shapes(draw: st.DrawFn, *, max_cells: int = 10, plain: bool = False) -> Shape:
    """Graphs of any shape, declared in any order, async and plain cells mixed."""
    count = draw(st.integers(0, max_cells))
    nodes = []
    for rank in range(count):
        lower = st.lists(st.integers(0, rank - 1), unique=True, max_size=3)
        none: st.SearchStrategy[list[int]] = st.just([])
        nodes.append(
            Node(
                rank,
                tuple(draw(lower if rank else none)),
                tuple(draw(lower if rank else none)),
                False if plain else draw(st.booleans()),
                draw(st.integers(0, 2)),
                draw(st.booleans()),
            )
        )
    return Shape(tuple(nodes), tuple(draw(st.permutations(range(count)))))


Outcome = Callable[[Node], Any]


class Built:
    """The cells of a shape, and what happened while they ran.

    Args:
        shape: the random graph.
        act: called by each cell as its body; may raise.
    """

    def __init__(self, shape: Shape, act: Outcome = lambda node: None) -> None:
        self.shape = shape
        self.act = act
        self.log: list[tuple[str, int]] = []
        self.cells: dict[int, Any] = {}
        for node in shape.nodes:
            self.cells[node.rank] = self._cell(node)
        self.ranks = {function: rank for rank, function in self.cells.items()}
        self.graph = Graph.from_cells(*(self.cells[rank] for rank in shape.declared))

    def _cell(self, node: Node) -> Any:
        body = self._async_body if node.is_async else self._body
        fixed = {} if node.wants_input else {"extra": None}
        function = cell(
            functools.partial(body, node, **fixed), name=f"cell_{node.rank}"
        )
        extra = {"extra": Input("extra")} if node.wants_input else {}
        values = [self.cells[rank] for rank in node.values]
        orders = [self.cells[rank] for rank in node.orders]
        return depends_on(*orders, values=values, **extra)(function)

    def _body(self, node: Node, values: list[Any], extra: Any) -> Any:
        self.log.append(("start", node.rank))
        self.act(node)
        self.log.append(("end", node.rank))
        return value_of(node, values, extra)

    async def _async_body(self, node: Node, values: list[Any], extra: Any) -> Any:
        self.log.append(("start", node.rank))
        for _ in range(node.turns):
            await asyncio.sleep(0)
        self.act(node)
        self.log.append(("end", node.rank))
        return value_of(node, values, extra)

    @property
    def started(self) -> list[int]:
        """The ranks of the cells that ran, in the order of their starts."""
        return [rank for what, rank in self.log if what == "start"]


def value_of(node: Node, values: list[Any], extra: Any) -> Any:
    """What a cell returns: all that it saw, folded so that it stays small."""
    return hash((node.rank, tuple(values), extra))


@attrs.define
class Reference:
    """A graph computed as simply as can be: recursively, in declaration order."""

    shape: Shape
    extra: Any = None
    overrides: dict[int, Any] = attrs.Factory(dict)
    values: dict[int, Any] = attrs.Factory(dict)
    order: list[int] = attrs.Factory(list)

    def compute(self, rank: int) -> Any:
        """The value of a cell, after everything that it needs."""
        if rank in self.overrides:
            return self.overrides[rank]
        if rank not in self.values:
            node = self.shape.nodes[rank]
            for needed in node.needs:
                self.compute(needed)
            args = [self.compute(needed) for needed in node.values]
            extra = self.extra if node.wants_input else None
            self.order.append(rank)
            self.values[rank] = value_of(node, args, extra)
        return self.values[rank]


@attrs.frozen
class Parameter:
    """One parameter of a random function.

    Attributes:
        name: its name.
        kind: "/" for positional only, "" for either way, "*" for keyword only.
        has_default: whether it has one.
        source: "cell", "input", or "absent" for an input that is not given.
    """

    name: str
    kind: str
    has_default: bool
    source: str

    @property
    def is_given(self) -> bool:
        """Whether there is a value for it."""
        return self.source != "absent"


@st.composite
def signatures(draw: st.DrawFn) -> tuple[Parameter, ...]:
    """Parameters of every kind; only those with a default may be absent."""
    counts = [draw(st.integers(0, 3)) for _ in range(3)]
    positional = counts[0] + counts[1]
    first_default = draw(st.integers(0, positional))
    made: list[Parameter] = []
    for kind, count in zip(["/", "", "*"], counts, strict=True):
        for _ in range(count):
            has_default = (
                draw(st.booleans()) if kind == "*" else len(made) >= first_default
            )
            sources = ["cell", "input", "absent"] if has_default else ["cell", "input"]
            source = draw(st.sampled_from(sources))
            made.append(Parameter(f"p{len(made)}", kind, has_default, source))
    return tuple(made)


def written(parameters: tuple[Parameter, ...]) -> str:
    """The parameters as they stand between the parentheses of a `def`."""
    texts: list[str] = []
    before = ""
    for each in parameters:
        if before == "/" != each.kind:
            texts.append("/")
        if before != "*" == each.kind:
            texts.append("*")
        texts.append(f"{each.name}=DEFAULT" if each.has_default else each.name)
        before = each.kind
    return ", ".join([*texts, "/"] if before == "/" else texts)


# How a module may make a cell of the value {value!r}.
EXPRESSIONS = {
    "factory": "far.factory({value!r})",
    "near factory": "factory({value!r})",
    "imported function": "cell(far.copied({value!r}))",
    "partial": "cell(functools.partial(str, {value!r}))",
    "lambda": "cell(lambda: {value!r})",
    "object": "cell(far.Callable({value!r}))",
}
# How it may define one that it knows as {name}.
DEFINITIONS = {
    "def": "@cell\ndef {name}(): return {value!r}",
    "depending": "@depends_on(far.plain)\ndef {name}(): return {value!r}",
    "named": "@cell(name={name!r})\ndef _{name}(): return {value!r}",
    "wrapper": "@cell\n@far.wrapping\ndef {name}(): return {value!r}",
} | {way: "{name} = " + text for way, text in EXPRESSIONS.items()}
HELPERS = """
import types

def factory(value):
    @cell
    def made():
        return value
    return made

def wrapping(function):
    def wrapper():
        return function()
    return wrapper

VALUE = "plain"

def plain():
    return VALUE

def copied(value):
    return types.FunctionType(plain.__code__, {"VALUE": value, "__name__": "far"})

class Callable:
    def __init__(self, value):
        self.value = value
    def __call__(self):
        return self.value
"""


@attrs.frozen
class Statement:
    """A name of a random module, and how it comes by its cell, or its family.

    Attributes:
        name: what the module calls it.
        ways: how each cell is made; more than one only in a family.
        family: None, "list", "tuple" or "dict".
        is_forward: whether the name is bound to None further up.
    """

    name: str
    ways: tuple[str, ...]
    family: str | None
    is_forward: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of the cells."""
        if self.family is None:
            return (self.name,)
        keys = [self.key(place) for place in range(len(self.ways))]
        return tuple(f"{self.name}[{key!r}]" for key in keys)

    def key(self, place: int) -> Any:
        """The key of a cell in its family."""
        return f"k{place}" if self.family == "dict" else place

    @property
    def variable(self) -> str:
        """What stands in the module."""
        return f"_{self.name}" if self.ways == ("named",) else self.name

    @property
    def value(self) -> Any:
        """What a parameter of that name gets: each cell gives its name."""
        if self.family is None:
            return self.name
        if self.family == "dict":
            return {self.key(place): name for place, name in enumerate(self.cells)}
        return list(self.cells)

    @property
    def source(self) -> str:
        """The statement as it is written."""
        if self.family is None:
            return DEFINITIONS[self.ways[0]].format(name=self.name, value=self.name)
        made = [
            EXPRESSIONS[way].format(value=value)
            for way, value in zip(self.ways, self.cells, strict=True)
        ]
        if self.family == "dict":
            made = [f"{self.key(place)!r}: {each}" for place, each in enumerate(made)]
        begin, end = {"list": "[]", "tuple": "()", "dict": "{}"}[self.family]
        return f"{self.name} = {begin}{', '.join(made)},{end}"


@st.composite
def statements(draw: st.DrawFn) -> tuple[Statement, ...]:
    """The statements of a random module."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        family = draw(st.sampled_from([None, None, "list", "tuple", "dict"]))
        count = draw(st.integers(1, 3)) if family else 1
        known = sorted(EXPRESSIONS if family else DEFINITIONS)
        ways = [draw(st.sampled_from(known)) for _ in range(count)]
        made.append(Statement(f"s{number}", tuple(ways), family, draw(st.booleans())))
    return tuple(made)
