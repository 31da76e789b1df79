"""Collections: galleries of pictures chosen from another one, without reading or embedding any."""

from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL

from similarity import Gallery
from similarity.errors import GalleryError
from similarity.storage.thumbnails import read_thumbnail

CHOSEN = ("dots/dots-1.jpg", "rings/rings-0.jpg", "stripes/stripes-2.jpg")


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path, light_embedder) -> Gallery:  # type: ignore[no-untyped-def]
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    return Gallery.open(built.directory, load=lambda _: light_embedder)


def ids(gallery: Gallery) -> list[str]:
    return [item.id for item in gallery.items]


def test_a_collection_has_embeddings_labels_and_thumbnails_of_its_pictures_and_is_searched(
    gallery: Gallery, tmp_path: Path
) -> None:
    labelled = gallery.relabel({CHOSEN[0]: "best"})
    made = labelled.collect([*CHOSEN, labelled.find(CHOSEN[1]).sha256], tmp_path / "few")
    assert ids(made) == list(CHOSEN)
    assert [item.label for item in made.items] == ["best", "rings", "stripes"]
    assert np.array_equal(made.embeddings[:], np.stack([labelled.embedding(one) for one in CHOSEN]))
    assert all(read_thumbnail(made.directory, item.sha256) for item in made.items)
    assert [entry.id for entry in made.given_labels.entries] == [CHOSEN[0]]
    assert made.manifest.collected_from == "gallery"
    assert made.report
    assert (made.report.added, made.report.embedded) == (3, 0)
    assert made.search(made.find(CHOSEN[2]).path)[0].item.id == CHOSEN[2]
    assert len(labelled) == len(gallery) == 15
    assert labelled.is_live


def test_a_sync_of_a_collection_takes_up_changes_and_adds_no_picture(
    gallery: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    made = gallery.collect(CHOSEN, tmp_path / "few")
    (own_pictures / CHOSEN[0]).unlink()
    (own_pictures / CHOSEN[1]).write_bytes((own_pictures / "rings" / "rings-4.jpg").read_bytes())
    assert made.preview.sync(own_pictures).counts["added"] == 0
    synced = made.sync(own_pictures)
    assert synced.report
    assert (synced.report.added, synced.report.changed, synced.report.removed) == (0, 1, 1)
    assert set(ids(synced)) == set(CHOSEN[1:])
    assert len(synced.add(own_pictures)) == 13  # of fifteen files one is gone, and two have one content now


def test_a_collection_is_not_made_over_a_gallery_or_of_a_picture_that_is_not_there(
    gallery: Gallery, tmp_path: Path
) -> None:
    made = gallery.collect(CHOSEN[:1], tmp_path / "few")
    with pytest.raises(GalleryError, match="gallery named few already"):
        gallery.collect(CHOSEN[1:], made.directory)
    assert made.is_live
    with pytest.raises(GalleryError, match=r"the id 'dots/none\.jpg'"):
        gallery.collect([*CHOSEN, "dots/none.jpg"], tmp_path / "none")
    with pytest.raises(GalleryError, match="at least one"):
        gallery.collect([], tmp_path / "none")
    assert not (tmp_path / "none").exists()
