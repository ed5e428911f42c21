"""The options of the computers: what signatures and documentation say of them."""

import ast
import asyncio
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell
from tests.helpers import run_to_end

EVERYWHERE = ["targets", "inputs", "overrides", "on_error", "observers", "cache"]
CONCURRENT = [*EVERYWHERE, "max_concurrency", "limits", "executors", "watchdog"]
OPTIONS = {
    "compute_sequential": EVERYWHERE,
    "async_compute_sequential": [*EVERYWHERE, "limits", "executors"],
    "async_compute_concurrent": CONCURRENT,
    "async_compute_concurrent_simple": CONCURRENT,
}
ON_CLUSTERS = ["targets", "inputs", "overrides", "on_error"]
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(CONCURRENT),
    "on_error": "raise",
    "observers": (),
    "watchdog": 0.05,
}
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "computing.md"


def parameters_of(name: str) -> list[inspect.Parameter]:
    """The parameters of a computer, as tools see them."""
    signature = inspect.signature(getattr(aiocells, name))
    return list(signature.parameters.values())


def documented() -> dict[str, Any]:
    """The options that `help(aiocells.computers)` describes, with their defaults."""
    described = inspect.getdoc(aiocells.computers) or ""
    terms = re.findall(r"^`(\w+)=(.+)`\n    \w", described, re.MULTILINE)
    return {name: ast.literal_eval(default) for name, default in terms}


@pytest.mark.parametrize("name", OPTIONS)
def test_signature_lists_the_options(name: str) -> None:
    """A computer takes the graph, and by keyword its options with their defaults."""
    graph, *options = parameters_of(name)
    assert (graph.name, graph.default) == ("graph", inspect.Parameter.empty)
    assert [option.name for option in options] == OPTIONS[name]
    assert {option.kind for option in options} == {inspect.Parameter.KEYWORD_ONLY}
    for option in options:
        assert option.default == DEFAULTS[option.name]


def test_options_are_described_once() -> None:
    """The options are described, with their defaults, in one place and nowhere else."""
    assert list(documented().items()) == list(DEFAULTS.items())
    for name in OPTIONS:
        text = inspect.getdoc(getattr(aiocells, name)) or ""
        assert "help(aiocells.computers)" in text
        assert not re.search(rf"^ *`?({'|'.join(DEFAULTS)})`?:", text, re.MULTILINE)


def test_an_option_is_the_same_in_every_computer() -> None:
    """An option has one type and one default, whichever computer takes it."""
    variants: dict[str, set[str]] = {}
    for name in OPTIONS:
        for option in parameters_of(name)[1:]:
            variants.setdefault(option.name, set()).add(str(option))
    assert {name: len(found) for name, found in variants.items()} == dict.fromkeys(
        DEFAULTS, 1
    )


