"""Filters of large galleries, whose columns are read from files: they are those of smaller ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from large_items import DATES, WORDS, lines, write

from similarity import Gallery
from similarity.errors import SearchError
from similarity.query.filters import Facets
from similarity.storage import column_files, item_columns, mapped_items, prepared
from similarity.storage.column_files import ColumnWriter, Texts, read_columns
from similarity.storage.items import Items, read_items
from similarity.storage.mapped_items import read_lines, write_lines
from similarity.storage.prepared import Prepared

OPERATORS = ("", "!=", "<", "<=", ">", ">=", "~")


def both(tmp_path: Path, written: list[dict[str, Any]], **options: Any) -> tuple[Items, Items]:
    """The same items as they are read and as they are mapped, with columns in files."""
    path, folder = write(tmp_path / "items.parquet", written, **options), tmp_path / "mapped"
    folder.mkdir()
    write_lines(path, folder)
    return read_items(path), Items.of(read_lines(folder), Prepared(tmp_path, "columns", "a"))


def described(facets: Facets) -> list[Any]:
    """All that a page shows of facets, and the rows of each value."""
    rows = {name: facets.value_rows(name) for name in facets.names}
    return [
        facets.columns,
        facets.names,
        facets.spans,
        [(facets.counts(name), facets.value_count(name)) for name in facets.names],
        [list(facets.most_common(name, 3, ["zz", "grün"]).items()) for name in facets.names],
        [facets.column(name).kind for name in facets.names],
        [list(facets.column(name).values) for name in facets.names],
        {name: {value: found.tolist() for value, found in values.items()} for name, values in rows.items()},
    ]


@pytest.fixture(autouse=True)
def in_small_batches(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> Path:
    monkeypatch.setattr(mapped_items, "BATCH", 64)
    return empty_home


@pytest.mark.parametrize("many", [1, 5, 50_000])
@pytest.mark.parametrize("seed", range(3))
def test_filters_of_files_are_those_of_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, many: int
) -> None:
    monkeypatch.setattr(column_files, "MANY", many)
    if many == 5:
        monkeypatch.setattr(item_columns, "MOST_KEYS", 2)
    read, mapped = both(tmp_path, lines(400, seed), without=("exif",) if seed == 2 else (), per_group=50)
    expected, found = Facets(read), Facets(mapped)
    assert mapped.columns is not None
    assert described(found) == described(expected)
    assert described(found.renamed(str.upper)) == described(expected.renamed(str.upper))
    assert found.without(("taken",)).names == expected.without(("taken",)).names
    assert found.renamed(str) is found


@pytest.mark.parametrize("many", [1, 50_000])
def test_conditions_on_files_find_what_they_find_on_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(column_files, "MANY", many)
    read, mapped = both(tmp_path, lines(600, 7), per_group=50)
    expected, found = Facets(read), Facets(mapped)
    compared = 0
    for name in (*expected.names, "gro\u0308\u00dfe", "odd"):
        for operator in OPERATORS:
            for values in (*((value,) for value in WORDS + DATES), ("10", "9.5", "2024"), (), ("10.0", "no such")):
                where = {name + operator: values}
                assert found.rows(where).tolist() == expected.rows(where).tolist(), where
                assert found.values_of(where) == expected.values_of(where), where
                compared += len(expected.rows(where))
    assert compared > 10_000
    with pytest.raises(SearchError) as of_items:
        expected.rows({"no such": ["x"]})
    with pytest.raises(SearchError) as of_files:
        found.rows({"no such": ["x"]})
    assert str(of_items.value) == str(of_files.value)


def test_results_are_sorted_alike(tmp_path: Path) -> None:
    read, mapped = both(tmp_path, lines(200, 8))
    expected, found = Facets(read), Facets(mapped)
    some = read.at(range(0, len(read), 3))
    for name in expected.names:
        for by in (name, f"-{name}"):
            assert found.sort(some, by) == expected.sort(some, by)


def test_items_without_any_label_or_metadata_have_their_own_columns_only(tmp_path: Path) -> None:
    written = [line | {"label": None, "metadata": "{}", "exif": "{}", "width": 0} for line in lines(40, 9)]
    read, mapped = both(tmp_path, written)
    assert described(Facets(mapped)) == described(Facets(read))
    assert Facets(mapped).names == ["height"]


def test_there_may_be_as_many_columns_as_one_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.files.SMALL", 1_000)
    written = [
        line | {"metadata": json.dumps({f"{number}-{key}": "x" for key in range(40)})}
        for number, line in enumerate(lines(50, 9))
    ]
    read, mapped = both(tmp_path, written)
    expected, found = Facets(read), Facets(mapped)
    assert found.names == expected.names
    assert len(found.names) > 2_000
    assert found.rows({"7-3": ["x"]}).tolist() == expected.rows({"7-3": ["x"]}).tolist()


def test_nothing_at_all_is_known_of_some_items(tmp_path: Path) -> None:
    written = [line | {"label": None, "metadata": "{}", "exif": "{}", "width": 0, "height": 0} for line in lines(40, 9)]
    _, mapped = both(tmp_path, written)
    assert Facets(mapped).names == []


def test_columns_are_made_once_and_only_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, mapped = both(tmp_path, lines(100, 3))
    folder = prepared._cache()
    assert not folder.exists()
    assert Facets(mapped).columns == Facets(read).columns
    monkeypatch.setattr(item_columns, "ColumnWriter", None)
    again = Items.of(read_lines(tmp_path / "mapped"), Prepared(tmp_path, "columns", "a"))
    assert described(Facets(again)) == described(Facets(read))
    moved = again.moved({"/pictures": "/elsewhere"}, "/pictures", "/elsewhere")
    assert described(Facets(moved)) == described(Facets(read))


def test_columns_that_cannot_be_kept_are_made_of_items(tmp_path: Path, in_small_batches: Path) -> None:
    read, mapped = both(tmp_path, lines(100, 3))
    (in_small_batches / "cache" / "items").write_text("in the way")
    assert mapped.columns is None
    assert described(Facets(mapped)) == described(Facets(read))


def test_texts_are_found_and_read_by_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_files, "MANY", 2)
    values = sorted(["", "a", "\ud83d", "é", "😀", "zz"])
    with ColumnWriter(tmp_path) as writer:
        writer.write("one", "few", ["x"], np.array([4]), np.array([0, 1]))
        writer.write("two", "many", values, np.arange(6), np.arange(7))
    found = read_columns(tmp_path)["two"]["many"].values
    assert isinstance(found, Texts)
    assert list(found) == values == found[:]
    assert [found[-1], found[0], found[1:3]] == [values[-1], values[0], values[1:3]]
    assert [value in found for value in (*values, "b", "zzz", 5)] == [True] * 6 + [False] * 3
    with pytest.raises(IndexError):
        found[6]


def test_a_large_gallery_is_searched_under_conditions_as_a_small_one(
    shapes: Gallery, in_small_batches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_items, "LARGE", 1)
    large = shapes.rebuild(into=in_small_batches / "galleries" / "large")
    assert large.items.columns is not None
    for where in ({"label": ["dots"]}, {"label!=": ["dots"]}, {"width>=": "100"}, {"label~": "in"}):
        found = large.search_vector(shapes.vectors[1], 9, where=where)
        assert [hit.item for hit in found] == [
            hit.item for hit in shapes.search_vector(shapes.vectors[1], 9, where=where)
        ]
    assert len(large.search_vector(shapes.vectors[1], 9, where={"label": ["dots"]})) == 5
