"""Where the vectors of a gallery are searched: in its own folder, by FAISS, or in a collection of Milvus.

    faiss     embedded, the default: the index is a file of the gallery
    milvus    a cluster or a server at `http://host:19530`, or the file of a Milvus Lite, which is embedded as well

Whichever it is, the gallery's folder has all of its embeddings, so that an index can always be made anew of them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from similarity.errors import StoreError
from similarity.paths import full_path
from similarity.sources import Item
from similarity.text.plain import LONGEST

if TYPE_CHECKING:
    from similarity.search import Rows, VectorIndex
    from similarity.vectors.memmap import StoredVectors

Kind = Literal["faiss", "milvus"]

# Notes of what a gallery has made in Milvus, see `milvus/notes.py`; in its folder.
COLLECTIONS = "collections.json"
# What new galleries are in unless told otherwise. The address also stands in for that of any gallery on a server, which
# may have another name where it is seen from.
STORE, URI = "SIMILARITY_STORE", "SIMILARITY_MILVUS_URI"


@dataclass(frozen=True, slots=True)
class Store:
    """Where an index lies.

    Attributes:
        kind: the engine.
        uri: of Milvus: an http(s) address, or the absolute path of a file.
    """

    kind: Kind = "faiss"
    uri: str = ""

    @property
    def title(self) -> str:
        """For people who may know the address."""
        return f"Milvus at {self.uri}" if self.kind == "milvus" else "FAISS, in the gallery's folder"


EMBEDDED = Store()


@dataclass(frozen=True, slots=True)
class Indexed:
    """What an index is of, beside the vectors.

    Attributes:
        directory: of the gallery.
        generation: its number.
        items: one for each vector.
    """

    directory: Path
    generation: int
    items: Sequence[Item]


def choose_store(kind: str | None = None, uri: str | None = None) -> Store:
    """The store that is asked for.

    Args:
        kind: as above; what SIMILARITY_STORE says unless given, or else the embedded one.
        uri: of Milvus; what SIMILARITY_MILVUS_URI says unless given.

    Raises:
        StoreError: it is none, or there is no address for it.
    """
    from similarity.fetch.http import is_url  # which imports requests

    if kind is None:
        kind = "milvus" if uri else os.environ.get(STORE) or "faiss"
    if kind not in get_args(Kind):
        raise StoreError(f"{kind!r} is no store: choose from {', '.join(get_args(Kind))}.")
    if kind == "faiss":
        if uri:
            raise StoreError("FAISS keeps its index in the gallery's folder: leave the address away, or take milvus.")
        return EMBEDDED
    if not (uri := uri or os.environ.get(URI)):
        raise StoreError("Milvus needs an address such as http://localhost:19530, or a file such as vectors.db.")
    if len(uri) > LONGEST:
        raise StoreError(f"An address has {LONGEST:,} characters at most, and that of Milvus {len(uri):,}.")
    if is_url(uri):
        return Store("milvus", uri.rstrip("/"))
    if not uri.endswith(".db"):
        raise StoreError(f"{uri} is no address of Milvus: give http://…, or a file whose name ends in .db.")
    return Store("milvus", str(full_path(uri)))


@dataclass(frozen=True, slots=True)
class Before:
    """What an index goes on from after a change.

    Attributes:
        index, vectors, items: of the generation that was changed.
        origins: for each item of the new one the row that it had there, or -1.
    """

    index: "VectorIndex"
    vectors: "StoredVectors"
    items: Sequence[Item]
    origins: "Rows"
