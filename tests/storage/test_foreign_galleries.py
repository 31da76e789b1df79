"""Galleries that somebody else has made to do harm: their checksums are right, and they are refused all the same."""

import io
import json
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import faiss
import foreign as made_elsewhere
import numpy as np
import pytest
from commands import Run
from foreign import Harm
from harms import HARMS, contents
from PIL import Image
from tiers import Share

from similarity import Gallery
from similarity.app.map.layout import file_name, read_map
from similarity.cache import read_notes
from similarity.errors import GalleryError, GalleryNotFoundError, SimilarityError
from similarity.evaluation.gallery_calibration import CACHE as CALIBRATIONS
from similarity.evaluation.gallery_calibration import cache_key, read_calibration
from similarity.paths import cache_folder
from similarity.query.gallery_belonging import CACHE as BELONGINGS
from similarity.query.gallery_belonging import read_belonging
from similarity.storage.cleanup import delete_gallery
from similarity.storage.feedback import FEEDBACK, read_feedback
from similarity.storage.inventory import list_galleries, take_inventory
from similarity.storage.journal import Journal, settle
from similarity.storage.removal import MOST
from similarity.storage.thumbnails import read_thumbnail


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the new owner's, with things in it that must stay."""
    folder = tmp_path / "outside"
    (folder / "inner").mkdir(parents=True)
    for name in ("holiday.jpg", "inner/diary.txt", f"{'0' * 64}.jpg", "000009"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def foreign(shapes: Gallery, empty_home: Path) -> Iterator[Path]:
    """A gallery from elsewhere, beside one's own."""
    for name in ("foreign", "own"):
        shutil.copytree(shapes.directory, empty_home / "galleries" / name)
    yield empty_home / "galleries" / "foreign"
    subprocess.run(["rm", "-rf", empty_home / "galleries"], check=True)  # Python cannot delete very deep folders


@pytest.mark.many
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
        lambda: read_feedback(foreign),
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


@pytest.fixture
def zoo(shapes: Gallery, empty_home: Path, outside: Path) -> Path:
    """The folder of all galleries that mean harm with a file, and one's own."""
    folder = empty_home / "galleries"
    shutil.copytree(shapes.directory, folder / "own")
    for name, harm in made_elsewhere.HARMS.items():
        directory = folder / name.replace(" ", "-")
        shutil.copytree(shapes.directory, directory)
        harm(directory, outside)
    return folder


@pytest.mark.exhaustive
def test_no_file_from_elsewhere_takes_much_memory_or_time(zoo: Path, child_environment: dict[str, str]) -> None:
    script = Path(made_elsewhere.__file__)
    done = subprocess.run(
        [sys.executable, str(script), str(zoo)], env=child_environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("own")[0] == "opened"
    assert len(found) == len(made_elsewhere.HARMS)
    for name, (said, seconds, grown) in found.items():
        assert said.startswith("GalleryDamagedError: "), (name, said)
        assert said.count("\n") == 0, (name, said)
        assert grown < 300_000_000, (name, grown)
        assert seconds < 20, (name, seconds)


def test_an_index_is_looked_at_before_faiss_reads_it(
    foreign: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_elsewhere.HARMS["lists lie in a file outside"](foreign, outside)

    def fail(*_: object) -> None:
        raise AssertionError("FAISS opens what the file names")

    monkeypatch.setattr(faiss, "read_index", fail)
    with pytest.raises(GalleryError, match="it has an unexpected part 'ilod'"):
        Gallery.open(foreign)


COMMANDS: dict[str, tuple[str, ...]] = {
    "list": (),
    "info": ("--gallery",),
    "verify": ("--gallery",),
    "search": ("{picture}", "--gallery"),
    "duplicates": ("--gallery",),
    "remove": ("--label", "rings", "--gallery"),
    "add": ("{pictures}", "--gallery"),
    "rebuild": ("--gallery",),
    "restore": ("--gallery",),
    "index": ("{pictures}", "--gallery"),
}


def test_no_command_fails_in_any_way_but_a_sentence(
    foreign: Path, outside: Path, own_pictures: Path, run: Run, share: Share
) -> None:
    before, pictures = contents(outside), contents(own_pictures)
    words = {"{picture}": own_pictures / "dots" / "dots-0.jpg", "{pictures}": own_pictures}
    for name in share.of(list(HARMS), parts=40):
        subprocess.run(["rm", "-rf", foreign], check=True)
        shutil.copytree(foreign.parent / "own", foreign)
        HARMS[name](foreign, outside)
        before |= contents(outside)  # what a harm has put there
        for command, arguments in COMMANDS.items():
            asked = [words.get(word, word) for word in arguments] + (["foreign"] if arguments else [])
            done = run(command, *asked)  # which raises what is no sentence
            assert done.returncode in (0, 1), (name, command, done.stderr)
            if command not in ("list", "index"):
                assert "Error:" in done.stderr, (name, command)
        with suppress(SimilarityError):
            delete_gallery(foreign)
        assert contents(outside) == before, name
        assert contents(own_pictures) == pictures, name
        assert [entry.name for entry in take_inventory() if entry.condition == "sound"] == ["own"], name
    assert len(Gallery.open(foreign.parent / "own")) == 15


MINE = (
    "notes.txt",
    "generations/000001/notes.txt",
    "generations/000001/my-photos/holiday.jpg",
    "generations/000001/network/notes.txt",
    "generations/000001x/manifest.json",
    "generations/0000001/manifest.json",
    "generations/1/manifest.json",
    "generations/٣٣٣٣٣٣/manifest.json",
    "generations/000007\n/manifest.json",
    "generations/index.faiss",
    "unfinished/holiday.jpg",
    "unfinished/holiday.sqlite",
    "unfinished/holiday.sqlite-wal",
    "unfinished/0123456789abcdef.sqlite.bak",
    "unfinished/0123456789ABCDEF.sqlite",
    f"thumbnails/my-photos/{'0' * 64}.jpg",
    f"thumbnails/00/{'1' * 64}.jpg",
    f"thumbnails/00/{'0' * 64}.jpeg",
    f"thumbnails/00/deep/{'0' * 64}.jpg",
    f"thumbnails/{'0' * 64}.jpg",
)


def put(directory: Path) -> dict[str, bytes]:
    """Files of somebody's in the folder of a gallery."""
    for name in MINE:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)
    return {name: name.encode() for name in MINE}


@pytest.mark.usefixtures("one_earlier_state")
def test_what_somebody_else_put_into_a_gallery_stays_whatever_is_done_with_it(
    foreign: Path, own_pictures: Path, run: Run
) -> None:
    mine = put(foreign)
    for command in (
        ("remove", "--label", "rings"),
        ("remove", "--label", "dots"),
        ("add", own_pictures),
        ("sync", own_pictures),
        ("rebuild", "--recipe", "flat-sq8"),
        ("restore",),
        ("index", own_pictures),
        ("index", own_pictures, "--recipe", "flat-sq8"),
        ("verify",),
    ):
        done = run(*command, "--gallery", "foreign")
        assert done.returncode == 0, (command, done.stderr)
        assert contents(foreign).items() >= mine.items(), command
    kept = sorted(path.name for path in (foreign / "generations").iterdir() if (path / "embeddings.npy").exists())
    assert len(kept) == 2, "what the others had is gone from their folders"
    assert not (foreign / "generations" / "000001" / "index.faiss").exists()
    assert len(list(foreign.glob("thumbnails/??/*.jpg"))) == 15 + 1
    delete_gallery(foreign)
    assert contents(foreign) == mine
    assert [entry.name for entry in take_inventory()] == ["own"]
    with pytest.raises(GalleryNotFoundError):
        delete_gallery(foreign)


@pytest.mark.usefixtures("one_earlier_state")
def test_a_generation_of_which_somebody_kept_something_breaks_nothing_later(foreign: Path, own_pictures: Path) -> None:
    """Its folder stays; thumbnails are tidied up all the same, and its number is not used again."""
    (foreign / "generations" / "000001" / "notes.txt").write_text("mine")
    gallery = Gallery.open(foreign).remove(labels=["rings"]).remove(labels=["dots"])
    assert [path.name for path in (foreign / "generations" / "000001").iterdir()] == ["notes.txt"]
    (foreign / "generations" / "000009").mkdir()
    (foreign / "generations" / "000009" / "notes.txt").write_text("mine")
    gallery = gallery.remove(ids=["stripes/stripes-0.jpg"]).remove(ids=["stripes/stripes-1.jpg"])
    assert gallery.manifest.generation == 11
    assert len(list(foreign.glob("thumbnails/*/*.jpg"))) == 5, "of the last two generations"
    delete_gallery(foreign)
    assert len(contents(foreign)) == 2
    assert len(Gallery.build(own_pictures, foreign, model="efficientnet-lite2")) == 15


def test_when_no_number_is_left_for_a_generation_that_is_said(foreign: Path) -> None:
    (foreign / "generations" / str(MOST)).mkdir()
    with pytest.raises(GalleryError, match="used up all numbers of states"):
        Gallery.open(foreign).remove(labels=["rings"])
    assert len(Gallery.open(foreign)) == 15


IDENTITY = {"model": "any"}


def journal(directory: Path) -> Path:
    """The file of a journal that has one picture in it."""
    with closing(Journal(directory, IDENTITY, 4, "somewhere")) as made:
        made.add("0" * 64, (3, 2), np.ones(4, np.float32))
    (path,) = (directory / "unfinished").glob("*.sqlite")
    return path


def finished_in(directory: Path) -> list[str]:
    with closing(Journal(directory, IDENTITY, 4, "somewhere")) as opened:
        return list(opened.finished)


def test_a_journal_cannot_make_sqlite_delete_a_file_elsewhere(foreign: Path, outside: Path) -> None:
    path = journal(foreign)
    assert finished_in(foreign) == ["0" * 64]
    victim = str(outside / "holiday.jpg").encode()
    magic = bytes.fromhex("d9d505f920a163d7")
    header = magic + struct.pack(">IIIII", 0, 0, path.stat().st_size // 4096, 512, 4096)
    end = struct.pack(">II", len(victim), sum(victim)) + magic
    lock_page = struct.pack(">I", (1 << 30) // 4096 + 1)
    for open_it in (lambda: finished_in(foreign), lambda: settle(foreign, "somewhere else")):
        path.with_name(f"{path.name}-journal").write_bytes(header.ljust(512, b"\0") + lock_page + victim + end)
        open_it()
        assert (outside / "holiday.jpg").exists()


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE VIEW finished AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) "
        "SELECT i rowid, i sha256, 1 width, 1 height, i vector, i source, i sum FROM n",
        "CREATE TABLE finished (sha256 TEXT, width INT, height INT, vector BLOB, source TEXT, sum INT); "
        "CREATE TRIGGER more AFTER INSERT ON finished BEGIN DELETE FROM finished; END",
        "CREATE TABLE finished (sha256 TEXT, width INT, height INT, vector AS (zeroblob(1000000000)), source, sum)",
    ],
    ids=["view", "trigger", "computed"],
)
def test_a_journal_with_anything_else_in_it_is_begun_anew(foreign: Path, schema: str) -> None:
    path = journal(foreign)
    path.unlink()
    with closing(sqlite3.connect(path)) as file:
        file.executescript(schema)
    journal(foreign)
    assert finished_in(foreign) == ["0" * 64]


BOMBS = {
    "deep": b"[" * 200_000,
    "deep within": b'{"a":' * 100_000 + b"0" + b"}" * 100_000,
    "no number": b'{"by": "label", "queries": NaN}',
    "endless": b'{"by": "label", "queries": 1e999}',
    "something else": b"[1, 2]",
    "words": b'"words"',
    "no JSON": b"\xff\xfe\0",
    "brackets": b"[" + b"[]," * 3_000_000 + b"0]",
    "long": b'"' + b"a" * 30_000_000 + b'"',
}


@pytest.mark.many
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_what_can_be_made_again_is_passed_over_if_it_means_harm(foreign: Path, bomb: bytes) -> None:
    """Notes that lie beside a gallery, or in the cache for it."""
    gallery = Gallery.open(foreign)
    (memory,) = (cache_folder() / "verified").glob("*.json") if (cache_folder() / "verified").exists() else ()
    notes = {
        "verified": memory,
        "calibration": CALIBRATIONS.path(cache_key(gallery, "label")),
        "belonging": BELONGINGS.path(gallery.state),
        "map": cache_folder() / "maps" / file_name(gallery),
        "speeds": cache_folder() / "speeds.json",
        "collections": foreign / "collections.json",
        "writer": foreign / ".writer.json",
        "marks": foreign / FEEDBACK,
    }
    for path in notes.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bomb)
    assert read_calibration(gallery) is None
    assert read_belonging(gallery.state) is None
    assert read_map(gallery) is None
    assert read_notes("speeds.json") == {}
    assert read_feedback(foreign) == []
    assert len(Gallery.open(foreign).remove(labels=["rings"])) == 10
    delete_gallery(foreign)
    assert not foreign.exists()


