"""Labels that the owner of a gallery gave, after the gallery was damaged and indexed again, and when it is deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MODEL

from similarity import Embedder, Gallery
from similarity.storage.cleanup import delete_gallery
from similarity.storage.generations import generation_folder
from similarity.storage.rescued_labels import LOST

ONE, OTHER = "dots/dots-0.jpg", "rings/rings-1.jpg"


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path, light_embedder: Embedder) -> Gallery:  # noqa: ARG001
    """Of the fifteen pictures in `own`."""
    return Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)


def _live(gallery: Gallery) -> Path:
    """The folder of its generation."""
    return generation_folder(gallery.directory, gallery.manifest.generation)


def labels(gallery: Gallery) -> dict[str, str | None]:
    """Of each picture, by its id."""
    return {item.id: item.label for item in gallery.items}


@pytest.mark.many
@pytest.mark.parametrize("damaged", [("index.faiss",), ("items.parquet", "embeddings.npy"), ("CURRENT",)])
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_labels_outlive_a_gallery_that_cannot_be_opened(
    gallery: Gallery, own_pictures: Path, damaged: tuple[str, ...], harm: Callable[[Path], object]
) -> None:
    changed = gallery.relabel({ONE: "blots"})
    for name in damaged:
        harm(_live(changed) / name if name != "CURRENT" else changed.directory / name)
    again = Gallery.build(own_pictures, gallery.directory, model=MODEL)
    assert labels(again) == labels(changed)
    assert (again.given_labels, again.report.notes) == (changed.given_labels, [])  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["labels.json", "manifest.json"])
def test_of_damaged_labels_earlier_ones_stay_and_what_is_lost_is_said(
    gallery: Gallery, own_pictures: Path, name: str
) -> None:
    earlier = gallery.relabel({ONE: "blots"})
    later = earlier.relabel({OTHER: "loops"})
    (_live(later) / name).write_text("damaged")
    again = Gallery.build(own_pictures, gallery.directory, model=MODEL)
    assert labels(again) == labels(earlier)
    assert again.report is not None
    assert "Labels that were set later are lost." in again.report.notes[0]
    for folder in (gallery.directory / "generations").iterdir():
        (folder / name).write_text("damaged")
    again = Gallery.build(own_pictures, gallery.directory, model=MODEL)
    assert (labels(again), again.report.notes) == (labels(gallery), [LOST])  # type: ignore[union-attr]


@pytest.mark.usefixtures("one_earlier_state")
def test_a_generation_is_deleted_with_its_labels(gallery: Gallery) -> None:
    changed = gallery.relabel({ONE: "a"}).relabel({ONE: "b"}).relabel({ONE: "c"}).relabel({ONE: "d"})
    assert not generation_folder(gallery.directory, 3).exists()
    delete_gallery(changed.directory)
    assert not gallery.directory.exists()
