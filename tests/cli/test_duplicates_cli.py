"""`duplicates` on the command line: which file of a group to keep, and the lists of groups and of the others."""

import csv
import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
from commands import Run
from conftest import MODEL
from PIL import Image
from scenes import draw_scene

from similarity import Embedder, Gallery

OLD, NEW = 1_000_000_000, 1_600_000_000


@pytest.fixture
def doubled(own_pictures: Path, empty_home: Path, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures twice, and a gallery named `mine` of it.

    Of the dots there is an exact copy with an earlier time in the folder archive; of the stripes a larger picture that
    the camera says to be older.
    """
    archive = own_pictures / "archive"
    archive.mkdir()
    shutil.copy(own_pictures / "dots" / "dots-0.jpg", archive / "copy.jpg")
    os.utime(own_pictures / "dots" / "dots-0.jpg", (NEW, NEW))
    os.utime(archive / "copy.jpg", (OLD, OLD))
    with Image.open(own_pictures / "stripes" / "stripes-1.jpg") as image:
        exif = image.getexif()
        exif[306] = "1999:05:03 14:22:10"
        image.resize((image.width + 16, image.height + 16)).save(own_pictures / "stripes" / "large.png", exif=exif)
    monkeypatch.setattr("similarity.indexing.operations.load_embedder", lambda *_: light_embedder)
    Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    return own_pictures


def kept(run: Run, *options: object) -> list[str]:
    """The names of the files to keep, sorted."""
    done = run("duplicates", "-g", "mine", "--json", *options)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report.keys() == {"gallery", "preset", "threshold", "groups"}
    for group in report["groups"]:
        assert group.keys() == {"kind", "score", "files", "keep"}
        assert group["keep"] | {"copy": None} in group["files"]
    return sorted(Path(group["keep"]["path"]).name for group in report["groups"])


def test_the_largest_the_oldest_or_that_in_a_folder_is_kept(run: Run, doubled: Path) -> None:
    assert kept(run) == kept(run, "--keep", "largest") == ["copy.jpg", "large.png"]
    assert kept(run, "--keep", "oldest") == ["copy.jpg", "large.png"]
    assert kept(run, "--keep", doubled / "dots") == ["dots-0.jpg", "large.png"]
    assert kept(run, "--keep", f"{doubled / 'archive'}/") == ["copy.jpg", "large.png"]


def test_the_files_time_decides_where_no_camera_says_when(run: Run, doubled: Path) -> None:
    os.utime(doubled / "archive" / "copy.jpg", (NEW, NEW))
    os.utime(doubled / "dots" / "dots-0.jpg", (OLD, OLD))
    assert run("sync", doubled, "-g", "mine").returncode == 0
    assert kept(run, "--keep", "oldest") == ["dots-0.jpg", "large.png"]


def test_a_folder_without_pictures_of_the_gallery_is_refused_in_a_sentence(run: Run, doubled: Path) -> None:
    for folder in (doubled / "dot", "lagrest", doubled / "dots" / "dots-0.jpg"):
        done = run("duplicates", "-g", "mine", "--keep", folder)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "is largest, oldest, or a folder with pictures of the gallery" in done.stderr


def test_the_table_says_which_to_keep_only_if_that_was_asked_for(run: Run, doubled: Path) -> None:
    lines = run("duplicates", "-g", "mine").stdout.splitlines()
    assert lines[0].split() == ["group", "kind", "score", "path"]
    lines = run("duplicates", "-g", "mine", "--keep", doubled / "dots").stdout.splitlines()
    assert lines[0].split() == ["group", "kind", "score", "keep", "path"]
    assert sorted(line.split()[-1] for line in lines[1:] if "yes" in line.split()) == sorted(
        [str(doubled / "dots" / "dots-0.jpg"), str(doubled / "stripes" / "large.png")]
    )


def test_all_groups_and_the_paths_of_the_others_are_written_and_no_picture_is_deleted(
    run: Run, doubled: Path, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime for path in doubled.rglob("*")}
    table, others = tmp_path / "groups.csv", tmp_path / "others.txt"
    others.write_text("of the last time\n" * 100)
    done = run("duplicates", "-g", "mine", "--keep", doubled / "dots", "--csv", table, "--list", others)
    assert done.returncode == 0, done.stderr
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["group", "kind", "score", "keep", "path", "label", "width", "height", "bytes", "copy"]
    assert {(Path(row["path"]).name, row["kind"], row["keep"]) for row in rows} == {
        ("dots-0.jpg", "exact", "yes"),
        ("copy.jpg", "exact", "no"),
        ("large.png", "near", "yes"),
        ("stripes-1.jpg", "near", "no"),
    }
    assert {row["group"] for row in rows} == {"1", "2"}
    expected = [str(doubled / "archive" / "copy.jpg"), str(doubled / "stripes" / "stripes-1.jpg")]
    assert sorted(others.read_text().splitlines()) == expected
    assert others.read_text().endswith(".jpg\n")
    assert {path: path.stat().st_mtime for path in doubled.rglob("*")} == before
    assert sorted(path.name for path in tmp_path.glob("*.new")) == []


def test_a_list_that_cannot_be_written_is_told_in_a_sentence(run: Run, doubled: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for option, place in itertools.product(
        ("--csv", "--list"), (tmp_path / "none" / "file", tmp_path / "pipe", tmp_path)
    ):
        done = run("duplicates", "-g", "mine", option, place)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "could not be written to" in done.stderr
    assert (tmp_path / "pipe").is_fifo()
    assert doubled.is_dir()


def test_a_path_that_would_mislead_whoever_deletes_what_is_listed_is_left_out(
    run: Run, doubled: Path, tmp_path: Path
) -> None:
    kept_file = doubled / "dots" / "dots-0.jpg"
    (doubled / "dots" / "zz-link.jpg").symlink_to(kept_file)
    shutil.copy(kept_file, doubled / "dots" / "zz\nwrapped.jpg")
    assert run("sync", doubled, "-g", "mine").returncode == 0
    done = run("duplicates", "-g", "mine", "--keep", doubled / "dots", "--list", tmp_path / "others.txt")
    assert done.returncode == 0, done.stderr
    assert "Note" in done.stderr
    listed = (tmp_path / "others.txt").read_text().splitlines()
    assert sorted(listed) == [str(doubled / "archive" / "copy.jpg"), str(doubled / "stripes" / "stripes-1.jpg")]


def test_the_help_says_that_nothing_is_deleted(run: Run) -> None:
    assert "nothing is ever deleted from a disk" in " ".join(run("duplicates", "--help", COLUMNS="200").stdout.split())


@pytest.mark.exhaustive
def test_copies_of_one_picture_are_listed_with_what_was_done_to_them(run: Run, doubled: Path, tmp_path: Path) -> None:
    scene = draw_scene(1)
    scene.save(doubled / "scene.jpg")
    scene.transpose(Image.Transpose.ROTATE_180).save(doubled / "turned.jpg")
    assert run("sync", doubled, "-g", "mine").returncode == 0
    table = tmp_path / "groups.csv"
    done = run("duplicates", "-g", "mine", "--preset", "same", "--json", "--csv", table)
    report = json.loads(done.stdout)
    assert (report["preset"], report["threshold"]) == ("same", None)
    files = {Path(file["path"]).name: file["copy"] for group in report["groups"] for file in group["files"]}
    turned = files["turned.jpg"] or files["scene.jpg"]
    assert abs(abs(turned["rotation"]) - 180) < 1
    assert turned.keys() == {"probability", "rotation", "mirrored", "query_box", "result_box"}
    assert {"same", "exact"} <= {group["kind"] for group in report["groups"]}
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert any("upside down" in row["copy"] for row in csv.DictReader(file))
    lines = run("duplicates", "-g", "mine", "--preset", "same").stdout.splitlines()
    assert lines[0].split() == ["group", "kind", "score", "copy", "path"]


def test_exact_copies_are_a_preset_of_their_own(run: Run, doubled: Path) -> None:
    assert doubled.is_dir()
    assert kept(run, "--preset", "exact") == ["copy.jpg"]


def test_an_unknown_preset_and_a_threshold_that_would_not_be_used_are_refused(run: Run, doubled: Path) -> None:
    assert doubled.is_dir()
    done = run("duplicates", "-g", "mine", "--preset", "alike", COLUMNS="200")
    assert done.returncode == 2
    assert "exact, same, look-alikes" in done.stderr
    done = run("duplicates", "-g", "mine", "--preset", "same", "--threshold", "0.9", COLUMNS="200")
    assert done.returncode == 2
    assert "only look-alikes have one" in done.stderr
