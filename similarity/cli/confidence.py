"""Confidence of the hits of a `search`: their probabilities, and the verdict above them."""

from typing import TYPE_CHECKING

from similarity.cli import terminal
from similarity.errors import SearchError

if TYPE_CHECKING:
    from similarity.cli.turns import Outcome
    from similarity.evaluation.confidence.estimate import Chances
    from similarity.evaluation.confidence.verdict import Verdict
    from similarity.gallery import Gallery
    from similarity.query.encoder import EncodedQuery
    from similarity.query.options import SearchOptions
    from similarity.search import Hit

# A larger gallery is calibrated only for --precision, since it takes longer than a search should.
AT_ONCE = 20_000


def find(
    gallery: "Gallery", query: "EncodedQuery", precision: float | None, options: "SearchOptions"
) -> "Chances | None":
    """Return the probabilities for the hits of a query; None for words, and if nothing is known.

    Raises:
        SearchError: a precision is requested, and the gallery cannot be calibrated.
    """
    from similarity.evaluation.gallery_calibration import calibrate, read_calibration
    from similarity.evaluation.gallery_chances import estimate_chances, why_withheld
    from similarity.query.gallery_belonging import read_belonging

    if query.has_words:
        if precision is None:
            return None
        raise SearchError("Confidence is measured for query pictures only: leave out the words, or --precision.")
    if options.parts:  # chances were measured for scores of whole pictures
        if precision is None:
            return None
        raise SearchError("Confidence is measured for whole pictures: leave out --parts, or --precision.")
    is_due = precision is not None or len(gallery) <= AT_ONCE
    try:
        calibration = calibrate(gallery) if is_due else read_calibration(gallery)
    except SearchError:
        if precision is not None:
            raise
        calibration = None
    belonging = gallery.belonging if is_due else read_belonging(gallery.state)
    if calibration is None and belonging is None:
        return None
    rows = [gallery.items.find(file.sha256) for file in query.files]
    same = [gallery.items[row].id for row in rows if row is not None]
    parts = len(query.examples.like) + len(query.examples.unlike)
    withheld = why_withheld(gallery, parts=parts, same=same, is_filtered=options.is_filtered)
    return estimate_chances(
        gallery,
        query.vector,
        query.embeddings,
        calibration=calibration,
        belonging=belonging,
        same=same,
        withheld=withheld,
        accuracy=options.accuracy,
    )


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
