"""Metadata that the shards of a folder share: the model that embedded them, and their list."""

from dataclasses import asdict, dataclass
from typing import Any

from similarity.embedding.view_names import Quality

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
        quality: the quality that was asked for; shards of earlier versions do not say, and are of standard quality.
    """

    identity: dict[str, Any]
    dim: int
    source: str
    thumbnails: bool = True
    quality: Quality = "standard"

    def to_json(self) -> dict[str, Any]:
        """In JSON's own types; standard quality is left out, so that earlier versions can read it."""
        facts = asdict(self)
        if self.quality == "standard":
            del facts["quality"]
        return facts


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of rows of a shard, and of those with a vector."""

    rows: int
    pictures: int


def describe_model(identity: dict[str, Any]) -> str:
    """A description of a model for people."""
    weights, view = str(identity["weights_sha256"])[:12], identity["preprocessing"].get("view", "crop")
    return f"{identity['model']} in {identity['precision']}, weights {weights}, view {view}"
