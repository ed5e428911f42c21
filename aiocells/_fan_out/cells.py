"""What `each` makes: a cell that can be called as its function can, for all items."""

import inspect
import sys
import types
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aiocells._declaring import marks
from aiocells._declaring import names as _names
from aiocells._declaring.fan_out import FanOut
from aiocells._declaring.source import location_of
from aiocells._declaring.spec import CellSpec
from aiocells._typing import override

if TYPE_CHECKING:
    from aiocells._fan_out.gathering import Gathering
    from aiocells._fan_out.items import Items

Value_co = TypeVar("Value_co", covariant=True)


class Each(Generic[Value_co]):
    """A cell that calls a function once for each item.

    Called itself, it calls the function for each item of what it is given, and returns
    what the computers would compute of that.

    Attributes:
        name: its own, or that under which its module has it.
    """

    # Where `each` was called: the path of the file, and the line.
    __aiocells_place__ = "", 0

    def __init__(
        self,
        fan_out: FanOut,
        spec: CellSpec,
        signature: inspect.Signature,
        frame: types.FrameType,
    ) -> None:
        self.__wrapped__ = fan_out.function
        self.__signature__ = signature
        self.__module__ = frame.f_globals.get("__name__", "")
        self.__aiocells_place__ = frame.f_code.co_filename, frame.f_lineno
        self._fan_out = fan_out
        self._known: dict[str, Any] | None = frame.f_globals
        self._found: str | None = None
        marks.leave(self, spec)

    @property
    def name(self) -> str:
        spec = marks.spec_of(self)
        if spec is not None and spec.options is not None and spec.options.name:
            return spec.options.name
        return self._name_in_module() or f"each({_names.name_of(self.__wrapped__)})"

    @property
    def __name__(self) -> str:
        return self.name

    def _name_in_module(self) -> str | None:
        """The name under which its module has it, if it has."""
        known = self._known
        if known is None:
            known = vars(sys.modules.get(self.__module__, types.SimpleNamespace()))
        if self._found is None or known.get(self._found) is not self:
            found = (name for name, value in list(known.items()) if value is self)
            self._found = next(found, None)
        return self._found

    @override
    def __repr__(self) -> str:
        return f"<each {_names.placed(self.name, location_of(self))}>"

    @override
    def __reduce__(self) -> Any:
        """By name, as functions are, where its module has it; else with all it is."""
        found = self._name_in_module()
        module = sys.modules.get(self.__module__)
        if found is not None and getattr(module, found, None) is self:
            return found
        state = {**vars(self), "_known": None, "_found": None}
        return object.__new__, (type(self),), state

    def __call__(self, *args: Any, **named: Any) -> Value_co:
        """Call the function for each item.

        Args:
            args: as the function takes them, with all items for what is iterated.
            named: those by keyword.

        Returns:
            The list of what it returned; a dict where a mapping was iterated.
        """
        # What few programs use, they should load.
        from aiocells._fan_out.in_order import run_in_order

        value: Value_co = run_in_order(*self._alone(args, named))
        return value

    def _alone(
        self, args: tuple[Any, ...], named: dict[str, Any]
    ) -> "tuple[Items, Gathering]":
        """The items of a call, and where it goes what becomes of them."""
        from aiocells._fan_out.alone import Alone
        from aiocells._fan_out.gathering import Gathering
        from aiocells._fan_out.items import items_of

        bound = self.__signature__.bind(*args, **named)
        items = items_of(self._fan_out, bound.args, bound.kwargs)
        return items, Gathering(items, Alone(self))


class AsyncEach(Each[Value_co]):
    """The same of an async function: called itself, it is to be awaited."""

    @override
    async def __call__(self, *args: Any, **named: Any) -> Any:  # type: ignore[override]
        """Call the function for each item, as many at once as its limit says.

        Args:
            args: as the function takes them, with all items for what is iterated.
            named: those by keyword.

        Returns:
            The list of what it returned; a dict where a mapping was iterated.
        """
        from aiocells._fan_out.places import NoLimit
        from aiocells._fan_out.ways import AsTasks

        way = AsTasks(self._fan_out, self.name)
        return await way.run(*self._alone(args, named), way.width, NoLimit())
