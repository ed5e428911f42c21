"""What is iterated: any iterable, side by side, each with each, or by key."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

import aiocells
from aiocells import Graph, Input, compute_sequential, each
from aiocells._fan_out.items import items_of
from tests.helpers import COMPUTERS

every_computer = pytest.mark.parametrize("name", COMPUTERS)


def add(x: Any, y: Any = 100, *, z: Any = 1000) -> Any:
    """What most fan-outs here call."""
    return x, y, z


X, Y = Input("xs"), Input("ys")
ONE = each(add, x=X)
TWO = each(add, x=X, y=Y)
PRODUCT = each(add, y=Y, x=X, product=True)


def value_of(made: Any, name: str = "sequential", **inputs: Any) -> Any:
    """What a fan-out gives."""
    return COMPUTERS[name](Graph.from_cells(made), inputs=inputs)[made]


class Indexed:
    """Can be gone through only by index, as old classes can."""

    def __getitem__(self, index: int) -> int:
        """One of two items."""
        return [7, 8][index]


class Odd(list[int]):
    """A list that gives other items than it holds."""

    def __iter__(self) -> Iterator[int]:
        """Each item twice as large."""
        return (2 * each for each in [1, 2, 3])


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: [1, 2, 3], [1, 2, 3]),
        (lambda: (1, 2, 3), [1, 2, 3]),
        (lambda: range(3), [0, 1, 2]),
        (lambda: (n for n in (1, 2)), [1, 2]),
        (lambda: iter([1, 2]), [1, 2]),
        (lambda: {5}, [5]),
        (lambda: frozenset([5]), [5]),
        (lambda: {"a": 1, "b": 2}.values(), [1, 2]),
        (lambda: {"a": 1, "b": 2}.keys(), ["a", "b"]),
        (lambda: {"a": 1}.items(), [("a", 1)]),
        (Indexed, [7, 8]),
        (lambda: Odd([1, 2, 3]), [2, 4, 6]),
        (lambda: ["ab", b"c"], ["ab", b"c"]),
        (lambda: memoryview(b"ab"), [97, 98]),
        (list, []),
        (lambda: iter([]), []),
    ],
)
@every_computer
def test_any_iterable_will_do(
    name: str, make: Callable[[], Any], wanted: list[Any]
) -> None:
    """Its items come in its order; of none there is an empty list."""
    made = each(lambda x: x, x=X, name="made")
    assert value_of(made, name, xs=make()) == wanted


@every_computer
def test_arrays_go_by_their_first_axis(name: str) -> None:
    """As they do in a loop."""
    numpy = pytest.importorskip("numpy")
    made = each(lambda x: float(x.sum()), x=X, name="made")
    assert value_of(made, name, xs=numpy.arange(6).reshape(3, 2)) == [1, 5, 9]
    with pytest.raises(TypeError, match="0-d"):
        value_of(made, name, xs=numpy.array(5))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("/a", "str '/a'"),
        (b"/a", "bytes b'/a'"),
        (bytearray(b"/a"), "bytearray "),
        (3, "int 3"),
        (None, "NoneType None"),
    ],
)
@every_computer
def test_what_is_seldom_meant_to_be_iterated_is_refused(
    name: str, value: Any, shown: str
) -> None:
    """A string would be taken letter by letter; a number is no iterable."""
    message = f"'x' is to be taken item by item, but its value is {shown}"
    with pytest.raises(TypeError, match=message) as caught:
        value_of(ONE, name, xs=value)
    assert str(caught.value).endswith(". Give a list.")
    [note] = caught.value.__notes__
    assert note.startswith("in cell 'ONE' (")  # it is no item's failure


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_are_refused(library: str) -> None:
    """They would be taken by the names of their columns."""
    table = pytest.importorskip(library).DataFrame({"a": [1, 2]})
    with pytest.raises(TypeError, match=r"its value is DataFrame .*Give a list"):
        value_of(ONE, xs=table)
    assert value_of(each(float, x=X, name="f"), xs=table["a"]) == [1.0, 2.0]


def test_a_secret_is_not_shown_where_it_is_refused() -> None:
    """The name of the parameter says that it is one."""
    made = each(lambda password: 1, password=Input("password"), name="made")
    with pytest.raises(TypeError, match="•••") as caught:
        value_of(made, password="hunter2")
    assert "hunter2" not in "".join([str(caught.value), *caught.value.__notes__])


# Mappings


@every_computer
def test_a_mapping_gives_a_mapping(name: str) -> None:
    """The function gets the values; keys and their order stay."""
    found = value_of(ONE, name, xs={"b": 1, "a": 2})
    assert list(found.items()) == [("b", (1, 100, 1000)), ("a", (2, 100, 1000))]
    assert value_of(ONE, name, xs={}) == {}


@every_computer
def test_mappings_go_together_by_key(name: str) -> None:
    """The order is that of the first one written."""
    found = value_of(TWO, name, xs={"b": 1, "a": 2}, ys={"a": 3, "b": 4})
    assert list(found.items()) == [("b", (1, 4, 1000)), ("a", (2, 3, 1000))]


def test_mappings_of_other_keys_are_refused() -> None:
    """The first key that is missing is told."""
    with pytest.raises(
        ValueError,
        match="differ in their keys: x has 'b', y has not",
    ):
        value_of(TWO, xs={"a": 1, "b": 2}, ys={"a": 3})
    with pytest.raises(ValueError, match="y has 'c', x has not"):
        value_of(TWO, xs={"a": 1}, ys={"a": 3, "c": 2})


def test_a_mapping_beside_a_list_is_refused() -> None:
    """They have nothing to go together by."""
    message = "'x' is a mapping, but 'y' is list: a mapping goes with mappings"
    with pytest.raises(TypeError, match=message):
        value_of(TWO, xs={"a": 1}, ys=[1])
    with pytest.raises(TypeError, match="'y' is a mapping, but 'x' is list"):
        value_of(TWO, xs=[1], ys={"a": 1})
    with pytest.raises(TypeError, match="which go by key, and not each with each"):
        value_of(PRODUCT, xs={"a": 1}, ys={"a": 1})


# Several


@every_computer
def test_several_go_side_by_side(name: str) -> None:
    """Strictly: all end together."""
    assert value_of(TWO, name, xs=[1, 2], ys=(3, 4)) == [(1, 3, 1000), (2, 4, 1000)]
    assert value_of(TWO, name, xs=iter([1, 2]), ys=[3, 4], z=5) == [
        (1, 3, 5),
        (2, 4, 5),
    ]
    assert value_of(TWO, name, xs=[], ys=[]) == []
    assert value_of(TWO, name, xs=iter([]), ys=[]) == []


def test_different_lengths_are_refused() -> None:
    """Before anything is called, where they are known."""
    called: list[int] = []
    made = each(lambda x, y: called.append(x), x=X, y=Y, name="made")
    message = "^the iterated values differ in length: x has 2, y has 3\n"
    with pytest.raises(ValueError, match=message):
        value_of(made, xs=[1, 2], ys=[1, 2, 3])
    assert called == []


@pytest.mark.parametrize(
    ("xs", "ys", "told"),
    [
        ([1, 2], [1], "x has more, y has 1"),
        ([1], [1, 2], "x has 1, y has more"),
        ([], [1], "x has 0, y has more"),
    ],
)
def test_where_a_length_is_unknown_one_may_end_early(
    xs: list[int], ys: list[int], told: str
) -> None:
    """It is the same failure, and no item's."""
    with pytest.raises(ValueError, match=f"differ in length: {told}") as caught:
        value_of(TWO, xs=iter(xs), ys=ys)
    [note] = caught.value.__notes__
    assert note.startswith("in cell 'TWO'")


