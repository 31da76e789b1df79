"""Stores of a gallery's vectors: its own folder, searched by FAISS, or a collection of Milvus.

    faiss     embedded, the default: the index is a file of the gallery
    milvus    a cluster or a server at `http://host:19530`, or the file of a Milvus Lite, which is embedded as well

In either case the gallery's folder has all of its embeddings, from which an index can always be rebuilt.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from similarity.errors import StoreError
from similarity.fetch.web import is_url
from similarity.paths import full_path
from similarity.sources import Item
from similarity.text.plain import LONGEST

if TYPE_CHECKING:
    from similarity.search import Rows, VectorIndex
    from similarity.vectors.memmap import StoredVectors

Kind = Literal["faiss", "milvus"]

# The list of collections that a gallery has made in Milvus, in its folder; see `milvus/ledger.py`.
COLLECTIONS = "collections.json"
# Store of new galleries by default. The address also replaces that of any gallery on a server, which may have another
# name as seen from this computer.
STORE, URI = "SIMILARITY_STORE", "SIMILARITY_MILVUS_URI"


@dataclass(frozen=True, slots=True)
class Store:
    """The place of an index.

    Attributes:
        kind: the engine.
        uri: address of Milvus: an http(s) address, or the absolute path of a file.
    """

    kind: Kind = "faiss"
    uri: str = ""

    @property
    def title(self) -> str:
        """A description for people who may know the address."""
        return f"Milvus at {self.uri}" if self.kind == "milvus" else "FAISS, in the gallery's folder"


EMBEDDED = Store()


@dataclass(frozen=True, slots=True)
class Indexed:
    """The source of an index beside the vectors.

    Attributes:
        directory: the gallery's folder.
        generation: its number.
        items: an item for each vector.
    """

    directory: Path
    generation: int
    items: Sequence[Item]


def choose_store(kind: str | None = None, uri: str | None = None) -> Store:
    """Choose a store by name and address.

    Args:
        kind: as above; by default the value of SIMILARITY_STORE, or else the embedded store.
        uri: address of Milvus; by default the value of SIMILARITY_MILVUS_URI.

    Raises:
        StoreError: there is no such store, or it has no address.
    """
    if kind is None:
        kind = "milvus" if uri else os.environ.get(STORE) or "faiss"
    if kind not in get_args(Kind):
        raise StoreError(f"{kind!r} is not a store: choose from {', '.join(get_args(Kind))}.")
    if kind == "faiss":
        if uri:
            raise StoreError("FAISS keeps its index in the gallery's folder: leave out the address, or choose milvus.")
        return EMBEDDED
    if not (uri := uri or os.environ.get(URI)):
        raise StoreError("Milvus needs an address such as http://localhost:19530, or a file such as vectors.db.")
    if len(uri) > LONGEST:
        raise StoreError(f"The address of Milvus can have {LONGEST:,} characters at most; this one has {len(uri):,}.")
    if is_url(uri):
        return Store("milvus", uri.rstrip("/"))
    if not uri.endswith(".db"):
        raise StoreError(f"{uri} is not an address of Milvus: give http://…, or a file whose name ends in .db.")
    return Store("milvus", str(full_path(uri)))


@dataclass(frozen=True, slots=True)
class Before:
    """The state before a change, from which an index is updated.

    Attributes:
        index, vectors, items: those of the generation that was changed.
        origins: for each item of the new generation its row in the changed one, or -1.
        are_traced: whether all items with an origin are known to be compared as they were in the changed generation.
    """

    index: "VectorIndex"
    vectors: "StoredVectors"
    items: Sequence[Item]
    origins: "Rows"
    are_traced: bool = False
