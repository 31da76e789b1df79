"""How sure results are, on the command line."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_heads
import numpy as np
import pytest
from commands import Run
from PIL import Image

from similarity import Gallery
from similarity.images.picture import Box
from similarity.query.copies import Copy
from similarity.query.encoder import EncodedQuery
from similarity.query.second_look import Seen


@pytest.fixture
def catalogue(sure: Gallery, empty_home: Path) -> Gallery:
    """A gallery that can tell how sure its results are, under a name."""
    return Gallery.open(shutil.copytree(sure.directory, empty_home / "galleries" / "catalogue"))


def lamp() -> str:
    """A sample query."""
    from similarity.sample import sample_queries

    return next(item.path for item in sample_queries() if item.label == "lamp")


@pytest.mark.usefixtures("catalogue")
def test_hits_say_how_likely_they_are_right(run: Run, empty_home: Path) -> None:
    found = json.loads(run("search", lamp(), "-g", "catalogue", "-k", 40, "--json").stdout)
    assert "confident" not in found
    assert found["verdict"] == "strong"
    chances = [hit["probability"] for hit in found["hits"]]
    assert chances[0] > 0.9
    assert all(0 <= chance <= 1 for chance in chances[:10])
    assert set(chances[10:]) == {None}, "probabilities are measured on the first ten"
    assert min(hit["probability"] for hit in found["hits"][:10] if hit["label"] == "lamp") > 0.5
    assert len(list((empty_home / "cache" / "confidence").iterdir())) == 1


@pytest.mark.usefixtures("catalogue")
def test_what_is_known_of_the_results_is_one_line(run: Run) -> None:
    done = run("search", lamp(), "-g", "catalogue", "-k", 2)
    assert done.stderr.splitlines()[-1] == "Strong match: probably “lamp” (> 99 %)."
    sure = run("search", lamp(), "-g", "catalogue", "-k", 2, "--precision", 0.95)
    assert sure.stdout.split()[:5] == ["rank", "score", "likely", "label", "path"]
    assert "99 %" in sure.stdout
    assert "confident" not in sure.stderr
    assert json.loads(run("search", lamp(), "-g", "catalogue", "--precision", 0.95, "--json").stdout)["confident"]


@pytest.mark.usefixtures("catalogue")
def test_a_proven_copy_has_no_probability_which_says_less(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the second look finds is given: drawn rings have too few points to tell."""
    whole = Box(0, 0, 1, 1)
    copy = Copy(1.0, 180.0, False, whole, whole, 50)

    def first_is_a_copy(gallery: Gallery, query: EncodedQuery, k: int, *_: object, **__: object) -> list[Seen]:
        return [(hit, copy if hit.rank == 1 else None) for hit in gallery.search(query, k)]

    monkeypatch.setattr("similarity.query.second_look.search_with_copies", first_is_a_copy)
    found = json.loads(run("search", lamp(), "-g", "catalogue", "-k", 2, "--copies", "--json").stdout)
    assert [hit["probability"] is None for hit in found["hits"]] == [True, False]
    _, first, second = run("search", lamp(), "-g", "catalogue", "-k", 2, "--copies").stdout.splitlines()
    assert "%" not in first
    assert "same picture: upside down" in first
    assert "%" in second


