"""Killed at any moment, a gallery is in the old state or in the new one, and the next run does nothing twice."""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import crash
import pytest
import standin
from conftest import draw
from tiers import Share

from similarity.images.decoding import decode_scaled
from similarity.storage.journal import FOLDER as UNFINISHED
from similarity.storage.manifest import read_manifest

# A process that has imported everything and forks for each run: a fresh process in 20 ms.
PROCESSES = multiprocessing.get_context("forkserver")
# Of each task, in the exhaustive tier.
RANDOM_KILLS = 100
TASKS = ("index", "add", "sync")
SETS = ("index-set", "sync-set", "rebalance")


@dataclass
class Scene:
    """A gallery's folder before a task, and what the task does when nobody disturbs it.

    Attributes:
        before: a copy of the folder; it does not exist where there was no gallery.
        old, new: the gallery's state before and after.
        steps: of the undisturbed run.
        seconds: that it took.
        contents: the SHA-256 of each picture by its fingerprint in the log.
    """

    task: str
    source: Path
    root: Path
    before: Path
    old: dict[str, object] | None
    new: dict[str, object] | None
    steps: list[str]
    seconds: float
    contents: dict[str, str]

    @property
    def gallery(self) -> Path:
        return self.root / "gallery"

    def reset(self) -> None:
        shutil.rmtree(self.gallery, ignore_errors=True)
        if self.before.exists():
            shutil.copytree(self.before, self.gallery)


def in_a_process(target: Callable[..., None], *arguments: object, after: float | None = None) -> int | None:
    """Run a function in a fresh process; returns its exit code. Kills it after so many seconds, if told to."""
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join(after if after is not None else 60)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode


def fill(folder: Path, names: list[str], seed: int) -> None:
    """Draw small pictures, all different."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(("dots", "rings", "stripes")[number % 3], seed + number).resize((72, 96)).save(path, quality=92)


def fingerprints(folder: Path) -> dict[str, str]:
    """The SHA-256 of each picture by what it is known as in a log."""
    embedder, found = standin.standin().with_view("fit"), {}
    for path in folder.rglob("*.jpg"):
        data = path.read_bytes()
        pixels = embedder.prepare(decode_scaled(data, path.name, side=292).image)
        found[standin.fingerprint(pixels)] = hashlib.sha256(data).hexdigest()
    return found


def make_scene(root: Path, task: str) -> Scene:
    """Lay out folder and gallery for a task, and run it once without killing it."""
    source, gallery, answer = root / "pictures", root / "gallery", root / "answer.json"
    fill(source, [f"{kind}/{number}.jpg" for kind in "ab" for number in range(5)], seed=100)
    if not task.startswith("index"):
        first = "index-set" if task in SETS else "index"
        # Two generations, so that the task has one to take away.
        assert in_a_process(crash.run, first, gallery, source, answer) == 0
        fill(source, ["a/5.jpg"], seed=150)
        assert in_a_process(crash.run, "sync", gallery, source, answer) == 0
    if task == "add":
        source = root / "more"
        fill(source, [f"c/{number}.jpg" for number in range(6)], seed=200)
        shutil.copy(root / "pictures" / "a" / "0.jpg", source / "c" / "copy.jpg")
    if task in ("sync", "sync-set"):
        (source / "a" / "0.jpg").unlink()
        (source / "a" / "1.jpg").rename(source / "b" / "moved.jpg")
        fill(source, ["a/2.jpg", *(f"new/{number}.jpg" for number in range(4))], seed=300)
    if gallery.exists():
        shutil.copytree(gallery, root / "before")
    old = look(gallery, root)
    started = time.perf_counter()
    assert in_a_process(crash.run, task, gallery, source, answer) == 0
    seconds = time.perf_counter() - started
    steps = json.loads(answer.read_text())["steps"]
    return Scene(task, source, root, root / "before", old, look(gallery, root), steps, seconds, fingerprints(source))


def look(gallery: Path, root: Path) -> dict[str, object] | None:
    """The state of a gallery, as a fresh process sees it."""
    (root / "state.json").unlink(missing_ok=True)
    assert in_a_process(crash.look, gallery, root / "state.json") == 0
    seen: dict[str, object] | None = json.loads((root / "state.json").read_text())
    return seen


def kept(gallery: Path) -> set[str]:
    """The contents that an interrupted run had embedded, as SQLite reads them, without our own code."""
    contents: set[str] = set()
    for path in (gallery / UNFINISHED).glob("*.sqlite"):
        with sqlite3.connect(path) as file:
            if file.execute("SELECT name FROM sqlite_master WHERE name = 'finished'").fetchone():
                contents |= {row[0] for row in file.execute("SELECT sha256 FROM finished")}
    return contents


def check_after_a_kill(scene: Scene, where: str) -> None:
    """Old or new, exactly; and the same command again ends in the new state and embeds nothing twice."""
    finished, answer = kept(scene.gallery), scene.root / "after.json"
    answer.unlink(missing_ok=True)
    assert in_a_process(crash.look_and_resume, scene.task, scene.gallery, scene.source, answer) == 0, where
    found = json.loads(answer.read_text())
    assert found["killed"] in (scene.old, scene.new), where
    assert found["resumed"] == scene.new, where
    embedded = [scene.contents[line] for line in found["embedded"]]
    assert len(embedded) == len(set(embedded)) == found["report"]["embedded"], where
    assert not finished & set(embedded), where
    if found["killed"] == scene.new:
        assert not embedded, where
    else:
        assert found["report"]["resumed"] == len(finished), where
    left = {entry.name for entry in scene.gallery.iterdir()}
    assert left - {"shards"} == {".lock", "CURRENT", "generations", "thumbnails"}, where
    assert ("shards" in left) == (scene.task in SETS), where


@pytest.fixture(scope="module", autouse=True)
def forkserver() -> Iterator[None]:
    """Started with this folder on its path, without which it silently imports nothing beforehand."""
    tests = Path(__file__).parents[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join((str(tests), str(tests.parent))))
        # Every process would first run what this one calls its main program, as which tests of pages leave the app.
        patch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
        PROCESSES.set_forkserver_preload(["crash"])
        assert in_a_process(os.getpid) == 0
        yield


@pytest.fixture(scope="module", params=TASKS)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A gallery before one of these tasks."""
    with scene_of(request.param) as made:
        yield made


