"""Conditions on labels and metadata, and searching under them."""

from dataclasses import replace

import numpy as np
import pytest

from similarity import Gallery
from similarity.errors import SearchError
from similarity.query.filters import Facets
from similarity.sources import Item
from similarity.vectors.arrays import COUNTER_SHARE, combine

ITEMS = [
    Item("0", "/0.jpg", "boot", {"colour": "red", "shop": "x"}),
    Item("1", "/1.jpg", "boot", {"colour": "blue", "shop": "x"}),
    Item("2", "/2.jpg", "hat", {"colour": "red", "shop": "x"}),
    Item("3", "/3.jpg", None, {"shop": "x"}),
]


def test_columns_are_the_label_first_and_what_tells_pictures_apart() -> None:
    facets = Facets(ITEMS)
    assert facets.columns == ["label", "colour"]
    assert facets.counts("label") == {"boot": 2, "hat": 1}
    assert facets.counts("colour") == {"blue": 1, "red": 2}
    assert Facets([]).columns == []


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"label": ["boot"]}, [0, 1]),
        ({"label": ["hat", "boot"]}, [0, 1, 2]),
        ({"label": ["boot"], "colour": ["red"]}, [0]),
        ({"label": ["no such"]}, []),
        ({"label": []}, []),
    ],
)
def test_values_of_a_column_are_alternatives_and_columns_are_all_to_be_met(where: dict, rows: list[int]) -> None:
    assert Facets(ITEMS).rows(where).tolist() == rows


def test_a_column_may_have_an_equals_sign_in_its_name() -> None:
    facets = Facets(
        [Item("0", "/0.jpg", None, {"a=b": "1", "c": "=x"}), Item("1", "/1.jpg", None, {"a=b": "2", "c": "y"})]
    )
    assert facets.rows({"a=b": ["2"]}).tolist() == [1]
    assert facets.rows({"c": ["=x"]}).tolist() == [0]
    with pytest.raises(SearchError, match="No picture of the gallery has a 'd'"):
        facets.rows({"d": ["e=1"]})


@pytest.mark.parametrize("written", ["K\u00f6ln", "Ko\u0308ln"])
@pytest.mark.parametrize("column", ["gr\u00f6\u00dfe", "gro\u0308\u00dfe"])
def test_a_condition_is_met_however_its_text_is_composed(written: str, column: str) -> None:
    items = [
        Item("0", "/0.jpg", "K\u00f6ln", {"gr\u00f6\u00dfe": "\u00fc"}),
        Item("1", "/1.jpg", "Ko\u0308ln", {"gro\u0308\u00dfe": "u\u0308"}),
        Item("2", "/2.jpg", "Bonn", {"gr\u00f6\u00dfe": "x"}),
    ]
    facets = Facets(items)
    assert facets.rows({"label": [written], column: ["\u00fc"]}).tolist() == [0, 1]
    assert facets.renamed(str.upper).original({"LABEL": [written.upper()]}) == {"label": ["K\u00f6ln"]}


def test_the_commonest_values_are_in_order_and_those_that_were_chosen_come_last() -> None:
    labels = ["a", "b", "b", "c", "d", "d", "e"]
    facets = Facets([Item(str(row), f"/{row}.jpg", label) for row, label in enumerate(labels)])
    assert facets.value_count("label") == 5
    assert list(facets.most_common("label", 3).items()) == [("a", 1), ("b", 2), ("d", 2)]
    assert list(facets.most_common("label", 2, ["e", "no such", "b"])) == ["b", "d", "e"]
    assert facets.most_common("colour", 2) == {}
    assert facets.value_count("colour") == 0


def test_a_column_that_no_picture_has_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(SearchError, match=r"'size': choose from .*label"):
        Facets(ITEMS).rows({"size": ["1"]})


def test_a_copy_under_another_label_is_found_by_that_label_too() -> None:
    copied = Item("0", "/0.jpg", "boot", copies=(Item("9", "/9.jpg", "hat"), Item("8", "/8.jpg", "boot")))
    assert Facets([copied, ITEMS[2]]).counts("label") == {"boot": 1, "hat": 2}
    assert copied.labels == ["boot", "hat"]


def test_a_column_that_repeats_the_label_is_not_offered() -> None:
    repeated = [Item("0", "/0.jpg", "boot", {"kind": "boot"}), Item("1", "/1.jpg", "hat", {"kind": "hat"})]
    assert Facets(repeated).columns == ["label"]
    assert Facets(repeated).rows({"kind": ["hat"]}).tolist() == [1]


