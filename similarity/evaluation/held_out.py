"""Metrics on pictures that were held out while a head or a network was trained, as its card has them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from similarity.embedding.backbones.tuned import find_tuned, read_tuned
from similarity.errors import WeightsError
from similarity.evaluation.report.wording import NAMES
from similarity.gallery import Gallery
from similarity.vectors.head_card import Card

UNSEEN = "pictures that were held out when it was trained"
# Smaller differences do not show in three digits.
VISIBLE = 0.0005


@dataclass(frozen=True, slots=True)
class Change:
    """A metric on held-out pictures, before training and after it."""

    name: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """The increase by training."""
        return self.after - self.before

    @property
    def is_visible(self) -> bool:
        """Whether the difference shows in three digits."""
        return abs(self.difference) >= VISIBLE


def changes(card: Card) -> list[Change]:
    """Return the metrics that were measured before and after, in their usual order."""
    both = card.before.keys() & card.after.keys()
    return [Change(name, card.before[name], card.after[name]) for name in NAMES if name in both]


def changes_of(gallery: Gallery) -> tuple[Change, ...]:
    """Return the metrics of a gallery's head, or else of its fine-tuned network; empty if it has neither."""
    if gallery.head is not None:
        return tuple(changes(gallery.head.card))
    manifest = gallery.manifest
    if (tuned := find_tuned(manifest.model, manifest.weights_sha256)) is not None:
        with suppress(WeightsError):
            return tuple(changes(read_tuned(tuned).card))
    return ()


def phrase(metrics: Sequence[Change]) -> str:
    """Return metrics before and after as a phrase, such as `mAP@R 0.411 → 0.523`; empty if there are none."""
    return ", ".join(f"{NAMES[change.name]} {change.before:.3f} → {change.after:.3f}" for change in metrics)
