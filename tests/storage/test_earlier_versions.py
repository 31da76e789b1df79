"""What earlier versions have left on people's disks opens, and answers the same.

The folder `earlier` was made by the version before the package was put into rooms: a gallery of 36 pictures, the same
one with a head, marks, a calibration, a head and a folder of shards; `answers.json` is what that version said of them.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import standin

from similarity import Gallery
from similarity.embedding.embedder import Embedder, EmbedderId
from similarity.evaluation.calibrate import read_calibration
from similarity.shards.to_gallery import index_shards
from similarity.storage.feedback import read_feedback
from similarity.storage.generations import read_generation
from similarity.vectors.heads import read_head

EARLIER = Path(__file__).with_name("earlier")
DIM = 16


def load(identity: EmbedderId) -> Embedder:
    """The network that they were embedded by."""
    backbone = replace(standin.BACKBONE, dim=DIM)
    return Embedder(backbone, standin.Projection(backbone), identity.weights_sha256)


@pytest.fixture
def left(empty_home: Path) -> Path:
    """SIMILARITY_HOME as an earlier version left it."""
    shutil.copytree(EARLIER, empty_home, dirs_exist_ok=True)
    return empty_home


@pytest.fixture
def answers() -> dict[str, Any]:
    """What the earlier version said."""
    read: dict[str, Any] = json.loads((EARLIER / "answers.json").read_text())
    return read


@pytest.mark.parametrize("name", ["plain", "headed"])
def test_a_gallery_is_sound_and_ranks_as_it_did(left: Path, answers: dict[str, Any], name: str) -> None:
    read_generation(left / "galleries" / name, thorough=True)
    gallery = Gallery.open(left / "galleries" / name, load=load)
    rows = {item.id: row for row, item in enumerate(gallery.items)}
    for item, ranking in answers[name].items():
        hits = gallery.search_vector(gallery.vectors[rows[item]], len(ranking))
        assert [hit.item.id for hit in hits] == [found for found, _ in ranking]
        assert [hit.score for hit in hits] == pytest.approx([score for _, score in ranking], abs=1e-6)


def test_marks_calibration_and_head_are_read_as_they_were(left: Path, answers: dict[str, Any]) -> None:
    gallery = Gallery.open(left / "galleries" / "plain", load=load)
    assert [
        {"title": mark.query.title, "item": mark.item, "wanted": mark.wanted}
        for mark in read_feedback(gallery.directory)
    ] == answers["marks"]
    calibration = read_calibration(gallery)
    assert calibration
    assert json.loads(json.dumps(calibration.to_json())) == answers["chances"]
    (head,) = (left / "heads").iterdir()
    assert read_head(head).dim_in == DIM


def test_a_folder_of_shards_becomes_a_gallery(left: Path) -> None:
    report = index_shards(left / "shards", left / "galleries" / "gathered")
    assert report.added == 4
    gallery = Gallery.open(left / "galleries" / "gathered", load=load)
    assert sorted(item.id for item in gallery.items) == [f"colour-{number}.png" for number in range(4)]


def test_a_gallery_can_be_changed_and_marked_as_ever(left: Path) -> None:
    gallery = Gallery.open(left / "galleries" / "headed", load=load)
    fewer = gallery.remove(labels=["dots"])
    assert len(fewer) == 24
    assert fewer.head is not None
    assert Gallery.open(left / "galleries" / "headed", load=load).manifest.generation == 2
