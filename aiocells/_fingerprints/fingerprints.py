"""Fingerprints: what a value is and what its code does, down to all that it uses."""

import hashlib
from collections.abc import Iterator
from typing import Any

from aiocells._fingerprints.describing import Describer, Description
from aiocells._fingerprints.feeding import Digest
from aiocells._fingerprints.project import Project
from aiocells._fingerprints.values import SIZE, Feeder, label_of


class Fingerprints:
    """Takes digests and fingerprints, as code and constants are at one time.

    One is made for each computation: afterwards the user may define anew.
    """

    def __init__(self) -> None:
        self._project = Project()
        self._describer = Describer(self._project)
        # By id, each with what keeps that.
        self._described: dict[int, tuple[Any, Description]] = {}
        self._known: dict[int, bytes] = {}

    def digest(self, value: Any) -> Digest:
        """The digest of a value, with the code that is in it.

        Raises:
            Undigestible: it has none.
        """
        return Feeder(self._project).digest_of(value)

    def of(self, value: Any) -> bytes:
        """The fingerprint of a value; it changes with the code that is in it.

        Raises:
            Undigestible: it has none.
        """
        return self.whole(self.digest(value))

    def whole(self, digest: Digest) -> bytes:
        """The fingerprint of a value whose digest is known."""
        if not digest.code:
            return digest.data
        whole = hashlib.sha256(digest.data)
        for code in digest.code:
            whole.update(self._of_code(code))
        return whole.digest()[:SIZE]

    def parts(self, value: Any) -> dict[str, bytes]:
        """What a function says itself, and what each says that it uses, by name."""
        return {
            label_of(each): description.digest.data
            for code in self.digest(value).code
            for each, description in self._reached_from(code)
        }

    def code_of(self, value: Any) -> dict[str, Any]:
        """The functions and classes of the project that a function uses, by name."""
        return {
            label_of(each): each
            for code in self.digest(value).code
            for each, _ in self._reached_from(code)
        }

    def opaque(self, value: Any) -> list[str]:
        """The names of what has no digest, and so counts by its type."""
        names = [
            name
            for code in self.digest(value).code
            for _, description in self._reached_from(code)
            for name in description.opaque
        ]
        return list(dict.fromkeys(names))

    def _of_code(self, code: Any) -> bytes:
        known = self._known.get(id(code))
        if known is not None:
            return known
        whole = hashlib.sha256()
        numbers: dict[int, int] = {}
        for each, description in self._reached_from(code):
            numbers.setdefault(id(each), len(numbers))
            whole.update(description.digest.data)
            for other in description.digest.code:
                # Numbered as they are reached, wherever one begins.
                number = numbers.setdefault(id(other), len(numbers))
                whole.update(b"%d " % number)
        self._known[id(code)] = found = whole.digest()[:SIZE]
        return found

    def _reached_from(self, code: Any) -> Iterator[tuple[Any, Description]]:
        """A function or class, and all that it refers to, breadth first."""
        reached = {id(code)}
        queue = [code]
        for each in queue:
            description = self._describe(each)
            for other in description.digest.code:
                if id(other) not in reached:
                    reached.add(id(other))
                    queue.append(other)
            yield each, description

    def _describe(self, code: Any) -> Description:
        known = self._described.get(id(code))
        if known is None:
            found = self._describer.describe(code)
            known = self._described[id(code)] = code, found
        return known[1]
