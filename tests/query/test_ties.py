"""A query that is a file of the gallery is first among pictures that are equally similar to it."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, draw

from similarity import Gallery


@pytest.fixture
def equals(tmp_path: Path, light_embedder) -> Gallery:  # type: ignore[no-untyped-def]
    """Six files with the same pixels and other bytes, and two pictures that differ."""
    folder = tmp_path / "ties"
    folder.mkdir()
    for number in range(6):
        draw("dots", 1).save(folder / f"{number}.png", compress_level=number)
    for number, kind in enumerate(("rings", "stripes")):
        draw(kind, 1).save(folder / f"other-{number}.png")
    built = Gallery.build(folder, tmp_path / "gallery", model=MODEL)
    return Gallery.open(built.directory, load=lambda _: light_embedder)


def found(gallery: Gallery, query: str, k: int, **options: object) -> list[str]:
    source = Path(gallery.manifest.source)
    return [hit.item.id for hit in gallery.search(source / query, k, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize("query", ["0.png", "3.png", "5.png"])
def test_the_file_that_is_asked_with_is_first_also_where_others_would_fill_the_places(
    equals: Gallery, query: str
) -> None:
    assert found(equals, query, 1) == [query]
    assert found(equals, query, 2) == [query, next(name for name in ("0.png", "1.png") if name != query)]
    hits = equals.search(Path(equals.manifest.source) / query, 8)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.item.id for hit in hits}) == 8


def test_conditions_hold_for_the_file_that_is_asked_with(equals: Gallery) -> None:
    assert found(equals, "3.png", 1, exclude_ids=["3.png"]) == ["0.png"]
    assert found(equals, "3.png", 1, exclude_query=True) == ["0.png"]
    assert found(equals, "3.png", 2, distinct=True)[0] == "3.png"
    assert len(found(equals, "3.png", 8, distinct=True)) == 3
    assert found(equals, "3.png", 3, offset=1) == ["0.png", "1.png", "2.png"]


def test_a_better_picture_stays_before_the_file_that_is_asked_with(equals: Gallery) -> None:
    contents: Collection[str] = [equals.find("other-1.png").sha256]
    plain = equals.search_vector(equals.vector("0.png"), 8)
    asked = equals.search_vector(equals.vector("0.png"), 8, query_contents=contents)
    assert [hit.item.id for hit in asked] == [hit.item.id for hit in plain]
    assert np.allclose([hit.score for hit in asked], [hit.score for hit in plain], atol=1e-6)


def test_the_pictures_of_the_cases_find_themselves(tmp_path: Path) -> None:
    ties = Path(__file__).parents[3] / "shared" / "data" / "cases" / "ties"
    if not ties.is_dir():
        pytest.skip("the cases are not on this computer")
    gallery = Gallery.build(ties, tmp_path / "cases", model=MODEL)
    for number in range(4):
        assert found(gallery, f"{number}.png", 2)[0] == f"{number}.png"
