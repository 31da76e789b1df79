"""Sessions of browser tabs for which the app keeps something: a page, or uploads."""

import threading

from streamlit import runtime

from similarity.app.serving import session_uploads, visitors
from similarity.app.serving.upload_budget import stored_uploads
from similarity.service.singleton import singleton


class Sessions:
    """The sessions that have had a page drawn. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn: set[str] = set()

    def note(self, session: str) -> None:
        """Remember a session that has a page drawn."""
        with self._lock:
            self._drawn.add(session)

    def list(self) -> list[str]:
        """Return all sessions that are kept, and those that have uploads."""
        with self._lock:
            return list({*self._drawn, *session_uploads.shared_uploads().sessions(), *stored_uploads()})

    def close(self, session: str) -> None:
        """Drop a session and its uploads; call it on the thread of the web server."""
        with self._lock:
            self._drawn.discard(session)
        session_uploads.shared_uploads().forget(session)
        if runtime.exists():
            # Streamlit itself drops the state of closed tabs only when somebody opens another one.
            runtime.get_instance().close_session(session)
            runtime.get_instance().uploaded_file_mgr.remove_session_files(session)


@singleton
def shared_sessions() -> Sessions:
    """Return the sessions of this process."""
    return Sessions()


def note_current() -> None:
    """Remember the session of the visitor for whom a page is drawn."""
    shared_sessions().note(visitors.current().session)