def test_reference_says_which_computer_takes_which() -> None:
    """The page on computing lists for each computer the options in its signature."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    found = {name: re.findall(r"`(\w+)`", row) for name, row in rows}
    assert found.pop("compute_dask") == [*ON_CLUSTERS, "client"]
    assert found == OPTIONS


def test_the_computer_for_clusters_takes_what_the_others_do() -> None:
    """As far as a cluster can do it; and a client."""
    known = {str(option) for option in parameters_of("compute_sequential")}
    client = {str(option) for option in parameters_of("compute_dask")} - known
    assert client == {"client: 'Client'"}
    assert [each.name for each in parameters_of("compute_dask")[2:]] == ON_CLUSTERS


@cell
def answer() -> int:
    """A cell."""
    return 42


@pytest.mark.parametrize("name", OPTIONS)
def test_unknown_option_is_refused(name: str) -> None:
    """An option that a computer does not have is refused, as Python does."""
    computer: Callable[..., Any] = getattr(aiocells, name)
    graph = Graph.from_cells(answer)
    message = rf"^{name}\(\) got an unexpected keyword argument 'inpts'"
    with pytest.raises(TypeError, match=message):
        computer(graph, inpts={})


@pytest.mark.parametrize("name", OPTIONS)
def test_options_are_keywords(name: str) -> None:
    """An option that is given by position is refused, as Python does."""
    computer: Callable[..., Any] = getattr(aiocells, name)
    message = rf"^{name}\(\) takes 1 positional argument but 2 were given$"
    with pytest.raises(TypeError, match=message):
        computer(Graph.from_cells(answer), [answer])


@pytest.mark.parametrize("name", OPTIONS)
def test_defaults_are_what_leaving_out_means(name: str) -> None:
    """A computer that is given every default computes what it does without them."""
    computer: Callable[..., Any] = getattr(aiocells, name)
    graph = Graph.from_cells(answer)
    found = computer(graph, **{option: DEFAULTS[option] for option in OPTIONS[name]})
    results = asyncio.run(found) if inspect.isawaitable(found) else found
    assert dict(results) == {answer: 42}


# Things of the wrong kind


class Sequence:
    """Something that pandas would have: its truth is ambiguous."""

    def __bool__(self) -> bool:
        """Refuse."""
        raise ValueError

    def __repr__(self) -> str:
        """Be named in the message."""
        return "<a sequence>"


NO_MAPPINGS: list[Any] = [[], [1], (), "", "text", 0, 3, False, set(), b"", Sequence()]
MAPPINGS = {
    "inputs": '"name": value',
    "overrides": "cell: value",
    "limits": '"name": number',
    "executors": '"name": executor',
}


def refused(name: str, **options: Any) -> Exception:
    """What a computer says to options, before a cell has run."""
    ran: list[int] = []

    @cell
    def never() -> None:
        ran.append(1)

    computer: Callable[..., Any] = getattr(aiocells, name)
    if computer is not aiocells.compute_sequential:
        computer = run_to_end(computer)
    with pytest.raises((TypeError, ValueError)) as caught:
        computer(Graph.from_cells(never), **options)
    assert ran == []
    return caught.value


@pytest.mark.parametrize("given", NO_MAPPINGS, ids=repr)
@pytest.mark.parametrize("option", MAPPINGS)
@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_no_mapping_is_refused(name: str, option: str, given: Any) -> None:
    """Empty or not, it is said what is right."""
    if option not in OPTIONS[name]:
        pytest.skip("it has no such option")
    error = refused(name, **{option: given})
    assert type(error) is TypeError
    assert str(error) == (
        f"{option}= takes a mapping, {option}={{{MAPPINGS[option]}}}, not {given!r}."
    )


@pytest.mark.parametrize("given", ["", "text", b"", 0, 3, False, Sequence()], ids=repr)
@pytest.mark.parametrize("name", OPTIONS)
def test_what_are_no_targets_is_refused(name: str, given: Any) -> None:
    """Empty or not, it is said what is right."""
    error = refused(name, targets=given)
    assert type(error) is TypeError
    assert str(error) == (
        f"targets= takes a list of cells or names: targets=[{given!r}]."
    )


@pytest.mark.parametrize("given", [None, "", 0, [], ["raise"], {}, "stop"], ids=repr)
@pytest.mark.parametrize("name", OPTIONS)
def test_another_on_error_is_refused(name: str, given: Any) -> None:
    """Whatever it is, the three are told."""
    error = refused(name, on_error=given)
    assert type(error) is ValueError
    told = f"on_error={given!r}: expected 'raise', 'group' or 'continue'."
    assert str(error) == told


@pytest.mark.parametrize("given", ["", [], 0, 1.5, "3", False, {}], ids=repr)
@pytest.mark.parametrize("name", ["concurrent", "concurrent_simple"])
def test_what_is_no_number_of_cells_is_refused(name: str, given: Any) -> None:
    """Empty or not, it is said what is right."""
    error = refused(f"async_compute_{name}", max_concurrency=given)
    assert type(error) is ValueError
    told = f"max_concurrency={given!r}: expected a whole number of at least 1."
    assert str(error) == told


@pytest.mark.parametrize("given", ["", [], "3", False, {}], ids=repr)
@pytest.mark.parametrize("name", ["concurrent", "concurrent_simple"])
def test_what_is_no_number_of_seconds_is_refused(name: str, given: Any) -> None:
    """Empty or not, it is said what is right."""
    error = refused(f"async_compute_{name}", watchdog=given)
    assert type(error) is ValueError
    told = f"watchdog={given!r}: expected a number of seconds, or None for never."
    assert str(error) == told


@pytest.mark.parametrize("name", OPTIONS)
def test_empty_options_of_the_right_kind_are_none(name: str) -> None:
    """What holds nothing changes nothing; no targets are no values."""
    computer: Callable[..., Any] = getattr(aiocells, name)
    empty: dict[str, Any] = {"inputs": {}, "overrides": {}, "observers": []}
    empty |= {"limits": {}, "executors": {}}
    options = {each: given for each, given in empty.items() if each in OPTIONS[name]}
    for targets, expected in ((None, {answer: 42}), ([], {}), ((), {}), ({}, {})):
        found = computer(Graph.from_cells(answer), targets=targets, **options)
        results = asyncio.run(found) if inspect.isawaitable(found) else found
        assert dict(results) == expected


async def test_flows_take_graphs_only() -> None:
    """Functions of 1.x say so as well."""
    for function in (aiocells.compute_flow, aiocells.cancel_flow):
        given: Any = [answer]
        with pytest.raises(TypeError, match=r"^Expected a graph, got \["):
            await function(given)
