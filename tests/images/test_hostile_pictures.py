"""Picture files that mean harm, or are merely odd: the right picture or a typed error, soon and in little memory."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_jxl  # noqa: F401 - registers itself
import pytest
from attack_pictures import (
    DAMAGED,
    FILES,
    HEIGHT,
    LARGE,
    MOST_MEGABYTES,
    MUTATIONS,
    NO_IMAGE,
    TOO_LARGE,
    UNSUPPORTED,
    WIDTH,
    Results,
    picture,
    save,
)
from conftest import PHOTOGRAPHS, TURN_BACK, draw
from PIL import Image
from tiers import Share

from similarity import Embedder
from similarity.images.decoding import count_pixels
from similarity.sample import FOLDER

HERE = Path(__file__).parents[1]
CASES = [pytest.param(name, marks=[pytest.mark.exhaustive] if name in LARGE else []) for name in FILES]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, object]]:
    """What became of a file. A process is given all the small ones at once, or all the large ones; it must survive."""
    found: Results = {}

    def result(name: str) -> dict[str, object]:
        if name not in found:
            folder = tmp_path_factory.mktemp("hostile")
            for other, (make, _) in FILES.items():
                if (other in LARGE) == (name in LARGE):
                    (folder / other).write_bytes(make())
            found.update(in_a_process("hostile.py", folder))
        return found[name]

    return result


def in_a_process(script: str, *arguments: object) -> dict:  # type: ignore[type-arg]
    """What a script of these tests prints; it must survive."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        env={"PYTHONPATH": str(HERE.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", CASES)
def test_a_picture_file_is_decoded_rightly_or_refused_with_its_reason(
    results: Callable[[str], dict[str, object]], name: str
) -> None:
    result = results(name)
    assert re.match(f"({FILES[name][1]})", str(result["outcome"])), result["outcome"]
    assert float(str(result["seconds"])) < 10, "it takes a tenth of that; what hangs, hangs for longer"
    assert float(str(result["megabytes"])) < MOST_MEGABYTES


def test_the_files_are_many() -> None:
    assert len(FILES) >= 80


def test_all_eight_orientations_of_a_picture_have_the_same_embedding(light_embedder: Embedder) -> None:
    vectors = []
    for orientation, turns in TURN_BACK.items():
        stored = draw("dots", 9).resize((480, 640))
        for turn in turns:
            stored = stored.transpose(turn)
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = save(stored, "JPEG", exif=exif, quality=95)
        vectors.append(light_embedder.embed([light_embedder.decode(data, "turned.jpg").image])[0])
    assert np.min(np.array(vectors) @ vectors[0]) >= 0.99


def test_photographs_that_were_damaged_at_random_are_typed_errors_or_pictures(share: Share) -> None:
    count = share.count(MUTATIONS, parts=20)
    photographs = sorted(PHOTOGRAPHS.glob("gallery/*/*.jpg"))[::60] or sorted(FOLDER.glob("gallery/**/*.jpg"))[::35]
    tally = in_a_process("mutate.py", share.seed, count, *photographs)
    assert tally.pop("megabytes") < MOST_MEGABYTES
    assert sum(tally.values()) == count
    assert tally.keys() <= {"a picture", DAMAGED, NO_IMAGE, TOO_LARGE, UNSUPPORTED}
    assert min(tally["a picture"], tally[DAMAGED]) > count / 20


@pytest.mark.parametrize("form", ["TIFF", "HEIF", "JXL"])
def test_telephone_and_scanner_files_that_were_damaged_are_typed_errors_or_pictures(share: Share, form: str) -> None:
    count = share.count(MUTATIONS, parts=20)
    photographs = sorted(FOLDER.glob("gallery/**/*.jpg"))[::70]
    tally = in_a_process("mutate.py", f"{share.seed}:{form}", count, *photographs)
    assert tally.pop("megabytes") < MOST_MEGABYTES
    assert sum(tally.values()) == count
    assert tally.keys() <= {"a picture", DAMAGED, NO_IMAGE, TOO_LARGE, UNSUPPORTED}
    assert tally[DAMAGED] > count / 20


def test_pixels_of_a_jpeg_xl_are_counted_without_unpacking_them(monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(picture(), "JXL")
    monkeypatch.setattr("similarity.images.decoding.open_picture", lambda *_: pytest.fail("it was opened"))
    assert count_pixels(data) == WIDTH * HEIGHT
