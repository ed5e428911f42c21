"""The keys under which the values of cells are kept, and what they are made of."""

import hashlib
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from aiocells._collecting.bound import Keys as _DictKeys
from aiocells._collecting.bound import OwnDefault
from aiocells._declaring.caching import Cached
from aiocells._declaring.parameters import parameters_of
from aiocells._fingerprints.feeding import Digest, Undigestible
from aiocells._fingerprints.fingerprints import Fingerprints
from aiocells._keeping.cache import label_of
from aiocells._outcome.secrets import is_secret
from aiocells._planning.program import Program

_FORMAT = 1
_SIZE = 20
# As many letters of a digest are shown, and compared to tell what has changed.
_SHORT = 12
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@attrs.frozen
class CellKey:
    """What all keys of a cell have in common.

    Attributes:
        label: the cell as the cache calls it.
        data: what its keys begin with.
        parts: what that was made of: names with short digests.
        counted: for each value that it takes the parameter that this belongs to; None
            where it does not count.
    """

    label: str
    data: bytes
    parts: Mapping[str, Any]
    counted: Sequence[str | None]


class KeyMaker:
    """Makes the keys of the cells of one computation.

    Args:
        program: the cells.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._fingerprints = Fingerprints()
        self._cells: dict[int, CellKey] = {}
        # By source; of values that have none the reason.
        self._sources: dict[int, bytes | str] = {}
        self._are_secret: dict[int, bool] = {}

    # Sources

    def note(self, source: int, fingerprint: bytes | str) -> None:
        """Note the fingerprint of a value, or why it has none."""
        self._sources[source] = fingerprint

    def note_resource(self, number: int, values: Sequence[Any]) -> None:
        """Have a resource count by its code, and by what it is opened with."""
        program = self._program
        whole = hashlib.sha256()
        try:
            whole.update(self._fingerprints.of(program.written(number)))
            for source, value in zip(program.args[number], values, strict=True):
                whole.update(self.fingerprint(source, value))
        except Undigestible as error:
            self._sources[number] = str(error)
        else:
            self._sources[number] = whole.digest()

    def fingerprint(self, source: int, value: Any) -> bytes:
        """That of a value, which is taken once.

        Raises:
            Undigestible: it has none.
        """
        known = self._sources.get(source)
        if known is None:
            try:
                known = self._fingerprints.of(value)
            except Undigestible as error:
                known = str(error)
            self._sources[source] = known
        if isinstance(known, str):
            raise Undigestible(known)
        return known

    # Values that are kept

    def digest(self, value: Any) -> tuple[bytes, str, bytes]:
        """Of a value that is to be kept: digest, names of the code in it, fingerprint.

        Raises:
            Undigestible: it has no digest, or code in it that nobody can find.
        """
        digest = self._fingerprints.digest(value)
        names = [f"{code.__module__}:{code.__qualname__}" for code in digest.code]
        for name, code in zip(names, digest.code, strict=True):
            if _found(name) is not code:
                msg = f"{name.replace(':', '.')} is not found by its name"
                raise Undigestible(msg)
        told = json.dumps(names) if names else ""
        return digest.data, told, self._fingerprints.whole(digest)

    def known(self, digest: bytes, names: str) -> bytes | None:
        """The fingerprint of a value that was kept; None if code in it is gone."""
        code = [_found(name) for name in json.loads(names)] if names else []
        if None in code:
            return None
        return self._fingerprints.whole(Digest(digest, tuple(code)))

    # Cells

    def key(self, number: int, values: Sequence[Any]) -> bytes:
        """The key of a cell that is called with these values.

        Raises:
            Undigestible: the cell, or a value that counts, has no digest.
        """
        cell = self.cell(number)
        whole = hashlib.sha256(cell.data)
        sources = self._program.args[number]
        for counted, source, value in zip(cell.counted, sources, values, strict=True):
            if counted is not None:
                whole.update(self.fingerprint(source, value))
        return whole.digest()[:_SIZE]

    def items(
        self, number: int, values: Sequence[Any]
    ) -> Callable[[Sequence[Any]], bytes]:
        """What makes the keys of the items of a fan-out, of what is iterated.

        Args:
            number: the fan-out.
            values: those of the computation by source.

        Raises:
            Undigestible: the cell, or a value that is not iterated, has no digest.
        """
        cell, fan_out = self.cell(number), self._program.options[number].fan_out
        assert fan_out is not None
        whole = hashlib.sha256(cell.data)
        sources = self._program.args[number]
        for counted, source in zip(cell.counted, sources, strict=True):
            if counted is not None and counted not in fan_out.iterated:
                whole.update(self.fingerprint(source, values[source]))
        counts = [name in cell.counted for name in fan_out.iterated]
        of = self._fingerprints.of

        def key(item: Sequence[Any]) -> bytes:
            made = whole.copy()
            for value, is_counted in zip(item, counts, strict=True):
                if is_counted:
                    made.update(of(value))
            return made.digest()[:_SIZE]

        return key

    def cell(self, number: int) -> CellKey:
        """What the keys of a cell have in common.

        Raises:
            Undigestible: it has no digest.
        """
        known = self._cells.get(number)
        if known is None:
            known = self._cells[number] = self._made(number)
        return known

    def label(self, number: int) -> str:
        """A cell as the cache calls it."""
        program = self._program
        return label_of(program.written(number), program.names[number])

    def _made(self, number: int) -> CellKey:
        program = self._program
        function, cached = self._code(number), program.options[number].cache
        label = self.label(number)
        parts: dict[str, Any] = {"python": PYTHON}
        if isinstance(cached, Cached) and cached.version is not None:
            parts["version"] = repr(cached.version)
            code = repr(cached.version).encode()
        else:
            code = self._fingerprints.of(function)
            found = self._fingerprints.parts(function)
            parts["code"] = {name: each.hex()[:_SHORT] for name, each in found.items()}
        shape = program.shapes.get(number)
        said = (
            _FORMAT,
            PYTHON,
            label,
            program.names[number],
            "version" in parts,
            shape,
        )
        data = hashlib.sha256(repr(said).encode() + code).digest()
        ignored = cached.ignore if isinstance(cached, Cached) else ()
        counted = [
            None if name in ignored else name
            for name in _parameters_of_values(program, number)
        ]
        return CellKey(label, data, parts, counted)

    def parts(self, number: int) -> dict[str, Any]:
        """What the key of a cell was made of, when it was made."""
        cell, program = self.cell(number), self._program
        arguments: dict[str, str] = {}
        for name, source in zip(cell.counted, program.args[number], strict=True):
            known = self._sources.get(source)
            if name is None or not isinstance(known, bytes):
                continue
            if source not in self._are_secret:
                self._are_secret[source] = is_secret(program, source)
            if not self._are_secret[source]:  # a short secret could be guessed
                arguments[name] = arguments.get(name, "") + known.hex()[:_SHORT]
        return {**cell.parts, "arguments": arguments}

    def code_of(self, number: int) -> dict[str, Any]:
        """The functions and classes that a cell uses, by name."""
        return self._fingerprints.code_of(self._code(number))

    def opaque(self, number: int) -> list[str]:
        """What a cell uses that has no digest, by name."""
        return self._fingerprints.opaque(self._code(number))

    def _code(self, number: int) -> Any:
        """What a cell calls: a fan-out the function of its items."""
        fan_out = self._program.options[number].fan_out
        return self._program.written(number) if fan_out is None else fan_out.function


def _parameters_of_values(program: Program, number: int) -> list[str]:
    """For each value that a cell takes the name of the parameter that it is for."""
    args = program.args[number]
    parameters = parameters_of(program.written(number))
    groups, keywords = program.shapes.get(number) or ((None,) * len(args), ())
    positional = len(groups) - len(keywords)
    names = (*parameters.names[:positional], *keywords)
    # Python does not tell the parameters of some functions in C.
    names += tuple(f"{at}" for at in range(len(names), len(groups)))
    told: list[str] = []
    for name, group in zip(names, groups, strict=True):
        if isinstance(group, _DictKeys):
            told += [name] * len(group.keys)
        elif not isinstance(group, OwnDefault):
            told += [name] * (1 if group is None else group)
    return told


def _found(name: str) -> Any:
    """The function or class of a name; None where it is not found."""
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception:
        return None
    return found
