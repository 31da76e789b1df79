"""Galleries in int8; skipped where NNCF is not installed."""

import importlib.metadata
import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import Run
from conftest import MODEL, draw

from similarity import Embedder, Gallery
from similarity.embedding.openvino_models import digest
from similarity.errors import GalleryError, ModelError
from similarity.images.decoding import read_image

if not find_spec("nncf"):  # looked for, not imported: it takes seconds
    pytest.skip("NNCF is not installed", allow_module_level=True)


@pytest.fixture(scope="session")
def quantised(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """A gallery in int8; its network, made of these pictures, is kept from one run to the next."""
    return Gallery.build(pictures, tmp_path_factory.mktemp("int8") / "shapes", model=MODEL, precision="int8")


@pytest.mark.exhaustive
def test_an_int8_gallery_finds_its_own_pictures_and_knows_its_network(quantised: Gallery) -> None:
    assert quantised.manifest.precision == quantised.embedder.precision == "int8"
    network = quantised.directory / "generations" / "000001" / "network"
    assert quantised.manifest.network_sha256 == digest(network)
    for item in quantised.items:
        hit = quantised.search(item.path, k=1)[0]
        assert hit.item.id == item.id
        assert hit.score > 0.9999


@pytest.mark.exhaustive
def test_int8_is_close_to_the_network_it_was_made_from(quantised: Gallery, embedder: Embedder) -> None:
    exact = embedder.with_view(quantised.manifest.view).embed([read_image(item.path) for item in quantised.items])
    cosines = (quantised.embeddings[:] * exact).sum(axis=1)
    assert 0.969 < cosines.min() < 0.99999


@pytest.mark.exhaustive
def test_it_answers_the_same_when_it_is_opened_after_the_cache_was_deleted(
    quantised: Gallery, pictures: Path, tmp_path: Path, run: Run
) -> None:
    picture, gallery = pictures / "dots" / "dots-1.jpg", quantised.directory
    done = run("search", picture, "--json", "-g", gallery, SIMILARITY_HOME=str(tmp_path / "empty"))
    assert done.returncode == 0, done.stderr
    here = quantised.search(pictures / "dots" / "dots-1.jpg")
    assert [(hit["id"], hit["score"]) for hit in json.loads(done.stdout)["hits"]] == [
        (hit.item.id, hit.score) for hit in here
    ]


@pytest.mark.exhaustive
def test_the_same_pictures_do_not_quantise_again(
    quantised: Gallery, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "similarity.embedding.openvino_models.run_module", lambda *_: pytest.fail("a network was made again")
    )
    again = Gallery.build(pictures, tmp_path / "again", model=MODEL, precision="int8")
    assert again.manifest.network_sha256 == quantised.manifest.network_sha256


@pytest.mark.exhaustive
def test_a_gallery_that_is_indexed_again_keeps_its_network_also_with_other_pictures(
    quantised: Gallery, pictures: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(pictures, tmp_path / "pictures"))
    place = Path(shutil.copytree(quantised.directory, tmp_path / "gallery"))
    draw("rings", 77).save(folder / "new.png")
    for precision in ("auto", "int8"):
        again = Gallery.build(folder, place, model=MODEL, precision=precision)
        assert again.manifest.network_sha256 == quantised.manifest.network_sha256
        assert again.manifest.last_run.embedded == (precision == "auto")
    assert Gallery.build(folder, place, model=MODEL, precision="f32").manifest.precision == "f32"


@pytest.mark.exhaustive
def test_a_damaged_network_of_a_gallery_is_an_error_that_names_it(quantised: Gallery, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(quantised.directory, tmp_path / "copy"))
    path = copy / "generations" / "000001" / "network" / "model.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(GalleryError, match=r"model\.bin is damaged or missing"):
        Gallery.open(copy)


def test_without_nncf_the_error_says_what_to_install(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ModelError, match="needs NNCF: run `pip install nncf`"):
        Gallery.build(pictures, tmp_path / "never", model=MODEL, precision="int8")
    assert not (tmp_path / "never").exists()


def test_int8_cannot_be_had_without_pictures() -> None:
    with pytest.raises(ModelError, match="calibrated with pictures"):
        Embedder.load(MODEL, precision="int8")


@pytest.mark.exhaustive
def test_pictures_are_added_with_the_very_same_network(quantised: Gallery, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(quantised.directory, tmp_path / "gallery"))
    draw("dots", 40).save(tmp_path / "new.jpg")
    (tmp_path / "new.csv").write_text("path,label\nnew.jpg,dots\n")
    added = Gallery.open(directory).add(tmp_path / "new.csv")
    assert (len(added), added.manifest.last_run.embedded) == (16, 1)
    assert added.manifest.network_sha256 == quantised.manifest.network_sha256
    assert digest(directory / "generations" / "000002" / "network") == added.manifest.network_sha256
    assert added.search(tmp_path / "new.jpg", k=1)[0].score > 0.9999
