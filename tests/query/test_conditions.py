"""Conditions on the columns of pictures: numbers, dates and texts."""

import json
import tracemalloc
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from commands import Run
from conftest import MODEL

from similarity import Gallery, Item
from similarity.errors import SearchError
from similarity.query.conditions import is_condition, parse
from similarity.query.filters import Facets

# Prices with one that is none, days and months, names with umlauts, and a code with zeros before it.
ROWS = [
    {"price": "9.5", "day": "2024-04-30", "name": "Äpfel", "code": "007", "a=b": "1"},
    {"price": "10", "day": "2024-05-01T08:00", "name": "birnen", "code": "7", "a": "b=1"},
    {"price": "100", "day": "2024-05-31 23:59:59", "name": "Zwetschgen"},
    {"price": "on request", "day": "2025", "name": "Bananen"},
    {},
]
ITEMS = [Item(str(number), f"/{number}.jpg", None, row) for number, row in enumerate(ROWS)]
FACETS = Facets(ITEMS)


def rows(*conditions: str) -> list[int]:
    return FACETS.rows(parse(conditions, FACETS.names)).tolist()


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("price>9.5", [1, 2]),
        ("price>=9.50", [0, 1, 2]),
        ("price < 10", [0]),
        ("price<=1e1", [0, 1]),
        ("price=10.0", [1]),
        ("price=on request", [3]),
        ("price!=10", [0, 2, 3, 4]),
        ("day>=2024-05", [1, 2, 3]),
        ("day<=2024-05", [0, 1, 2]),
        ("day>2024-05", [3]),
        ("day<2024-05", [0]),
        ("day=2024-05", [1, 2]),
        ("day=2024", [0, 1, 2]),
        ("day>2024-05-01T07:59", [1, 2, 3]),
        ("day!=2024", [3, 4]),
        ("name<b", [0]),
        ("name>=BANANEN", [1, 2, 3]),
        ("name~NEN", [1, 3]),
        ("name~a\u0308pf", [0]),
        ("code=7", [1]),
        ("code=007", [0]),
        ("code>6", [0, 1]),
        ("price~.", [0]),
        ("a=b=1", [0]),
        ("name=>b", []),
    ],
)
def test_numbers_dates_and_texts_are_compared_as_such(condition: str, found: list[int]) -> None:
    assert rows(condition) == found


def test_equal_values_of_a_column_are_alternatives_and_all_other_conditions_must_hold() -> None:
    assert rows("price=10", "price=100") == [1, 2]
    assert rows("price>9", "price<50") == [0, 1]
    assert rows("price=10", "price=100", "day<2024-05-02") == [1]
    assert rows("name!=birnen", "name!=Bananen") == [0, 2, 4]
    assert rows("name~nen", "name~b", "name~i") == [1]


def test_a_mapping_says_the_same_with_the_operator_after_the_column() -> None:
    assert FACETS.rows({"price>=": 10, "day<": date(2024, 5, 2)}).tolist() == [1]
    assert FACETS.rows({"price >": ["9", "10"]}).tolist() == [2]
    assert FACETS.rows({"name": "birnen"}).tolist() == [1], "a text is one value, not its letters"
    assert FACETS.rows({"a=b": ["1"]}).tolist() == [0], "a column that ends in no operator of its own"
    odd = Facets([Item("0", "/0.jpg", None, {"size>=": "1", "size": "0"}), Item("1", "/1.jpg", None, {"size": "3"})])
    assert odd.rows({"size>=": ["1"]}).tolist() == [0], "a column of this name is meant"
    assert odd.rows(parse(["size>=2"], ["size"])).tolist() == []


def test_what_is_no_date_is_a_text() -> None:
    facets = Facets([Item("0", "/0.jpg", None, {"v": "2024-13"}), Item("1", "/1.jpg", None, {"v": "2024-12"})])
    assert facets.rows({"v>=": "2024-13"}).tolist() == [0]
    assert [is_condition(text) for text in ("label", "=shoe", "label~s")] == [False, False, True]
    with pytest.raises(SearchError, match="'shoe' is not of the form column=value"):
        parse(["shoe"], ["label"])


def test_a_column_that_is_not_there_is_named_without_its_operator() -> None:
    with pytest.raises(SearchError, match="No picture of the gallery has a 'prise': choose from price, "):
        rows("prise>=3")


