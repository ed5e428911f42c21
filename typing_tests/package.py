"""What the package has beside its public names. Checked, never run."""

from typing import assert_type

import aiocells


def modules(graph: aiocells.Graph) -> None:
    """What is imported when it is used has its types all the same."""
    assert_type(aiocells.drawing.draw(graph), str)
    assert_type(aiocells.observers.Recorder(), aiocells.observers.Recorder)
    assert_type(aiocells.__version__, str)


def typo() -> None:
    """What the package has not is an error."""
    aiocells.sell  # type: ignore[attr-defined]  # noqa: B018
