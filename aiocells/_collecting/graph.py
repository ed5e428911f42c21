"""Collecting: from modules, cells and objects to a graph."""

import copy
import os
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Never, NoReturn, Self

from aiocells._collecting.binding import bind
from aiocells._collecting.bound import Bound
from aiocells._collecting.modules import cells_of_module, refuse_empty
from aiocells._collecting.objects import cells_of_object
from aiocells._declaring.marking import DependsOn, refuse_decorator
from aiocells._declaring.names import name_under
from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._graphs.structure import Attached, Structure
from aiocells.errors import DeclarationError

Module = types.ModuleType | str | os.PathLike[str]


class Graph(DependencyGraph):
    """A graph of decorated functions, bound by name.

    Make one with `from_module`, `from_cells` or `from_object`. It is a
    `DependencyGraph`: nodes can be looked at, added and ordered by hand. `cells` has
    them by name.

    >>> from aiocells import Graph, cell, compute_sequential
    >>> @cell
    ... def price() -> int:
    ...     return 3
    >>> @cell
    ... def total(price: int, count: int) -> int:
    ...     return price * count
    >>> graph = Graph.from_cells(total, price)
    >>> list(graph.inputs), list(graph.cells)
    (['count'], ['total', 'price'])
    >>> compute_sequential(graph, inputs={"count": 2})[total]
    6
    """

    _bound: Bound | None = None
    # The names of the modules, or of the class, that were collected.
    _origins: Sequence[str | None] = ()

    def __init__(
        self,
        *collected: Never,
        initial_dependencies: Mapping[Any, Iterable[Any]] | None = None,
        name: str | None = None,
    ) -> None:
        if collected:
            _refuse_arguments(collected)
        super().__init__(initial_dependencies=initial_dependencies, name=name)

    @classmethod
    def from_module(cls, module: Module, *more: Module) -> Self:
        """Collect the cells of one or more modules.

        Taken are the cells that a module defines, marks, makes by a factory, or lists
        in its `__all__`, in the order of their marks, and everything that those depend
        on, wherever it lives. Cells that are merely imported come only if they are
        needed. A list, tuple or dict of cells counts as they do.

        Args:
            module: a module, its dotted name, or the path of a `.py` file. A
                module that is loaded already is used as it is. The folder of a
                path is put on `sys.path`, as `python file.py` does.
            more: other modules.

        Returns:
            A new graph, checked for cycles and for names that nobody answers to.

        Raises:
            GraphException: the cells don't make up a graph, or there are none; see the
                subclasses.
            ModuleNotFoundError: there is no such module.
            FileNotFoundError: there is no such file.

        >>> import types
        >>> from aiocells import Graph, cell
        >>> trip = types.ModuleType("trip")
        >>> exec("from aiocells import cell\\n@cell\\ndef plan(city): ...", vars(trip))
        >>> list(Graph.from_module(trip).inputs)
        ['city']
        """
        given: list[tuple[str | None, Callable[..., Any]]] = []
        origins: list[str | None] = []
        for each in (module, *more):
            loaded = _loaded(each)
            cells = cells_of_module(loaded)
            if not cells:
                refuse_empty(loaded, each)
            given += cells
            origins.append(getattr(loaded, "__name__", None))
        return cls._from(given, origins=origins)

    @classmethod
    def from_cells(cls, *cells: Callable[..., Any]) -> Self:
        """Collect cells, and everything that they depend on.

        Args:
            cells: functions, marked or not.

        Returns:
            A new graph.

        Raises:
            GraphException: the cells don't make up a graph; see the subclasses.
        """
        for function in cells:
            if isinstance(function, DependsOn):
                refuse_decorator(function)
            if not callable(function):
                msg = f"{function!r} is no cell: it is not callable.{_hint(function)}"
                raise DeclarationError(msg, cell=function)
        return cls._from((None, function) for function in cells)

    @classmethod
    def from_object(cls, owner: object) -> Self:
        """Collect the decorated methods of an object, bound to it.

        Methods come through all base classes; one that overrides a cell is a cell
        as well. Properties are not evaluated.

        Args:
            owner: the object.

        Returns:
            A new graph, whose cells are the bound methods.

        Raises:
            GraphException: the cells don't make up a graph; see the subclasses.

        >>> from aiocells import Graph, cell, compute_sequential
        >>> class Order:
        ...     def __init__(self, count):
        ...         self.count = count
        ...     @cell
        ...     def price(self):
        ...         return 3
        ...     @cell
        ...     def total(self, price):
        ...         return price * self.count
        >>> order = Order(4)
        >>> compute_sequential(Graph.from_object(order))[order.total]
        12
        """
        if isinstance(owner, type):
            msg = (
                f"Graph.from_object got the class {owner.__qualname__!r}. Give it an "
                f"object of that class: Graph.from_object({owner.__name__}(...))."
            )
            raise DeclarationError(msg, cell=owner)
        cells = cells_of_object(owner).cells
        return cls._from(
            [(name_under(name, each, cells), each) for name, each in cells.items()],
            owner,
            [type(owner).__name__],
        )

    def replace(self, cells: Mapping[Any, Callable[..., Any]], /) -> Self:
        """A new graph, in which other functions stand for some cells.

        Such a function is bound in the place of its cell: its parameters mean what
        they would mean there. What its own decorators say counts, and it may be async
        for plain, or a resource for a cell. All that needs the cell gets its value. The
        cell keeps its name and stays the key, everywhere; the function is one too.

        What only replaced cells needed is not run, unless it is asked for. Cells,
        inputs, limits and executors that the old graph knew may still be given. Where
        a value will do, in one computation, there is `overrides=`.

        Args:
            cells: for each cell, or its name, the function that is to stand for it. One
                that is a cell of the graph itself is refused.

        Returns:
            A new graph; the old one stays as it is.

        Raises:
            GraphException: there is no such cell, a function cannot stand for it, or
                cells would need each other; see the subclasses.

        >>> from aiocells import Graph, cell, compute_sequential
        >>> @cell
        ... def rate(currency: str) -> float:
        ...     raise ConnectionError
        >>> @cell
        ... def price(rate: float) -> float:
        ...     return 80 * rate
        >>> graph = Graph.from_cells(price, rate).replace({rate: lambda: 0.5})
        >>> results = compute_sequential(graph)
        >>> results[price], results[rate]
        (40.0, 0.5)
        """
        # Few need it, and every import of the package would wait.
        from aiocells._collecting.replacing import replace

        graph = copy.copy(self)
        graph._bound = replace(graph._structure, self._bound, cells)
        graph._check_orders(graph._bound)
        return graph

    @classmethod
    def _from(
        cls,
        given: Iterable[tuple[str | None, Callable[..., Any]]],
        owner: object = None,
        origins: Sequence[str | None] = (),
    ) -> Self:
        graph = cls()
        graph._origins = origins
        bound = graph._bound = bind(given, owner)
        graph._structure = Structure(
            bound.nodes, bound.index, bound.needs, bound.names, bound.lazy
        )
        graph._check_orders(bound)
        return graph

    def _check_orders(self, bound: Bound) -> None:
        self.check_for_cycles()
        if bound.several_limits:
            # Few need it, and every import of the package would wait.
            from aiocells._collecting.limit_order import check_limit_order

            check_limit_order(self._structure, bound)
        if bound.asking:
            from aiocells._collecting.asking import check_asking

            check_asking(self._structure, bound)

    def __str__(self) -> str:
        # Of a graph that is put together by hand, str() shows what it did in 1.x.
        return repr(self) if self._bound and self._bound.args else super().__str__()

    def _summary(self) -> str:
        from aiocells._collecting.summary import summary_of

        return summary_of(self._bound or Bound(), len(self), self._origins, self.inputs)

    @property
    def inputs(self) -> Mapping[str, tuple[Callable[..., Any], ...]]:
        """The inputs by name, each with the cells that want it."""
        bound = self._bound
        if bound is None:
            return _NO_INPUTS
        known = _inputs.get(self._structure)
        return (
            known
            if known is not None
            else _inputs.set(self._structure, _wanted_inputs(bound))
        )


