"""Sets: galleries whose pictures are shared out among shards; see `storage.shard_places`."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from similarity.errors import GalleryError, SearchError
from similarity.search.stores import Store
from similarity.storage.generations import Generation
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import Manifest
from similarity.storage.shard_places import MOST_SHARDS, Shard

# Tasks that make a shard that is gone again, or do not need it.
HEALING = ("index", "add", "sync")


def check_shards(shards: int | None, store: Store, *, with_parts: bool = False) -> None:
    """Raise SearchError if pictures cannot be shared out so."""
    if shards is None or shards == 1:
        return
    if not 1 <= shards <= MOST_SHARDS:
        raise SearchError(f"A set can have 1 to {MOST_SHARDS} shards, not {shards}.")
    if store.kind != "faiss":
        raise SearchError("The shards of a set are searched by FAISS: leave out --shards, or choose the store faiss.")
    if with_parts:
        raise SearchError("The parts of pictures are not shared out among shards: leave out --shards, or --parts.")


def default_shards(directory: Path) -> int | None:
    """Return the number of shards of the set in a folder; None if there is none."""
    with suppress(GalleryError):
        return len(read_live_manifest(directory).shards) or None
    return None


def with_shards(manifest: Manifest, shards: int | None) -> Manifest:
    """Return a manifest of as many shards, which are still to be written; none for None and for 1."""
    return replace(manifest, shards=[Shard()] * shards if shards and shards > 1 else [])


def check_is_whole(before: Generation | None, task: str, name: str) -> list[str]:
    """Return remarks on a set of which shards are missing; raises GalleryError if a task would lose their pictures.

    Args:
        name: of the set.
    """
    if before is None or not before.left_out:
        return []
    if task not in HEALING:
        raise GalleryError(f"{name} is not whole, so it was not changed. {before.left_out}")
    return [before.left_out]
