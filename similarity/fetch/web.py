"""Addresses of the web, without the libraries that fetch them: these are imported by the first fetch.

They take a tenth of the time of a search on the command line, most of which are for files.
"""

import os
from collections.abc import Callable

# Called with the bytes received so far and the bytes in all (0 where the server does not say).
DownloadProgress = Callable[[int, int], object]


def is_url(text: str) -> bool:
    """Whether a query is an http(s) address rather than a path."""
    return text.lower().startswith(("http://", "https://"))


def fetch(url: str) -> bytes:
    """Fetch a public address; see `http.fetch`."""
    from similarity.fetch import http

    return http.fetch(url)


def private_hosts() -> set[str]:
    """The hosts inside the network that may be fetched from, as `host` or `host:port`."""
    return set(setting("SIMILARITY_PRIVATE_HOSTS"))


def setting(name: str) -> list[str]:
    """The comma-separated parts of an environment variable."""
    return list(filter(None, os.environ.get(name, "").replace(" ", "").split(",")))