MARK: dict[str, Any] = {
    "when": "2026-01-01T00:00:00+00:00",
    "title": "a query",
    "query": "0" * 64,
    "box": None,
    "item": "dots/dots-0.jpg",
    "sha256": "1" * 64,
    "wanted": True,
    "model": "efficientnet-lite2",
    "weights_sha256": "2" * 64,
    "network_sha256": None,
    "embedding": None,
}


@pytest.mark.many
@pytest.mark.parametrize(
    "change",
    [
        {"when": 5},
        {"when": "![](http://evil.example/a.png)"},
        {"title": ["a"], "sha256": 5},
        {"query": ["a"]},
        {"box": [0, 0, 2, 2]},
        {"box": [0.5, 0, 0.5, 1]},
        {"box": ["a", 0, 1, 1]},
        {"box": [0, 0, 1]},
        {"box": [0, 0, 10**400, 1]},
        {"item": None},
        {"wanted": "yes"},
        {"wanted": 1},
        {"model": 7},
        {"weights_sha256": []},
        {"network_sha256": 7},
        {"view": 7},
        {"embedding": "AAAA"},
        {"embedding": "fH8="},
        {"embedding": "no base64"},
        {"embedding": 5},
        {"title": "a" * 40_000},
    ],
)
def test_a_mark_that_says_what_no_mark_says_is_passed_over(foreign: Path, change: dict[str, Any]) -> None:
    lines = [MARK, MARK | {"sha256": "3" * 64} | change, MARK | {"sha256": "4" * 64}]
    (foreign / FEEDBACK).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [mark.sha256[0] for mark in read_feedback(foreign)] == ["1", "4"]


def test_marks_of_more_bytes_or_lines_than_there_can_be_are_an_error_or_cut(
    foreign: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (foreign / FEEDBACK).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(GalleryError, match=r"The marks of .* cannot be read"):
        read_feedback(foreign)
    (foreign / FEEDBACK).write_text("{}\n" * 100 + json.dumps(MARK) + "\n")
    assert len(read_feedback(foreign)) == 1
    assert len(caplog.records) == 6, "a log has a few lines of it"
    monkeypatch.setattr("similarity.storage.feedback.MOST_LINES", 100)
    assert read_feedback(foreign) == []


def jpeg(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (side, side)).convert("L").save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("content", [b"<script>\xff\xd9", b"GIF89a\xff\xd9", jpeg(4_000)], ids=["page", "gif", "large"])
def test_a_thumbnail_that_is_none_of_ours_is_made_anew(foreign: Path, content: bytes) -> None:
    gallery = Gallery.open(foreign)
    item = gallery.items[0]
    next(foreign.rglob(f"{item.sha256}.jpg")).write_bytes(content)
    assert read_thumbnail(foreign, item.sha256) is None
    assert gallery.thumbnail(item)[:3] == b"\xff\xd8\xff"
