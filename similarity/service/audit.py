"""The record of changes: who changed which gallery or key, and how that ended; a line of JSON each.

    {"time": "2026-03-01T09:30:00+00:00", "who": "key shop", "address": "203.0.113.7", "what": "add",
     "gallery": "shoes", "job": 3, "outcome": "done"}

A change in the background has a line when it begins, with the outcome `started`, and one when it ends. The file is
`audit.jsonl` in SIMILARITY_HOME, or SIMILARITY_AUDIT_LOG; it is rotated, and all processes of this computer may write
it. It has no keys, no queries and no pictures.
"""

import json
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from filelock import FileLock, Timeout

from similarity.errors import SimilarityError
from similarity.files import CAREFULLY
from similarity.paths import home

THIS_COMPUTER, VISITOR = "this computer", "a visitor"
MOST_BYTES, OLDER_FILES = 10_000_000, 5
LOCK_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who changes something.

    Attributes:
        name: `key` and the name of the key, an e-mail address, `this computer`, or `a visitor` from another one; empty
            if it is unknown.
        address: the network address that the request came from; empty if there was none.
    """

    name: str = ""
    address: str = ""


def file_of_changes() -> Path:
    """Return the file: SIMILARITY_AUDIT_LOG, or `audit.jsonl` in SIMILARITY_HOME."""
    named = os.environ.get("SIMILARITY_AUDIT_LOG", "").strip()
    return Path(named).expanduser() if named else home() / "audit.jsonl"


def record(by: Actor, what: str, outcome: str, *, gallery: str = "", job: int | None = None) -> None:
    """Add a line; never fails, since a change that is made cannot be refused any more.

    Args:
        by: who makes the change.
        what: the task of a job, or what happened to a key.
        outcome: started, done, failed or cancelled; cancelling says who did that.
        gallery: the name of the gallery, if it is about one.
        job: the number of the job, if it is one.
    """
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    line: dict[str, object] = {"time": moment, "who": by.name, "address": by.address, "what": what}
    line |= {"gallery": gallery, "job": job, "outcome": outcome}
    written = json.dumps(line)
    try:
        path = file_of_changes()
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_SECONDS):
            _append(path, written)
    except (OSError, Timeout, RuntimeError, SimilarityError) as error:
        logger.error("A change is not in the record (%s): %s", error, written)


def record_key(change: str, name: str) -> None:
    """Add a line on a key that was changed on the command line.

    Args:
        change: add or revoke.
        name: that of the key, which is no secret.
    """
    record(Actor(THIS_COMPUTER), f"key {change} {name}", "done")


def _append(path: Path, line: str) -> None:
    """Write a line with a handler of its own, so that a rotation by another process is noticed."""
    handler = _OwnFile(path, maxBytes=MOST_BYTES, backupCount=OLDER_FILES, encoding="utf-8")
    try:
        handler.emit(logging.makeLogRecord({"msg": line}))
    finally:
        handler.close()


class _OwnFile(RotatingFileHandler):
    """A handler whose files only their owner may read, and that raises what fails."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | CAREFULLY
        return open(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")  # noqa: PTH123

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the name that logging calls
        raise  # what `emit` has caught
