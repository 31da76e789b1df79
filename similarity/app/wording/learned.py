"""Texts on trained heads: their training, and the change of metrics. This module draws nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from similarity.app.wording.wording import moment, pictures
from similarity.evaluation.report.wording import NAMES
from similarity.vectors.head_card import Card

LOSSES: Mapping[str, str] = {
    "multi-similarity": "Multi-similarity",
    "triplet": "Triplet",
    "contrastive": "Contrastive",
    "proxy-anchor": "Proxy anchor",
}
SPLITS: Mapping[str, str] = {"item": "Some pictures of each label", "label": "Whole labels"}
# Smaller differences do not show in three digits.
VISIBLE = 0.0005
Assessment = Literal["better", "worse", "mixed", "same", "unknown"]
VERDICTS: Mapping[Assessment, str] = {
    "better": "It finds more right results.",
    "worse": "It finds fewer right results: discard it.",
    "mixed": "It is better in one way and worse in the other: look at both before you keep it.",
    "same": "It makes no difference: there is no reason to keep it.",
    "unknown": "There were too few examples to hold some out, so it could not be measured.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A metric on held-out pictures, before (without the head) and after (with it)."""

    name: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """The increase with the head."""
        return self.after - self.before

    @property
    def is_visible(self) -> bool:
        """Whether the difference shows in three digits."""
        return abs(self.difference) >= VISIBLE


def changes(card: Card) -> list[Change]:
    """Return the metrics that were measured before and after, in their usual order."""
    both = card.before.keys() & card.after.keys()
    return [Change(name, card.before[name], card.after[name]) for name in NAMES if name in both]


def assess(card: Card) -> Assessment:
    """Assess whether a head improves the search."""
    measured = changes(card)
    if not measured:
        return "unknown"
    rises, falls = (any(change.is_visible and sign * change.difference > 0 for change in measured) for sign in (1, -1))
    if rises and falls:
        return "mixed"
    if rises:
        return "better"
    return "worse" if falls else "same"


def verdict(card: Card) -> str:
    """Return the assessment of a head as a sentence."""
    return VERDICTS[assess(card)]


def held_out(card: Card) -> str:
    """Return the metrics on held-out pictures, before and after, as a phrase; empty if there are none."""
    metrics = [f"{NAMES[change.name]} {change.before:.3f} → {change.after:.3f}" for change in changes(card)]
    return ", ".join(metrics)


def origin(card: Card) -> str:
    """Return a phrase with date, loss and data of a head's training."""
    loss = f"with the {loss_title(card.loss).lower()} loss" if card.loss else ""
    return ", ".join(filter(None, ("Trained " + moment(card.created), loss, _data(card.data))))


def summary(card: Card) -> str:
    """Describe a head in one line."""
    metrics = [
        f"{NAMES[change.name]} {change.before:.3f} before, {change.after:.3f} after" for change in changes(card)[:1]
    ]
    return " · ".join([origin(card), *metrics])


def loss_title(loss: str) -> str:
    """Return the title of a loss."""
    return LOSSES.get(loss, loss)


def _data(data: Mapping[str, Any]) -> str:
    if count := data.get("marks"):
        return f"of {count:,} marks"
    if count := data.get("pictures"):
        return f"of {pictures(count)} with {data.get('labels', 0):,} labels"
    return ""
