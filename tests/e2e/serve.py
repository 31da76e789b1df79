"""What `streamlit` does, with a few things as the tests need them.

The clothing dataset is published where DATASET_URL says. What goes on in the background is looked at more often, so
that nobody waits for it. And how long a picture takes that is fetched is up to whoever serves it: a test can keep the
app waiting until it has seen what it wants to see. All that the app connects to, or asks the name of, it notes in the
file that CONNECTS names.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

CONNECTIONS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}


def note(event: str, details: tuple[object, ...]) -> None:
    """Add a line for what leaves the computer, or might."""
    if event in CONNECTIONS:
        where = [part for part in details[:2] if isinstance(part, str | tuple | int)]
        with Path(os.environ["CONNECTS"]).open("a") as file:
            file.write(f"{event} {where}\n")


sys.addaudithook(note)  # before anything is imported that might connect

from streamlit.web.cli import main  # noqa: E402

from similarity.app.galleries import jobs  # noqa: E402
from similarity.fetch import http  # noqa: E402
from similarity.sources.datasets import DATASETS  # noqa: E402

DATASETS["clothing"] = replace(DATASETS["clothing"], url=os.environ["DATASET_URL"])
jobs.BUSY, jobs.IDLE = 0.3, 0.5
http.MAX_SECONDS = http.SOCKET_SECONDS = 600.0
main()
