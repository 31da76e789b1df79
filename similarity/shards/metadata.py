"""Metadata that the shards of a folder share: the model that embedded them, and their list."""

from dataclasses import dataclass
from typing import Any

# Format of shards and of their folder's `embeddings.json`.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of shards.

    Attributes:
        identity: the model and preprocessing of embeddings, as in `Manifest.identity`.
        dim: length of the vectors.
        source: the name of the list.
        thumbnails: whether pictures have thumbnails.
    """

    identity: dict[str, Any]
    dim: int
    source: str
    thumbnails: bool = True


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of rows of a shard, and of those with a vector."""

    rows: int
    pictures: int


def describe_model(identity: dict[str, Any]) -> str:
    """A description of a model for people."""
    weights, view = str(identity["weights_sha256"])[:12], identity["preprocessing"].get("view", "crop")
    return f"{identity['model']} in {identity['precision']}, weights {weights}, view {view}"