@every_computer
def test_product_takes_each_with_each(name: str) -> None:
    """The first one written varies slowest, whatever the order of the parameters."""
    found = value_of(PRODUCT, name, xs=[1, 2], ys=iter([3, 4, 5]))
    assert found == [(x, y, 1000) for y, x in itertools.product([3, 4, 5], [1, 2])]
    assert value_of(PRODUCT, name, xs=[1], ys=[]) == []
    alone = each(add, x=X, product=True)
    assert value_of(alone, name, xs=[1]) == [(1, 100, 1000)]


# What is iterated fails


@every_computer
def test_an_iterable_that_raises_is_a_failure_of_no_item(name: str) -> None:
    """It is the fan-out's; whatever it raises."""

    def broken() -> Iterator[int]:
        yield 1
        raise KeyError

    with pytest.raises(KeyError) as caught:
        value_of(ONE, name, xs=broken())
    [note] = caught.value.__notes__
    assert note.startswith("in cell 'ONE' (")


@every_computer
def test_an_infinite_iterable_ends_with_the_first_failure(name: str) -> None:
    """Nothing is taken ahead of its turn, but as many as may run at once."""
    counting = itertools.count()

    def work(x: int) -> int:
        return 1 // (3 - x)

    made = each(work, x=X, name="made")
    with pytest.raises(ZeroDivisionError) as caught:
        value_of(made, name, xs=counting)
    assert caught.value.__notes__[0].startswith("in item 3 of cell 'made'")
    assert next(counting) == 4


