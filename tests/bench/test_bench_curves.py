"""Curves of speed by recall, by VIBE's protocol."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Run

from similarity.bench import curves, search_curves
from similarity.bench.made_vectors import Nearest
from similarity.bench.synthetic import World

N, DIM = 3_000, 32
APART = "do not belong together, or are not numbers that can be searched."


def write_data_set(path: Path, **changes: Any) -> Path:
    """Write a data set as VIBE's are: vectors, queries, and the nearest 100 of each; None leaves an array out."""
    h5py = pytest.importorskip("h5py", reason="data sets of VIBE are read with h5py")
    train, test = 3 * World(DIM).block(N, 1), World(DIM).block(20, 0)
    nearest = Nearest(test, 100)
    nearest.compare(train / 3)
    arrays = {"train": train, "test": test, "neighbors": nearest.rows.astype(np.int32), "distance": "cosine"} | changes
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = arrays.pop("distance")
        for name, array in arrays.items():
            if array is not None:
                file[name] = array
    return path


@pytest.mark.exhaustive
def test_a_data_set_of_vibe_gives_a_curve_for_each_index(run: Run, tmp_path: Path) -> None:
    done = run("bench", "search", "--vibe", write_data_set(tmp_path / "small.hdf5"), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["n"], report["dim"], report["queries"], report["k"]) == (N, DIM, 20, 100)
    assert report["vectors"] == "small.hdf5"
    rows = {row["recipe"]: row for row in report["curves"]}
    assert [point["recall"] for point in rows["flat"]["points"]] == [pytest.approx(1, abs=0.005)], "in half precision"
    points = rows["IVF64,SQ8"]["points"]
    assert [point["setting"] for point in points] == [1 << power for power in range(len(points))]
    assert points[-1]["recall"] >= 0.99
    assert rows["IVF64,SQ8"]["queries_per_s@0.95"] >= rows["IVF64,SQ8"]["queries_per_s@0.99"] > 0


def test_curves_of_made_up_vectors_are_printed_as_a_table(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_curves, "_recipes", lambda *_: ["flat"])
    monkeypatch.setattr(
        search_curves, "of_world", lambda n, dim: (iter([World(dim).block(n, 1)]), World(dim).block(5, 0), n)
    )
    done = run("bench", "search", "--n", "200", "--dim", "8", "--curves")
    assert done.returncode == 0, done.stderr
    assert "200 vectors of 8, 5 queries, 100 nearest, one core" in done.stdout
    assert "a second at 0.95" in done.stdout
    few = run("bench", "search", "--n", "50", "--dim", "8", "--curves")
    assert few.stderr.endswith("50 vectors are too few to measure: take at least 100.\n")


def test_a_recall_that_no_setting_reaches_has_no_speed() -> None:
    points = [{"recall": 0.96, "queries_per_s": 10.0}, {"recall": 0.97, "queries_per_s": 20.0}]
    assert curves._best(points, 0.95) == 20
    assert curves._best(points, 0.99) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"neighbors": None}, "lacks the arrays train, test, neighbors of a data set of VIBE."),
        (
            {"test": np.ones((20, DIM + 1), np.float32)},
            APART,
        ),
        ({"train": np.ones((N, DIM), np.int8)}, APART),
        ({"neighbors": np.full((20, 100), N)}, "are not rows of its vectors."),
        (
            {"distance": "euclidean"},
            "compares by euclidean, and indexes here by cosine similarity: take another data set.",
        ),
    ],
)
def test_a_file_that_is_no_such_data_set_is_an_error_in_one_sentence(
    run: Run, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    done = run("bench", "search", "--vibe", write_data_set(tmp_path / "odd.hdf5", **changes))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(sentence)
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_hdf5_and_two_sources_at_once_are_errors(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="data sets of VIBE are read with h5py")
    (tmp_path / "no.hdf5").write_text("no")
    done = run("bench", "search", "--vibe", tmp_path / "no.hdf5")
    assert done.stderr.endswith("no.hdf5 cannot be read as an HDF5 file.\n")
    both = run("bench", "search", "--vibe", tmp_path / "no.hdf5", "--gallery", "shapes")
    assert both.stderr.endswith("Choose one of --gallery and --vibe.\n")


def test_without_h5py_a_sentence_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    done = run("bench", "search", "--vibe", tmp_path / "any.hdf5")
    assert done.stderr.endswith("Data sets in HDF5 need one more package: pip install h5py.\n")
