"""`search --turned`, and a query that looks like nothing unless it is turned."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Run
from conftest import MODEL
from PIL import Image
from scenes import draw_scene

from similarity import Gallery
from similarity.query.encoder import EncodedQuery
from similarity.query.searcher import Searcher
from similarity.query.turns import find_best_turn
from similarity.sample import sample_queries

Save = Callable[[str, Image.Transpose | None], Path]


@pytest.fixture
def save(sample: Gallery, bundled: None, empty_home: Path, tmp_path: Path) -> Save:  # noqa: ARG001
    """Saves a sample query, or a picture of the sample, turned; the sample gallery has a name."""
    shutil.copytree(sample.directory, empty_home / "galleries" / "sample")

    def turned(name: str, transpose: Image.Transpose | None) -> Path:
        paths = {item.id: item.path for item in (*sample_queries(), *sample.items)}
        with Image.open(paths[name]) as image:
            upright = image.convert("RGB")
        path = tmp_path / "query.png"
        (upright.transpose(transpose) if transpose else upright).save(path)
        return path

    return turned


def test_a_query_that_looks_like_nothing_as_it_lies_is_turned_and_that_is_said(run: Run, save: Save) -> None:
    lying = save("lamp-02-q", Image.Transpose.ROTATE_270)
    done = run("search", lying, "-k", 3)
    assert done.returncode == 0, done.stderr
    assert "Turned by 90° to the left, it looks most like these." in done.stderr.splitlines()
    assert "Nothing like it" not in done.stderr
    found = json.loads(run("search", lying, "-k", 3, "--json").stdout)
    assert found["turned"] == 270
    assert found["belongs"] > 0.05
    assert {hit["label"] for hit in found["hits"]} == {"lamp"}


@pytest.mark.exhaustive
def test_a_query_that_belongs_is_turned_only_if_that_is_requested(run: Run, save: Save) -> None:
    upright = save("lamp-02-q", None)
    assert "turned" not in json.loads(run("search", upright, "--json").stdout)
    found = json.loads(run("search", upright, "--turned", "--json").stdout)
    assert found["turned"] == 0
    assert found["hits"] == json.loads(run("search", upright, "--json").stdout)["hits"]
    assert "As it is, it looks most like these." in run("search", upright, "--turned").stderr


def test_a_picture_of_the_gallery_finds_itself_in_any_turn_with_its_regions(run: Run, save: Save) -> None:
    head_down = save("chair-01-1", Image.Transpose.ROTATE_180)
    done = run("search", head_down, "--turned", "--explain", "--json", "-k", 1)
    found = json.loads(done.stdout)
    assert found["turned"] == 180
    [hit] = found["hits"]
    assert hit["id"] == "chair-01-1"
    assert np.sum(hit["explanation"]["cells"]) + hit["explanation"]["neighbours"] == pytest.approx(
        hit["score"], abs=0.01
    ), "of the turned picture"


def test_what_was_done_to_a_copy_is_said_of_the_file_that_was_given(run: Run, empty_home: Path, tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    for seed in range(4):
        draw_scene(seed).save(tmp_path / "scenes" / f"{seed}.png")
    Gallery.build(tmp_path / "scenes", empty_home / "galleries" / "scenes", model=MODEL)
    draw_scene(3).transpose(Image.Transpose.ROTATE_270).save(tmp_path / "query.png")
    done = run("search", tmp_path / "query.png", "-g", "scenes", "-k", 1, "--turned", "--copies", "--json")
    found = json.loads(done.stdout)
    assert found["turned"] == 270
    assert found["hits"][0]["id"] == "3.png"
    assert found["hits"][0]["copy"]["rotation"] == pytest.approx(90, abs=1)


@pytest.mark.exhaustive
def test_of_a_query_that_looks_like_nothing_in_any_turn_nothing_is_said_of_turns(
    run: Run, save: Save, tmp_path: Path
) -> None:
    assert callable(save)
    noise = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)).save(noise)
    for options in ([], ["--turned"]):
        found = json.loads(run("search", noise, *options, "--json").stdout)
        assert (found["turned"], found["verdict"]) == (0, "nothing")
        done = run("search", noise, *options)
        assert "it looks most like these" not in done.stderr
        assert "Nothing like it in this gallery" in done.stderr


@pytest.mark.exhaustive
def test_the_time_of_all_turns_is_told_if_none_was_taken(
    run: Run, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(save)
    noise = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)).save(noise)

    def find_slowly(searcher: Searcher, query: EncodedQuery) -> EncodedQuery:
        time.sleep(0.6)
        return find_best_turn(searcher, query)

    monkeypatch.setattr("similarity.service.answers.turns.find_best_turn", find_slowly)
    assert json.loads(run("search", noise, "--turned", "--json").stdout)["took_ms"] > 600


def test_words_cannot_be_turned(run: Run, empty_home: Path) -> None:
    assert empty_home.exists()
    done = run("search", "--text", "a lamp", "--turned")
    assert done.returncode == 2
    assert "only a picture has pixels to look at: give one" in done.stderr
