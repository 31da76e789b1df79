"""Networks that are filled with their weights, without torch."""

import hashlib
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MODEL
from structures import write_structure

from similarity.embedding import filled_networks
from similarity.embedding.backbones import get_backbone
from similarity.embedding.backbones.weights import choose_model, weights_sha256
from similarity.embedding.filled_networks import BIN, FOLDER, XML, fill_network
from similarity.embedding.openvino_models import openvino

BACKBONE = get_backbone(MODEL)


@pytest.fixture
def weights() -> Path:
    """Those in a package that is installed."""
    return choose_model(MODEL, may_download=False).weights


def test_the_bundled_network_is_filled_and_can_be_read(weights: Path, tmp_path: Path) -> None:
    assert fill_network(BACKBONE, weights, weights_sha256(weights), tmp_path)
    model = openvino().Core().read_model(tmp_path / XML)
    assert model.outputs[0].partial_shape[1].get_length() == BACKBONE.dim


@pytest.mark.exhaustive
def test_it_is_bit_by_bit_what_torch_converts(weights: Path, tmp_path: Path) -> None:
    """OpenVINO numbers its layers otherwise each time, so that the descriptions differ in names."""
    written = write_structure(BACKBONE, weights, tmp_path)
    with zipfile.ZipFile(written) as anew, zipfile.ZipFile(FOLDER / f"{MODEL}.zip") as kept:
        assert anew.read(BIN) == kept.read(BIN)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(filled_networks, "FOLDER", tmp_path)
        (tmp_path / "anew").mkdir()
        assert fill_network(BACKBONE, weights, weights_sha256(weights), tmp_path / "anew")
    (tmp_path / "kept").mkdir()
    assert fill_network(BACKBONE, weights, weights_sha256(weights), tmp_path / "kept")
    assert (tmp_path / "anew" / BIN).read_bytes() == (tmp_path / "kept" / BIN).read_bytes()


def test_other_weights_and_other_preprocessing_are_left_to_the_converter(weights: Path, tmp_path: Path) -> None:
    sha256 = weights_sha256(weights)
    assert not fill_network(BACKBONE, weights, "0" * 64, tmp_path)
    other = tmp_path / "other.pth"
    other.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert not fill_network(BACKBONE, other, sha256, tmp_path)
    assert not fill_network(BACKBONE, other, hashlib.sha256(other.read_bytes()).hexdigest(), tmp_path)
    smaller = replace(BACKBONE, preprocessing=replace(BACKBONE.preprocessing, crop=224))
    assert not fill_network(smaller, weights, sha256, tmp_path)
    assert not fill_network(get_backbone("resnet50"), weights, sha256, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other.pth"]


@pytest.mark.parametrize("damage", ["cut", "no zip", "other constants", "no facts"])
def test_a_damaged_structure_is_left_to_the_converter(
    weights: Path, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = tmp_path / f"{MODEL}.zip", tmp_path / "target"
    folder.mkdir()
    shutil.copy(FOLDER / path.name, path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "no zip":
        path.write_bytes(b"of another program")
    else:
        with zipfile.ZipFile(path) as sound:
            files = {name: sound.read(name) for name in sound.namelist()}
        if damage == "no facts":
            files["facts.json"] = b"[]"
        else:
            files[BIN] = b"?" + files[BIN][1:]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as changed:
            for name, content in files.items():
                changed.writestr(name, content)
    monkeypatch.setattr(filled_networks, "FOLDER", tmp_path)
    assert not fill_network(BACKBONE, weights, weights_sha256(weights), folder)
    assert not list(folder.iterdir())
