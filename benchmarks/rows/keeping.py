"""Cells whose values are kept, against functions that joblib keeps."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from types import ModuleType
from typing import Any

from joblib import Memory

from aiocells import Cache, Graph, cell, compute_sequential
from benchmarks.effort import Effort
from benchmarks.layered import INPUTS, Layered, layered
from benchmarks.measure import Timer, check_same, compare
from benchmarks.row import Row, compared

GROUP = "cache"
WIDTH = 10

Run = Callable[[str], list[float]]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure a first run, one that finds all, and one of which one value is wanted."""
    count = effort.kept
    made = layered(count // WIDTH, WIDTH)
    with TemporaryDirectory() as home:
        module = written(made, home)
        functions = [getattr(module, name) for name in made.names]
        by_joblib = kept_by_joblib(functions, made)
        graph = Graph.from_cells(*map(cell(cache=True), functions))
        all_ours, one = kept_by_us(graph, None), kept_by_us(graph, functions[-1:])
        with TemporaryDirectory() as first, TemporaryDirectory() as second:
            check_same(GROUP, by_joblib(first), all_ours(second))
        floor, ours = _in_new_folders(by_joblib), _in_new_folders(all_ours)
        name = f"{count:,} cells, a first run, floor: joblib.Memory"
        yield _row(name, floor, ours, 0.15, effort)
        with TemporaryDirectory() as first, TemporaryDirectory() as second:
            by_joblib(first)
            all_ours(second)
            floor = _in_one_folder(by_joblib, first)
            ours = _in_one_folder(all_ours, second)
            name = f"{count:,} cells, all found and loaded"
            yield _row(name, floor, ours, None, effort)
            ours = _in_one_folder(one, second)
            name = f"{count:,} cells, all found, one wanted"
            yield _row(name, floor, ours, None, effort)


def written(made: Layered, folder: str) -> ModuleType:
    """The functions of a graph in a file: what keeps values looks at their source."""
    lines = []
    for number, name in enumerate(made.names):
        parameters = made.parameters(number)
        lines += [f"def {name}({', '.join(parameters)}):"]
        lines += [f"    return {' + '.join(parameters)}", "", ""]
    path = Path(folder, "kept_functions.py")
    path.write_text("\n".join(lines), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _row(
    name: str, floor: Timer, ours: Timer, target: float | None, effort: Effort
) -> Row:
    found = compare(floor, ours, pairs=effort.few_pairs, least=0.0)
    note = "processor time; joblib reads the source of each function anew in a process"
    return compared(GROUP, name, found, count=effort.kept, target=target, note=note)


def kept_by_us(graph: Graph, targets: list[Any] | None) -> Run:
    """A graph of which the values are kept in a folder."""

    def run(folder: str) -> list[float]:
        cache = Cache(f"{folder}/cache")
        results = compute_sequential(graph, inputs=INPUTS, targets=targets, cache=cache)
        return list(results.values())

    return run


def kept_by_joblib(functions: list[Any], made: Layered) -> Run:
    """The same functions, each kept by itself."""

    def run(folder: str) -> list[float]:
        memory = Memory(folder, verbose=0)
        values: list[Any] = []
        for function, needs in zip(functions, made.needs, strict=True):
            given = [values[number] for number in needs] or INPUTS.values()
            values.append(memory.cache(function)(*given))
        return values

    return run


def _in_new_folders(run: Run) -> Timer:
    def seconds(count: int) -> float:
        took = 0.0
        for _ in range(count):
            with TemporaryDirectory() as folder:
                start = process_time()
                run(folder)
                took += process_time() - start
        return took

    return seconds


def _in_one_folder(run: Run, folder: str) -> Timer:
    def seconds(count: int) -> float:
        start = process_time()
        for _ in range(count):
            run(folder)
        return process_time() - start

    return seconds
