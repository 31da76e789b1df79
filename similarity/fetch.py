"""Addresses to bytes. The only module that opens a connection for a query.

A query's address comes from a stranger: only public hosts are connected to, the address that was checked is the one
that is connected to (`requests-hardened` sees to both, on every redirect), and time and size are bounded. Hosts inside
a company are let in by name through the environment variable SIMILARITY_PRIVATE_HOSTS (`host` or `host:port`, with
commas between them).
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from similarity.errors import FetchError

MAX_SECONDS = 10.0
MAX_BYTES = 20_000_000
MAX_REDIRECTS = 4
USER_AGENT = "similarity/0.1"
CHUNK_BYTES = 1 << 16
SOCKET_SECONDS = 5.0  # for one connection attempt, and between two bytes
# A server that is busy for a moment gets another chance, all within the deadline.
RETRIES = urllib3.Retry(
    total=2,
    redirect=0,
    backoff_factor=0.3,
    status_forcelist=(429, 500, 502, 503, 504),
    raise_on_status=False,
    respect_retry_after_header=False,
)

T = TypeVar("T")


def is_url(text: str) -> bool:
    """Whether a query is an http(s) address rather than a path."""
    return text.lower().startswith(("http://", "https://"))


def fetch(url: str) -> bytes:
    """Fetch what a public address serves, within 10 seconds and 20 MB.

    Raises:
        FetchError: not an http(s) address, a private or unknown host, an HTTP error status, too slow or too large.
    """
    if not _names_a_host(url):
        raise FetchError(f"{url} is not a web address: it must start with http:// or https:// and name a host.")
    deadline = time.monotonic() + MAX_SECONDS
    try:
        return within(MAX_SECONDS, lambda: _exchange(url, deadline))
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise FetchError(explain(url, error)) from error


def _names_a_host(url: str) -> bool:
    try:
        return is_url(url) and bool(urlsplit(url).hostname)
    except ValueError:  # such as brackets that do not match
        return False


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
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            adapter.max_retries = RETRIES
    session.max_redirects = MAX_REDIRECTS
    for host in filter(None, os.environ.get("SIMILARITY_PRIVATE_HOSTS", "").replace(" ", "").split(",")):
        session.mount(f"http://{host}/", HTTPAdapter(max_retries=RETRIES))
        session.mount(f"https://{host}/", HTTPAdapter(max_retries=RETRIES))
    return session


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call, or TimeoutError: looking up a name and trying its addresses obey no socket timeout."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread, whatever it is
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="fetch").start()
    return future.result(timeout=seconds)


@retry(retry=retry_if_exception_type(urllib3.exceptions.ProtocolError), stop=stop_after_attempt(3), reraise=True)
def _exchange(url: str, deadline: float) -> bytes:
    with _query_session() as session, session.get(url, stream=True, timeout=SOCKET_SECONDS) as response:
        check_status(url, response)
        return _read(url, response, deadline)


def check_status(url: str, response: requests.Response) -> None:
    """Raise FetchError unless a server answered 200."""
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


def explain(url: str, error: Exception) -> str:
    """Put what requests and urllib3 raise into one sentence."""
    if isinstance(error, InvalidIPAddress):
        return f"{url} leads to a private network address, which is not fetched."
    if isinstance(error, requests.TooManyRedirects):
        return f"{url} redirects more than {MAX_REDIRECTS} times: open it in a browser and copy the final address."
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return f"{url} did not answer in time: try again, or download the picture and upload it."
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return f"{url} broke off before the end: try again, or download the picture and upload it."
    if isinstance(error, requests.exceptions.SSLError):
        return f"{url} has no valid certificate, so it was not fetched."
    if isinstance(error, requests.ConnectionError):
        return f"{url} could not be reached: check the address and the network connection."
    if isinstance(error, requests.exceptions.InvalidURL):
        return f"{url} is not a valid web address."
    return f"{url} could not be fetched ({type(error).__name__})."
