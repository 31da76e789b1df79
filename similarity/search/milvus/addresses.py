"""The addresses of Milvus that may be connected to: only those that a person gave, not those that a gallery names.

A gallery may come from a stranger. Its address would send this computer, with its token, anywhere: to a server of the
stranger, to a host in the local network, or to a file of another program. An address counts as given if it is

    SIMILARITY_MILVUS_URI
    an argument of this command or call, as `--uri` or `store=`
    an argument of an earlier one, recorded outside of all galleries, see `installation.py`

Two addresses are the same if scheme, host and port are, or the file.
"""

import os
import re
from urllib.parse import SplitResult, urlsplit

from similarity.errors import SimilarityError, StoreError
from similarity.fetch.addresses import has_odd_characters
from similarity.fetch.web import is_url
from similarity.paths import full_path
from similarity.search.milvus.installation import read_installation, remember_addresses
from similarity.search.stores import URI, Store

# Defaults of pymilvus for an address without a host or a port.
HOST, PORTS = "localhost", {"http": 19530, "https": 443}
DATABASE = re.compile(r"\w*", re.ASCII)
MOST_SHOWN = 200

# Addresses that this process was given; they are forgotten when it ends.
_given: set[str] = set()


def address(store: Store) -> str:
    """Return the address of a store, or that of all servers if the environment sets one."""
    return os.environ.get(URI) or store.uri if is_url(store.uri) else store.uri


def connect_address(store: Store) -> str:
    """Return the address to connect to, which a person has given; only the database's name may come from a gallery.

    Raises:
        StoreError: the address was never given here, or is not valid.
    """
    if not is_given(address(store)):
        raise StoreError(
            f"The gallery names Milvus at {address(store)[:MOST_SHOWN]}, which was never given on this computer, so "
            "nothing was sent there: if you know this address, give it once with `python -m similarity verify "
            "--gallery NAME --uri ADDRESS`, or leave Milvus with `python -m similarity rebuild --gallery NAME "
            "--store faiss`."
        )
    if is_url(store.uri) and os.environ.get(URI):
        return os.environ[URI]
    return _rebuild(store.uri) if is_url(store.uri) else normalise_address(store.uri)


def is_given(uri: str) -> bool:
    """Whether a person gave an address here; raises StoreError if it is not valid, or the record cannot be read."""
    place, configured = normalise_address(uri), os.environ.get(URI)
    if place in _given or (configured and place == normalise_address(configured)):
        return True
    return place in read_installation().addresses


def give(store: Store) -> None:
    """Trust the address of a store in this process; raises StoreError if it is not valid."""
    _given.add(normalise_address(store.uri))


def remember(store: Store) -> None:
    """Record the address of a store for later processes, if a person gave it; raises StoreError."""
    remember_addresses({normalise_address(uri) for uri in (address(store), store.uri) if is_given(uri)})


def normalise_address(uri: str) -> str:
    """Normalise an address for comparison: scheme, host and port without credentials, or the full path of a file.

    Raises:
        StoreError: it is not valid.
    """
    if not is_url(uri):
        if "://" in uri or not uri.endswith(".db"):
            raise _no_address(uri)
        return _full(uri)
    parts = _split(uri)
    return f"{parts.scheme}://{_host(parts)}:{_port(parts)}"


def _rebuild(uri: str) -> str:
    """An address rebuilt from its parts, so that every program parses it alike."""
    parts = _split(uri)
    name, at, _ = parts.netloc.rpartition("@")
    database = parts.path.strip("/").partition("/")[0]
    if not DATABASE.fullmatch(database) or parts.query or parts.fragment:
        raise _no_address(uri)
    return f"{parts.scheme}://{name}{at}{_host(parts)}:{_port(parts)}/{database}".removesuffix("/")


def _full(path: str) -> str:
    try:
        return str(full_path(path))
    except SimilarityError as error:
        raise _no_address(path) from error


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        if has_odd_characters(uri):
            raise ValueError("an address with spaces or the like")
        _port(parts)  # raises if it is not a number
    except ValueError as error:
        raise _no_address(uri) from error
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or HOST
    return f"[{host}]" if ":" in host else host


def _port(parts: SplitResult) -> int:
    return parts.port or PORTS[parts.scheme]


def _no_address(uri: str) -> StoreError:
    return StoreError(
        f"{uri[:MOST_SHOWN]} is not an address of Milvus: give http://host:19530, or a file whose name ends in .db."
    )
