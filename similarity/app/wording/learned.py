"""How the pages say what a head has learned and what it is worth. Nothing here is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from similarity.app.wording.wording import moment, pictures
from similarity.evaluation.report.wording import NAMES
from similarity.vectors.heads import Card

LOSSES: Mapping[str, str] = {
    "multi-similarity": "Multi-similarity",
    "triplet": "Triplet",
    "contrastive": "Contrastive",
    "proxy-anchor": "Proxy anchor",
}
SPLITS: Mapping[str, str] = {"item": "Some pictures of each label", "label": "Whole labels"}
# Differences of less are not seen in three digits.
VISIBLE = 0.0005
Assessment = Literal["better", "worse", "mixed", "same", "unknown"]
VERDICTS: Mapping[Assessment, str] = {
    "better": "More of what is right is found with it.",
    "worse": "Less of what is right is found with it: better discard it.",
    "mixed": "It is better in one way and worse in the other: look at both before you keep it.",
    "same": "It makes no difference: there is no reason to keep it.",
    "unknown": "There was too little to hold anything out: nobody knows what it is worth.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A metric of held-out pictures, before and after: with embeddings as they are, and with the head."""

    name: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """How much more it is with the head."""
        return self.after - self.before

    @property
    def is_visible(self) -> bool:
        """Whether that is anything in the three digits that are shown."""
        return abs(self.difference) >= VISIBLE


def changes(card: Card) -> list[Change]:
    """All metrics that were measured before and after, in the order in which they are always shown."""
    both = card.before.keys() & card.after.keys()
    return [Change(name, card.before[name], card.after[name]) for name in NAMES if name in both]


def assess(card: Card) -> Assessment:
    """Whether a head is worth having."""
    found = changes(card)
    if not found:
        return "unknown"
    rises, falls = (any(one.is_visible and sign * one.difference > 0 for one in found) for sign in (1, -1))
    if rises and falls:
        return "mixed"
    if rises:
        return "better"
    return "worse" if falls else "same"


def verdict(card: Card) -> str:
    """The same in a sentence."""
    return VERDICTS[assess(card)]


def origin(card: Card) -> str:
    """What a head was made of, when and how, in a phrase."""
    loss = f"with the {loss_title(card.loss).lower()} loss" if card.loss else ""
    return ", ".join(filter(None, ("Trained " + moment(card.created), loss, _data(card.data))))


def summary(card: Card) -> str:
    """A head in one line."""
    worth = [f"{NAMES[one.name]} {one.before:.3f} before, {one.after:.3f} after" for one in changes(card)[:1]]
    return " · ".join([origin(card), *worth])


def loss_title(loss: str) -> str:
    """A loss's name as people know it."""
    return LOSSES.get(loss, loss)


def _data(data: Mapping[str, Any]) -> str:
    if marks := data.get("marks"):
        return f"of {marks:,} marks"
    if count := data.get("pictures"):
        return f"of {pictures(count)} with {data.get('labels', 0):,} labels"
    return ""
