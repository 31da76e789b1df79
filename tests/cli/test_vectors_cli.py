"""Vectors out of a gallery and into another one, on the command line, and searches by item and vector."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Run
from conftest import MODEL

from similarity import Gallery


@pytest.fixture
def alone(run: Run, shapes: Gallery, empty_home: Path) -> Path:
    """A home with the vectors of `shapes` as the gallery `alone`, without a model and without pictures."""
    lines = [f"{item.id},{item.label}" for item in shapes.items]
    np.save(empty_home / "v.npy", shapes.embeddings[:])
    (empty_home / "v.csv").write_text("\n".join(["id,label", *lines]))
    made = run("index", "--from-vectors", empty_home / "v.npy", "-g", "alone", "--model", "none")
    assert made.returncode == 0, made.stderr
    assert "15 added" in made.stdout
    assert "view of pictures" not in made.stdout
    assert "vectors without a model" in made.stderr
    assert "15 of the 15 pictures cannot be read" in made.stderr
    return empty_home


def test_embeddings_go_out_in_the_format_of_the_name_and_come_in_again(
    run: Run, shapes: Gallery, tmp_path: Path, empty_home: Path
) -> None:
    done = json.loads(run("export", "-g", shapes.directory, "--out", tmp_path / "s.parquet", "--json").stdout)
    assert done == {
        "gallery": "shapes", "model": MODEL, "dim": 1280, "count": 15, "vectors": "embeddings",
        "files": [str(tmp_path / "s.parquet")],
    }  # fmt: skip
    made = json.loads(run("index", "--from-vectors", tmp_path / "s.parquet", "-g", "again", "--json").stdout)
    assert (made["added"], made["embedded"], made["model"], made["skipped"]) == (15, 0, MODEL, [])
    assert "cosines of 1.000 to 1.000" in " ".join(made["notes"])
    assert (empty_home / "galleries" / "again" / "CURRENT").is_file()
    wrong = run("export", "-g", shapes.directory, "--out", tmp_path / "s")
    assert (wrong.returncode, "--format tensorboard" in wrong.stderr) == (2, True)


def test_vectors_without_a_model_are_searched_by_item_and_vector_and_by_nothing_else(
    run: Run, shapes: Gallery, alone: Path
) -> None:
    first = shapes.items[0]
    np.save(alone / "one.npy", shapes.embeddings[0])
    expected = [hit.item.id for hit in shapes.search(Path(first.path), k=4)]
    for query in (["--item", first.id], ["--vector", alone / "one.npy"]):
        found = json.loads(run("search", *query, "-g", "alone", "-k", 4, "--json").stdout)
        assert [hit["id"] for hit in found["hits"]] == expected
        assert found["model"] == "none"
    for query in ([first.path], ["--text", "dots"], ["--item", first.id, "--turned"]):
        refused = run("search", *query, "-g", "alone")
        assert refused.returncode == 1
        assert refused.stderr.startswith("Error: ")
    missing = run("search", "--item", "nothing", "-g", "alone")
    assert (missing.returncode, "nothing" in missing.stderr) == (1, True)


def test_the_other_commands_know_a_gallery_without_a_model(run: Run, alone: Path, pictures: Path) -> None:
    assert json.loads(run("list", "--json").stdout)["galleries"][0]["model"] == "none"
    for words in (["info"], ["verify"], ["evaluate"], ["duplicates"]):
        assert run(*words, "-g", "alone").returncode == 0
    for words in (["duplicates", "--preset", "same"], ["sync", pictures], ["add", pictures, "--dry-run"]):
        refused = run(*words, "-g", "alone")
        assert (refused.returncode, refused.stderr.startswith("Error: ")) == (1, True), refused.stderr
    assert run("remove", "-g", "alone", "--id", "dots/dots-0.jpg").returncode == 0
    assert run("restore", "-g", "alone").returncode == 0
    assert run("rebuild", "-g", "alone", "--refinement", "none").returncode == 0
    assert len(Gallery.open(alone / "galleries" / "alone")) == 15


def test_a_model_of_another_dimension_is_refused_before_its_weights_are_downloaded(run: Run, alone: Path) -> None:
    refused = run("index", "--from-vectors", alone / "v.npy", "-g", "new", "--model", "resnet50")
    assert refused.returncode == 1
    assert "have 1,280 numbers, and resnet50 makes others of 2,048" in refused.stderr
    assert not (alone / "galleries" / "new").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x", "--from-vectors", "v.npy"], "give either pictures, --from-embeddings or"),
        (["x", "--items", "v.csv"], "these need --from-vectors"),
        (["x", "--no-thumbnails"], "these need --from-vectors"),
        (["--from-vectors", "v.npy", "--gps"], "these are about pictures"),
        (["--from-vectors", "v.npy", "--precision", "int8"], "int8 is calibrated"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(run: Run, words: list[str], sentence: str) -> None:
    refused = run("index", *words, "-g", "new")
    assert refused.returncode == 2
    assert sentence in " ".join(refused.stderr.replace("│", " ").split())


def test_results_are_written_in_the_form_of_coco(run: Run, shapes: Gallery, tmp_path: Path) -> None:
    found = run("search", "--item", shapes.items[0].id, "-g", "shapes", "-k", 3, "--coco", tmp_path / "r.json")
    assert found.returncode == 0, found.stderr
    read = json.loads((tmp_path / "r.json").read_text())
    assert [annotation["rank"] for annotation in read["annotations"]] == [1, 2, 3]
    assert read["info"]["query"] == shapes.items[0].id


def test_vectors_that_were_refined_are_not_refined_again(
    run: Run, shapes: Gallery, tmp_path: Path, empty_home: Path
) -> None:
    run("export", "-g", shapes.directory, "--out", tmp_path / "c.parquet", "--vectors", "compared")
    made = json.loads(run("index", "--from-vectors", tmp_path / "c.parquet", "-g", "compared", "--json").stdout)
    assert made["refinement"] == "none"
    assert "are compared as they are" in " ".join(made["notes"])
    assert (empty_home / "galleries" / "compared").is_dir()
