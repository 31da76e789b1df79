"""Connecting to Milvus: one client for each address, with timeouts, and its errors as ours.

pymilvus itself repeats failed calls until their timeout.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from similarity.errors import CollectionError, StoreAwayError, StoreError
from similarity.fetch.web import is_url
from similarity.search.milvus.addresses import address, connect_address
from similarity.search.stores import Store

# Credentials of a server: "user:password" or a key. They are never written to a file.
TOKEN = "SIMILARITY_MILVUS_TOKEN"
# The file of the certificates that gRPC trusts.
ROOTS = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
# Timeouts in seconds: of a connection, a query, and a write.
CONNECT, ANSWER, WRITE = 10.0, 30.0, 120.0
# Otherwise a new connection waits until gRPC retries the broken one of the same address, which can take minutes.
OPTIONS = {"grpc.use_local_subchannel_pool": 1}
# Codes of Milvus for a missing collection, and for a failed connection.
NO_COLLECTION, NO_WAY = 100, {1, 2}
UNREACHABLE = ("unavailable", "connect", "timeout", "deadline", "retry run out")

_clients: dict[tuple[str, str], Any] = {}
_connecting: dict[tuple[str, str], threading.Lock] = {}


def client(store: Store) -> Any:
    """Return the connected client of a store, which all threads share.

    Raises:
        StoreAwayError: it cannot be reached. StoreError: its address was never given here, the server refuses, or
            pymilvus is not installed.
    """
    key = where, token = _key(store)
    mine = _connecting.setdefault(key, threading.Lock())
    if not mine.acquire(timeout=CONNECT):  # or as many as wait here would wait one after another
        raise StoreAwayError(_away(store))
    try:
        if key not in _clients:
            with translate_errors(store):
                _clients[key] = pymilvus().MilvusClient(where, token=token, timeout=CONNECT, grpc_options=OPTIONS)
        return _clients[key]
    finally:
        mine.release()


@contextmanager
def translate_errors(store: Store, collection: str = "", remedy: str = "") -> Iterator[None]:
    """Turn errors of Milvus and of the connection, raised within, into a StoreError that names the address.

    Args:
        remedy: the remedy if the collection is gone.
    """
    library = pymilvus()
    from grpc import RpcError  # a dependency of pymilvus, which it lets through after a timeout

    try:
        yield
    except (library.MilvusException, RpcError, OSError) as error:
        if (store_error := _as_refusal(store, error)) is None:
            is_answer = isinstance(error, library.MilvusException)
            away = StoreAwayError(_away(store))
            store_error = as_store_error(store, collection, remedy, error) if is_answer else away
        if isinstance(store_error, StoreAwayError):  # otherwise the next call would wait for a retry of this connection
            _forget(_key(store))
        raise store_error from error


@cache
def pymilvus() -> Any:
    """The library; raises StoreError if it is not installed."""
    try:
        import pymilvus
    except ImportError as error:
        raise StoreError("Milvus needs more packages: pip install pymilvus milvus-lite.") from error
    # Errors are raised as well, and the log of repeated attempts is long.
    for name in ("pymilvus", "milvus_lite", "grpc"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return pymilvus


def _key(store: Store) -> tuple[str, str]:
    """Return address and token; a file needs no token."""
    where = connect_address(store)
    return where, os.environ.get(TOKEN, "") if is_url(where) else ""


def _forget(key: tuple[str, str]) -> None:
    """Forget a client, so that the next call connects again."""
    if gone := _clients.pop(key, None):
        with suppress(pymilvus().MilvusException):
            gone.close()


def as_store_error(store: Store, collection: str, remedy: str, error: Any) -> StoreError:
    """Return our error for an error that Milvus reports."""
    text = str(getattr(error, "message", error))
    if error.code == NO_COLLECTION:
        return CollectionError(f"The collection {collection} is not in Milvus at {address(store)} any more{remedy}.")
    if not is_url(store.uri) and "open" in text.lower():
        return StoreAwayError(
            f"{store.uri} cannot be opened: another program has it open, or it is not a Milvus Lite file."
        )
    if error.code in NO_WAY and any(word in text.lower() for word in UNREACHABLE):
        return StoreAwayError(_away(store))
    return StoreError(f"Milvus at {address(store)} refused: {text}")


def _as_refusal(store: Store, error: BaseException) -> StoreError | None:
    """Return our error if a server was reached, and did not trust us or was not trusted; None otherwise.

    To the library it is a failed connection, whose cause has the reason.
    """
    from grpc import RpcError, StatusCode

    cause = error if isinstance(error, RpcError) else error.__cause__
    if not isinstance(cause, RpcError) or not hasattr(cause, "code"):
        return None
    server = f"Milvus at {address(store)}"
    if cause.code() is StatusCode.UNAUTHENTICATED:
        return StoreError(f"{server} does not accept the user and password: set {TOKEN} to USER:PASSWORD, or to a key.")
    if cause.code() is StatusCode.PERMISSION_DENIED:
        return StoreError(f"{server} does not allow this to the user of {TOKEN}: give that user the right in Milvus.")
    if "CERTIFICATE_VERIFY_FAILED" in str(cause.details()):
        return StoreError(
            f"{server} has a certificate that this computer does not trust: set {ROOTS} to the file of the certificate "
            "that it was signed with."
        )
    return None


def _away(store: Store) -> str:
    if is_url(store.uri):
        return f"Milvus at {address(store)} cannot be reached: make sure that it runs there, then try again."
    return f"{store.uri} cannot be opened: another program has it open, or it is not a Milvus Lite file."
