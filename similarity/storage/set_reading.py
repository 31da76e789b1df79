"""Opening a set: its shards, and what they have in common with the one gallery that they stand for."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from similarity.errors import GalleryDamagedError, GalleryError, GalleryNotFoundError
from similarity.paths import REFINED
from similarity.search.stacked import StackedIndex
from similarity.storage.items import Items
from similarity.storage.shard_places import Shard
from similarity.vectors.mapped import MappedRows
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.placed import Placed
from similarity.vectors.refinement import read_refined
from similarity.vectors.stacked import Places, Rows, StackedRows, StackedVectors

if TYPE_CHECKING:
    from similarity.storage.generations import Generation
    from similarity.storage.manifest import Manifest

logger = logging.getLogger(__name__)
CHANGED = "was changed by itself, and is not what its set has written"


@dataclass(frozen=True, slots=True)
class OpenedShards:
    """The shards of a set that can be opened.

    Attributes:
        shards: by number, from 0.
        faults: by number, why others cannot be.
    """

    shards: "dict[int, Generation]"
    faults: dict[int, GalleryError]

    @property
    def left_out(self) -> str:
        """One sentence on those that cannot be opened; empty if all can."""
        if not self.faults:
            return ""
        count, total = len(self.faults), len(self.faults) + len(self.shards)
        number = min(self.faults)
        return (
            f"The pictures of {count} of its {total} shards are missing (of shard {number + 1}: "
            f"{str(self.faults[number]).rstrip('.')}): `sync` with their source makes them again."
        )


def assign(contents: Iterable[str], count: int) -> Rows:
    """Return for each content, a SHA-256 in hex, the number of its shard, from 0 to `count` - 1."""
    return np.fromiter((int(sha256, 16) % count for sha256 in contents), np.int64)


def open_shards(
    directory: Path, shards: Sequence[Shard], read: "Callable[[Path], Generation]", *, is_strict: bool
) -> OpenedShards:
    """Open the shards of the set in a folder; at least one, or else it raises what the first one does.

    Args:
        read: opens the gallery in a folder.
        is_strict: raise GalleryError for any shard that cannot be opened.
    """
    opened: dict[int, Generation] = {}
    faults: dict[int, GalleryError] = {}
    for number, shard in enumerate(shards):
        if not shard.place:
            continue
        try:
            generation = read(shard.folder(directory))
            if str(generation.state) != shard.state:
                raise GalleryDamagedError(shard.folder(directory), CHANGED)
            opened[number] = generation
        except GalleryError as error:
            fault = _missing(shard.folder(directory)) if isinstance(error, GalleryNotFoundError) else error
            if is_strict:
                raise fault from error
            faults[number] = fault
    found = OpenedShards(opened, faults)
    if not opened:
        raise next(iter(faults.values()), GalleryDamagedError(directory, "is a set without shards"))
    if faults:
        logger.warning("%s: %s", directory.name, found.left_out)
    return found


def _missing(folder: Path) -> GalleryDamagedError:
    return GalleryDamagedError(folder, "is missing, a shard of this set")


def places_of(items: Items, opened: OpenedShards, count: int) -> tuple[Items, Places]:
    """Return the pictures of a set that are in its opened shards, and where; raises ValueError if they are not."""
    numbers = assign(items.iter_contents(), count)
    if opened.faults:
        rows = np.flatnonzero(np.isin(numbers, list(opened.shards)))
        items, numbers = items.those(rows), numbers[rows]
    order = np.full(count, -1)
    order[list(opened.shards)] = np.arange(len(opened.shards))
    places = Places.among(order[numbers], len(opened.shards))
    for rows, shard in zip(places.of, opened.shards.values(), strict=True):
        if len(rows) != len(shard.items):
            raise ValueError("a shard has other pictures than its set")
    return items, places


def stack(
    folder: Path, manifest: "Manifest", opened: OpenedShards, places: Places
) -> tuple[StoredVectors, StoredVectors, StackedIndex]:
    """Return embeddings, compared vectors and index of a set, as `Generation` has them; raises OSError or ValueError.

    Args:
        folder: of the set's generation.
    """
    shards, directory = list(opened.shards.values()), folder.parents[1]
    embeddings = StackedVectors(StackedRows([one.embeddings.rows for one in shards], places, directory))
    projected = StackedVectors(StackedRows([one.vectors.rows for one in shards], places, directory))
    index = StackedIndex([one.index for one in shards], places, manifest.search)
    if opened.faults and manifest.refinement == "neighbours":  # some of them are gone
        return embeddings, _placed(shards, projected, places, manifest.neighbour_power), index
    return embeddings, read_refined(folder, projected, manifest.refinement, manifest.neighbour_power), index


def _placed(shards: "Sequence[Generation]", projected: StackedVectors, places: Places, power: float) -> StoredVectors:
    """Return vectors where they were moved to, and their centre, of the shards themselves."""
    centre = shards[0].vectors.centre
    if centre is None:
        raise ValueError("shards that are not refined")
    refined = [MappedRows(one.embeddings.path.with_name(REFINED)) for one in shards]
    rows = StackedRows(refined, places, projected.path)
    return projected.compared_by(Placed(projected.rows, centre, rows, power))
