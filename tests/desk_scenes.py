"""What is done with a gallery on the computer that `desks` plays, each in a process of its own that has no POSIX."""

import json
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import crash
import standin
from conftest import draw
from desks import PROCESSES, in_a_process

from similarity.errors import GalleryNotFoundError
from similarity.files import open_own, write_atomically
from similarity.gallery import Gallery, restore
from similarity.indexing import operations, removing
from similarity.indexing.importing import import_gallery
from similarity.indexing.options import IndexOptions
from similarity.sources import open_source
from similarity.storage.cleanup import delete_gallery
from similarity.storage.feedback import FeedbackQuery, add_feedback, read_feedback
from similarity.storage.generations import read_generation
from similarity.storage.locks import release_own_pins
from similarity.storage.renaming import rename_gallery


def index_search_add_kill_and_restore(root: Path) -> None:
    """Killed at a step of an add, the gallery is the old one or the new one; then it goes back to the state before."""
    gallery, pictures, more = root / "gallery", root / "pictures", root / "more"
    _fill(pictures, 6, seed=0)
    _fill(more, 3, seed=100)
    assert in_a_process(crash.run, "index", gallery, pictures, root / "answer.json") == 0
    old = _state(gallery, root)
    assert in_a_process(_copy, gallery, root / "before") == 0
    assert in_a_process(crash.run, "add", gallery, more, root / "answer.json") == 0
    new, steps = _state(gallery, root), json.loads((root / "answer.json").read_text())["steps"]
    assert old
    assert new
    assert len(new["items"]) == len(old["items"]) + 3  # type: ignore[arg-type]
    renames = [number for number, step in enumerate(steps) if step.startswith("os.rename") and "CURRENT" in step]
    every = int(os.environ.get("EVERY_STEP", "0"))
    for step in range(0, len(steps), every) if every else renames[-1:]:
        assert in_a_process(_copy, root / "before", gallery) == 0
        killed = in_a_process(crash.run, "add", gallery, more, root / "answer.json", step)
        assert killed == -signal.SIGKILL, steps[step]
        assert _state(gallery, root) in (old, new), steps[step]
        assert in_a_process(crash.run, "add", gallery, more, root / "answer.json") == 0, steps[step]
        assert _state(gallery, root) == new, steps[step]
    assert in_a_process(restore, gallery) == 0
    assert _state(gallery, root) == old


def readers_keep_a_generation(root: Path) -> None:
    """A generation that is read stays as it is, by a lock beside it, and goes when nobody reads it."""
    gallery = _indexed(root)
    held = read_generation(gallery)
    rows = held.vectors[:].tobytes()
    for picture in range(3):
        removing.remove(gallery, ids=[f"{picture}.jpg"])
    assert _generations(gallery) == ["000001", "000003", "000004"]
    assert held.vectors[:].tobytes() == rows
    del held
    removing.remove(gallery, ids=["3.jpg"])
    assert _generations(gallery) == ["000004", "000005"]
    assert not (gallery / "generations" / "000001.pin").exists()


def a_killed_reader_keeps_nothing(root: Path) -> None:
    """The lock of a reader in another process ends with it."""
    gallery = _indexed(root)
    reading = PROCESSES.Event()
    reader = PROCESSES.Process(target=_hold, args=(gallery, reading))
    reader.start()
    assert reading.wait(60)
    for picture in range(3):
        removing.remove(gallery, ids=[f"{picture}.jpg"])
    assert _generations(gallery) == ["000001", "000003", "000004"]
    reader.kill()
    reader.join()
    removing.remove(gallery, ids=["3.jpg"])
    assert _generations(gallery) == ["000004", "000005"]


def many_write_and_read_one_file(root: Path) -> None:
    """Who replaces a file waits for those who read it, and the others who write it; it is always one of them whole."""
    path = root / "notes.json"
    contents = [bytes([number]) * 100_000 for number in range(24)]
    write_atomically(path, contents[0])
    with ThreadPoolExecutor(6) as pool:
        writing = [pool.submit(write_atomically, path, content, durable=True) for content in contents]
        while not all(one.done() for one in writing):
            with open_own(path) as file:
                assert file.read() in contents
                time.sleep(0.005)  # while it cannot be replaced
            time.sleep(0.005)
    assert [one.result() for one in writing] == [None] * len(contents)
    assert {entry.name for entry in root.iterdir()} <= {"notes.json", "notes.json.new.lock"}  # Windows deletes that


def what_is_mapped_outlives_its_pin(root: Path) -> None:
    """A mapped file is not deleted where none can be; once it is closed, the next change deletes its generation."""
    gallery = _indexed(root)
    held = read_generation(gallery)
    for picture in range(3):
        removing.remove(gallery, ids=[f"{picture}.jpg"])
        release_own_pins(gallery / "generations" / f"{picture + 2:06d}")
    assert len(held.vectors[:]) == 6
    assert "000001" in _generations(gallery)
    del held
    removing.remove(gallery, ids=["3.jpg"])
    assert _generations(gallery) == ["000004", "000005"]


def import_rename_mark_and_delete(root: Path) -> None:
    """Each of the changes of a whole folder, in which a lock is open meanwhile."""
    os.environ["SIMILARITY_HOME"] = str(root / "home")
    source = _indexed(root)
    brought = import_gallery(source, "brought").directory
    named = rename_gallery(brought, "shoes")
    assert not brought.exists()
    opened = Gallery.open(named, load=standin.load)
    first = opened.vectors[0]
    assert opened.search_vector(first, k=1)[0].item.id == opened.items[0].id
    picture = next((root / "pictures").iterdir())
    for item in opened.items[:2]:
        add_feedback(named, opened.manifest, FeedbackQuery(picture.name, "0" * 64), item, wanted=True)
    assert [entry.item for entry in read_feedback(named)] == [item.id for item in opened.items[:2]]
    assert b"\r" not in (named / "feedback.jsonl").read_bytes()
    del opened
    delete_gallery(named)
    assert {path.name for path in named.iterdir()} <= {".lock"} if named.exists() else True
    try:
        read_generation(named)
    except GalleryNotFoundError:
        return
    raise AssertionError("it is still there")


def _fill(folder: Path, count: int, seed: int) -> None:
    folder.mkdir()
    for number in range(count):
        kind = ("dots", "rings", "stripes")[number % 3]
        draw(kind, seed + number).resize((72, 96)).save(folder / f"{seed + number}.jpg", quality=92)


def _indexed(root: Path) -> Path:
    os.environ["SIMILARITY_EARLIER_STATES"] = "1"
    standin.use_standin()
    _fill(root / "pictures", 6, seed=0)
    operations.index(open_source(root / "pictures"), root / "gallery", IndexOptions(standin.CHOICE))
    return root / "gallery"


def _state(gallery: Path, root: Path) -> dict[str, object]:
    assert in_a_process(crash.look, gallery, root / "state.json") == 0
    state: dict[str, object] = json.loads((root / "state.json").read_text())
    return state


def _hold(gallery: Path, reading: Any) -> None:
    held = read_generation(gallery)
    reading.set()
    time.sleep(600)
    del held


def _copy(old: Path, new: Path) -> None:
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(old, new)


def _generations(gallery: Path) -> list[str]:
    return sorted(path.name for path in (gallery / "generations").iterdir() if path.is_dir())
