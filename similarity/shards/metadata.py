"""What the shards of a folder have in common: the model that embedded them and the list that they are of."""

from dataclasses import dataclass
from typing import Any

# Of shards and of what their folder says of them.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """What shards have in common.

    Attributes:
        identity: all that an embedding depends on beside the picture, as `Manifest.identity` has it.
        dim: of the vectors.
        source: the name of the list.
        thumbnails: whether each picture has one.
    """

    identity: dict[str, Any]
    dim: int
    source: str
    thumbnails: bool = True


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows a shard has, and how many of them are pictures with a vector."""

    rows: int
    pictures: int


def described(identity: dict[str, Any]) -> str:
    """A model as a person tells it from others."""
    return f"{identity['model']} in {identity['precision']}, weights {str(identity['weights_sha256'])[:12]}"
