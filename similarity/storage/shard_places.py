"""The shards of a set: which galleries its pictures are in, and where these lie.

    photos/                          a gallery like any other for whoever searches or changes it
      generations/000003/            manifest.json names the shards; items.parquet has all pictures, in their order;
                                     centre.npy and neighbours.npy are of all of them
      shards/000003/shard-1/ ...     galleries, each with some of the pictures: embeddings, refined as those of the
                                     whole, and an index; each can be searched alone by its path

A picture is in the shard that the SHA-256 of its file says, so copies are together. A change writes the shards that
change beside the others, and then the set's next generation, which names both: so readers see the old set or the new
one, and going back works as with any gallery. A shard that is gone is left out of searches until it is made again.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from similarity.paths import SHARDS
from similarity.storage.current import CURRENT

MOST_SHARDS = 256
PLACE = re.compile(r"[0-9]{6,9}/shard-[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as its set knows it.

    Attributes:
        place: its folder among those of the set's shards, such as 000003/shard-1; empty if it has no picture.
        state: the line of its CURRENT.
        bytes: size of its files.
    """

    place: str = ""
    state: str = ""
    bytes: int = 0

    @property
    def is_valid(self) -> bool:
        """Whether a set can have it."""
        return bool(PLACE.fullmatch(self.place) or not self.place) and 0 <= self.bytes < 1 << 62

    def folder(self, directory: Path) -> Path:
        """Return its folder in that of its set."""
        return directory / SHARDS / self.place


def set_of(directory: Path) -> Path | None:
    """Return the folder of the set that a folder is a shard of, judged by where it lies; None if it is none."""
    is_within = len(directory.parents) > 2 and directory.parents[1].name == SHARDS
    if not is_within or not PLACE.fullmatch(f"{directory.parent.name}/{directory.name}"):
        return None
    return directory.parents[2] if (directory.parents[2] / CURRENT).is_file() else None
