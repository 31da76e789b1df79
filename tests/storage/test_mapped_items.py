"""Items of large galleries, whose lines are mapped into memory instead of read."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from large_items import lines, write

from similarity import Gallery
from similarity.errors import GalleryDamagedError
from similarity.paths import cache_folder
from similarity.sources import Item
from similarity.sources.base import join_copies
from similarity.storage import mapped_items
from similarity.storage.cleanup import delete_gallery
from similarity.storage.item_table import OBJECTS
from similarity.storage.items import Items, read_items
from similarity.storage.lines import Lines
from similarity.storage.mapped_items import read_lines, write_lines
from similarity.storage.prepared import Prepared
from similarity.storage.renaming import rename_gallery
from similarity.text.unicode import nfc

PROCESSES = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")


def mapped(path: Path) -> Items:
    folder = path.with_suffix(".mapped")
    folder.mkdir()
    write_lines(path, folder)
    return Items.of(read_lines(folder))


def facts(items: Items) -> list[Any]:
    """All that one can learn of items."""
    ids = [file.id for item in items for file in (item, *item.copies)]
    return [
        list(items),
        items[3:40:7],
        items.at([5, 0, 5, len(items) - 1]),
        items.at(np.arange(len(items))[::-1]),
        items.contents(),
        items.labels(),
        list(items.iter_metadata()),
        items.sizes(),
        items.exif(),
        items.sources(),
        [
            (items.find(one), items.find_any(one))
            for one in [*ids, *items.contents(), "Ko\u0308ln/1.jpg", "no", "0" * 64]
        ],
    ]


def expected(written: list[dict[str, Any]], without: tuple[str, ...]) -> list[Item]:
    """The items of lines, made one by one."""
    files = []
    for line in written:
        values = {name: value for name, value in line.items() if name not in ("row", *without)}
        values |= {name: json.loads(nfc(values[name])) for name in OBJECTS if name in values}
        files.append(Item(**values | {"id": nfc(line["id"]), "label": line["label"] and nfc(line["label"])}))
    return join_copies(files)


@pytest.fixture
def in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of few lines, so that some hundred lines have several."""
    monkeypatch.setattr(mapped_items, "BATCH", 64)


