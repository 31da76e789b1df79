"""Addresses to bytes. The only module that opens a connection for a query, and the one that downloads weights.

A query's address comes from a stranger: only public hosts are connected to, the address that was checked is the one
that is connected to (`requests-hardened` sees to both, on every redirect), and time and size are bounded. Hosts inside
a company are let in by name through the environment variable SIMILARITY_PRIVATE_HOSTS (`host` or `host:port`, with
commas between them).
"""

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress

from similarity.errors import FetchError

MAX_SECONDS = 10.0
MAX_BYTES = 20_000_000
MAX_REDIRECTS = 4
USER_AGENT = "similarity/0.1"
CHUNK_BYTES = 1 << 16
SOCKET_SECONDS = 5.0  # for one connection attempt, and between two bytes

# Called with the bytes received so far and the bytes in all (0 where the server does not say).
DownloadProgress = Callable[[int, int], None]
T = TypeVar("T")


def is_url(text: str) -> bool:
    """Whether a query is an http(s) address rather than a path."""
    return text.lower().startswith(("http://", "https://"))


def fetch(url: str) -> bytes:
    """Fetch what a public address serves, within 10 seconds and 20 MB.

    Raises:
        FetchError: not an http(s) address, a private or unknown host, an HTTP error status, too slow or too large.
    """
    if not is_url(url) or not urlsplit(url).hostname:
        raise FetchError(f"{url} is not a web address: it must start with http:// or https:// and name a host.")
    deadline = time.monotonic() + MAX_SECONDS
    try:
        return _within(MAX_SECONDS, lambda: _exchange(url, deadline))
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise FetchError(_explain(url, error)) from error


def download(url: str, path: Path, *, sha256_prefix: str, progress: DownloadProgress | None = None) -> None:
    """Download a large file of our own choosing (weights) to `path`, which appears whole and checked or not at all.

    Args:
        url: where it is published. Proxies from the environment are honoured here, unlike for a query.
        path: where to put it.
        sha256_prefix: the leading hex digits that the file's SHA-256 must have.
        progress: called after every chunk.

    Raises:
        FetchError: unreachable within seconds, interrupted, or not the expected file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in _stream(url, progress):
                file.write(chunk)
                digest.update(chunk)
        if not digest.hexdigest().startswith(sha256_prefix):
            raise FetchError(f"What {url} sent is not the expected file: its SHA-256 is not {sha256_prefix}….")
        Path(part).replace(path)
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise FetchError(_explain(url, error)) from error
    except OSError as error:
        raise FetchError(f"{path} could not be written ({error.strerror or error}).") from error
    finally:
        Path(part).unlink(missing_ok=True)


def _query_session() -> requests.Session:
    """A session that refuses every private address, except on the hosts that whoever runs this has named."""
    session: requests.Session = HTTPSession(
        Config(
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=False,
            never_redirect=False,
            default_timeout=(SOCKET_SECONDS, SOCKET_SECONDS),
            user_agent_override=USER_AGENT,
        )
    )
    session.trust_env = False
    session.max_redirects = MAX_REDIRECTS
    for host in filter(None, os.environ.get("SIMILARITY_PRIVATE_HOSTS", "").replace(" ", "").split(",")):
        session.mount(f"http://{host}/", HTTPAdapter())
        session.mount(f"https://{host}/", HTTPAdapter())
    return session


def _within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call, or TimeoutError: looking up a name and trying its addresses obey no socket timeout."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread, whatever it is
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="fetch").start()
    return future.result(timeout=seconds)


def _exchange(url: str, deadline: float) -> bytes:
    with _query_session() as session, session.get(url, stream=True, timeout=SOCKET_SECONDS) as response:
        _check_status(url, response)
        return _read(url, response, deadline)


def _stream(url: str, progress: DownloadProgress | None) -> Iterator[bytes]:
    """The chunks of a download, which may take as long as it needs once its server has answered."""
    headers = {"User-Agent": USER_AGENT}
    with _within(
        MAX_SECONDS - 1, lambda: requests.get(url, stream=True, timeout=SOCKET_SECONDS, headers=headers)
    ) as response:
        _check_status(url, response)
        total, received = int(response.headers.get("Content-Length", 0)), 0
        for chunk in response.iter_content(CHUNK_BYTES):
            received += len(chunk)
            yield chunk
            if progress:
                progress(received, total)


def _check_status(url: str, response: requests.Response) -> None:
    if response.status_code != requests.codes.ok:
        raise FetchError(f"{url} answered {response.status_code} {response.reason}: check the address.")


def _read(url: str, response: requests.Response, deadline: float) -> bytes:
    """Read a body piece by piece as it arrives, so that a slow or endless one is noticed."""
    body = bytearray()
    while piece := response.raw.read1(CHUNK_BYTES, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise FetchError(f"{url} sends more than 20 MB: use a smaller version of the picture.")
        if time.monotonic() > deadline:
            raise FetchError(f"{url} took longer than 10 seconds: try again, or download the picture and upload it.")
    return bytes(body)


def _explain(url: str, error: Exception) -> str:
    """Put what requests and urllib3 raise into one sentence."""
    if isinstance(error, InvalidIPAddress):
        return f"{url} leads to a private network address, which is not fetched."
    if isinstance(error, requests.TooManyRedirects):
        return f"{url} redirects more than {MAX_REDIRECTS} times: open it in a browser and copy the final address."
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return f"{url} did not answer in time: try again, or download the picture and upload it."
    if isinstance(error, requests.exceptions.SSLError):
        return f"{url} has no valid certificate, so it was not fetched."
    if isinstance(error, requests.ConnectionError):
        return f"{url} could not be reached: check the address and the network connection."
    if isinstance(error, requests.exceptions.InvalidURL):
        return f"{url} is not a valid web address."
    return f"{url} could not be fetched ({type(error).__name__})."
