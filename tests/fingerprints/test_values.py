"""Digests of values: equal for equal ones in every process, and told apart else."""

import copyreg
import itertools
import json
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells._fingerprints.feeding import Undigestible
from aiocells._fingerprints.fingerprints import Fingerprints
from aiocells._fingerprints.values import MOST_NESTED
from tests.fingerprint_kinds import (
    KINDS,
    ONLY_DIGESTED,
    Access,
    Colour,
    Order,
    Own,
    Pair,
    Place,
    Point,
    Text,
    digests,
)

ROOT = Path(__file__).parents[2]


def told(value: Any) -> str:
    """The digest of a value, with what is noted besides."""
    digest = Fingerprints().digest(value)
    return f"{digest.data.hex()} {[each.__qualname__ for each in digest.code]}"


def why_not(value: Any) -> str:
    """Why a value has no digest."""
    with pytest.raises(Undigestible) as caught:
        Fingerprints().digest(value)
    return str(caught.value)


@pytest.mark.needs_processes
@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_gives_the_same_digests(seed: str) -> None:
    """Whatever the seed of hashes, and whatever else it has done."""
    script = (
        "import sys, json; sys.path.append(sys.argv[1])\n"
        "from tests.fingerprint_kinds import digests; print(json.dumps(digests()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == digests()


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_read_from_a_pickle_has_the_same_digest(kind: str) -> None:
    """And so has one that is made once more."""
    make = KINDS[kind]
    assert told(pickle.loads(pickle.dumps(make()))) == told(make()) == told(make())


def test_kinds_are_told_apart() -> None:
    """No two of the values have one digest."""
    made = {**KINDS, **ONLY_DIGESTED}
    assert len({told(make()) for make in made.values()}) == len(made)


@pytest.mark.parametrize(
    "values",
    [
        [1, True, 1.0, 1 + 0j, "1", b"1", bytearray(b"1"), (1,), [1], {1}],
        [0.0, -0.0, False, None, 0, "", b"", (), [], {}, set(), frozenset()],
        [["a", "b"], ["ab"], [["a"], "b"], [["a", "b"]], ("a", "b")],
        [[(), ()], [((),)], [(), (), ()], [[], ()]],
        [{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2, "b": 1}, [("a", 1), ("b", 2)]],
        [{"a": [1], "b": 2}, {"b": 2, "a": [1]}],
        [Colour.RED, Colour.GREEN, Access.READ, Access(0), 1],
        [Order("a"), Order("b"), Order("a", {"b": 1}), "a"],
        [Point(1), Point(1.0), Point(1, 1)],
        [Pair(1), (1, "r"), Pair(1, "s")],
        [Text("a"), "a"],
        [Own(1), Own(2), 1],
        [Place("a"), Place("a", frozenset({"b"}))],
        [memoryview(b"ab"), memoryview(b"ac"), memoryview(b"ab").cast("c"), b"ab"],
        [", ".join, "; ".join, str.join],
        [{(1, 2), (3,)}, {(1,), (2, 3)}, {(1, 2), (3,), ()}],
        [lambda: 1, lambda: 2],
    ],
)
def test_values_that_differ_are_told_apart(values: list[Any]) -> None:
    """By their types too, and dicts by their order; sets have none."""
    fingerprints = Fingerprints()
    assert len({fingerprints.of(each) for each in values}) == len(values)


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.integers(),
    st.sampled_from([0.0, -0.0, 1.0, 0.1]),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.sampled_from(list(Colour)),
)
KEYS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(tuple),
        st.frozensets(inner, max_size=3),
        st.builds(Place, st.text(max_size=2), st.frozensets(inner, max_size=2)),
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    KEYS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
        st.sets(KEYS, max_size=3),
        st.builds(Order, st.text(max_size=2), inner),
        st.builds(Point, inner),
    ),
    max_leaves=12,
)


def spelled(value: Any) -> str:
    """A value as text, with all types; what should be told apart differs."""
    kind = type(value).__name__
    if isinstance(value, set | frozenset):
        return f"{kind}<{sorted(map(spelled, value))}>"
    if isinstance(value, dict):
        return f"{kind}<{[(spelled(k), spelled(v)) for k, v in value.items()]}>"
    if isinstance(value, list | tuple):
        return f"{kind}<{list(map(spelled, value))}>"
    if isinstance(value, Order):
        return f"{kind}<{spelled(value.name)} {spelled(value.items)}>"
    if isinstance(value, Point):
        return f"{kind}<{spelled(value.x)} {spelled(value.y)}>"
    if isinstance(value, Place):
        return f"{kind}<{spelled(value.name)} {spelled(value.tags)}>"
    return f"{kind}<{value!r}>"


