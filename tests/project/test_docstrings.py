"""The examples in the docstrings of aiocells."""

import doctest
import importlib
from pathlib import Path

import pytest

import aiocells

PACKAGE = Path(aiocells.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_show(name: str) -> None:
    """Every docstring example of a module runs and prints what it shows."""
    # In the browser there is neither.
    if name == "aiocells._cli.reading":
        pytest.importorskip("pydantic")
    if name.startswith("aiocells._cluster."):
        pytest.importorskip("distributed")
    # Imported by name, so that an installed package is tested and not the checkout.
    module = importlib.import_module(name.removesuffix(".__init__"))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=flags).failed == 0
