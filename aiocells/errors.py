"""Every exception that aiocells raises itself.

The exceptions of the user's cells are never replaced: they reach the caller with
their type unchanged, and carry a note that names the cell.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from typing import Any

# What bears one of these between underscores is not shown. It may be replaced:
# errors.SECRET_NAMES |= {"pin"}.
SECRET_NAMES: Set[str] = frozenset(
    (
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "auth",
        "authorization",
        "credentials",
        "cookie",
        "private_key",
        "dsn",
    )
)


class GraphException(Exception):
    """Base of every error of this library.

    >>> from aiocells import DependencyGraph, GraphException
    >>> graph = DependencyGraph(initial_dependencies={"a": ["b"], "b": ["a"]})
    >>> try:
    ...     graph.check_for_cycles()
    ... except GraphException as error:
    ...     type(error).__name__
    'CircularDependency'
    """


class CircularDependency(GraphException):
    """Cells that need each other.

    Attributes:
        path: the nodes of the cycle, each one needing the next; the last is the
            first again.
    """

    def __init__(
        self,
        message: str = "Circular dependency detected in graph",
        *,
        path: Sequence[Hashable] = (),
    ) -> None:
        super().__init__(message)
        self.path = tuple(path)


class DeclarationError(GraphException):
    """A function that is declared in a way that cannot work.

    Attributes:
        cell: the function, or whatever else was marked.
    """

    def __init__(self, message: str, *, cell: Any = None) -> None:
        super().__init__(message)
        self.cell = cell


class UnbindableParameter(DeclarationError):
    """A parameter that `depends_on` names, and that cannot be given.

    Attributes:
        cell: the cell with the parameter.
        parameter: its name.
    """

    def __init__(self, message: str, *, cell: Any = None, parameter: str = "") -> None:
        super().__init__(message, cell=cell)
        self.parameter = parameter


class UnknownCell(GraphException):
    """A name, or a function, that no cell answers to.

    Attributes:
        name: what was asked for.
        suggestions: names that look like it, the nearest first.
    """

    def __init__(
        self, message: str, *, name: Any = None, suggestions: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.name = name
        self.suggestions = tuple(suggestions)


class AmbiguousCell(GraphException):
    """A name that more than one cell answers to.

    Attributes:
        name: the name.
        candidates: the cells that bear it.
    """

    def __init__(
        self, message: str, *, name: str = "", candidates: Sequence[Hashable] = ()
    ) -> None:
        super().__init__(message)
        self.name = name
        self.candidates = tuple(candidates)


class MissingInput(GraphException):
    """An input that a chosen cell needs, and that was not given.

    Attributes:
        missing: for each missing input the cells that want it.
    """

    def __init__(
        self,
        message: str,
        *,
        missing: Mapping[str, Sequence[Hashable]] | None = None,
    ) -> None:
        super().__init__(message)
        self.missing = {name: tuple(cells) for name, cells in (missing or {}).items()}


class UnknownInput(GraphException):
    """An input that no cell of the graph wants.

    Attributes:
        names: the inputs that nobody wants.
        suggestions: for each of them the inputs that look like it.
    """

    def __init__(
        self,
        message: str,
        *,
        names: Sequence[str] = (),
        suggestions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.names = tuple(names)
        self.suggestions = dict(suggestions or {})


class MissingValue(GraphException, KeyError):
    """A value that is not among the results; the message says why.

    Attributes:
        key: what was asked for.
    """

    def __init__(self, message: str, *, key: Any = None) -> None:
        super().__init__(message)
        self.key = key

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show its repr


class UnsupportedCell(GraphException):
    """A cell that the chosen computer cannot run, or cannot give the value of.

    Attributes:
        cell: the cell.
    """

    def __init__(
        self, message: str, *, cell: Callable[..., Any] | Hashable | None = None
    ) -> None:
        super().__init__(message)
        self.cell = cell


class WorkerDied(GraphException):
    """A worker process that ended before it had answered.

    Attributes:
        cells: the cells that it was running.
    """

    def __init__(self, message: str, *, cells: Sequence[Hashable] = ()) -> None:
        super().__init__(message)
        self.cells = tuple(cells)
