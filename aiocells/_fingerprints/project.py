"""Which code is the user's own, and the versions of what is not."""

import contextlib
import functools
import importlib.metadata
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable

_OURS = __name__.partition(".")[0]
_MAIN = ("__main__", "__mp_main__")
_INSTALLED = ("site-packages", "dist-packages")
_LIBRARY = tuple(
    {
        os.path.join(sysconfig.get_path("stdlib"), ""),
        os.path.join(sysconfig.get_path("platstdlib"), ""),
        os.path.join(os.path.dirname(os.__file__), ""),
    }
)


class Project:
    """Tells the modules of the user from Python's and from those that are installed.

    What it has told of a module it tells again: so one is made for each computation.
    """

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def is_own(self, module: object) -> bool:
        """Whether a module, given by its name, is the user's."""
        if not isinstance(module, str):  # code that was run in no module
            return True
        known = self._known.get(module)
        if known is None:
            known = self._known[module] = _is_own(module)
        return known


def _is_own(module: str) -> bool:
    top = module.partition(".")[0]
    if top in _MAIN:
        return True
    if top == _OURS:
        return False
    places = [*_places_of(module)]
    if not places:  # a built-in module, or one that was made without a file
        return top not in sys.stdlib_module_names
    return not any(_is_installed(place) for place in places)


def _places_of(module: str) -> Iterable[str]:
    """The file of a module, or the folders of a package without one."""
    found = sys.modules.get(module)
    if found is not None:
        file = vars(found).get("__file__")
        spec = vars(found).get("__spec__")
    else:
        file = spec = None
        with contextlib.suppress(ImportError, ValueError, AttributeError):
            spec = importlib.util.find_spec(module.partition(".")[0])
        if spec is not None and spec.has_location:
            file = spec.origin
    if isinstance(file, str):
        return [file]
    return getattr(spec, "submodule_search_locations", None) or ()


def _is_installed(place: str) -> bool:
    parts = place.replace("\\", "/").split("/")
    return place.startswith(_LIBRARY) or any(each in parts for each in _INSTALLED)


@functools.cache
def version_of(module: str) -> str:
    """The version of the package that a module belongs to; "" for Python's own.

    It must not depend on whether the package was imported yet.
    """
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return ""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError):
        return importlib.metadata.version(top)
    names = importlib.metadata.packages_distributions().get(top, ())
    return ",".join(importlib.metadata.version(name) for name in sorted({*names}))
