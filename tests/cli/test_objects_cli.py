"""`search --objects` and `bench objects` on the command line."""

import json
import random
from itertools import islice
from pathlib import Path

import pytest
from commands import Run
from PIL import Image

from similarity import Gallery
from similarity.bench import objects
from similarity.bench.scenes import compose, cut_out
from similarity.sample import FOLDER

CLOCK, VASE = (FOLDER / "gallery" / name for name in ("clock/clock-06-1.jpg", "vase/vase-09-1.jpg"))


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A clock and a vase of the sample in one picture."""
    products = []
    for path in (CLOCK, VASE):
        with Image.open(path) as image:
            products.append(cut_out(image.convert("RGB")))
    with Image.open(FOLDER / "gallery" / "chair" / "chair-01-1.jpg") as backdrop:
        made = compose([cut for cut in products if cut], backdrop.convert("RGB"), random.Random(3))
    assert made is not None
    made[0].save(tmp_path / "scene.png")
    return tmp_path / "scene.png"


def test_each_object_has_results_of_its_own(run: Run, sample: Gallery, scene: Path) -> None:
    done = run("search", scene, "--gallery", sample.directory, "-k", "2", "--objects")
    assert done.returncode == 0, done.stderr
    headings = [line for line in done.stdout.splitlines() if line.startswith("Object")]
    assert [heading.split(":")[0] for heading in headings] == ["Object 1 of 2", "Object 2 of 2"]
    answer = json.loads(run("search", scene, "-g", sample.directory, "-k", "2", "--objects", "--json").stdout)
    assert {one["hits"][0]["label"] for one in answer["objects"]} == {"clock", "vase"}
    assert all(len(one["box"]) == 4 and len(one["hits"]) == 2 for one in answer["objects"])
    assert len(answer["hits"]) == 2, "those of the whole picture are there as before"


def test_a_picture_of_one_object_is_searched_with_as_a_whole(run: Run, sample: Gallery) -> None:
    done = run("search", CLOCK, "--gallery", sample.directory, "-k", "1", "--objects")
    assert done.returncode == 0, done.stderr
    assert "No single objects stand out in this picture" in done.stderr + done.stdout
    assert done.stdout.splitlines()[-1].endswith("clock-06-1.jpg")
    answer = json.loads(run("search", CLOCK, "-g", sample.directory, "-k", "1", "--objects", "--json").stdout)
    assert answer["objects"] == []


@pytest.mark.parametrize("options", [("--text", "a clock"), ("--like", CLOCK), ("--explain", "--json"), ("--copies",)])
def test_objects_are_looked_for_in_one_picture_and_nothing_else(run: Run, options: tuple[str, ...]) -> None:
    done = run("search", VASE, *options, "--objects")
    assert done.returncode == 2
    assert "--objects" in done.stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", [(), ("--side-by-side",)])
def test_bench_objects_says_how_many_are_covered(run: Run, sample: Gallery, kind: tuple[str, ...]) -> None:
    report = json.loads(run("bench", "objects", "-g", sample.directory, "-n", "2", *kind, "--json").stdout)
    assert (report["scenes"], report["objects"]) == (2, 5)
    assert 0.4 <= report["covered"] <= 1
    assert 0.4 <= report["found_first"] <= 1
    assert report["propose_p50_ms"] > 0


def test_bench_objects_tells_when_fewer_scenes_than_asked_can_be_made(
    run: Run, sample: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = objects._rows
    monkeypatch.setattr(objects, "_rows", lambda gallery, rng: islice(real(gallery, rng), 1))
    done = run("bench", "objects", "-g", sample.directory, "-n", "3", "--side-by-side")
    assert done.returncode == 0
    assert "Only 1 of 3 scenes could be made" in done.stderr
