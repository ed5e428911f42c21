"""Digests of arrays and tables: by value, however they lie in memory."""

import pickle
from typing import Any

import pytest

from aiocells._fingerprints import tables
from aiocells._fingerprints.feeding import Undigestible
from aiocells._fingerprints.fingerprints import Fingerprints

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")


def told(value: Any) -> bytes:
    """The digest of a value."""
    return Fingerprints().of(value)


def copied(value: Any) -> Any:
    """A copy, as another process would have it."""
    return pickle.loads(pickle.dumps(value))


def arrays() -> dict[str, Any]:
    """Arrays that differ in something."""
    numbers = np.arange(6, dtype="i4")
    return {
        "integers": numbers,
        "in two rows": numbers.reshape(2, 3),
        "in three rows": numbers.reshape(3, 2),
        "by columns": np.asfortranarray(numbers.reshape(2, 3)),
        "wide": numbers.astype("i8"),
        "floats": numbers.astype("f4"),
        "changed": np.array([0, 1, 2, 3, 4, 6], dtype="i4"),
        "none": np.array([], dtype="f8"),
        "none in rows": np.zeros((0, 3)),
        "a number": np.array(3.0),
        "text": np.array(["a", "bc"]),
        "objects": np.array([1, "a", None], dtype=object),
        "objects by columns": np.array([[1, "a"], [None, 2]], dtype=object, order="F"),
        "times": np.array(["2020-01-01"], dtype="M8[s]"),
        "records": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "scalar": np.float64(1.5),
        "type": np.dtype("f8"),
        "matrix of bool": np.eye(2, dtype=bool),
    }


@pytest.mark.parametrize("kind", arrays())
def test_an_array_has_the_digest_of_its_copy(kind: str) -> None:
    """And no other has it."""
    made = arrays()
    array = made.pop(kind)
    assert told(array) == told(copied(array))
    assert told(array) not in [told(each) for each in made.values()]


def test_views_count_by_value() -> None:
    """A view has the digest of an array that has the same in one piece."""
    numbers = np.arange(3, dtype="<i4")
    assert told(numbers) != told(numbers.astype(">i4"))
    whole = np.arange(24).reshape(4, 6)
    for view in (whole[1:3], whole[:, ::2], whole[::-1], whole[1:3, 1:3].T):
        assert told(view) == told(copied(view))
    assert told(whole[:, ::2]) == told(np.array(whole[:, ::2].tolist()))
    # Their order in memory is seen by those who compute with them.
    assert told(whole.T) == told(np.asfortranarray(whole.T)) != told(whole.T.copy())


def frames() -> dict[str, Any]:
    """Frames that differ in something."""
    numbers = pd.DataFrame({"a": [1, 2, 3], "b": [1.5, None, 2.5]})
    named = numbers.rename_axis("n")
    noted = numbers.copy()
    noted.attrs["unit"] = "km"
    days = pd.date_range("2020-01-01", periods=3)
    return {
        "numbers": numbers,
        "columns in another order": numbers[["b", "a"]],
        "other names": numbers.rename(columns={"a": "c"}),
        "a named index": named,
        "an index": numbers.set_index("a"),
        "two indexes": numbers.set_index(["a", "b"]),
        "notes": noted,
        "text": pd.DataFrame({"a": ["x", None, "z"]}),
        "objects": pd.DataFrame({"a": pd.Series([1, "a", None], dtype=object)}),
        "days": pd.DataFrame({"a": days}),
        "days with a zone": pd.DataFrame({"a": days.tz_localize("UTC")}),
        "by days": pd.DataFrame({"a": [1, 2, 3]}, index=days),
        "periods": pd.DataFrame({"a": [1, 2, 3]}, index=days.to_period("D")),
        "missing integers": pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
        "categories": pd.DataFrame({"a": pd.Categorical(["u", "v", "u"])}),
        "more categories": pd.DataFrame(
            {"a": pd.Categorical(["u", "v", "u"], categories=["u", "v", "w"])}
        ),
        "categories in order": pd.DataFrame(
            {"a": pd.Categorical(["u", "v", "u"], ordered=True)}
        ),
        "intervals": pd.DataFrame({"a": pd.interval_range(0, 3)}),
        "sparse": pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
        "empty": pd.DataFrame(),
        "two columns of a name": pd.DataFrame([[1, 2]], columns=["a", "a"]),
        "series": pd.Series([1, 2, 3], name="a"),
        "series of another name": pd.Series([1, 2, 3], name="b"),
        "timestamp": pd.Timestamp("2020-01-01"),
    }


@pytest.fixture(params=["with Arrow", "without Arrow"])
def arrow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pandas takes Arrow for some columns, where it is installed."""
    if request.param == "with Arrow":
        pytest.importorskip("pyarrow")
    else:

        def missing(name: str) -> None:
            raise ImportError(name)

        monkeypatch.setattr(tables, "_import", missing)


@pytest.mark.usefixtures("arrow")
@pytest.mark.parametrize("kind", frames())
def test_a_frame_has_the_digest_of_its_copy(kind: str) -> None:
    """And no other has it."""
    made = frames()
    frame = made.pop(kind)
    assert told(frame) == told(copied(frame))
    assert told(frame) not in [told(each) for each in made.values()]


def test_frames_count_by_value() -> None:
    """Not by how their columns came together, nor by what they were cut from."""
    frame = pd.DataFrame({"a": [1, 2, 3], "s": ["x", "y", None]})
    slowly = frame[["a"]].copy()
    slowly["t"] = 1
    slowly["s"] = frame["s"]
    del slowly["t"]
    assert told(slowly) == told(frame)
    assert told(frame.iloc[1:]) == told(copied(frame.iloc[1:]))
    indexed = frame.set_index(["a", "s"])
    assert told(indexed[1:]) == told(copied(indexed[1:]))


def test_polars_counts_by_value() -> None:
    """Not by chunks, nor by what was cut off; names and types count."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2, 4, 5], "s": ["x", "y", None, "z"]})
    cut = frame[1:3]
    assert told(cut) == told(copied(cut)) == told(pl.concat([frame[1:2], frame[2:3]]))
    column = frame["a"]
    values = [frame, cut, column, column.rename("b"), column.cast(pl.Int8)]
    values += [frame[["s", "a"]], frame.rename({"a": "b"}), frame[["a"]]]
    assert len({told(each) for each in values}) == len(values)
    assert [told(copied(each)) for each in values] == [told(each) for each in values]


def test_arrow_counts_by_value() -> None:
    """Not by chunks, nor by what was cut off; names and types count."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, 2, 3, 4], "s": ["x", "y", "z", "w"]})
    cut = table.slice(1, 2)
    chunks = pa.concat_tables([table.slice(1, 1), table.slice(2, 1)])
    assert told(cut) == told(copied(cut)) == told(chunks)
    [batch] = cut.combine_chunks().to_batches()
    assert told(batch) == told(copied(batch))
    column = pa.array([1, 2, 3])
    assert told(column.slice(1)) == told(pa.array([2, 3]))
    assert told(pa.chunked_array([[1], [2, 3]])) == told(pa.chunked_array([[1, 2, 3]]))
    values = [table, cut, column, column.cast("int8"), table.rename_columns(["b", "s"])]
    assert len({told(each) for each in values}) == len(values)


def test_a_table_that_cannot_be_written_out_has_no_digest() -> None:
    """As any value that holds what has none."""
    frame = pd.DataFrame({"a": [(each for each in ())]})
    with pytest.raises(Undigestible, match=r"builtins\.generator: cannot pickle"):
        told(frame)
