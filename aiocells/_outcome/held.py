"""What `hold` gives: values that are there until its block ends."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Executor
from typing import Any, NoReturn, overload

from aiocells._outcome.lookup import Future, Other, Value
from aiocells._outcome.results import NOTHING, Results
from aiocells._planning.outline import Outline
from aiocells._typing import override
from aiocells.errors import MissingValue

_NO_COPY = (
    "What hold() gives ends with its block: it cannot be copied or pickled. Make a "
    "dict of it."
)


class Held(Results):
    """The values of the cells that `hold` was asked for, in order; read only.

    It may be given as `overrides=`. When the block ends every value is gone.

    Attributes:
        executors: those that were given to `hold`, and under "thread" its own.
    """

    __slots__ = ("_is_over", "executors")

    def __init__(
        self,
        outline: Outline,
        values: Sequence[Any],
        executors: Mapping[str, Executor],
        fallbacks: Mapping[int, BaseException] = NOTHING,
    ) -> None:
        super().__init__(outline, values, fallbacks=fallbacks)
        self._is_over = False
        self.executors = executors

    def end(self) -> None:
        """Have no value any more."""
        self._is_over = True
        self._index, self._values = NOTHING, NOTHING

    # A resource gives what it yields. So more is told than of other results, first.

    @overload  # type: ignore[override]
    def __getitem__(
        self, key: Callable[..., AsyncGenerator[Value, Any]], /
    ) -> Value: ...

    @overload
    def __getitem__(self, key: Callable[..., AsyncIterator[Value]], /) -> Value: ...

    @overload
    def __getitem__(
        self, key: Callable[..., Generator[Value, Any, Any]], /
    ) -> Value: ...

    @overload
    def __getitem__(self, key: Callable[..., Iterator[Value]], /) -> Value: ...

    @overload
    def __getitem__(
        self, key: Callable[..., Coroutine[Any, Any, Value]], /
    ) -> Value: ...

    @overload
    def __getitem__(self, key: Callable[..., Future], /) -> Future: ...

    @overload
    def __getitem__(self, key: Callable[..., Awaitable[Value] | Other], /) -> Value: ...

    @overload
    def __getitem__(self, key: Callable[..., Value], /) -> Value: ...

    @overload
    def __getitem__(self, key: str, /) -> Any: ...

    @override
    def __getitem__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, key: Any, /
    ) -> Any:
        return super().__getitem__(key)

    @override
    def _look_up(self, key: Any) -> Any:
        number = self._number(key)
        if self._is_over and number in self._outline.target_set:
            cell = self._outline.roster.described(number)
            msg = f"{cell} is not held any more: the block of hold() has ended."
            raise MissingValue(msg, key=key)
        return super()._look_up(key)

    @override
    def _pairs(self) -> dict[Any, Any]:
        return {cell: self[cell] for cell in self}

    @override
    def by_name(self) -> dict[str, Any]:
        self._pairs()  # for what is not held any more
        return super().by_name()

    @override
    def _why_not(self, number: int) -> str:
        roster, computed = self._outline.roster, self._outline.computed
        was = "was not computed, since it was not asked for"
        if number in computed:
            done = "opened" if roster.is_resource(number) else "computed"
            was = f"was {done}, but not asked for"
        return f"{roster.described(number)} {was}. Add it to the cells of hold()."

    @override
    def __copy__(self) -> NoReturn:
        raise TypeError(_NO_COPY)

    @override
    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError(_NO_COPY)

    @override
    def __getstate__(self) -> NoReturn:
        raise TypeError(_NO_COPY)

    @override
    def __repr__(self) -> str:
        over = ", not any more" if self._is_over else ""
        return super().__repr__().replace("<Results:", f"<Held{over}:")