async def test_an_async_iterable_needs_a_loop_and_to_be_alone() -> None:
    """Each refusal says what to do."""

    async def gives() -> Any:
        yield 1

    with pytest.raises(TypeError, match="'x' is an async iterable, async_gen"):
        compute_sequential(Graph.from_cells(ONE), inputs={"xs": gives()})
    with pytest.raises(TypeError, match="which can be iterated only alone"):
        await aiocells.async_compute_concurrent(
            Graph.from_cells(TWO), inputs={"xs": gives(), "ys": [1]}
        )


# Called with anything, against a loop


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[str], list[str], bool]:
    """The parameters of a function, those that are iterated, and whether as product."""
    count = draw(st.integers(1, 4))
    kinds = sorted(
        draw(st.lists(st.sampled_from((0, 1, 2)), min_size=count, max_size=count))
    )
    names = [f"p{place}" for place in range(count)]
    texts = []
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if kind == 2 and 2 not in kinds[:place]:
            texts.append("*")
        texts.append(name)
        if kind == 0 and 0 not in kinds[place + 1 :]:
            texts.append("/")
    iterated = draw(
        st.lists(st.sampled_from(names), min_size=1, max_size=count, unique=True)
    )
    return ", ".join(texts), names, iterated, draw(st.booleans())


@hypothesis.given(calls(), st.data())
def test_it_calls_as_a_loop_would(
    call: tuple[str, list[str], list[str], bool], data: st.DataObject
) -> None:
    """Whatever the parameters are like, and the items come from."""
    parameters, names, iterated, is_product = call
    function = eval(f"lambda {parameters}: ({', '.join(names)},)")
    counts = st.integers(0, 4)
    count = data.draw(counts)
    lists = {
        name: [f"{name}{n}" for n in range(data.draw(counts) if is_product else count)]
        for name in iterated
    }
    fixed = {name: f"fixed {name}" for name in names}
    rows: Any = itertools.product(*lists.values())
    if not is_product:
        rows = zip(*lists.values(), strict=True)
    given = [fixed | dict(zip(lists, row, strict=True)) for row in rows]
    wanted = [tuple(each[name] for name in names) for each in given]
    forms = st.sampled_from((list, tuple, iter, lambda v: dict.fromkeys(v).keys()))
    inputs = fixed | {name: data.draw(forms)(lists[name]) for name in lists}
    over = {name: Input(name) for name in iterated}
    made = each(function, over, product=is_product, name="made")
    items = items_of(made._fan_out, *_bound(made, inputs))
    assert [items.call(*row) for row in items.rows] == wanted


def _bound(made: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
    by_name = dict(made.__signature__.parameters)
    only = [n for n, p in by_name.items() if p.kind is p.POSITIONAL_ONLY]
    args = [inputs[name] for name in only]
    named = {name: value for name, value in inputs.items() if name not in only}
    bound = made.__signature__.bind(*args, **named)
    return bound.args, bound.kwargs
