"""Events that are still to be sent to SIMILARITY_WEBHOOK: a file each, until a server has taken it.

    SIMILARITY_HOME/events/outbox/00001796023779123456789-5f0c….json

They are sent in their order by a thread of its own, of one process at a time, so that no change of a gallery waits for
a server. What a process could not send before it ended, the next one sends that changes a gallery or serves galleries.
An event that a server refuses does not hold up the next ones: it is set aside in SIMILARITY_HOME/events/refused.
"""

import atexit
import logging
import os
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from similarity.errors import FetchError
from similarity.files import read_own, write_atomically
from similarity.paths import home
from similarity.storage.outage import Outage

LOCK = ".sending"
MOST_BYTES, MOST_EVENTS, LONGEST_SECONDS = 100_000, 1_000, 24 * 60 * 60
# Seconds that a process waits for another one that sends, and at its end for its own thread.
LOCK_SECONDS, LAST_SECONDS = 60.0, 3.0

logger = logging.getLogger(__name__)


def address() -> str:
    """Return the setting SIMILARITY_WEBHOOK; empty without one."""
    return os.environ.get("SIMILARITY_WEBHOOK", "").strip()


def put(event: bytes) -> None:
    """Keep an event until it is sent; raises OSError."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{time.time_ns():023d}-{uuid.uuid4().hex}.json", event, durable=True)


def send_soon() -> None:
    """Send what is kept, in the background; never fails."""
    if address():
        _courier.wake()


class _Courier:
    """A thread that sends, while there is something to send. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_asked = False

    def wake(self) -> None:
        with self._lock:
            self._is_asked = True
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
            with suppress(RuntimeError):  # no more threads now, or at the end of the process: the next one sends it
                self._thread.start()

    def wait(self, seconds: float = LAST_SECONDS) -> None:
        """Wait for the thread to send what there is."""
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._is_asked:
                    self._thread = None
                    return
                self._is_asked = False
            try:
                send_all()
                _outage.worked()
            except (OSError, Timeout, FetchError) as error:
                _outage.failed(f"Events wait to be sent to SIMILARITY_WEBHOOK: {error}")


_outage = Outage(logger)
_courier = _Courier()
atexit.register(_courier.wait)


def send_all() -> None:
    """Send what is kept, oldest first; set aside what is refused, and drop what is too old or too much.

    Raises:
        FetchError: the server does not take it now: the rest waits. OSError, Timeout: the outbox cannot be used now.
    """
    folder, url = _folder(), address()
    if not (url and _waiting(folder)):
        return
    with FileLock(folder / LOCK, timeout=LOCK_SECONDS):
        while waiting := _waiting(folder):
            _drop_old(waiting)
            for path in waiting:
                with suppress(FileNotFoundError):  # it was too old
                    _send(url, path)


def _send(url: str, path: Path) -> None:
    from similarity.fetch.webhook import RefusedError, send  # which imports requests

    try:
        send(url, read_own(path, MOST_BYTES), secret=_secret(), delivery=path.stem.rpartition("-")[2])
    except RefusedError as error:
        _set_aside(path)
        logger.error("SIMILARITY_WEBHOOK refuses an event, which is kept as refused/%s: %s", path.name, error)
    else:
        path.unlink()


def _set_aside(path: Path) -> None:
    folder = path.parent.with_name("refused")
    folder.mkdir(exist_ok=True)
    path.replace(folder / path.name)
    for old in _waiting(folder)[:-MOST_EVENTS]:
        old.unlink(missing_ok=True)


def _drop_old(waiting: list[Path]) -> None:
    oldest = time.time_ns() - LONGEST_SECONDS * 10**9
    old = [path for path in waiting if int(path.name.partition("-")[0]) < oldest] + waiting[:-MOST_EVENTS]
    for path in set(old):
        logger.error("An event was not sent within a day, or there were too many, and is given up: %s", path.name)
        path.unlink(missing_ok=True)


def _waiting(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*-*.json") if path.name.partition("-")[0].isdecimal())


def _secret() -> str:
    return os.environ.get("SIMILARITY_WEBHOOK_SECRET", "")


def _folder() -> Path:
    return home() / "events" / "outbox"