@contextmanager
def scene_of(task: str) -> Iterator[Scene]:
    """In memory where that can be: a killed process leaves the same there, and waits for no disk to confirm."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield make_scene(Path(folder).resolve(), task)


def commit_steps(scene: Scene) -> list[int]:
    """Every step after the last embedding was kept: the new generation, CURRENT, and what is cleared up."""
    last = max((number for number, step in enumerate(scene.steps) if step == "add"), default=-1)
    return list(range(last + 1, len(scene.steps)))


def test_killed_at_any_step_of_a_commit_it_is_the_old_gallery_or_the_new_one(scene: Scene, share: Share) -> None:
    kill_at_any_step(scene, share)


@pytest.mark.exhaustive
def test_killed_while_labels_are_changed_it_has_the_old_labels_or_the_new_ones(share: Share) -> None:
    with scene_of("relabel") as scene:
        assert scene.old != scene.new
        kill_at_any_step(scene, share, parts=27)


@pytest.mark.exhaustive
@pytest.mark.parametrize("task", SETS)
def test_killed_while_a_set_is_written_it_is_the_old_set_or_the_new_one(task: str, share: Share) -> None:
    with scene_of(task) as scene:
        assert scene.old != scene.new
        count_steps_again(scene)
        kill_at_any_step(scene, share, parts=9, every=9)
        assert in_a_process(crash.run, "rebalance", scene.gallery, scene.source, scene.root / "answer.json") == 0
        states = [read_manifest(folder)[0] for folder in (scene.gallery / "generations").iterdir()]
        named = {shard.folder(scene.gallery) for one in states for shard in one.shards if shard.place}
        assert set((scene.gallery / "shards").glob("*/*")) == named


def count_steps_again(scene: Scene) -> None:
    """Count the steps with files that are old enough to be remembered as sound, as they are whenever it is reset."""
    for path in scene.before.rglob("*") if scene.before.exists() else ():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    scene.reset()
    answer = scene.root / "answer.json"
    assert in_a_process(crash.run, scene.task, scene.gallery, scene.source, answer) == 0
    scene.steps = json.loads(answer.read_text())["steps"]


def kill_at_any_step(scene: Scene, share: Share, parts: int = 9, every: int = 1) -> None:
    steps = commit_steps(scene)
    assert len(steps) >= 20
    for step in share.of(steps[::every], parts=parts):
        scene.reset()
        killed = in_a_process(crash.run, scene.task, scene.gallery, scene.source, scene.root / "answer.json", step)
        assert killed == -signal.SIGKILL
        check_after_a_kill(scene, f"{scene.task} killed before step {step}: {scene.steps[step]}")


def test_killed_at_any_moment_it_is_the_old_gallery_or_the_new_one(scene: Scene, share: Share) -> None:
    chance = share.random(scene.task)
    for _ in range(share.count(RANDOM_KILLS, parts=50)):
        scene.reset()
        after = chance.uniform(0, 1.1 * scene.seconds)
        in_a_process(crash.run, scene.task, scene.gallery, scene.source, scene.root / "answer.json", after=after)
        check_after_a_kill(scene, f"{scene.task} killed after {after:.4f} s")


@pytest.mark.exhaustive
def test_killed_again_and_again_it_still_embeds_every_picture_once(
    scene: Scene,
) -> None:
    scene.reset()
    adds = [number for number, step in enumerate(scene.steps) if step == "add"]
    first = adds[1] if len(adds) > 1 else adds[0]
    before: set[str] = set()
    for _ in range(3):
        in_a_process(crash.run, scene.task, scene.gallery, scene.source, scene.root / "answer.json", first)
        now = kept(scene.gallery)
        assert now >= before
        before = now
    assert before
    check_after_a_kill(scene, f"{scene.task} killed three times")


def test_a_journal_that_is_damaged_costs_only_what_was_in_it(scene: Scene, share: Share) -> None:
    """Cut, overwritten, or with flipped bits anywhere: the gallery is what it would have been."""
    contents = {0: b"", 1: b"no database at all"}
    adds = [number for number, step in enumerate(scene.steps) if step == "add"]
    scene.reset()
    in_a_process(crash.run, scene.task, scene.gallery, scene.source, scene.root / "answer.json", adds[-1] + 1)
    (journal,) = (scene.gallery / UNFINISHED).glob("*.sqlite")
    with closing(sqlite3.connect(journal)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole, chance = journal.read_bytes(), share.random(scene.task)
    contents[2] = whole[: len(whole) // 2]
    # By default each of those that are not random has its turn at one of the tasks.
    for turn in sorted({TASKS.index(scene.task), *share.of(range(25), parts=12)}):
        damaged = bytearray(whole)
        for _ in range(1 + turn % 3):
            damaged[chance.randrange(len(whole) if turn % 2 else 4096)] ^= 1 << chance.randrange(8)
        scene.reset()
        (scene.gallery / UNFINISHED).mkdir(parents=True, exist_ok=True)
        (scene.gallery / UNFINISHED / journal.name).write_bytes(contents.get(turn, bytes(damaged)))
        assert in_a_process(crash.run, scene.task, scene.gallery, scene.source, scene.root / "answer.json") == 0
        assert look(scene.gallery, scene.root) == scene.new


def test_a_generation_that_was_finished_but_never_live_is_not_what_restore_goes_back_to(scene: Scene) -> None:
    if scene.task == "index":
        return  # there was none to go back to
    renames = [number for number, step in enumerate(scene.steps) if step.startswith("os.rename") and "CURRENT" in step]
    scene.reset()
    in_a_process(crash.run, scene.task, scene.gallery, scene.source, scene.root / "answer.json", renames[-1])
    live = (scene.gallery / "CURRENT").read_text()[:6]
    assert len(list((scene.gallery / "generations").iterdir())) == 3
    assert in_a_process(crash.go_back, scene.gallery) == 0
    assert int((scene.gallery / "CURRENT").read_text()[:6]) == int(live) - 1


@dataclass
class Home:
    """A home with a gallery of uploaded pictures, and a copy of it to begin anew from.

    Attributes:
        before: the copy.
        answer: what a process has written down.
    """

    path: Path
    before: Path
    answer: Path

    @property
    def old(self) -> Path:
        return self.path / "galleries" / "old"

    @property
    def new(self) -> Path:
        return self.path / "galleries" / "new"

    def do(self, what: str, directory: Path) -> dict[str, object]:
        """Do a job, undisturbed; returns what is known of it."""
        assert in_a_process(crash.do, what, directory, "new", self.answer) == 0
        told: dict[str, object] = json.loads(self.answer.read_text())
        return told

    def killed(self, what: str, every: int) -> Iterator[int]:
        """Kill a job around each time that something gets another name, and now and then between; yields the step."""
        told = self.do(what, self.old)
        assert told["state"] == "done", told["error"]
        steps: list[str] = told["steps"]  # type: ignore[assignment]
        renames = [number for number, step in enumerate(steps) if step.startswith("os.rename")]
        around = {number + more for number in renames for more in (0, 1)}
        for kill_at in sorted({*range(0, len(steps), every), *around} & set(range(len(steps)))):
            shutil.rmtree(self.path)
            shutil.copytree(self.before, self.path)
            in_a_process(crash.do, what, self.old, "new", self.answer, kill_at)
            yield kill_at


@pytest.fixture
def uploaded(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home", tmp_path / "before", tmp_path / "answer.json")
    uploads = made.path / "uploads" / "old" / "mine"
    fill(uploads, [f"{kind}/{number}.jpg" for kind in "ab" for number in range(3)], seed=100)
    assert in_a_process(crash.run, "index", made.old, uploads, made.answer) == 0
    fill(uploads, ["c/1.jpg"], seed=200)
    assert in_a_process(crash.run, "add", made.old, uploads, made.answer) == 0
    shutil.copytree(made.path, made.before)
    return made


def paths(directory: Path, tmp_path: Path) -> list[Path]:
    """Where the pictures of a sound gallery are."""
    found = look(directory, tmp_path)
    assert found
    return [Path(path) for _, path, *_ in found["items"]]  # type: ignore[attr-defined]


@pytest.mark.exhaustive
def test_a_gallery_that_was_killed_while_it_was_renamed_has_one_name_and_is_whole(
    uploaded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_HOME", str(uploaded.path))  # a gallery finds its uploads in its own home
    for _ in uploaded.killed("rename", every=16):
        (name,) = (path for path in (uploaded.path / "galleries").iterdir() if (path / "CURRENT").exists())
        assert look(name, tmp_path)
        if name.name == "old":
            told = uploaded.do("rename", name)
            assert told["state"] == "done", told["error"]
        there = paths(uploaded.new, tmp_path)
        assert all(path.is_relative_to(uploaded.path / "uploads" / "new") and path.is_file() for path in there)


@pytest.mark.exhaustive
def test_a_collection_that_was_killed_while_it_was_made_is_whole_or_none_and_can_be_made_then(
    uploaded: Home, tmp_path: Path
) -> None:
    before = look(uploaded.old, tmp_path)
    for _ in uploaded.killed("collect", every=8):
        assert look(uploaded.old, tmp_path) == before
        if not (uploaded.new / "CURRENT").exists():
            told = uploaded.do("collect", uploaded.old)
            assert told["state"] == "done", told["error"]
        there = paths(uploaded.new, tmp_path)
        assert len(there) == 2
        assert all(path.is_file() for path in there)


@pytest.mark.exhaustive
def test_killed_while_earlier_states_are_deleted_the_gallery_stays_and_the_rest_is_deleted_then(
    uploaded: Home, tmp_path: Path
) -> None:
    before = look(uploaded.old, tmp_path)
    assert len(list((uploaded.old / "generations").iterdir())) == 2
    for _ in uploaded.killed("forget", every=1):
        assert look(uploaded.old, tmp_path) == before
        assert uploaded.do("forget", uploaded.old)["state"] == "done"
        assert len(list((uploaded.old / "generations").iterdir())) == 1