def test_conditions_on_names_that_are_shown_otherwise_compare_what_is_shown() -> None:
    facets = Facets([Item(str(n), f"/{n}.jpg", None, {"at": f"/home/{n}/x", "n": str(n)}) for n in range(4)])
    shown = facets.renamed(lambda text: "hidden" if text.startswith("/home") else text)
    assert facets.rows(shown.original({"at~": "home"})).tolist() == [], "a secret cannot be guessed letter by letter"
    assert facets.rows(shown.original({"at~": "hid", "n>": "0", "n<": "3"})).tolist() == [1, 2]
    assert facets.rows(shown.original({"n!=": "1"})).tolist() == [0, 2, 3]
    turned = Facets(ITEMS).renamed(lambda text: {"Äpfel": "z", "birnen": "a"}.get(text, text))
    assert FACETS.rows(turned.original({"name": ["z"]})).tolist() == [0], "whatever the order of the new names"


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("price", [0, 1, 2, 3, 4]),
        ("-price", [2, 1, 0, 3, 4]),
        ("day", [0, 1, 2, 3, 4]),
        ("-day", [3, 2, 1, 0, 4]),
        ("name", [0, 3, 1, 2, 4]),
        ("-name", [2, 1, 3, 0, 4]),
    ],
)
def test_pictures_are_sorted_by_numbers_dates_and_texts_and_those_without_come_last(by: str, order: list[int]) -> None:
    assert FACETS.sort(ITEMS, by) == order


def test_a_column_may_begin_with_a_minus_and_none_of_some_pictures_may_have_it() -> None:
    facets = Facets([Item("0", "/0.jpg", None, {"-x": "2", "width": "a"}), Item("1", "/1.jpg", None, {"-x": "1"})])
    assert facets.sort([Item("0", "/0.jpg", None, {"-x": "2"}), Item("1", "/1.jpg", None, {"-x": "1"})], "-x") == [1, 0]
    assert facets.sort([Item("0", "/0.jpg", width=9), Item("1", "/1.jpg", width=5)], "width") == [0, 1]
    with pytest.raises(SearchError, match="has a 'y'"):
        facets.sort([], "-y")


@pytest.mark.parametrize("recipe", ["flat", "flat-sq8", "IVF2,SQ8"])
def test_a_search_finds_the_nearest_of_those_that_meet_a_comparison(
    own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    monkeypatch.setattr("similarity.search.recipes.MIN_FOR_LIST", 0)
    gallery = Gallery.build(own_pictures, tmp_path / "gallery", recipe=recipe)
    hits = gallery.search_vector(gallery.vectors[0], 100, where={"label~": "s", "label!=": "rings"})
    wanted = {item.id for item in gallery.items if item.label != "rings"}
    assert 0 < len(wanted) < len(gallery)
    assert {hit.item.id for hit in hits} == wanted
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.usefixtures("empty_home")
def test_the_command_line_compares_too(run: Run, own_pictures: Path) -> None:
    table = own_pictures / "table.csv"
    files = sorted(own_pictures.rglob("*.jpg"))[:3]
    lines = [f"{file},{price},{price}" for file, price in zip(files, ("9", "10", "11"), strict=True)]
    table.write_text("path,price,a=b\n" + "\n".join(lines) + "\n")
    assert run("index", table, "-g", "priced", "--model", MODEL).returncode == 0

    def found(*conditions: str) -> list[str]:
        options = [word for condition in conditions for word in ("--where", condition)]
        done = run("search", files[0], "-g", "priced", "--json", *options)
        assert done.returncode == 0, done.stderr
        return [Path(hit["path"]).name for hit in json.loads(done.stdout)["hits"]]

    assert found("price<=10", "price>9") == [files[1].name]
    assert found("a=b=11") == [files[2].name]
    assert set(found("a=b!=11")) == {files[0].name, files[1].name}
    failed = run("search", files[0], "-g", "priced", "--where", "price")
    assert (failed.returncode, "'price' is not of the form column=value" in failed.stderr) == (2, True)


def test_conditions_that_are_no_mapping_are_named(shapes: Gallery) -> None:
    with pytest.raises(SearchError, match=r"Conditions are columns with values, such as .*, not 'label=dots'"):
        shapes.search_vector(shapes.vectors[0], where="label=dots")  # type: ignore[arg-type]


def test_long_lists_of_values_that_differ_in_the_middle_are_told_apart(shapes: Gallery) -> None:
    many = [f"nothing-{number}" for number in range(3000)]
    one, other = np.array([*many, "dots", *many]), np.array([*many, "rings", *many])
    for values, label in ((one, "dots"), (other, "rings")):
        hits = shapes.search_vector(shapes.vectors[0], where={"label": values})  # type: ignore[dict-item]
        assert {hit.item.label for hit in hits} == {label}


def test_thousands_of_accepted_values_of_a_column_with_thousands_take_no_memory_for_each_pair() -> None:
    facets = Facets([Item(str(number), f"/{number}.jpg", None, {"code": f"c{number}"}) for number in range(6000)])
    accepted = [f"c{number}" for number in range(0, 6000, 2)]
    tracemalloc.start()
    assert len(facets.rows({"code": accepted})) == 3000
    assert len(facets.rows({"code!=": accepted})) == 3000
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_the_name_of_a_column_must_be_text() -> None:
    with pytest.raises(SearchError, match="The name of a column must be text, not 5"):
        FACETS.rows({5: "x"})  # type: ignore[dict-item]
