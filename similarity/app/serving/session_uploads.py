"""Uploads of visitors, kept in memory while their tabs are open, and an hour more for their browsers."""

import threading
from collections import OrderedDict
from collections.abc import Iterator

from cachetools import TTLCache

from similarity.app.serving import visitors
from similarity.app.shell.parameters import UPLOAD, Part
from similarity.errors import SearchError
from similarity.images.picture import QueryFile
from similarity.service.singleton import singleton

# For one tab, each file of 20 MB at most, and for all tabs together.
MOST_FILES, MOST_BYTES, MOST_BYTES_IN_ALL = 24, 40_000_000, 120_000_000
# Seconds for which a browser finds the uploads of a tab that it has closed or loaded again, and so many browsers.
AFTERWARDS, MOST_BROWSERS = 3600.0, 1_000

Files = OrderedDict[str, QueryFile]


class UploadGoneError(SearchError):
    """An uploaded picture of a query that is not kept, or not for this browser."""

    def __init__(self) -> None:
        super().__init__("This link leads to a picture that only its sender can see, and only for an hour.")


class SessionUploads:
    """The last uploads of each tab, by SHA-256, oldest first. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, Files] = {}  # of each session
        self._browsers: dict[str, str] = {}  # of each session, where it is known
        self._left: TTLCache[str, Files] = TTLCache(MOST_BROWSERS, AFTERWARDS)  # of each browser, by its closed tabs

    def keep(self, session: str, file: QueryFile, browser: str = "") -> None:
        """Keep a file; over the limits, drop the oldest files, first of this tab, then of those that hold most.

        Args:
            browser: what tells the visitor's browser from others; empty if it is unknown.
        """
        with self._lock:
            mine = self._files.setdefault(session, OrderedDict())
            if browser:
                self._browsers[session] = browser
            _add(mine, file)
            while sum(map(_bytes, self._all())) > MOST_BYTES_IN_ALL:
                max(self._all(), key=_bytes).popitem(last=False)

    def find(self, session: str, sha256: str, browser: str = "") -> QueryFile | None:
        """Return a file of a tab, or of another one of its browser, if it is still kept."""
        with self._lock:
            return next((files[sha256] for files in self._of(session, browser) if sha256 in files), None)

    def sessions(self) -> list[str]:
        """Return the sessions that have files."""
        with self._lock:
            return list(self._files)

    def forget(self, session: str) -> None:
        """Drop the files of a tab that has been closed, or leave them to its browser for a while."""
        with self._lock:
            files, browser = self._files.pop(session, None), self._browsers.pop(session, "")
            if files and browser:
                left = self._left.pop(browser, None) or OrderedDict()
                for file in files.values():
                    _add(left, file)
                self._left[browser] = left

    def expire(self) -> None:
        """Drop the files of browsers whose tabs were closed long ago."""
        with self._lock:
            self._left.expire()

    def _of(self, session: str, browser: str) -> Iterator[Files]:
        """Yield the files of a tab, then those of its browser."""
        if session in self._files:
            yield self._files[session]
        if browser:
            yield from (self._files[other] for other, its in self._browsers.items() if its == browser)
            yield from filter(None, [self._left.get(browser)])

    def _all(self) -> list[Files]:
        return [*self._left.values(), *self._files.values()]


@singleton
def shared_uploads() -> SessionUploads:
    """Return the uploads of this process."""
    return SessionUploads()


def keep_upload(file: QueryFile) -> Part:
    """Keep a file for as long as the visitor's tab is open, and a while longer; returns it as a part of a query."""
    visitor = visitors.current()
    shared_uploads().keep(visitor.session, file, visitor.browser)
    return Part(UPLOAD, file.sha256)


def find_upload(sha256: str) -> QueryFile | None:
    """Return a file that the visitor has uploaded, if it is still kept."""
    visitor = visitors.current()
    return shared_uploads().find(visitor.session, sha256, visitor.browser)


def _add(files: Files, file: QueryFile) -> None:
    """Add a file, and drop the oldest over the limits of one tab."""
    files[file.sha256] = file
    files.move_to_end(file.sha256)
    while len(files) > MOST_FILES or (_bytes(files) > MOST_BYTES and len(files) > 1):
        files.popitem(last=False)


def _bytes(files: Files) -> int:
    return sum(len(file.data) for file in files.values())
