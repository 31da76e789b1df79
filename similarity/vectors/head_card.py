"""The card of a head or of tuned weights: its training data, its settings, and its metrics."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

# The counts in the data of a card.
COUNTS = ("pictures", "labels", "marks", "queries", "gone", "foreign")


@dataclass(frozen=True, slots=True)
class Card:
    """The description of a head.

    Attributes:
        model, weights_sha256, network_sha256: the backbone that its embeddings are of; see `Manifest`.
        loss: it was trained with.
        data: the gallery's name, the number of pictures, labels or feedback, and a digest of these.
        settings: all that it was trained with; the same data and settings give the same projection.
        before, after: metrics of held-out queries, with embeddings as they are and with the head.
        seconds: that training took.
        versions: of the libraries that did it.
        created: ISO 8601, UTC.
        calibration: the probabilities of scores, from held-out queries; see `confidence.Calibration`.
        view: the view that its embeddings are of; cards of earlier versions do not say, and are of the crop.
    """

    model: str
    weights_sha256: str
    loss: str
    network_sha256: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    calibration: Mapping[str, Any] | None = None
    view: str = "crop"

    def __post_init__(self) -> None:
        """Raise ValueError if a field has a wrong type or range: a file from elsewhere may hold anything."""
        words = (self.model, self.weights_sha256, self.loss, self.created, self.view)
        mappings = (self.data, self.settings, self.before, self.after, self.versions)
        if not all(isinstance(one, str) for one in words) or not all(isinstance(one, Mapping) for one in mappings):
            raise ValueError("a card with parts of other types")
        numbers = [*self.before.values(), *self.after.values(), self.seconds]
        numbers += [self.data[name] for name in COUNTS if name in self.data]
        if not all(isinstance(one, int | float) and math.isfinite(one) for one in numbers):
            raise ValueError("a card with metrics or counts that are no numbers")

    @property
    def is_of_labels(self) -> bool:
        """Whether it was learned of labels, and not of marks."""
        return "labels" in self.data

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Card":
        """Read the result of `to_json`; unknown fields are ignored. Raises TypeError or ValueError if malformed."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})

    def to_json(self) -> dict[str, Any]:
        """In JSON's own types; the crop is left out, so that the digest of an earlier head stays the same."""
        facts = asdict(self)
        if self.view == "crop":
            del facts["view"]
        return facts