def _refuse_arguments(given: Sequence[Any]) -> NoReturn:
    shown = getattr(given[0], "__name__", None) or repr(given[0])
    if isinstance(given[0], types.ModuleType | str | os.PathLike):
        how = "a module with Graph.from_module(module)"
    elif callable(given[0]) or isinstance(given[0], Iterable):
        how = "functions with Graph.from_cells(*functions)"
    else:
        how = "an object with Graph.from_object(obj)"
    msg = f"Graph({shown}): a graph is made from {how}."
    raise TypeError(msg)


def _hint(thing: object) -> str:
    """What may have been meant by what is no cell."""
    if isinstance(thing, Mapping):
        return " Unpack it: Graph.from_cells(*cells.values())."
    if isinstance(thing, Iterable) and not isinstance(thing, str | bytes):
        return " Unpack it: Graph.from_cells(*cells)."
    if isinstance(thing, types.ModuleType):
        return " Collect a module's cells with Graph.from_module(module)."
    return ""


def bound_of(graph: DependencyGraph) -> Bound | None:
    """What binding gave of a graph's cells; None where all nodes came by hand."""
    return graph._bound if isinstance(graph, Graph) else None


# Nodes that are added by hand want no inputs: these never change.
_inputs: Attached[Mapping[str, tuple[Callable[..., Any], ...]]] = Attached()
_NO_INPUTS: Mapping[str, tuple[Callable[..., Any], ...]] = types.MappingProxyType({})


def _wanted_inputs(bound: Bound) -> Mapping[str, tuple[Callable[..., Any], ...]]:
    wanted: dict[str, dict[Callable[..., Any], None]] = {
        name: {} for name in bound.inputs
    }
    for node, args in zip(bound.nodes, bound.args, strict=False):
        for source in args:
            if source < 0:
                wanted[bound.inputs[~source]][node] = None
    return types.MappingProxyType(
        # One that only a cell wanted for which another function stands is no more.
        {name: tuple(cells) for name, cells in wanted.items() if cells}
    )


def _loaded(module: Module) -> types.ModuleType:
    if isinstance(module, types.ModuleType):
        return module
    # A module that imports itself, as nearly all do, should not wait for this.
    from aiocells._collecting.loading import load

    return load(module)
