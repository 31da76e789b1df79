"""Pictures that visitors have uploaded, kept in memory for as long as their tabs are open."""

import threading
from collections import OrderedDict

from similarity.app.serving import visitors
from similarity.app.shell.links import UPLOAD, Part
from similarity.images.picture import QueryFile
from similarity.service.singleton import singleton

# For one tab, each file of 20 MB at most, and for all tabs together.
MOST_FILES, MOST_BYTES, MOST_BYTES_IN_ALL = 6, 40_000_000, 120_000_000


class SessionUploads:
    """The last uploads of each tab. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, OrderedDict[str, QueryFile]] = {}  # of each session, by SHA-256, oldest first

    def keep(self, session: str, file: QueryFile) -> None:
        """Keep a file; over the limits, drop the oldest files, first of this tab, then of those that hold most."""
        with self._lock:
            mine = self._files.setdefault(session, OrderedDict())
            mine[file.sha256] = file
            mine.move_to_end(file.sha256)
            while len(mine) > MOST_FILES or (_bytes(mine) > MOST_BYTES and len(mine) > 1):
                mine.popitem(last=False)
            while sum(map(_bytes, self._files.values())) > MOST_BYTES_IN_ALL:
                max(self._files.values(), key=_bytes).popitem(last=False)

    def find(self, session: str, sha256: str) -> QueryFile | None:
        """Return a file of a tab, if it is still kept."""
        with self._lock:
            mine = self._files.get(session)
            return mine.get(sha256) if mine else None

    def sessions(self) -> list[str]:
        """Return the sessions that have files."""
        with self._lock:
            return list(self._files)

    def forget(self, session: str) -> None:
        """Drop the files of a tab that has been closed."""
        with self._lock:
            self._files.pop(session, None)


@singleton
def shared_uploads() -> SessionUploads:
    """Return the uploads of this process."""
    return SessionUploads()


def keep_upload(file: QueryFile) -> Part:
    """Keep a file for as long as the visitor's tab is open; returns it as a part of a query."""
    shared_uploads().keep(visitors.current().session, file)
    return Part(UPLOAD, file.sha256)


def _bytes(files: OrderedDict[str, QueryFile]) -> int:
    return sum(len(file.data) for file in files.values())
