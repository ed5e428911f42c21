"""The stretches of cells that tight loops run."""

import functools

import pytest

from aiocells import Graph, cell, compute_sequential


@pytest.mark.parametrize("arity", range(5))
def test_cells_get_their_arguments_whatever_their_number(arity: int) -> None:
    """A long stretch of cells that take as many arguments gets them all, in order."""
    names = "abcd"[:arity]
    joined = eval(f"lambda suffix, {','.join(names)}: {'+'.join([*names, 'suffix'])}")
    cells = [
        cell(name=f"cell_{suffix}")(functools.partial(joined, suffix))
        for suffix in "123456"
    ]
    inputs = {name: name.upper() for name in names}
    results = compute_sequential(Graph.from_cells(*cells), inputs=inputs)
    assert list(results.values()) == ["ABCD"[:arity] + suffix for suffix in "123456"]
