"""Fetching addresses. The only module that opens a connection for a query.

A query's address comes from a stranger. Only public hosts are connected to, and each connection goes to the address
that was checked, on every redirect: `requests-hardened` ensures that, and `_PublicAdapter` closes its gaps. Time and
size are bounded, even against a hostile server. An operator inside a company can allow hosts by name through the
environment variable SIMILARITY_PRIVATE_HOSTS (`host` or `host:port`, separated by commas), and further ports of public
hosts through SIMILARITY_PORTS (`8080,8443`). SIMILARITY_CONTACT is an address of the operator, which servers get
with each request, since many refuse programs that give none.
"""

import logging
import os
import socket
import threading
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from tenacity import retry, retry_if_exception_type, stop_after_attempt
from urllib3.connection import HTTPConnection, HTTPSConnection

from similarity.errors import FetchError
from similarity.fetch.addresses import (
    WEB_PORTS,
    BadAddressError,
    check_url,
    encode_spaces,
    has_odd_characters,
    is_public,
)
from similarity.fetch.busy import BUSY, BusyError, retry_after, when_free
from similarity.fetch.explanations import MAX_REDIRECTS, explain, explain_status
from similarity.fetch.web import private_hosts, setting
from similarity.text.plain import LONGEST

MAX_SECONDS = 10.0
LONGEST_ADDRESS = LONGEST
MAX_BYTES = 20_000_000
MAX_REQUESTS = 10
# Many sites refuse programs that name nobody; whoever publishes or runs this puts an address of theirs in its place.
MAINTAINERS = "similarity-maintainers@users.noreply.example"
CHUNK_BYTES = 1 << 16
SOCKET_SECONDS = 5.0  # for one connection attempt, and between two bytes
# A server with a fault is retried once, within the deadline.
RETRIES = urllib3.Retry(
    total=1,
    redirect=0,
    backoff_factor=0.3,
    status_forcelist=(500, 502, 504),
    raise_on_status=False,
    respect_retry_after_header=False,
)
# Pictures are compressed already; a compressed response could only be a decompression bomb.
HEADERS = {"Accept-Encoding": "identity", "Accept": "image/*"}

T = TypeVar("T")

logger = logging.getLogger(__name__)


def fetch(url: str) -> bytes:
    """Fetch a public address, within 10 seconds and 20 MB.

    Raises:
        FetchError: not an http(s) address, a private or unknown host, an HTTP error status, too slow or too large.
    """
    if len(url) > LONGEST_ADDRESS:
        raise FetchError(
            f"An address can have {LONGEST_ADDRESS:,} characters at most; this one has {len(url):,}: "
            "download the picture and upload it."
        )
    url = encode_spaces(unicodedata.normalize("NFC", url))  # as host names are written
    if has_odd_characters(url):
        raise FetchError(f"{url!r} is not a web address: it has spaces, backslashes or control characters in it.", url)
    exchange = _Exchange()
    try:
        check_url(url, ports=None)
        return within(MAX_SECONDS, partial(_fetch, url, exchange))
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:  # those of requests are OSErrors
        logger.info("%s was not fetched: %r", url, error)
        raise FetchError(explain(url, error), url) from error
    finally:
        exchange.end()


