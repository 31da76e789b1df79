"""What earlier versions have left on people's disks opens, and answers the same.

The folder `earlier` was made by the version before the package was put into rooms: a gallery of 36 pictures, the same
one with a head, marks, a calibration, a head, a folder of shards and fine-tuned weights; `answers.json` is what that
version said of them.

The weights are of the smallest network of timm, fine-tuned in three epochs at a learning rate of 0.01 on a gallery of
15 drawn pictures. They began as random ones with seven channels of eight switched off, so that most of the file is
zeros: packed with gzip, it has 12 kB instead of 416. Their vector is in float32, of the picture that the test draws.
"""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin
from PIL import Image
from workers import run_here

from similarity import Gallery
from similarity.embedding.backbones import get_backbone
from similarity.embedding.backbones.tuned import choose_tuned, find_choice, read_tuned
from similarity.embedding.embedder import Embedder, EmbedderId
from similarity.evaluation.gallery_calibration import read_calibration
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
    for packed in (empty_home / "models" / "tuned").glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
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
    assert json.loads(json.dumps(calibration.to_json())) == answers["chances"] | {"margin": 0.0}
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


@pytest.mark.exhaustive
def test_tuned_weights_are_found_by_their_digest_and_embed_as_they_did(
    left: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.embedding.openvino_models.run_module", run_here)
    said = answers["weights"]
    (weights,) = (left / "models" / "tuned").iterdir()
    assert read_tuned(weights).card.to_json() == said["card"]
    backbone = get_backbone(said["card"]["model"])
    choice = find_choice(backbone, said["sha256"])
    assert choice == choose_tuned(weights)
    assert choice.weights == weights
    embedder = Embedder.load(choice, precision="f32")
    assert embedder.weights_sha256 == said["sha256"]
    rows, columns = np.mgrid[:160, :160]
    picture = np.stack([rows, columns, rows * columns % 160], axis=2).astype(np.uint8)
    assert embedder.embed([Image.fromarray(picture)])[0] == pytest.approx(said["vector"], abs=1e-6)