@pytest.fixture
def large(shapes: Gallery, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a gallery that counts as large."""
    monkeypatch.setattr(mapped_items, "LARGE", 1)
    return Path(shutil.copytree(shapes.directory, empty_home / "galleries" / "large"))


def kept() -> list[str]:
    """Names of the folders of prepared files."""
    folder = cache_folder() / "items"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


@pytest.mark.usefixtures("in_small_batches")
@pytest.mark.parametrize("seed", range(6))
def test_mapped_items_are_those_that_are_read(tmp_path: Path, seed: int) -> None:
    without = ("exif",) if seed == 5 else ()
    path = write(tmp_path / "items.parquet", lines(500, seed), without=without, per_group=50)
    read, now = read_items(path), mapped(path)
    assert len(read) < 500, "some are copies"
    assert list(read) == expected(lines(500, seed), without)
    assert facts(now) == facts(read)
    assert now == read
    chosen = np.arange(0, len(read), 3)
    assert facts(now.those(chosen)) == facts(read.those(chosen))
    for items in (read, now):
        moved = items.moved({"/pictures": "/elsewhere"}, "/pictures", "/elsewhere")
        assert moved.sources() != items.sources()
        assert {item.path.split("/")[1] for item in moved if item.source == "/elsewhere"} == {"elsewhere"}
        assert facts(moved.moved({"/elsewhere": "/pictures"}, "/elsewhere", "/pictures")) == facts(items)


@pytest.mark.usefixtures("in_small_batches")
def test_ids_that_would_become_the_same_stay_as_they_are(tmp_path: Path) -> None:
    written = lines(80, 1)
    written[3]["id"], written[4]["id"] = "Ko\u0308ln.jpg", "K\u00f6ln.jpg"
    path = write(tmp_path / "items.parquet", written)
    read, now = read_items(path), mapped(path)
    assert facts(now) == facts(read)
    assert "Ko\u0308ln.jpg" in [file.id for item in now for file in (item, *item.copies)]


@pytest.mark.usefixtures("in_small_batches")
def test_contents_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    written = lines(300, 2)
    for number, line in enumerate(written):
        line["sha256"] = "ab" * 8 + f"{number % 7:048x}"
    path = write(tmp_path / "items.parquet", written)
    read, now = read_items(path), mapped(path)
    assert len(now) == 7
    assert facts(now) == facts(read)


@pytest.mark.parametrize(
    ("column", "value"), [("sha256", "../x"), ("path", "a\0b"), ("width", 2**31 - 1), ("id", None)]
)
def test_lines_that_no_picture_can_have_are_refused(tmp_path: Path, column: str, value: Any) -> None:
    written = lines(30, 3)
    written[20][column] = value
    path = write(tmp_path / "items.parquet", written)
    with pytest.raises(ValueError, match="values that no picture can have"):
        mapped(path)


def test_a_large_gallery_is_prepared_once_and_answers_as_before(
    large: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Gallery.open(large)
    assert len(kept()) == 1
    monkeypatch.setattr(mapped_items, "write_lines", never)
    again = Gallery.open(large)
    for gallery in (first, again):
        assert list(gallery.items) == list(shapes.items)
        assert gallery.facets.counts("label") == shapes.facets.counts("label")
        found = gallery.search_vector(shapes.vectors[2], 5, where={"label": ["dots"]})
        assert found == shapes.search_vector(shapes.vectors[2], 5, where={"label": ["dots"]})


def never(*_: object) -> None:
    raise AssertionError("it was made again")


def test_a_small_gallery_is_read_and_nothing_is_kept_of_it(shapes: Gallery, empty_home: Path) -> None:
    shutil.copytree(shapes.directory, empty_home / "galleries" / "small")
    Gallery.open(empty_home / "galleries" / "small")
    assert kept() == []


def cut_short(folder: Path) -> None:
    os.truncate(folder / "lines.arrow", 1_000)


def take_away(folder: Path) -> None:
    (folder / "order.npy").unlink()


def garble(folder: Path) -> None:
    (folder / "facts.json").write_text("[")


@pytest.mark.parametrize("damage", [cut_short, take_away, garble])
def test_damaged_files_are_made_again(large: Path, shapes: Gallery, damage: Callable[[Path], None]) -> None:
    Gallery.open(large)
    damage(cache_folder() / "items" / kept()[0])
    assert list(Gallery.open(large).items) == list(shapes.items)
    assert list(Gallery.open(large).items) == list(shapes.items)


def test_those_of_another_state_are_never_read_and_the_last_ones_are_kept(large: Path) -> None:
    before = Gallery.open(large)
    old, removed = kept(), before.items[0]
    after = before.remove(ids=[removed.id])
    assert removed.id not in [item.id for item in after.items]
    assert len(kept()) == 1
    assert kept() != old
    assert before.items[0] == removed, "who has them open goes on reading"
    assert before.items.find(before.items[7].sha256) == 7


def test_a_deleted_gallery_leaves_none(large: Path) -> None:
    Gallery.open(large).rebalance(2)
    Gallery.open(large)
    assert len(kept()) == 3, "of the set and of its shards"
    delete_gallery(large)
    assert kept() == []


def test_a_gallery_opens_where_nothing_can_be_kept(large: Path, shapes: Gallery, empty_home: Path) -> None:
    (empty_home / "cache" / "items").write_text("in the way")
    assert list(Gallery.open(large).items) == list(shapes.items)


def test_a_gallery_opens_though_the_disk_is_full(
    large: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No test can fill a disk: the third file that is written says so."""
    real, left = np.save, [3]

    def save(*arguments: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*arguments)

    monkeypatch.setattr(np, "save", save)
    assert list(Gallery.open(large).items) == list(shapes.items)
    assert kept() == []
    assert "are not kept in the cache: " in caplog.text
    left[0] = 100
    assert list(Gallery.open(large).items) == list(shapes.items)
    assert len(kept()) == 1


@pytest.mark.skipif(os.name == "nt", reason="folders that cannot be written")
def test_a_gallery_that_cannot_be_written_opens(large: Path, shapes: Gallery) -> None:
    folders = [path for path in (large, *large.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert list(Gallery.open(large).items) == list(shapes.items)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert len(kept()) == 1


def test_a_large_gallery_keeps_no_more_files_open_than_a_small_one(
    large: Path, descriptors: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = descriptors()
    with monkeypatch.context() as patch:
        patch.setattr(mapped_items, "LARGE", 1_000)
        small = Gallery.open(large)
    between = descriptors()
    opened = Gallery.open(large)
    assert opened.items.columns is not None
    assert descriptors() - between <= between - before
    assert opened.items == small.items


@pytest.fixture
def descriptors() -> Callable[[], int]:
    """Counts the open files of this process."""
    place = Path("/proc/self/fd")
    if not place.exists():
        pytest.skip("this system does not list open files")
    return lambda: len(list(place.iterdir()))


def test_an_error_that_may_pass_deletes_nothing_that_was_prepared(
    large: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(Gallery.open(large).items) == list(shapes.items)
    (name,) = kept()
    folder = cache_folder() / "items" / name
    made = {path.name: path.stat().st_ino for path in folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(mapped_items, "read_lines", refuse)
        assert list(Gallery.open(large).items) == list(shapes.items)
    assert {path.name: path.stat().st_ino for path in folder.iterdir()} == made


def refuse(_: Path) -> Lines:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_where_there_is_no_room_nothing_is_begun(large: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1_000))
    monkeypatch.setattr(mapped_items, "write_lines", None)
    assert list(Gallery.open(large).items) == list(shapes.items)
    assert kept() == []


def test_nothing_is_kept_for_galleries_that_are_renamed_or_gone(large: Path, shapes: Gallery) -> None:
    second, third = (large.with_name(name) for name in ("second", "third"))
    for copy in (second, third):
        shutil.copytree(shapes.directory, copy)
        Gallery.open(copy)
    assert len(kept()) == 2
    renamed = rename_gallery(second, "renamed")
    assert len(kept()) == 1
    shutil.rmtree(third)
    Gallery.open(renamed)
    (name,) = kept()
    Gallery.open(renamed)
    assert kept() == [name]


def test_a_damaged_table_is_refused_as_ever(large: Path) -> None:
    with (next(large.rglob("items.parquet"))).open("r+b") as file:
        file.write(b"xxxx")
    with pytest.raises(GalleryDamagedError):
        Gallery.open(large)
    assert kept() == []


def killed_at(step: int, home: Path, directory: Path, path: Path) -> None:
    """Prepare lines, and be killed when this many files were begun."""
    os.environ["SIMILARITY_HOME"] = str(home)

    def make(folder: Path) -> None:
        real, left = np.save, [step]

        def save(*arguments: Any) -> None:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            real(*arguments)

        np.save = save
        write_lines(path, folder)

    Prepared(directory, "lines", "a").read_or_make(make, read_lines)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("step", [1, 4, 7])
def test_a_process_killed_in_the_making_harms_nobody(tmp_path: Path, empty_home: Path, step: int) -> None:
    path = write(tmp_path / "items.parquet", lines(100, 4))
    process = PROCESSES.Process(target=killed_at, args=(step, empty_home, tmp_path, path))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [name.rpartition(".")[2] for name in kept()] == ["new"]
    made = Prepared(tmp_path, "lines", "a").read_or_make(lambda folder: write_lines(path, folder), read_lines)
    assert made is not None
    assert facts(Items.of(made)) == facts(read_items(path))
    assert len(kept()) == 1


def open_and_count(home: Path, path: Path, begun: Any, made: Any, results: Any) -> None:
    os.environ["SIMILARITY_HOME"] = str(home)
    with begun.get_lock():
        begun.value += 1

    def make(folder: Path) -> None:
        while begun.value < 3:
            time.sleep(0.01)
        time.sleep(0.5)  # the others are at the door by now
        with made.get_lock():
            made.value += 1
        write_lines(path, folder)

    found = Prepared(path.parent, "lines", "a").read_or_make(make, read_lines)
    results.put(found is not None and len(Items.of(found)))


def test_processes_that_open_it_at_once_make_it_once(tmp_path: Path, empty_home: Path) -> None:
    path = write(tmp_path / "items.parquet", lines(200, 4))
    begun, made, results = PROCESSES.Value("i"), PROCESSES.Value("i"), PROCESSES.Queue()
    arguments = empty_home, path, begun, made, results
    processes = [PROCESSES.Process(target=open_and_count, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    counts = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert counts == [len(read_items(path))] * 3
    assert made.value == 1
