"""Galleries that somebody else has made to do harm: their checksums are right, and they are refused all the same."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from commands import Run

from similarity import Gallery
from similarity.deletion import delete_gallery
from similarity.errors import GalleryError, SimilarityError
from similarity.feedback import MARKS, read_marks
from similarity.inventory import list_galleries
from similarity.thumbnails import read_thumbnail

Harm = Callable[[Path, Path], None]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the new owner's, with things in it that must stay."""
    folder = tmp_path / "outside"
    (folder / "inner").mkdir(parents=True)
    for name in ("holiday.jpg", "inner/diary.txt", f"{'0' * 64}.jpg", "000009"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def foreign(shapes: Gallery, empty_home: Path) -> Path:
    """A gallery from elsewhere, beside one's own."""
    for name in ("foreign", "own"):
        shutil.copytree(shapes.directory, empty_home / "galleries" / name)
    return empty_home / "galleries" / "foreign"


def told(change: dict[str, Any]) -> Harm:
    """A manifest that says something else, vouched for as our own is."""

    def harm(directory: Path, _: Path) -> None:
        (generation,) = (directory / "generations").iterdir()
        manifest = json.loads((generation / "manifest.json").read_text()) | change
        seal(directory, json.dumps(manifest).encode())

    return harm


def seal(directory: Path, manifest: bytes) -> None:
    (generation,) = (directory / "generations").iterdir()
    checksum = hashlib.sha256(manifest).hexdigest()
    (generation / "manifest.json").write_bytes(manifest)
    (generation / "manifest.json.sha256").write_text(f"{checksum}  manifest.json\n")
    (directory / "CURRENT").write_text(f"{generation.name} {checksum}\n")


def links(name: str, place: str = "") -> Harm:
    """Something of the gallery's is a link to what is outside."""

    def harm(directory: Path, outside: Path) -> None:
        path = next(directory.glob(name), directory / name)
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(outside / place)

    return harm


def pipes(name: str) -> Harm:
    """Something of the gallery's is a pipe, on which whoever reads it waits for ever."""

    def harm(directory: Path, _: Path) -> None:
        path = next(directory.glob(name), directory / name)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return harm


HARMS: dict[str, Harm] = {
    "thumbnails lead outside": links("thumbnails"),
    "a folder of thumbnails leads outside": links("thumbnails/*"),
    "the journal leads outside": links("unfinished"),
    "a journal leads outside": lambda directory, outside: (
        (directory / "unfinished").mkdir(),
        (directory / "unfinished" / "a.sqlite").symlink_to(outside / "holiday.jpg"),
    )[-1],
    "generations lead outside": links("generations"),
    "another generation leads outside": links("generations/000009"),
    "embeddings lead outside": links("generations/*/embeddings.npy", "holiday.jpg"),
    "CURRENT leads outside": links("CURRENT", "holiday.jpg"),
    "the lock leads outside": links(".lock", "holiday.jpg"),
    "the note of the writer leads outside": links(".writer.json", "holiday.jpg"),
    "the list of collections leads outside": links("collections.json", "holiday.jpg"),
    "CURRENT is a pipe": pipes("CURRENT"),
    "the manifest is a pipe": pipes("generations/*/manifest.json"),
    "its checksum is a pipe": pipes("generations/*/manifest.json.sha256"),
    "the pictures are a pipe": pipes("generations/*/items.parquet"),
    "the index is a pipe": pipes("generations/*/index.faiss"),
    "the lock is a pipe": pipes(".lock"),
    "the note of the writer is a pipe": pipes(".writer.json"),
    "the marks are a pipe": pipes(MARKS),
    "the list of collections is a pipe": pipes("collections.json"),
    "CURRENT is very long": lambda directory, _: (directory / "CURRENT").write_text("0" * 10_000_000) and None,
    "created is a number": told({"created": 5}),
    "created is no time": told({"created": "![](http://evil.example/a.png)"}),
    "count is a word": told({"count": "x"}),
    "count is a fraction": told({"count": 15.5}),
    "count is negative": told({"count": -1}),
    "count is true": told({"count": True}),
    "dim is huge": told({"dim": 1 << 62}),
    "seconds is nothing": told({"seconds": None}),
    "the model is markup": told({"model": "![](http://evil.example/a.png)"}),
    "the model is a list": told({"model": ["efficientnet-lite2"]}),
    "the note is an object": told({"note": {"a": 1}}),
    "the last run is a word": told({"last_run": "index"}),
    "the last run counts in words": told({"last_run": {"task": "index", "added": "many", "skipped": []}}),
    "skipped is an object": told({"skipped": {"path": "a"}}),
    "a skipped file has no path": told({"skipped": [{"reason": "a"}]}),
    "preprocessing is a list": told({"preprocessing": []}),
    "the store is nobody's": told({"store": {"kind": "evil", "uri": ""}}),
    "the store's address is a number": told({"store": {"kind": "milvus", "uri": 7}}),
    "the refinement is unknown": told({"refinement": "evil"}),
    "search is a word": told({"search": "fast"}),
    "files is a list": told({"files": ["items.parquet"]}),
    "a file lies outside": told({"files": {"../../../outside/holiday.jpg": {"size": 11, "sha256": "0" * 64}}}),
    "a file is absolute": told({"files": {"/etc/passwd": {"size": 1, "sha256": "0" * 64}}}),
    "the manifest is no object": lambda directory, _: seal(directory, b"[1, 2]"),
    "the manifest is very deep": lambda directory, _: seal(directory, b"[" * 200_000),
    "the manifest is empty": lambda directory, _: seal(directory, b""),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_gallery_that_means_harm_is_an_error_and_touches_nothing_else(
    foreign: Path, outside: Path, own_pictures: Path, harm: Harm
) -> None:
    harm(foreign, outside)
    before, pictures = contents(outside), contents(own_pictures)
    with pytest.raises(GalleryError):
        Gallery.open(foreign)
    for attempt in (
        lambda: Gallery.open(foreign).verify(),
        lambda: Gallery.open(foreign).remove(labels=["rings"]),
        lambda: Gallery.build(own_pictures, foreign, model="efficientnet-lite2"),
        lambda: read_marks(foreign),
        lambda: delete_gallery(foreign),
    ):
        with suppress(SimilarityError):
            attempt()
    assert contents(outside) == before
    assert contents(own_pictures) == pictures
    assert "own" in [one.name for one in list_galleries()]
    assert len(Gallery.open(foreign.parent / "own")) == 15


def test_a_gallery_that_means_harm_takes_the_list_away_from_nobody(foreign: Path, outside: Path, run: Run) -> None:
    for name in ("created is a number", "the manifest is a pipe", "CURRENT is a pipe", "thumbnails lead outside"):
        another = foreign.parent / f"foreign-{len(list(foreign.parent.iterdir()))}"
        shutil.copytree(foreign, another)
        HARMS[name](another, outside)
    listed = run("list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert "own" in [one["gallery"] for one in json.loads(listed.stdout)["galleries"]]


def test_a_thumbnail_that_is_a_link_is_not_served(foreign: Path, outside: Path) -> None:
    sha256 = Gallery.open(foreign).items[0].sha256
    path = next(foreign.rglob(f"{sha256}.jpg"))
    jpeg = path.read_bytes()
    path.unlink()
    (outside / "secret.jpg").write_bytes(jpeg)
    path.symlink_to(outside / "secret.jpg")
    assert read_thumbnail(foreign, sha256) is None


def test_of_what_lies_among_thumbnails_only_thumbnails_are_deleted(foreign: Path) -> None:
    gallery = Gallery.open(foreign)
    folder = next((foreign / "thumbnails").iterdir())
    (folder / "diary.txt").write_text("dear diary")
    (folder / "0123.jpg").write_text("a picture of somebody's")
    gallery.remove(labels=["rings"])
    gallery.remove(labels=["dots"])
    assert (folder / "diary.txt").exists()
    assert (folder / "0123.jpg").exists()
