"""`bench views` on the command line: its table, its sentence and its JSON."""

import json
import shlex
import tempfile
from pathlib import Path

import pytest
from commands import Run
from conftest import MODEL, draw
from made_heads import serving

from similarity import Embedder, Gallery
from similarity.storage.live import read_live_manifest


@pytest.fixture
def mixed(tmp_path: Path, empty_home: Path, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of long and square pictures, and a gallery named `mixed` of it, embedded by the light network."""
    folder = tmp_path / "pictures"
    for kind in ("dots", "rings"):
        (folder / kind).mkdir(parents=True)
        for number, width in enumerate((320, 1_000)):
            draw(kind, number).resize((width, 320)).save(folder / kind / f"{number}.png")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.setattr(
        "similarity.indexing.operations.load_embedder", lambda _, __, view, *___: light_embedder.with_view(view)
    )
    Gallery.build(folder, empty_home / "galleries" / "mixed", model=MODEL, view="crop")
    return folder


def test_bench_views_prints_a_table_and_a_sentence_and_a_command_that_works(run: Run, mixed: Path) -> None:
    done = run("bench", "views", "--gallery", "mixed", "--quality", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    columns = (
        "view",
        "recall@1",
        "mAP@R",
        "recall@1 - crop",
        "mAP@R - crop",
        "won, lost at 1",
        "pictures/s",
        "windows",
    )
    assert [cell.strip() for cell in lines[0].split("  ") if cell.strip()] == list(columns)
    assert [line.split()[0] for line in lines[1:5]] == ["crop", "fit", "both", "best"]
    assert [line.split()[-1] for line in lines[1:5]] == ["1.00", "1.00", "1.50", "1.50"]
    assert lines[5].startswith("mixed, right by label: 4 queries (leave-one-out), 4 pictures, ")
    assert lines[6] == (
        "This is a draw: none differs significantly from crop, which the gallery has, so the gallery can stay as it is."
    )
    command = f"python -m similarity index {mixed} --gallery mixed --view VIEW --model {MODEL}"
    assert lines[7:] == [f"For another view: `{command}`"]
    assert "* significant" in done.stderr
    assert run(*shlex.split(command.replace("VIEW", "both"))[3:]).returncode == 0
    assert read_live_manifest(mixed.parent / "home" / "galleries" / "mixed").view == "both"


@pytest.mark.usefixtures("mixed")
def test_bench_views_prints_one_json_object_with_all_figures(run: Run) -> None:
    done = run("bench", "views", "-g", "mixed", "--json")
    report = json.loads(done.stdout)
    assert [row["name"] for row in report["views"]] == ["crop", "fit", "both"]
    keys = {"recall@1", "map@r", "intervals", "to_crop", "won_at_1", "lost_at_1", "images_per_s", "windows_per_picture"}
    assert all(keys <= row.keys() for row in report["views"])
    assert {"recommended", "is_draw", "reason", "command", "machine", "seconds"} <= report.keys()


def test_files_that_are_gone_are_told_in_a_sentence(run: Run, mixed: Path) -> None:
    (mixed / "dots" / "0.png").rename(mixed.parent / "0.png")
    done = run("bench", "views", "-g", "mixed")
    assert "Note: 1 file cannot be read and is left out" in done.stderr
    mixed.rename(mixed.with_name("elsewhere"))
    done = run("bench", "views", "-g", "mixed")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"Error: None of the 4 pictures in {mixed} can be read")
    assert run("bench", "views", "-g", "nowhere").stderr.startswith("Error: There is no gallery named nowhere")


@pytest.mark.usefixtures("mixed")
def test_a_head_is_left_out_and_that_is_said(run: Run, empty_home: Path) -> None:
    gallery = Gallery.open(empty_home / "galleries" / "mixed")
    before = json.loads(run("bench", "views", "-g", "mixed", "--json").stdout)["views"]
    gallery.rebuild(head=serving(gallery))
    done = run("bench", "views", "-g", "mixed", COLUMNS="200")
    assert "Note: The gallery's head is left out" in done.stderr
    assert [f"{row['map@r']:.3f}" for row in before] == [line.split()[4] for line in done.stdout.splitlines()[1:4]]
