"""Files are written atomically: whole or not at all, with nothing left over."""

import itertools
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import pytest

from similarity import files
from similarity.files import unfinished, write_atomically


def names(folder: Path) -> list[str]:
    """Of all that is in a folder."""
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("data", [b"caf\xc3\xa9", "café", lambda file: file.write(b"caf\xc3\xa9")])
def test_a_file_is_replaced_by_bytes_text_or_what_a_function_writes(
    tmp_path: Path, data: object, durable: bool
) -> None:
    path = tmp_path / "notes.json"
    path.write_bytes(b"something longer than that")
    write_atomically(path, data, durable=durable)  # type: ignore[arg-type]
    assert path.read_bytes() == b"caf\xc3\xa9"
    assert names(tmp_path) == ["notes.json"]


def test_a_new_file_may_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "notes.json", "{}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "notes.json").stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("not that"), KeyboardInterrupt()])
def test_writing_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        file.flush()
        raise error

    path = tmp_path / "notes.json"
    path.write_text("old")
    with pytest.raises(type(error)):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["notes.json"]


# A file that was opened a moment before is closed by Python, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_control_c_at_any_line_leaves_the_old_file_or_the_new_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    lines = itertools.count()
    for line in lines:
        path.write_text("old")
        with control_c_at(line) as was_pressed:
            write_atomically(path, "new")
        assert path.read_text() in ("old", "new")
        assert names(tmp_path) == ["notes.json"]
        if not was_pressed:
            break
    assert path.read_text() == "new"
    assert next(lines) > 20, "so many lines it was pressed at"


@contextmanager
def control_c_at(line: int) -> Iterator[list[int]]:
    """Press Ctrl-C at one of the lines of `files` that run in the block, counted from 0; yields whether it was."""
    pressed: list[int] = []
    run = itertools.count()

    def look(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line" and next(run) == line:
            sys.settrace(None)
            pressed.append(frame.f_lineno)
            raise KeyboardInterrupt
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield pressed
    except KeyboardInterrupt:
        assert pressed
    finally:
        sys.settrace(before)


def test_a_writer_that_is_stopped_while_it_waits_leaves_the_file_to_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, take = tmp_path / "notes.json", files.lock

    def stopped(descriptor: int, *, wait: bool = True) -> bool:
        if wait:
            raise KeyboardInterrupt
        return take(descriptor, wait=False)

    def write(file: BinaryIO) -> None:
        file.write(b"first")
        monkeypatch.setattr(files, "lock", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, "second")

    write_atomically(path, write)
    assert path.read_text() == "first"
    assert names(tmp_path) == ["notes.json"]


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
def test_a_disk_that_refuses_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    path = tmp_path / "notes.json"
    path.write_text("old")
    monkeypatch.setattr(owner, name, refuse)
    with pytest.raises(OSError, match="Input/output error"):
        write_atomically(path, "new", durable=True)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["notes.json"]


def test_on_a_full_disk_the_old_file_stays_and_nothing_else(child_environment: dict[str, str]) -> None:
    """A limit on the size of files fails like a full disk, half-way through."""
    code = """
import os, resource, signal, sys, tempfile
from pathlib import Path
from similarity.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "notes.json"
    path.write_text("old")
    try:
        write_atomically(path, bytes(100_000))
    except OSError:
        assert path.read_text() == "old" and os.listdir(folder) == ["notes.json"]
        sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, env=child_environment).returncode == 7


def test_what_a_killed_process_has_left_is_taken_over_by_the_next_one(
    tmp_path: Path, child_environment: dict[str, str]
) -> None:
    path = tmp_path / "notes.json"
    path.write_text("old")
    code = f"""
import os, signal
from pathlib import Path
from similarity.files import write_atomically

def die(file):
    file.write(bytes(100_000))
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

write_atomically(Path({str(path)!r}), die)
"""
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env=child_environment).returncode == -signal.SIGKILL
    )
    assert path.read_text() == "old"
    assert unfinished(path).exists()
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["notes.json"]


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("not ours")
    path = tmp_path / "notes.json"
    unfinished(path).symlink_to(tmp_path / "other")
    write_atomically(path, "new")
    assert (path.read_text(), (tmp_path / "other").read_text()) == ("new", "not ours")
    assert not path.is_symlink()


def test_several_who_write_the_same_file_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    contents = [bytes([number]) * 300_000 for number in range(32)]

    def in_parts(content: bytes) -> None:
        def write(file: BinaryIO) -> None:
            for start in range(0, len(content), 50_000):
                file.write(content[start : start + 50_000])
                file.flush()
                if path.exists():
                    assert path.read_bytes() in contents

        write_atomically(path, write)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(in_parts, contents))
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["notes.json"]


def test_where_there_are_no_locks_it_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("portalocker.portalocker.LOCKER", refuse)
    write_atomically(tmp_path / "notes.json", "new")
    assert (tmp_path / "notes.json").read_text() == "new"
