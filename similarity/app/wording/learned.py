"""Texts on trained heads: their training, and the change of metrics. This module draws nothing."""

from collections.abc import Mapping
from typing import Any, Literal

from similarity.app.wording.wording import moment, pictures
from similarity.evaluation.held_out import changes
from similarity.evaluation.report.wording import NAMES
from similarity.vectors.head_card import Card

LOSSES: Mapping[str, str] = {
    "multi-similarity": "Multi-similarity",
    "triplet": "Triplet",
    "contrastive": "Contrastive",
    "proxy-anchor": "Proxy anchor",
}
SPLITS: Mapping[str, str] = {"item": "Some pictures of each label", "label": "Whole labels"}
Assessment = Literal["better", "worse", "mixed", "same", "unknown"]
VERDICTS: Mapping[Assessment, str] = {
    "better": "It finds more right results.",
    "worse": "It finds fewer right results: discard it.",
    "mixed": "It is better in one way and worse in the other: look at both before you keep it.",
    "same": "It makes no difference: there is no reason to keep it.",
    "unknown": "There were too few examples to hold some out, so it could not be measured.",
}


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