@pytest.mark.many
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--where", "label=shoe"], "without filters"),
        (["--min-score", "0.1"], "without filters"),
        (["--distinct"], "without filters"),
        (["--like", "a shoe"], "for a search with one picture"),
        (["--unlike", "a shoe"], "for a search with one picture"),
    ],
)
def test_results_of_a_search_of_another_kind_have_no_probabilities_and_it_is_said_why(
    run: Run, catalogue: Gallery, options: list[str], sentence: str
) -> None:
    shoe = next(item.path for item in catalogue.items if item.label == "shoe")
    options = [shoe if option == "a shoe" else option for option in options]
    done = run("search", lamp(), "-g", "catalogue", *options, "--precision", 0.95)
    assert done.returncode == 0
    assert f"Note: How likely results are right is only worked out {sentence}" in done.stderr
    assert " % " not in done.stdout, "nor is any called likely"
    assert len(done.stdout.splitlines()) > 2, "results are there all the same"
    found = json.loads(run("search", lamp(), "-g", "catalogue", *options, "--precision", 0.95, "--json").stdout)
    assert found["confident"] is None
    assert found["verdict"] is None
    assert {hit["probability"] for hit in found["hits"]} == {None}


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A picture that is like nothing in any gallery of products."""
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    return tmp_path / "noise.png"


@pytest.mark.usefixtures("bundled")
def test_a_query_that_looks_like_nothing_in_the_gallery_is_told_so_and_nothing_is_called_likely(
    run: Run, sample: Gallery, stranger: Path, empty_home: Path, tmp_path: Path
) -> None:
    shutil.copytree(sample.directory, empty_home / "galleries" / "sample")
    shown = run("search", stranger, "-k", 3, "--precision", 0.95, "--sheet", tmp_path / "s.png")
    assert shown.returncode == 0
    assert shown.stdout.split()[:4] == ["rank", "score", "label", "path"]
    assert len(shown.stdout.splitlines()) == 4, "results are there all the same"
    assert "Nothing like it in this gallery: these are the nearest pictures" in shown.stderr
    assert "No confident match" not in shown.stderr
    found = json.loads(run("search", stranger, "--precision", 0.5, "--json").stdout)
    assert found["belongs"] < 0.01
    assert found["confident"] is False
    assert found["verdict"] == "nothing"
    assert {hit["probability"] for hit in found["hits"]} == {None}


def test_a_query_of_the_gallerys_kinds_belongs_to_it_and_its_own_picture_most_of_all(
    run: Run, catalogue: Gallery, empty_home: Path
) -> None:
    found = json.loads(run("search", lamp(), "-g", "catalogue", "--json").stdout)
    assert found["belongs"] > 0.05
    own = json.loads(run("search", catalogue.items[0].path, "-g", "catalogue", "--json").stdout)
    assert own["belongs"] == 1
    assert len(list((empty_home / "cache" / "belonging").iterdir())) == 1


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
def test_a_gallery_without_labels_tells_strangers_too_and_a_small_one_says_nothing(
    run: Run, catalogue: Gallery, stranger: Path, tmp_path: Path
) -> None:
    for name, count in {"few": 20, "more": len(catalogue)}.items():
        (tmp_path / name).mkdir()
        for number, item in enumerate(catalogue.items[:count]):
            shutil.copy(item.path, tmp_path / name / f"{number}{Path(item.path).suffix}")
        assert run("index", tmp_path / name, "-g", name).returncode == 0
    few, more = (json.loads(run("search", stranger, "-g", name, "--json").stdout) for name in ("few", "more"))
    assert few["belongs"] is None
    assert more["belongs"] < 0.01
    assert "Nothing like it" in run("search", stranger, "-g", "more").stderr
    assert "Nothing like it" not in run("search", lamp(), "-g", "more").stderr


@pytest.mark.usefixtures("bundled")
def test_a_head_which_brings_the_gallerys_own_pictures_together_is_not_asked_who_belongs(
    sample: Gallery, stranger: Path, tmp_path: Path
) -> None:
    taught = sample.rebuild(head=made_heads.serving(sample), refinement="none", into=tmp_path / "taught")
    assert taught.belonging == sample.belonging
    assert (taught.belongs(stranger) or 0) < 0.01
    assert taught.belongs(lamp()) == sample.belongs(lamp())


def test_words_neither_belong_nor_not(catalogue: Gallery) -> None:
    query = catalogue.encode(catalogue.items[0].path)
    assert catalogue.belongs(query) == 1
    assert catalogue.belongs(replace(query, embeddings=query.embeddings[:0])) is None


def test_a_picture_of_the_gallery_is_the_query_and_not_guessed(run: Run, catalogue: Gallery) -> None:
    path = next(item.path for item in catalogue.items if item.label == "lamp")
    assert "the query" in run("search", path, "-g", "catalogue", "-k", 2).stdout.splitlines()[1]
    found = json.loads(run("search", path, "-g", "catalogue", "-k", 2, "--json").stdout)
    assert found["verdict"] == "same"
    assert {hit["probability"] for hit in found["hits"]} == {None}
    told = run("search", path, "-g", "catalogue", "-k", 2).stderr
    assert "This very picture is in the gallery: it is labelled “lamp”." in told


def test_a_gallery_that_cannot_tell_says_so_only_if_it_is_asked(run: Run, shapes: Gallery) -> None:
    path = shapes.items[0].path
    assert run("search", path, "-g", "shapes").stdout.split()[:4] == ["rank", "score", "label", "path"]
    done = run("search", path, "-g", "shapes", "--precision", 0.9)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Confidence needs at least 30 query pictures, and there are only 15")
    assert done.stdout == ""
    assert run("search", path, "-g", "shapes", "--precision", 95).returncode == 2


def test_evaluate_says_how_far_probabilities_are_off(run: Run, catalogue: Gallery) -> None:
    told = json.loads(run("evaluate", "-g", "catalogue", "--json").stdout)
    assert 0 <= told["ece"] <= 0.05
    assert sum(one["count"] for one in told["calibration"]) == 10 * len(catalogue)
    assert f"Expected calibration error {told['ece']:.3f}" in run("evaluate", "-g", "catalogue").stdout


@pytest.fixture
def query_work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each time that the file `lamp()` is decoded, or that a network runs on its pixels."""
    from similarity.embedding import engines, feature_maps
    from similarity.embedding.embedder import Embedder
    from similarity.images.decoding import decode_scaled

    work: list[str] = []
    pixels: list[bytes] = []
    run, run_map, prepare = engines.OpenVinoEngine.run, feature_maps.FeatureMaps.run, Embedder.prepare

    def decode(data: bytes, name: str, **options: Any) -> Any:
        decoded = decode_scaled(data, name, **options)
        if name == lamp():
            work.append("decoded")
            pixels.append(prepare(Embedder.load("efficientnet-lite2", view="fit"), decoded.image).tobytes())
        return decoded

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def runs(self: object, given: Any) -> Any:
            pictures = given if given.ndim == 4 else given[np.newaxis]
            work.extend("embedded" for one in pictures if one.tobytes() in pixels)
            return real(self, given)

        return runs

    for module in ("query.inputs", "images.picture", "embedding.embedder"):
        monkeypatch.setattr(f"similarity.{module}.decode_scaled", decode)
    monkeypatch.setattr(engines.OpenVinoEngine, "run", counted(run))
    monkeypatch.setattr(feature_maps.FeatureMaps, "run", counted(run_map))
    return work


@pytest.mark.many
@pytest.mark.parametrize("explain", [[], ["--explain"]])
@pytest.mark.parametrize("how", ["alone", "with a further example", "with a counter-example"])
def test_a_query_is_decoded_and_embedded_once(
    run: Run, catalogue: Gallery, query_work: list[str], explain: list[str], how: str
) -> None:
    shoe = next(item.path for item in catalogue.items if item.label == "shoe")
    more = {"alone": [], "with a further example": ["--like", shoe], "with a counter-example": ["--unlike", shoe]}[how]
    done = run("search", lamp(), *more, "-g", "catalogue", "-k", 3, *explain, "--json")
    hits = json.loads(done.stdout)["hits"]
    assert all((hit["probability"] is not None) == (how == "alone") for hit in hits), "it is a labelled gallery"
    assert all(("explanation" in hit) == bool(explain) for hit in hits)
    assert query_work == ["decoded", "embedded"]
