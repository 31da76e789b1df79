"""Confidence of the hits of a `search`: their probabilities, and a warning if that of the best is too low."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from similarity.cli import terminal
from similarity.errors import SearchError

if TYPE_CHECKING:
    from similarity.evaluation.confidence.estimate import Chances
    from similarity.gallery import Gallery
    from similarity.query.encoder import EncodedQuery
    from similarity.search import Hit
    from similarity.search.accuracy import Accuracy

# A larger gallery is calibrated only for --precision, since it takes longer than a search should.
AT_ONCE = 20_000


def find(
    gallery: "Gallery", query: "EncodedQuery", precision: float | None, accuracy: "Accuracy" = "balanced"
) -> "Chances | None":
    """Return the probabilities for the hits of a query; None for words, and if nothing is known.

    Raises:
        SearchError: a precision is requested, and the gallery cannot be calibrated.
    """
    from similarity.evaluation.confidence.calibration import VOTERS
    from similarity.evaluation.confidence.estimate import find_chances
    from similarity.evaluation.gallery_calibration import calibrate, read_calibration
    from similarity.query.gallery_belonging import read_belonging

    if query.has_words:
        if precision is None:
            return None
        raise SearchError("Confidence is measured for query pictures only: leave out the words, or --precision.")
    is_due = precision is not None or len(gallery) <= AT_ONCE
    try:
        calibration = calibrate(gallery) if is_due else read_calibration(gallery)
    except SearchError:
        if precision is not None:
            raise
        calibration = None
    belongs = gallery.belongs(query) if is_due or read_belonging(gallery.state) else None
    if calibration is None and belongs is None:
        return None
    rows = [gallery.items.find(file.sha256) for file in query.files]
    same = [gallery.items[row].id for row in rows if row is not None]
    voters = gallery.search_vector(query.vector, VOTERS, exclude_ids=same, accuracy=accuracy)
    return find_chances(calibration, voters, same=same, belongs=belongs)


def say_if_doubtful(chances: "Chances") -> bool:
    """Say that a query looks like nothing in its gallery, or that this may be; returns whether either is so."""
    from similarity.query.belonging import NOTHING_LIKE_IT

    if chances.is_stranger:
        terminal.say("these are the nearest pictures, but they may show something else.", as_=NOTHING_LIKE_IT)
    elif chances.is_doubtful:
        terminal.say("this gallery may have nothing of its kind.", as_="Similar, kind uncertain")
    return chances.is_doubtful


def say_if_unsure(chances: "Chances", hits: Sequence["Hit"], precision: float) -> None:
    """Warn if the best hit is less likely right than requested, with its probability."""
    from similarity.evaluation.confidence.estimate import percent

    best = chances.best(hits)
    if best is None or chances.is_sure(best, precision):
        return
    share = f"{precision:.1%}".replace(".0%", "%").replace("%", " %")
    if chances.threshold(precision) is None:
        why = f"in this gallery no score means {share} certainty, measured on its own pictures"
    else:
        why = f"no result has a score that is right in {share} of cases"
    chance = chances.of(best)
    verdict = "has no label" if chance is None else f"is {percent(chance)} likely the same kind"
    terminal.say(f"{why}. The best one {verdict}.", as_="No confident match")


def as_cell(chances: "Chances", hit: "Hit") -> str:
    """Return the cell of a table with the probability that a hit is right."""
    from similarity.evaluation.confidence.estimate import percent

    chance = chances.of(hit)
    return "the query" if hit.item.id in chances.same else "" if chance is None else percent(chance)
