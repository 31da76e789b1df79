"""`bench all` and `bench compare`: ratios of one run, and what got worse between two."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Run

from similarity.bench.guard import MEASURED, compare_reports
from similarity.errors import SearchError


def report(**ratios: tuple[float, float, float]) -> dict[str, Any]:
    """With a figure for each name, of which ratio, least and most are given."""
    figures = [
        {"name": name, "reference": "torch", "ratio": ratio, "low": low, "high": high}
        for name, (ratio, low, high) in ratios.items()
    ]
    return {"figures": figures, "rounds": 5, "seconds": 1.0, "machine": {"processor": "made up"}}


def written(path: Path, content: dict[str, Any] | str) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_got_worse_beyond_its_spread_is_named_and_is_the_exit_status(run: Run, tmp_path: Path) -> None:
    old = written(tmp_path / "old.json", report(fast=(1.0, 0.9, 1.1), slow=(5.0, 4.5, 5.5), gone=(1.0, 1.0, 1.0)))
    new = written(tmp_path / "new.json", report(fast=(1.3, 1.2, 1.4), slow=(5.2, 5.4, 6.0), fresh=(1.0, 1.0, 1.0)))
    assert run("bench", "compare", old, new).returncode == 1  # not in order
    new = written(tmp_path / "new.json", report(fast=(1.3, 1.2, 1.4), slow=(5.6, 5.4, 6.0), fresh=(1.0, 1.0, 1.0)))
    done = run("bench", "compare", old, new)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Worse: fast."
    told = json.loads(run("bench", "compare", old, new, "--json").stdout)
    assert told["worse"] == ["fast"]
    assert {row["name"]: row["verdict"] for row in told["compared"]} == {"fast": "worse", "slow": "same"}
    back = run("bench", "compare", new, old)
    assert (back.returncode, back.stdout.splitlines()[-1]) == (0, "Nothing got worse beyond its spread.")


def test_reports_of_different_computers_are_compared_with_a_note(run: Run, tmp_path: Path) -> None:
    old = written(tmp_path / "old.json", report(fast=(1.0, 0.9, 1.1)))
    new = written(tmp_path / "new.json", report(fast=(1.0, 0.9, 1.1)) | {"machine": {"processor": "another"}})
    assert "different computers" in run("bench", "compare", old, new).stderr
    assert run("bench", "compare", old, old).stderr == ""


@pytest.mark.parametrize(
    "content",
    [
        "not JSON",
        "[]",
        "{}",
        '{"figures": 3}',
        '{"figures": [{"name": "fast"}]}',
        json.dumps(report(fast=(1.0, 2.0, 3.0))),
        json.dumps(report(fast=(-1.0, -2.0, 3.0))),
        '{"figures": [{"name": "a", "reference": "b", "ratio": "1", "low": "1", "high": "1"}]}',
        '{"figures": [{"name": [], "reference": "b", "ratio": 1, "low": 1, "high": 1}]}',
    ],
)
def test_what_is_no_report_is_an_error_in_one_sentence(run: Run, tmp_path: Path, content: str) -> None:
    sound = written(tmp_path / "sound.json", report(fast=(1.0, 0.9, 1.1)))
    for pair in ((sound, written(tmp_path / "odd.json", content)), (tmp_path / "odd.json", sound)):
        done = run("bench", "compare", *pair)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr


def test_a_report_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    sound = written(tmp_path / "sound.json", report(fast=(1.0, 0.9, 1.1)))
    assert f"{tmp_path / 'none.json'} cannot be read" in run("bench", "compare", sound, tmp_path / "none.json").stderr


def test_reports_that_have_nothing_in_common_are_refused() -> None:
    with pytest.raises(SearchError, match="no figure in common"):
        compare_reports(report(fast=(1, 1, 1)), report(slow=(1, 1, 1)))


@pytest.mark.exhaustive
@pytest.mark.usefixtures("embedder", "bundled")
def test_everything_is_measured_beside_its_reference(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.bench.guard.VECTORS", 3_000)
    monkeypatch.setattr("similarity.bench.guard.DIM", 64)
    monkeypatch.setattr("similarity.bench.guard.ROUNDS", 2)
    done = run("bench", "all", pictures, "--json")
    assert done.returncode == 0, done.stderr
    figures = {row["name"]: row for row in json.loads(done.stdout)["figures"]}
    assert {name: row["reference"] for name, row in figures.items()} == MEASURED
    for row in figures.values():
        assert 0 < row["low"] <= row["ratio"] <= row["high"]
    assert figures["search in a new process"]["ratio"] > 1 > figures["from disk to vectors"]["ratio"]
    now = written(tmp_path / "now.json", done.stdout)
    assert run("bench", "compare", now, now).returncode == 0
