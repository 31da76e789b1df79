"""Queries of pictures that are in the gallery, by their ids, and of parts of pictures."""

import numpy as np
import pytest

from similarity import Examples, Gallery
from similarity.errors import ImageError, SearchError
from similarity.images.picture import Box
from similarity.query.inputs import Crop, ItemId

LEFT = Box(0.0, 0.0, 0.5, 1.0)


def scores(hits: object) -> list[tuple[str, float]]:
    """The ids and scores of hits."""
    return [(hit.item.id, pytest.approx(hit.score, abs=1e-5)) for hit in hits]  # type: ignore[attr-defined, misc]


def test_a_picture_of_the_gallery_is_searched_with_as_its_file_is(shapes: Gallery) -> None:
    for item in list(shapes.items)[:3]:
        by_file = shapes.search(item.path, k=8)
        assert [(hit.item.id, hit.score) for hit in shapes.search(ItemId(item.id), k=8)] == scores(by_file)
        assert shapes.search(ItemId(item.sha256), k=1)[0].item.id == by_file[0].item.id


def test_no_picture_is_read_for_a_search_with_an_id(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a picture was read")

    monkeypatch.setattr("similarity.query.encoder.decode_query", refuse)
    first = shapes.items[0]
    assert shapes.search(ItemId(first.id), k=2)[0].item.id == first.id
    assert shapes.search(ItemId(first.id), k=2, exclude_query=True)[0].item.id != first.id


def test_a_counter_example_of_the_gallery_is_no_result(shapes: Gallery) -> None:
    first, second = shapes.items[0], shapes.items[1]
    found = shapes.search(Examples([ItemId(first.id)], [ItemId(second.id)]), k=len(shapes))
    assert second.id not in {hit.item.id for hit in found}
    assert len(found) == len(shapes) - 1


def test_a_part_of_a_picture_is_searched_with_as_if_it_had_been_cut_out(shapes: Gallery) -> None:
    from similarity.query.inputs import decode_query

    path = shapes.items[0].path
    cut = decode_query(path, side=shapes.embedder.backbone.preprocessing.resize, box=LEFT)
    expected = scores(shapes.search(cut, k=5))
    assert [(hit.item.id, hit.score) for hit in shapes.search(Crop(path, LEFT), k=5)] == expected
    assert [(hit.item.id, hit.score) for hit in shapes.search(Crop(ItemId(shapes.items[0].id), LEFT), k=5)] == expected


def test_examples_of_all_kinds_make_one_query(shapes: Gallery) -> None:
    first, second = shapes.items[0], shapes.items[1]
    mixed = shapes.encode(Examples([ItemId(first.id), second.path, Crop(first.path, LEFT)]))
    files = shapes.encode(Examples([first.path, second.path, Crop(first.path, LEFT)]))
    assert np.allclose(mixed.vector, files.vector, atol=1e-5)
    assert mixed.embeddings.shape == files.embeddings.shape
    assert mixed.contents == files.contents


def test_an_explanation_needs_the_file_of_a_picture_of_the_gallery(shapes: Gallery) -> None:
    first = shapes.items[0]
    query = shapes.encode(ItemId(first.id), with_regions=True)
    assert query.look is not None
    assert shapes.explain(query.look, first.id).result.cells.any()


def test_an_id_that_is_none_and_a_part_of_words_are_refused_in_a_sentence(shapes: Gallery) -> None:
    with pytest.raises(SearchError, match="not in the gallery"):
        shapes.search(ItemId("nowhere.jpg"))
    with pytest.raises((SearchError, ImageError)):
        shapes.search(Crop(Crop(shapes.items[0].path, LEFT), LEFT))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "corners", [(0.6, 0.5, 0.2, 1), (0, 0, 5, 5), (-1, 0, 1, 1), (1, 1, 1, 1), (float("nan"), 0, 1, 1)]
)
def test_a_box_that_is_no_part_of_a_picture_is_refused(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(SearchError, match="from 0 to 1"):
        Crop("boot.jpg", Box(*corners))
