"""`labels` on the command line: conflicts, labels set by hand, and lists of them."""

import csv
import json
from pathlib import Path

import pytest
from commands import Run
from conftest import MODEL
from PIL import Image

from similarity import Embedder, Gallery

COPY = "rings/copy.png"


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of the dots among the rings, too, and a gallery named `mine` of it."""
    with Image.open(own_pictures / "dots" / "dots-0.jpg") as image:
        image.save(own_pictures / COPY)
    monkeypatch.setattr("similarity.indexing.operations.load_embedder", lambda *_: light_embedder)
    Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    return own_pictures


def test_conflicts_are_listed_and_written_to_a_table(run: Run, mine: Path, tmp_path: Path) -> None:
    done = run("labels", "conflicts", "-g", "mine", "--threshold", "0.99", "--csv", tmp_path / "c.csv", "--json")
    report = json.loads(done.stdout)
    assert report.keys() == {"gallery", "conflicts"}
    first = report["conflicts"][0]
    assert (first["kind"], first["suggested"]) == ("pair", "dots")
    assert [(one["path"], one["labels"]) for one in first["pictures"]] == [
        (str(mine / COPY), ["rings"]),
        (str(mine / "dots" / "dots-0.jpg"), ["dots"]),
    ]
    with (tmp_path / "c.csv").open(encoding="utf-8-sig") as file:
        assert [row["id"] for row in csv.DictReader(file)][:2] == [COPY, "dots/dots-0.jpg"]
    assert "copy.png" in run("labels", "conflicts", "-g", "mine", "--threshold", "0.99").stdout


def test_a_label_is_set_exported_kept_by_sync_and_taken_back(run: Run, mine: Path, tmp_path: Path) -> None:
    done = run("labels", "set", "-g", "mine", "--path", mine / COPY, "--label", "dots")
    assert done.stdout == "1 file has another label in mine.\n"
    assert "0 embedded" in run("sync", mine, "-g", "mine").stdout
    assert run("labels", "export", "-g", "mine", "--csv", tmp_path / "x.csv").returncode == 0
    with (tmp_path / "x.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["id"], row["old_label"], row["new_label"]) for row in rows] == [
        (str(mine / COPY), COPY, "rings", "dots")
    ]
    confirmed = run("labels", "set", "-g", "mine", "--id", COPY, "--label", "dots", "--json")
    assert json.loads(confirmed.stdout) == {
        "gallery": "mine",
        "named_files": 1,
        "further_copies": 0,
        "relabelled_files": 0,
    }
    assert run("labels", "set", "-g", "mine", "--id", COPY, "--reset").stdout.startswith("1 file has")
    done = run("labels", "export", "-g", "mine", "--csv", tmp_path / "x.csv", "--json")
    assert json.loads(done.stdout)["changed"] == 0


def test_a_folder_is_relabelled_at_once(run: Run, mine: Path) -> None:
    done = run("labels", "set", "-g", "mine", "--path", mine / "rings", "--label", "loops", "--json")
    assert json.loads(done.stdout)["relabelled_files"] == 6


def test_exact_copies_that_were_not_named_are_counted_apart(run: Run, mine: Path) -> None:
    for name in ("dots/again.png", "stripes/again.png"):
        (mine / name).write_bytes((mine / COPY).read_bytes())
    assert run("sync", mine, "-g", "mine").returncode == 0
    found = json.loads(run("labels", "conflicts", "-g", "mine", "--threshold", "0.99", "--json").stdout)["conflicts"][0]
    assert (found["kind"], [(one["id"], one["labels"]) for one in found["pictures"]]) == (
        "copies",
        [(COPY, ["rings"]), ("dots/again.png", ["dots"]), ("stripes/again.png", ["stripes"])],
    )
    done = run("labels", "set", "-g", "mine", "--id", COPY, "--label", "dots", "--json")
    counts = {key: value for key, value in json.loads(done.stdout).items() if key != "gallery"}
    assert counts == {"named_files": 1, "further_copies": 2, "relabelled_files": 2}


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (("--label", "x"), 2, "--id or --path"),
        (("--id", COPY), 2, "--label"),
        (("--id", COPY, "--label", "x", "--reset"), 2, "--reset"),
        (("--id", "none", "--label", "x"), 1, "No picture of the gallery has the id 'none'"),
        (("--id", COPY, "--label", " "), 1, "at least one character"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_what_makes_no_sense_is_said_and_changes_nothing(
    run: Run, options: tuple[str, ...], status: int, says: str
) -> None:
    done = run("labels", "set", "-g", "mine", *options)
    assert done.returncode == status
    assert says in done.stderr
