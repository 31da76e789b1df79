"""`search --copies` and `bench copies` on the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Run
from conftest import MODEL
from PIL import Image
from scenes import draw_scene

from similarity import Gallery
from similarity.bench.alterations import ALTERATIONS, COLLAGE


@pytest.fixture
def turned(tmp_path: Path, empty_home: Path) -> Path:
    """A query, a scene turned by 90 degrees, and a gallery named `scenes` of it and others."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for seed in range(5):
        draw_scene(seed).save(folder / f"{seed}.png")
    Gallery.build(folder, empty_home / "galleries" / "scenes", model=MODEL)
    draw_scene(3).transpose(Image.Transpose.ROTATE_270).save(tmp_path / "query.png")
    return tmp_path / "query.png"


def test_a_copy_comes_first_and_is_marked(run: Run, turned: Path) -> None:
    done = run("search", turned, "--gallery", "scenes", "-k", "3", "--copies")
    assert done.returncode == 0, done.stderr
    heading, first, *others = done.stdout.splitlines()
    assert heading.split() == ["rank", "score", "copy", "label", "path"]
    assert first.split()[0] == "1"
    assert "same picture: turned 90°" in first
    assert first.endswith("3.png")
    assert len(others) == 2
    assert not [line for line in others if "same picture" in line]


def test_in_json_each_hit_says_what_was_found(run: Run, turned: Path) -> None:
    done = run("search", turned, "--gallery", "scenes", "-k", "5", "--copies", "--json")
    first, *others = json.loads(done.stdout)["hits"]
    copy = first["copy"]
    assert set(copy) == {"probability", "rotation", "mirrored", "query_box", "result_box"}
    assert copy["probability"] >= 0.95
    assert copy["rotation"] == pytest.approx(90, abs=1)
    assert copy["mirrored"] is False
    assert copy["result_box"] == pytest.approx([0, 0, 1, 1], abs=0.03)
    assert [hit["rank"] for hit in others] == [2, 3, 4, 5]
    assert all(hit["copy"] is None or hit["copy"]["probability"] < 0.95 for hit in others)
    second = json.loads(run("search", turned, "-g", "scenes", "-k", "2", "--offset", "1", "--copies", "--json").stdout)
    assert [(hit["rank"], hit["id"]) for hit in second["hits"]] == [(hit["rank"], hit["id"]) for hit in others[:2]]


def test_a_gallery_that_has_the_very_picture_is_never_said_to_have_nothing_like_it(
    run: Run, turned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_like_it(*_: object) -> None:
        pytest.fail("the scores were asked, which say so of a part that is turned")

    monkeypatch.setattr("similarity.evaluation.confidence.verdict.find_verdict", nothing_like_it)
    done = run("search", turned, "--gallery", "scenes", "--copies", "--sheet", turned.with_name("sheet.png"))
    assert "This very picture is in the gallery." in done.stderr
    assert json.loads(run("search", turned, "-g", "scenes", "--copies", "--json").stdout)["verdict"] is None


def test_without_the_option_hits_are_as_ever(run: Run, turned: Path) -> None:
    done = run("search", turned, "--gallery", "scenes", "-k", "2", "--json")
    assert all("copy" not in hit for hit in json.loads(done.stdout)["hits"])
    assert not list(Path(os.environ["SIMILARITY_HOME"]).rglob("*.sift"))


def test_opencv_is_loaded_only_for_a_second_look() -> None:
    code = "import sys, similarity.gallery, similarity.cli.copies; print('cv2' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_words_have_no_copies(run: Run, turned: Path) -> None:
    assert turned.exists()
    done = run("search", "--text", "a scene", "--gallery", "scenes", "--copies")
    assert done.returncode == 2
    assert "only a picture has pixels to look at: give one" in done.stderr


@pytest.mark.exhaustive
def test_bench_copies_prints_a_table_for_any_gallery(run: Run, turned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert turned.exists()
    some = {name: ALTERATIONS[name] for name in ("turned 90°", "crop 30 %", COLLAGE)}
    monkeypatch.setattr("similarity.bench.copies.ALTERATIONS", some)
    done = run("bench", "copies", "--gallery", "scenes", "--count", "2")
    assert done.returncode == 0, done.stderr
    heading, *rows, last = done.stdout.splitlines()
    assert "first with --copies" in heading
    assert [row.split("  ")[0] for row in rows] == list(some)
    assert "The second look at 5 candidates takes" in last
    report = json.loads(run("bench", "copies", "--gallery", "scenes", "--count", "2", "--json").stdout)
    assert [row["name"] for row in report["alterations"]] == list(some)
    assert [row["with"] for row in report["alterations"]] == [1, 1, 1]
    assert report["others_called_copies"] == []


def test_a_picture_that_is_gone_is_not_drawn_and_one_alone_cannot_be_measured(run: Run, turned: Path) -> None:
    for seed in range(1, 5):
        (turned.parent / "scenes" / f"{seed}.png").unlink()
    done = run("bench", "copies", "--gallery", "scenes")
    assert done.returncode == 1
    assert "scenes has fewer than two pictures that can be read" in done.stderr


@pytest.mark.exhaustive
def test_the_benchmark_lists_nearest_pictures_that_are_called_the_same(run: Run, turned: Path) -> None:
    draw_scene(3).crop((40, 40, 400, 500)).save(turned.parent / "scenes" / "part.png")
    run("index", turned.parent / "scenes", "--gallery", "scenes")
    report = json.loads(run("bench", "copies", "--gallery", "scenes", "--pairs", "30", "--json").stdout)
    assert report["pairs"] == 30
    assert {frozenset((pair["query"], pair["id"])) for pair in report["called_the_same"]} == {
        frozenset(("3.png", "part.png"))
    }
    assert "of 7 pairs" in run("bench", "copies", "--gallery", "scenes", "--pairs", "7").stdout
