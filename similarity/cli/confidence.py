"""Confidence of the hits of a `search` in words: their probabilities, and the verdict above them."""

from typing import TYPE_CHECKING

from similarity.cli import terminal

if TYPE_CHECKING:
    from similarity.evaluation.confidence.estimate import Chances
    from similarity.evaluation.confidence.verdict import Verdict
    from similarity.search import Hit
    from similarity.service.answers.turns import Outcome


def say(verdict: "Verdict | None", chances: "Chances | None", precision: float | None) -> None:
    """Say what is known of the hits, or why they have no probabilities though a precision was asked for."""
    if verdict is not None:
        terminal.say(verdict.detail, as_=verdict.title)
    elif precision is not None and chances is not None and chances.withheld:
        terminal.say(chances.withheld, as_="Note")


def as_cell(outcome: "Outcome", hit: "Hit") -> str:
    """Return the cell of a table with the probability that a hit is right; empty for a proven copy."""
    from similarity.evaluation.confidence.estimate import percent

    if outcome.chances is not None and hit.item.id in outcome.chances.same:
        return "the query"
    chance = outcome.chance_of(hit)
    return "" if chance is None else percent(chance)
