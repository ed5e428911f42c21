"""Graphs that mix features, in every computer, without a cache, cold and warm."""

import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiocells import Cache
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS
from tests.mixed_graphs import (
    ASYNC,
    IN_THREADS,
    INPUTS,
    PLAIN,
    Mixed,
    mixed_graphs,
    outcome,
)
from tests.running.keeping.test_any_graph import MEMORY


def check_all_agree(made: Mixed, computers: Any, data: st.DataObject) -> None:
    """Whoever computes a graph, and with whatever was kept, gives the same."""
    options: dict[str, Any] = {"inputs": INPUTS, "on_error": "continue"}
    if made.targets:
        options["targets"] = data.draw(
            st.none() | st.lists(st.sampled_from(made.targets), unique=True)
        )
    names = data.draw(st.permutations([*computers]))
    wanted = outcome(COMPUTERS[names[0]](made.graph, **options))
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        for name in names:
            assert outcome(COMPUTERS[name](made.graph, **options)) == wanted
            for _ in ("cold", "warm"):
                cache = Cache(f"{folder}/cache", everything=True)
                results = COMPUTERS[name](made.graph, cache=cache, **options)
                assert outcome(results) == wanted


@settings(deadline=None, max_examples=40)
@given(mixed_graphs(PLAIN), st.data())
def test_plain_graphs(made: Mixed, data: st.DataObject) -> None:
    """In all four computers."""
    check_all_agree(made, COMPUTERS, data)


@pytest.mark.needs_threads
@settings(deadline=None, max_examples=40)
@given(mixed_graphs((*PLAIN, *ASYNC, *IN_THREADS)), st.data())
def test_graphs_of_all_kinds(made: Mixed, data: st.DataObject) -> None:
    """In the three that await."""
    check_all_agree(made, ASYNC_COMPUTERS, data)
