"""Where the vectors of a gallery are searched: in its own folder, by FAISS, or in a collection of Milvus.

    faiss     embedded, the default: the index is a file of the gallery
    milvus    a cluster or a server at `http://host:19530`, or the file of a Milvus Lite, which is embedded as well

Whichever it is, the gallery's folder has all of its embeddings, so that an index can always be made anew of them.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from similarity.errors import StoreError
from similarity.fetch import is_url
from similarity.home import full_path

Kind = Literal["faiss", "milvus"]


@dataclass(frozen=True, slots=True)
class Store:
    """Where an index lies.

    Attributes:
        kind: the engine.
        uri: of Milvus: an http(s) address, or the absolute path of a file.
    """

    kind: Kind = "faiss"
    uri: str = ""


EMBEDDED = Store()


def choose_store(kind: str, uri: str = "") -> Store:
    """The store that is asked for.

    Args:
        kind: as above.
        uri: of Milvus.

    Raises:
        StoreError: it is none, or there is no address for it.
    """
    if kind not in get_args(Kind):
        raise StoreError(f"{kind!r} is no store: choose from {', '.join(get_args(Kind))}.")
    if kind == "faiss":
        if uri:
            raise StoreError("FAISS keeps its index in the gallery's folder: leave the address away, or take milvus.")
        return EMBEDDED
    if not uri:
        raise StoreError("Milvus needs an address such as http://localhost:19530, or a file such as vectors.db.")
    return Store("milvus", uri if is_url(uri) else str(full_path(uri)))