def test_metadata_named_label_does_not_hide_the_label() -> None:
    assert Facets([Item("0", "/0.jpg", "boot", {"label": "x"}), ITEMS[2]]).counts("label") == {"boot": 1, "hat": 1}


@pytest.mark.parametrize("label", ["dots", "rings", "stripes"])
def test_a_search_under_a_condition_finds_all_that_meet_it_in_the_order_of_the_whole_ranking(
    shapes: Gallery, label: str
) -> None:
    vector = shapes.vectors[0]
    everything = shapes.search_vector(vector, len(shapes))
    found = shapes.search_vector(vector, 5, where={"label": [label]})
    wanted = [hit for hit in everything if hit.item.label == label]
    assert [hit.item.id for hit in found] == [hit.item.id for hit in wanted]
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in wanted])
    assert [hit.rank for hit in found] == [1, 2, 3, 4, 5]


def test_pictures_to_leave_out_and_a_lowest_score_are_obeyed(shapes: Gallery) -> None:
    vector, own = shapes.vectors[3], shapes.items[3].id
    everything = shapes.search_vector(vector, len(shapes))
    assert everything[0].item.id == own
    without = shapes.search_vector(vector, len(shapes), but=[own])
    assert [hit.item.id for hit in without] == [hit.item.id for hit in everything[1:]]
    lowest = everything[4].score
    assert len(shapes.search_vector(vector, len(shapes), minimum=lowest)) == 5
    assert shapes.search_vector(vector, 5, where={"label": ["no such"]}) == []
    with pytest.raises(SearchError, match="not in the gallery"):
        shapes.search_vector(vector, 5, but=["no such"])


def test_of_look_alikes_only_the_best_is_shown_though_they_are_no_copies(
    shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector = shapes.vectors[0]
    near = np.array(shapes.vectors)
    near[1] = near[0]
    monkeypatch.setattr(shapes._ranker, "_generation", replace(shapes._generation, embeddings=near))
    ids = [hit.item.id for hit in shapes.search_vector(vector, len(shapes), one_per_product=True)]
    assert shapes.items[0].id in ids
    assert shapes.items[1].id not in ids
    everything = [hit.item.id for hit in shapes.search_vector(vector, len(shapes))]
    assert ids == [one for one in everything if one in ids], "the others keep their order"
    assert [hit.item.id for hit in shapes.search_vector(vector, len(shapes), distinct=True)] == everything


def test_one_example_is_the_query_and_several_are_averaged() -> None:
    east, north = np.eye(2, dtype=np.float32)
    nothing = np.empty((0, 2), np.float32)
    assert combine(east[np.newaxis], nothing) is not None
    assert np.array_equal(combine(east[np.newaxis], nothing), east)
    assert combine(np.array([east, north]), nothing) == pytest.approx([0.7071, 0.7071], abs=1e-4)


def test_a_counter_example_turns_the_query_away_from_itself() -> None:
    example = np.array([[0.6, 0.8]], np.float32)
    counter = np.array([[1.0, 0.0]], np.float32)
    query = combine(example, counter)
    assert np.linalg.norm(query) == pytest.approx(1)
    assert query @ counter[0] < example[0] @ counter[0]
    assert query == pytest.approx((example[0] - COUNTER_SHARE * counter[0]) / np.hypot(0.6 - COUNTER_SHARE, 0.8))


def test_an_example_counts_as_much_as_its_weight_says() -> None:
    both = np.eye(2, dtype=np.float32)
    nothing = np.empty((0, 2), np.float32)
    assert combine(both, nothing, [3, 4]) == pytest.approx([0.6, 0.8])
    assert combine(both, nothing, [1, 1]) == pytest.approx(combine(both, nothing))


@pytest.mark.parametrize(
    ("weights", "said"), [([1], "1 weights for 2"), ([1, 0], "above 0"), ([1, -2], "above 0"), ([1, np.nan], "above 0")]
)
def test_weights_that_make_no_sense_are_errors(weights: list[float], said: str) -> None:
    with pytest.raises(SearchError, match=said):
        combine(np.eye(2, dtype=np.float32), np.empty((0, 2), np.float32), weights)


def test_examples_that_cancel_each_other_out_are_an_error() -> None:
    east = np.array([[1, 0]], np.float32)
    with pytest.raises(SearchError, match="cancel each other out"):
        combine(np.concatenate([east, -east]), np.empty((0, 2), np.float32))
