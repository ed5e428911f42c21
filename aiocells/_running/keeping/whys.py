"""Why a cell ran although there is a cache: what has changed since it was last kept."""

import json
from typing import Any

from aiocells._declaring.source import location_of
from aiocells._fingerprints.feeding import Undigestible
from aiocells._keeping.cache import Cache, newest_in
from aiocells._running.keeping.keys import KeyMaker

NOTHING_KEPT = "ran: nothing of it was kept before"
NOTHING_TOLD = "ran: something changed that is not told, such as a secret"


class Whys:
    """Tells why cells ran; it holds no value of the computation.

    Args:
        cache: what was looked in; while it lives, its index is closed in the end.
        keys: those of the computation.
        began: when that was.
    """

    def __init__(self, cache: Cache, keys: KeyMaker, began: float) -> None:
        self._cache = cache
        self._keys = keys
        self._began = began

    def __call__(self, number: int) -> str:
        """Why a cell ran whose key was not found."""
        try:
            opaque = ", ".join(self._keys.opaque(number))
            note = f" (of {opaque} only the type counts)" if opaque else ""
            return self._reason(number) + note
        except Undigestible as error:  # it failed before that mattered
            return f"ran: it has no digest: {error}."

    def _reason(self, number: int) -> str:
        newest = newest_in(self._cache, self._keys.label(number), self._began)
        if newest is None:
            return NOTHING_KEPT
        before, now = json.loads(newest), self._keys.parts(number)
        changed = [*self._changed(number, before, now)]
        if not changed:
            return NOTHING_TOLD
        return f"ran: {' and '.join(changed)} changed"

    def _changed(
        self, number: int, before: dict[str, Any], now: dict[str, Any]
    ) -> list[str]:
        told = [name for name in ("python", "version") if _differ(before, now, name)]
        told = [{"python": "Python"}.get(name, name) for name in told]
        code = before.get("code", {}), now.get("code", {})
        if all(code):
            known = self._keys.code_of(number)
            told += [_placed(name, known.get(name)) for name in _differing(*code)]
        arguments = before["arguments"], now["arguments"]
        return told + [f"argument {name!r}" for name in _differing(*arguments)]


def _differ(before: dict[str, Any], now: dict[str, Any], name: str) -> bool:
    return bool(before.get(name) != now.get(name))


def _differing(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The names of what differs; what only came or went counts if nothing else does."""
    both = [name for name in now if name in before and before[name] != now[name]]
    return both or [name for name in {**now, **before} if _differ(before, now, name)]


def _placed(name: str, code: Any) -> str:
    place = location_of(code) if code is not None else ""
    return f"{name} ({place})" if place else name
