"""Quick binding does what the general rules do."""

import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells import Graph
from aiocells._collecting import binding
from aiocells._collecting.graph import bound_of
from aiocells._planning.compiling import plan_of

# How a cell may be written; {name} asks for {params}.
FORMS = [
    "@cell\ndef {name}({params}): ...",
    "@cell\nasync def {name}({params}): ...",
    "@cell\ndef {name}({params}, *args): ...",
    "@cell\ndef {name}(*, {params}): ...",
    "@cell\ndef {name}({params}, last=1): ...",
    "@cell(name='other_{name}')\ndef {name}({params}): ...",
    "@depends_on('c0')\ndef {name}({params}): ...",
    "@cell\n@wraps(print)\ndef {name}({params}): ...",
    "{name} = cell(lambda {params}: 1)",
    "def {name}({params}): ...",
    "{name} = 1",
]


@st.composite
def sources(draw: st.DrawFn) -> str:
    """Modules in which cells of every form ask for each other, in any order."""
    count = draw(st.integers(1, 8))
    lines = ["from aiocells import cell, depends_on", "from functools import wraps"]
    for number in draw(st.permutations(range(count))):
        asked = draw(st.lists(st.integers(0, max(number - 1, 0)), unique=True))
        params = [f"c{each}" for each in asked] or ["city"]
        form = draw(st.sampled_from(FORMS)).format(
            name=f"c{number}", params=", ".join(params)
        )
        lines.append(form)
    return "\n".join(lines)


def bound(source: str) -> Any:
    """What a module is bound to, or the error."""
    module = types.ModuleType("quick")
    exec(source, vars(module))
    try:
        graph = Graph.from_module(module)
    except Exception as error:
        return type(error), str(error)
    made = bound_of(graph)
    assert made is not None
    return (
        plan_of(graph).program.names,
        made.needs,
        made.args,
        made.kinds,
        made.specs,
        made.shapes,
        made.inputs,
        made.optional,
    )


@given(sources())
def test_quick_binding_changes_nothing(source: str) -> None:
    """With it and without it a module gives the same graph, or the same error."""
    quick = bound(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binding, "quick_sources", lambda function, index: None)
        general = bound(source)
    assert quick == general