@given(VALUES, VALUES)
def test_digests_are_equal_if_and_only_if_values_are(one: Any, other: Any) -> None:
    """Of two drawn values; and a copy by pickle is equal to each."""
    assert (told(one) == told(other)) == (spelled(one) == spelled(other))
    assert told(pickle.loads(pickle.dumps(one))) == told(one)


@given(st.lists(KEYS, max_size=5), st.randoms())
def test_a_set_has_the_digest_of_what_is_in_it(keys: list[Any], random: Any) -> None:
    """In whatever order that came."""
    one, other = {*keys}, {*random.sample(keys, len(keys))}
    # Of keys that are equal, such as 1 and True, a set keeps the first.
    assert (told(one) == told(other)) == (spelled(one) == spelled(other))


# What has none


class Circle:
    """Refers to itself."""

    def __init__(self) -> None:
        """Close the circle, through a set."""
        self.others = {self}


class Broken:
    """Cannot be taken apart."""

    def __init__(self, reduced: Any) -> None:
        """Have something to fail with."""
        self.reduced = reduced

    def __reduce_ex__(self, _: Any) -> Any:
        """Give what is wrong."""
        return self.reduced


def nested(depth: int) -> list[Any]:
    """Lists within each other."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


class Link:
    """Nested as objects are."""

    next: Any = None


def chain(length: int) -> Link:
    """Objects that refer to each other in a row."""
    first = link = Link()
    for _ in range(length):
        link.next = link = Link()
    return first


def itself() -> list[Any]:
    """A list that contains itself."""
    value: list[Any] = []
    value.append(value)
    return value


TOLD_TWICE = [1, [2]]
CANNOT = {
    "builtins.generator: cannot pickle 'generator' object": lambda: (x for x in ()),
    "_thread.lock: cannot pickle '_thread.lock' object": lambda: [threading.Lock()],
    "builtins.list: it contains itself": itself,
    "tests.fingerprints.test_values.Circle: it contains itself": Circle,
    "builtins.list: it is nested more than 500 deep": lambda: nested(MOST_NESTED + 2),
    "tests.fingerprints.test_values.Link: it is nested too deep": lambda: chain(240),
    "itertools.count: cannot pickle 'itertools.count' object": itertools.count,
    "_weakrefset.WeakSet: it holds its values weakly": weakref.WeakSet,
    "tests.fingerprints.test_values.Broken: 'int' object is not iterable": (
        lambda: Broken((list, 3))
    ),
}


@pytest.mark.parametrize("message", CANNOT)
def test_what_has_no_digest_is_told(message: str) -> None:
    """With its type and the reason."""
    assert why_not(CANNOT[message]()) == message


def test_what_is_told_twice_is_no_circle() -> None:
    """Values may be shared, and the digest is that of copies."""
    assert told([TOLD_TWICE, TOLD_TWICE]) == told([[1, [2]], [1, [2]]])
    assert told(nested(MOST_NESTED)) != told(nested(MOST_NESTED - 1))


def test_a_failed_element_leaves_the_others_their_digest() -> None:
    """What one value has in it says nothing about the next."""
    fingerprints = Fingerprints()
    circle = Circle()
    with pytest.raises(Undigestible):
        fingerprints.digest({(circle,), (1, 2)})
    assert fingerprints.of([1, [2]]) == Fingerprints().of([1, [2]])


def test_an_own_digest_that_fails_is_told() -> None:
    """As any other failure to take a value apart."""

    class Failing:
        def __aiocells_digest__(self) -> Any:
            msg = "not today"
            raise LookupError(msg)

    assert why_not(Failing()).endswith("Failing: not today")


def test_code_in_a_value_is_noted_and_not_looked_at() -> None:
    """The digest has names; the fingerprint follows the code, in order."""

    def make(number: int) -> Callable[[], int]:
        return lambda: number

    one, other = make(1), make(2)
    fingerprints = Fingerprints()
    there, back = fingerprints.digest([one, other]), fingerprints.digest([other, one])
    assert there.data == back.data
    assert there.code == (one, other)
    assert fingerprints.whole(there) != fingerprints.whole(back)
    same = fingerprints.digest([one, one])
    assert same.code == (one,)
    assert same.data != there.data


def test_sets_of_functions_have_digests() -> None:
    """Though functions are hashed by where they lie."""
    expected = told({test_sets_of_functions_have_digests, spelled, told})
    assert told({told, test_sets_of_functions_have_digests, spelled}) == expected


def test_the_digest_of_an_exception_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries for clusters register another way to pickle all exceptions."""
    before = told(ValueError("no", 3))
    monkeypatch.setitem(
        copyreg.dispatch_table, ValueError, lambda error: (ValueError, ("traceback",))
    )
    looked_at = ValueError("no", 3)
    assert vars(looked_at) == {}
    assert told(looked_at) == before
