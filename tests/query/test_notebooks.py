"""What notebooks and pandas get: hits that show themselves, tables, and many queries at once."""

import io
import re
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from similarity import Gallery, ItemId, Text
from similarity.embedding.pipeline import AHEAD
from similarity.errors import ImageError, SearchError
from similarity.progress import Progress
from similarity.query.hits import SHOWN
from similarity.query.options import SearchOptions
from similarity.sources import open_source


def paths(gallery: Gallery) -> list[str]:
    """The files of its pictures."""
    return [item.path for item in gallery.items]


def as_pairs(hits: list[object]) -> list[tuple[str, float]]:
    """Ids and scores."""
    return [(hit.item.id, round(hit.score, 4)) for hit in hits]  # type: ignore[attr-defined]


def test_hits_show_themselves_as_a_grid_that_needs_no_file(shapes: Gallery) -> None:
    hits = shapes.search(shapes.items[0].path, k=6)
    html = hits._repr_html_()
    assert html.count("<img") == 7, "the query and its hits"
    assert len(re.findall(r'src="data:image/jpeg;base64,[A-Za-z0-9+/=]+"', html)) == 7
    assert "http" not in html
    assert "<script" not in html
    assert hits[:2]._repr_html_().count("<img") == 3
    assert shapes.search(ItemId(shapes.items[0].id), k=2)._repr_html_().count("<img") == 3
    assert shapes.search_vector(shapes.vectors[0], k=2)._repr_html_().count("<img") == 2
    assert hits == list(hits), "a list as ever"


def test_a_grid_shows_only_so_many_and_says_how_many_more(shapes: Gallery) -> None:
    few = shapes.search(shapes.items[0].path, k=1)
    few.extend(few * (SHOWN + 1))
    html = few._repr_html_()
    assert html.count("<img") == SHOWN + 1
    assert "and 2 more" in html


def test_words_of_pictures_are_never_markup(shapes: Gallery) -> None:
    from dataclasses import replace

    hits = shapes.search(shapes.items[0].path, k=1)
    hits[0] = replace(hits[0], item=replace(hits[0].item, label='<img src=x onerror="alert(1)">'))
    assert "<img src=x" not in hits._repr_html_()


def test_no_hits_say_so(shapes: Gallery) -> None:
    assert "No picture" in shapes.search(shapes.items[0].path, min_score=1.1)._repr_html_()


