"""Whether `--precision auto` takes int8 for a new gallery, and what it says."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import draw

from similarity import Embedder, Gallery
from similarity.embedding.backbones.weights import choose_model
from similarity.errors import ModelError
from similarity.indexing import int8
from similarity.sources import open_source

KINDS = ("stripes", "dots", "rings")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 90 pictures, more than enough for the limits of `few_are_enough`."""
    folder = tmp_path_factory.mktemp("many")
    for kind in KINDS:
        (folder / kind).mkdir()
        for seed in range(30):
            draw(kind, seed).save(folder / kind / f"{seed}.jpg")
    return folder


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a gallery of 90 pictures be tried in int8, on any processor."""
    monkeypatch.setattr(int8, "PAYS_FROM", {"f32": 50, "bf16": 50})
    monkeypatch.setattr(int8, "CALIBRATION_PICTURES", 30)
    monkeypatch.setattr(int8, "PROOF_PICTURES", 60)
    monkeypatch.setattr(int8, "MIN_SPEEDUP", 0.0)


@pytest.fixture
def nncf_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "has_nncf", lambda: True)


@pytest.fixture
def quantise(monkeypatch: pytest.MonkeyPatch, light_embedder: Embedder) -> None:
    """Quantising that returns the same light network, so that nothing is lost nor won."""
    monkeypatch.setattr(Embedder, "quantise", lambda *_: light_embedder)


def test_a_small_gallery_is_not_tried_in_int8(light_embedder: Embedder, pictures: Path, tmp_path: Path) -> None:
    assert not int8.worth_trying(light_embedder, open_source(pictures), tmp_path)


@pytest.mark.usefixtures("few_are_enough")
def test_without_nncf_auto_says_nothing_and_goes_on(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "has_nncf", lambda: False)
    gallery = Gallery.build(many, tmp_path / "gallery")
    assert (gallery.manifest.precision, gallery.manifest.last_run.notes) == ("f32", [])


@pytest.mark.usefixtures("few_are_enough", "nncf_is_there")
def test_embeddings_that_are_there_stay_in_their_precision(
    light_embedder: Embedder, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert int8.worth_trying(light_embedder, open_source(many), tmp_path / "gallery")
    monkeypatch.setattr(int8, "has_nncf", lambda: False)
    Gallery.build(many, tmp_path / "gallery")
    monkeypatch.setattr(int8, "has_nncf", lambda: True)
    assert not int8.worth_trying(light_embedder, open_source(many), tmp_path / "gallery")


@pytest.mark.usefixtures("few_are_enough", "nncf_is_there", "quantise")
def test_int8_that_is_not_faster_is_not_taken_and_the_report_says_so(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "MIN_SPEEDUP", 1000.0)
    gallery = Gallery.build(many, tmp_path / "gallery")
    (note,) = gallery.manifest.last_run.notes
    assert note.startswith("The pictures are embedded in f32, since int8 would only be ")


@pytest.mark.usefixtures("few_are_enough", "nncf_is_there")
def test_a_network_that_int8_does_not_suit_is_embedded_as_before(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ModelError("In int8 it is too far away.")

    monkeypatch.setattr(Embedder, "quantise", fail)
    gallery = Gallery.build(many, tmp_path / "gallery")
    assert gallery.manifest.last_run.notes == [
        "The pictures are embedded in f32, since int8 failed: In int8 it is too far away."
    ]
    assert gallery.search(many / "dots" / "1.jpg", k=1)[0].score > 0.9999


@pytest.mark.exhaustive
@pytest.mark.skipif(not find_spec("nncf"), reason="NNCF is not installed")
@pytest.mark.usefixtures("few_are_enough", "bundled")
def test_auto_decides_by_proof_says_how_and_the_next_run_decides_alike(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = Gallery.build(many, tmp_path / "gallery")
    (note,) = gallery.manifest.last_run.notes
    assert ("embedded in int8" in note) == (gallery.manifest.precision == "int8")
    monkeypatch.setattr(int8, "_measure", lambda *_: pytest.fail("it was decided before"))
    again = Gallery.build(many, tmp_path / "again")
    assert again.manifest.last_run.notes == [note]
    assert again.manifest.network_sha256 == gallery.manifest.network_sha256
    for item in list(gallery.items)[::10]:
        hit = again.search(item.path, k=1)[0]
        assert hit.score > 0.9999


@pytest.mark.usefixtures("few_are_enough")
def test_the_two_samples_share_no_picture_and_are_even(many: Path) -> None:
    used, held = int8._read(open_source(many), choose_model("efficientnet-lite2"), "crop")
    ids = [{item.id for item in part.items} for part in (used, held)]
    assert not ids[0] & ids[1]
    assert [len(part.pixels) for part in (used, held)] == [30, 60]
    assert {item.label for item in used.items} == set(KINDS)
