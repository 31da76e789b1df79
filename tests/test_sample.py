"""The sample catalogue: complete, rendered by this project, and neither trivial nor hopeless to search."""

import io
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, Site
from PIL import Image
from tiers import Share

from similarity import Gallery
from similarity.errors import GalleryNotFoundError
from similarity.images.decoding import read_image
from similarity.progress import Progress
from similarity.sample import FOLDER, ensure_sample, sample_queries
from similarity.sources import Item, open_source


def product(item: Item) -> str:
    return item.metadata["product"]


def test_the_catalogue_is_large_enough_small_enough_and_complete() -> None:
    items = open_source(FOLDER / "catalogue.csv").items
    views: dict[str, int] = {}
    for item in items:
        views[product(item)] = views.get(product(item), 0) + 1
    assert len(items) >= 600
    assert len(views) >= 120
    assert min(views.values()) >= 5
    assert len({item.label for item in items}) >= 12
    assert {str(path) for path in FOLDER.glob("gallery/*/*.jpg")} == {item.path for item in items}
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 15_000_000
    assert {read_image(item.path).size for item in items[::25]} == {(320, 320)}


def test_the_queries_show_products_of_the_catalogue_in_views_that_are_not_in_it() -> None:
    gallery, queries = open_source(FOLDER / "catalogue.csv").items, sample_queries()
    assert len(queries) == 24
    assert {product(item) for item in queries} <= {product(item) for item in gallery}
    assert not {Path(item.path).read_bytes() for item in queries} & {Path(item.path).read_bytes() for item in gallery}


def test_the_sample_is_neither_trivial_nor_hopeless(sample: Gallery) -> None:
    queries = sample_queries()
    hits = [sample.search(query.path, k=10) for query in queries]
    same_product = np.mean(
        [product(found[0].item) == product(query) for query, found in zip(queries, hits, strict=True)]
    )
    same_category = np.mean(
        [hit.item.label == query.label for query, found in zip(queries, hits, strict=True) for hit in found]
    )
    assert 0.60 <= same_product <= 0.98
    assert same_category >= 0.7


def test_a_picture_rendered_again_is_the_committed_one(share: Share, tmp_path: Path) -> None:
    from rendering.catalogue import photos
    from rendering.export import render_photos

    names = share.of(["mug-03-2", "toy-car-05-4", "chair-09-q", "lamp-02-5"])
    chosen = [photo for photo in photos() if photo.id in names]
    assert len(chosen) == len(names)
    render_photos(chosen, tmp_path)
    for photo in chosen:
        again, committed = read_image(tmp_path / photo.path), read_image(FOLDER / photo.path)
        assert np.abs(np.asarray(again, float) - np.asarray(committed, float)).mean() < 2, photo.id


def test_the_sample_gallery_is_indexed_once_without_downloading(published: Site, small_catalogue: int) -> None:
    seen: list[Progress] = []
    directory = ensure_sample(seen.append)
    assert (seen[-1].done, seen[-1].total) == (small_catalogue, small_catalogue)
    assert Gallery.open(directory).manifest.model == MODEL
    ensure_sample(lambda *_: pytest.fail("it was indexed twice"))
    assert published.asked == []


@pytest.mark.usefixtures("empty_home")
def test_without_the_pictures_the_error_says_how_to_make_a_gallery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.sample.FOLDER", tmp_path)
    with pytest.raises(GalleryNotFoundError, match="make a gallery with `python -m similarity index"):
        ensure_sample()
    assert sample_queries() == []


def test_all_of_the_sample_is_in_its_gallery(sample: Gallery) -> None:
    assert len(sample) == 675
    assert sample.manifest.skipped == []


def test_the_sheet_of_a_sample_query_has_the_query_and_ten_results(sample: Gallery) -> None:
    from similarity.exports.sheet import draw_sheet

    query = sample_queries()[0]
    hits = sample.search(query.path)
    png = draw_sheet(read_image(query.path), "query", hits, [sample.thumbnail(hit.item) for hit in hits])
    with Image.open(io.BytesIO(png)) as sheet:
        assert sheet.width > 2 * sheet.height