def test_hits_become_a_table_and_a_sheet(shapes: Gallery, tmp_path: Path) -> None:
    hits = shapes.search(shapes.items[0].path, k=3)
    table = hits.to_pandas()
    assert list(table["rank"]) == [1, 2, 3]
    assert list(table["id"]) == [hit.item.id for hit in hits]
    assert hits[:0].to_pandas().columns.tolist() == ["rank", "score", "label", "id", "path"]
    drawn = hits.sheet(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes() == drawn
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.format == "PNG"
    assert shapes.search(ItemId(shapes.items[0].id), k=2).sheet().startswith(b"\x89PNG")
    with pytest.raises(SearchError, match="no picture that could be drawn"):
        shapes.search_vector(shapes.vectors[0]).sheet()


def test_many_queries_show_the_first_hits_of_each_or_why_there_are_none(shapes: Gallery, tmp_path: Path) -> None:
    html = shapes.search_many([*paths(shapes)[:2], tmp_path / "gone.jpg"], k=9)._repr_html_()
    assert html.count("<img") == 12
    assert "<b>dots-0.jpg</b>" in html
    assert "gone.jpg cannot be read" in html
    assert "and 3 more" in shapes.search_many([paths(shapes)[0]] * 23, k=1)._repr_html_()


def test_a_gallery_becomes_a_table_of_its_pictures(shapes: Gallery) -> None:
    table = shapes.to_pandas()
    assert len(table) == len(shapes)
    assert list(table["id"]) == [item.id for item in shapes.items]
    assert set(table.columns) >= {"id", "path", "label", "width", "height", "sha256"}


def test_many_queries_find_what_each_of_them_finds_alone(shapes: Gallery) -> None:
    found = shapes.search_many(paths(shapes), k=4)
    for path, one in zip(paths(shapes), found, strict=True):
        alone = shapes.search(path, k=4)
        assert one.query == path
        assert [hit.item.id for hit in one.hits] == [hit.item.id for hit in alone]
        assert [hit.score for hit in one.hits] == pytest.approx([hit.score for hit in alone], abs=2e-3)


@pytest.mark.parametrize(
    "options",
    [
        SearchOptions(),
        SearchOptions(offset=2),
        SearchOptions(min_score=0.5),
        SearchOptions(distinct=True),
        SearchOptions(where={"label": ["dots"]}),
        SearchOptions(exclude_ids=["the first"]),
    ],
)
def test_each_of_many_finds_what_it_finds_alone_under_any_option(shapes: Gallery, options: SearchOptions) -> None:
    ids = [item.id for item in shapes.items]
    options = replace(options, exclude_ids=ids[:1] if options.exclude_ids else ())
    queries = [ItemId(one) for one in ids]
    for one, query in zip(shapes.search_many(queries, 4, options), queries, strict=True):
        alone = shapes.search(query, 4, options)
        assert [(hit.rank, hit.item.id) for hit in one.hits] == [(hit.rank, hit.item.id) for hit in alone]
        np.testing.assert_allclose([hit.score for hit in one.hits], [hit.score for hit in alone], atol=1e-5)


def test_a_query_that_cannot_be_read_does_not_stop_the_others(shapes: Gallery, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"this is no picture")
    found = shapes.search_many([paths(shapes)[0], str(broken), paths(shapes)[1]], k=2)
    assert [len(one.hits) for one in found] == [2, 0, 2]
    assert list(found.errors) == [str(broken)]
    assert isinstance(found[1].error, ImageError)
    assert found.to_pandas()["query"].tolist() == [paths(shapes)[0]] * 2 + [paths(shapes)[1]] * 2


def test_queries_come_as_tables_columns_of_datasets_and_images(shapes: Gallery) -> None:
    files = paths(shapes)[:3]
    expected = [[hit.item.id for hit in one.hits] for one in shapes.search_many(files, k=2)]
    frame = pd.DataFrame({"name": ["a", "b", "c"], "path": files})
    mappings = [{"bytes": Path(file).read_bytes(), "path": None} for file in files]
    images = [Image.open(file).convert("RGB") for file in files]
    arrays = [np.asarray(image) for image in images]
    for queries in (frame, frame["path"], mappings, images, arrays, map(Path, files)):
        found = shapes.search_many(queries, k=2)
        assert [[hit.item.id for hit in one.hits] for one in found] == expected
    named = frame.rename(columns={"path": "photo"})
    assert len(shapes.search_many(named, column="photo")) == 3
    with pytest.raises(SearchError, match="Name the column"):
        shapes.search_many(named)
    for wrong in (files[0], 7):
        with pytest.raises(SearchError, match="list"):
            shapes.search_many(wrong)


def test_options_hold_for_each_of_many_and_progress_is_told(shapes: Gallery) -> None:
    told: list[Progress] = []
    label = shapes.items[0].label
    found = shapes.search_many(paths(shapes), k=3, where={"label": label}, progress=told.append)
    assert {hit.item.label for one in found for hit in one.hits} == {label}
    assert told[-1].done == told[-1].total == len(shapes)
    assert shapes.search_many([]) == []


@pytest.mark.exhaustive
def test_many_queries_are_asked_for_when_their_turn_comes(shapes: Gallery) -> None:
    made: list[weakref.ref[Image.Image]] = []
    most = 0

    def images() -> Iterator[Image.Image]:
        nonlocal most
        for _ in range(4 * AHEAD):
            image = Image.new("RGB", (40, 40), "red")
            made.append(weakref.ref(image))
            most = max(most, sum(one() is not None for one in made))
            yield image

    class Dataset:
        """Of images, as Hugging Face's are: a column as a whole would decode all of them."""

        column_names: ClassVar = ["image", "label"]

        def __iter__(self) -> Iterator[dict[str, Image.Image]]:
            raise AssertionError("all columns would be decoded")

        def select_columns(self, names: list[str]) -> Iterator[dict[str, Image.Image]]:
            return (dict.fromkeys(names, image) for image in images())

    for queries in (images(), Dataset()):
        assert len(shapes.search_many(queries, k=1)) == 4 * AHEAD
    assert most < 3 * AHEAD


def test_queries_are_named_by_their_paths_and_words_are_not_taken_for_pictures(shapes: Gallery, tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "a.jpg", tmp_path / "other" / "a.jpg"
    found = shapes.search_many([one, other, Text("a boot"), None])
    assert list(found.errors) == [str(one), str(other), "2", "3"]
    assert "one at a time" in str(found[2].error)
    assert len(shapes.search_many([None] * (2 * AHEAD)).errors) == 2 * AHEAD


def test_pictures_of_the_gallery_are_among_many_queries(shapes: Gallery) -> None:
    first, second = shapes.items[0].id, shapes.items[1].id
    found = shapes.search_many([ItemId(first), ItemId("nothing"), shapes.items[1].path], k=2)
    assert [one.query for one in found] == [first, "nothing", shapes.items[1].path]
    assert as_pairs(found[0].hits) == as_pairs(shapes.search(ItemId(first), k=2))
    assert list(found.errors) == ["nothing"]
    assert found[2].hits[0].item.id == second


def test_a_source_is_searched_with_by_the_names_that_it_gives(shapes: Gallery, pictures: Path) -> None:
    found = shapes.search_many(open_source(pictures), k=1)
    assert [one.query for one in found] == [item.id for item in shapes.items]
    assert [one.hits[0].item.id for one in found] == [item.id for item in shapes.items]
