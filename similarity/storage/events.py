"""Events: a gallery has another state, or is gone; for those who keep something that depends on it.

    {"gallery": "shoes", "state": "000003 5c1e…", "task": "add", "time": "2026-03-01T09:30:00+00:00", "count": 1192}

Each is a line in SIMILARITY_EVENTS_LOG, and is sent to SIMILARITY_WEBHOOK, see `outbox`; neither is done unless set.
The state of a gallery that is gone is null. A change is told of when it is made, never before, and is not delayed or
undone by that. The states that were told are in SIMILARITY_HOME/events, those that the log has in told.json, and those
that are to be sent in sent.json, so that a change that could not be told of, or whose process was killed before, is
told of with the next one, or by the next server; an event may come twice then.
"""

import errno
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from similarity.errors import GalleryError, GalleryNotFoundError, SimilarityError
from similarity.files import read_json, write_atomically
from similarity.paths import home
from similarity.storage import outbox
from similarity.storage.current import live_state
from similarity.storage.inventory import list_galleries
from similarity.storage.live import read_live_manifest
from similarity.storage.outage import Outage

LOCK_SECONDS = 2.0
MOST_BYTES = 20_000_000
States = dict[str, str]  # of galleries, by their folders

logger = logging.getLogger(__name__)
_log_outage, _webhook_outage = Outage(logger), Outage(logger)


def are_wanted() -> bool:
    """Whether anybody wants to be told."""
    return bool(outbox.address() or _log())


@contextmanager
def told(directory: Path, task: str) -> Iterator[None]:
    """Tell of the change of a gallery that the block has made, even if it then failed; if it made none, of nothing.

    Args:
        task: what the block does, the first word of which is told.
    """
    before = _peek(directory) if are_wanted() else ""
    try:
        yield
    finally:
        if are_wanted() and _peek(directory) != before:
            tell(task, directory)


def tell(task: str, *directories: Path) -> None:
    """Tell that galleries have other states, or are gone, if that was not told already; never fails."""
    _tell_changes(dict.fromkeys(directories, task.partition(" ")[0]))


def catch_up() -> None:
    """Tell of changes whose processes were killed before they could, and send what was not sent; never fails."""
    _tell_changes({})


def _tell_changes(tasks: dict[Path, str]) -> None:
    """Tell of all galleries whose states are others than were told.

    Args:
        tasks: the tasks of those that have just changed, by their folders.
    """
    if _log():
        _tell_by(_append, "told.json", tasks, _log_outage, "SIMILARITY_EVENTS_LOG cannot be written")
    if outbox.address():
        _tell_by(outbox.put, "sent.json", tasks, _webhook_outage, "Events for SIMILARITY_WEBHOOK cannot be kept")
        outbox.send_soon()


def _tell_by(tell_one: Callable[[bytes], None], name: str, tasks: dict[Path, str], outage: Outage, fault: str) -> None:
    """Tell in one way, whether others work or not.

    Args:
        name: of the file of the states that were told in this way.
    """
    try:
        folder = home() / "events"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
            _compare(folder / name, tasks, tell_one)
        outage.worked()
    except (OSError, ValueError, RuntimeError, SimilarityError) as error:
        outage.failed(f"{fault}, and changes of galleries are told of there once that works: {error}")


def _compare(path: Path, tasks: dict[Path, str], tell_one: Callable[[bytes], None]) -> None:
    """Tell of each gallery whose state differs from the one that was told; at the first time, of those in `tasks`.

    Raises:
        OSError, RuntimeError: some could not be told; they are not noted as told, so that they are at the next time.
    """
    known, is_first = _read_told(path)
    now = dict(known)
    fault: Exception | None = None
    for directory in sorted({*list_galleries(), *map(Path, known), *tasks}):
        name = str(directory)
        try:
            state = _state(directory)
        except GalleryError:
            continue  # it may be back later
        if known.get(name) == state or directory.name.startswith("."):
            continue
        try:
            if not is_first or directory in tasks:
                tell_one(_event(directory, state, tasks.get(directory)))
        except (OSError, RuntimeError) as error:  # the latter for the home of nobody, in the name of the log
            fault = error
            now.setdefault(name, "")  # no state, so that one that is gone is told of, too
            continue
        if state is None:
            now.pop(name, None)
        else:
            now[name] = state
    if is_first or now != known:
        write_atomically(path, json.dumps(now, indent=0))
    if fault:
        raise fault


def _read_told(path: Path) -> tuple[States, bool]:
    """Return the states that were told, and whether there are none yet, or none that can be read."""
    with suppress(FileNotFoundError, ValueError):
        read = read_json(path, MOST_BYTES)
        if isinstance(read, dict) and all(isinstance(state, str) for state in read.values()):
            return read, False
    return {}, True


def _event(directory: Path, state: str | None, task: str | None) -> bytes:
    count, last = 0, "delete"
    if state is not None:
        try:
            manifest = read_live_manifest(directory)
            count, last = manifest.count, manifest.last_run.task
        except GalleryError as error:
            logger.warning("The pictures of a gallery that has changed are not counted: %s", error)
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    event = {"gallery": directory.name, "state": state, "task": task or last, "time": moment, "count": count}
    return json.dumps(event, ensure_ascii=False).encode(errors="replace")


def _append(event: bytes) -> None:
    """Add a line to the log, or nothing of it; raises OSError."""
    path, line = Path(_log()).expanduser(), event + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    # The log may be a link, as /dev/stderr is, and a pipe or a terminal, for which nothing waits.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, 0o644), "ab", buffering=0) as file:  # noqa: PTH123 - wraps an open descriptor
        written = file.write(line) or 0
        if written < len(line):
            status = os.fstat(file.fileno())
            if written and stat.S_ISREG(status.st_mode):
                os.ftruncate(file.fileno(), status.st_size - written)
            raise OSError(errno.ENOSPC, "there is no room for an event", str(path))


def _state(directory: Path) -> str | None:
    """Return the state of a gallery; None if there is none. Raises GalleryError if it cannot be read."""
    try:
        return live_state(directory)
    except GalleryNotFoundError:
        return None


def _peek(directory: Path) -> str | None:
    """Return the state of a gallery; None if there is none, or none that can be read."""
    with suppress(GalleryError):
        return _state(directory)
    return None


def _log() -> str:
    return os.environ.get("SIMILARITY_EVENTS_LOG", "").strip()