class _Exchange:
    """All connections of one fetch, so that they can be closed at the deadline, even while they wait.

    Attributes:
        requests: number of requests so far.
        deadline: the time of `time.monotonic` at which the fetch is given up.
        others: for an address that is connected to, the other checked addresses of the same host.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.deadline = time.monotonic() + MAX_SECONDS
        self.others: dict[str, list[str]] = {}
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._has_ended = False

    def count_request(self) -> None:
        """Count a request; raises ConnectionError beyond the limit, which redirects and retries share."""
        self.requests += 1
        if self.requests > MAX_REQUESTS:
            raise requests.ConnectionError("too many requests")

    def take(self, connected: socket.socket) -> socket.socket:
        """Register a connection; raises TimeoutError if the exchange has ended."""
        with self._lock:
            if self._has_ended:
                connected.close()
                raise TimeoutError
            self._sockets.append(connected.dup())  # TLS takes the original away
        return connected

    def end(self) -> None:
        """Close all connections."""
        with self._lock:
            self._has_ended = True
            for connected in self._sockets:
                with suppress(OSError):  # it has been closed
                    connected.shutdown(socket.SHUT_RDWR)
                connected.close()


class _BoundedAdapter(HTTPAdapter):
    """Requests plain web addresses only, on connections that end when their exchange does."""

    exchange: _Exchange
    ports: frozenset[int] | None = None  # any

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Check each request, those that follow a redirect too, just before it is sent."""
        try:
            check_url(str(request.url), self.ports)
        except BadAddressError as error:
            if self.exchange.requests:
                raise BadAddressError(f"redirects to an address that is not fetched: it {error}") from error
            raise
        self.exchange.count_request()
        response = super().send(request, *arguments, **options)
        if response.is_redirect:  # requests would read and unpack all that is behind it
            response.close()
            response._content, response._content_consumed = b"", True  # type: ignore[attr-defined]
        return response

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """A pool whose connections the exchange knows."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        kind = HTTPSConnection if pool.scheme == "https" else HTTPConnection
        pool.ConnectionCls = _tracked_by(self.exchange, kind)
        return pool


class _PublicAdapter(_BoundedAdapter, IPFilterAdapter):  # type: ignore[misc]
    """Connects to public hosts only."""

    def build_connection_pool_key_attributes(self, *arguments: Any, **options: Any) -> Any:
        """Look the host up, and check the one address that will be connected to; none of the others may be private."""
        host, pool = super().build_connection_pool_key_attributes(*arguments, **options)
        request: requests.PreparedRequest = arguments[0]
        name = urllib3.util.parse_url(str(request.url)).host or ""
        others = socket.getaddrinfo(name.strip("[]"), None, type=socket.SOCK_STREAM)
        checked = host["host"].strip("[]")
        addresses = list(dict.fromkeys((checked, *(str(other[4][0]) for other in others))))
        if not all(map(is_public, addresses)):
            raise InvalidIPAddress(host["host"])
        self.exchange.others[checked] = addresses[1:]
        return host, pool


def _tracked_by(exchange: _Exchange, kind: type[HTTPConnection]) -> type[HTTPConnection]:
    """A subclass of a connection that registers its socket with an exchange."""

    class TrackedConnection(kind):  # type: ignore[valid-type,misc]
        def _new_conn(self) -> socket.socket:
            """Connect to the checked address, or if that fails, to another one of the same host."""
            pinned = str(self.host).strip("[]")  # type: ignore[has-type]
            for other in exchange.others.get(pinned, []):
                with suppress(urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
                    return exchange.take(super()._new_conn())
                self.host = other
            return exchange.take(super()._new_conn())

    return TrackedConnection


def _query_session(exchange: _Exchange) -> requests.Session:
    """A session that refuses private addresses, except on hosts that the operator has named."""
    config = Config(
        ip_filter_enable=False,  # by our own adapters, below
        ip_filter_allow_loopback_ips=False,
        never_redirect=False,
        default_timeout=(SOCKET_SECONDS, SOCKET_SECONDS),
        user_agent_override=user_agent(),
    )
    session: requests.Session = HTTPSession(config)
    session.trust_env = False
    session.max_redirects = MAX_REDIRECTS
    session.headers.update(HEADERS)
    session.adapters.clear()
    for scheme in ("http", "https"):
        public = _PublicAdapter(is_https_proto=scheme == "https")  # type: ignore[call-arg]
        public.ports = WEB_PORTS | {int(port) for port in setting("SIMILARITY_PORTS") if port.isdecimal()}
        session.mount(f"{scheme}://", public)
        for host in private_hosts():
            session.mount(f"{scheme}://{host}/", _BoundedAdapter())
    for adapter in session.adapters.values():
        adapter.exchange = exchange  # type: ignore[attr-defined]
        adapter.max_retries = RETRIES  # type: ignore[attr-defined]
    return session


def user_agent() -> str:
    """How this program names itself to servers, with an address to complain to."""
    contact = "".join(filter(str.isprintable, os.environ.get("SIMILARITY_CONTACT", ""))).strip()
    return f"similarity/0.1 (+{contact.encode('ascii', 'ignore').decode() or MAINTAINERS})"


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call, or TimeoutError: name lookup and connection attempts ignore socket timeouts."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - any error is raised in the caller's thread
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="fetch").start()
    return future.result(timeout=seconds)


@when_free
@retry(retry=retry_if_exception_type(urllib3.exceptions.ProtocolError), stop=stop_after_attempt(3), reraise=True)
def _fetch(url: str, exchange: _Exchange) -> bytes:
    with _query_session(exchange) as session, session.get(url, stream=True, timeout=SOCKET_SECONDS) as response:
        if response.status_code in BUSY:
            raise BusyError(url, response, exchange.deadline)
        check_status(url, response)
        return _read(url, response)


def check_status(url: str, response: requests.Response, what: str = "picture") -> None:
    """Raise FetchError unless a server answered 200."""
    if response.status_code != requests.codes.ok:
        raise FetchError(explain_status(url, response.status_code, what=what, wait=retry_after(response)), url)


def _read(url: str, response: requests.Response) -> bytes:
    """Read a body in pieces as they arrive, so that an endless one is noticed."""
    body = bytearray()
    while piece := response.raw.read1(CHUNK_BYTES, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise FetchError(f"{url} sends more than 20 MB: use a smaller version of the picture.", url)
    return bytes(body)
