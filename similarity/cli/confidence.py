"""How sure the hits of a `search` are, and whether the best of them is sure enough."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from similarity.cli import terminal
from similarity.errors import SearchError

if TYPE_CHECKING:
    from similarity.evaluation.confidence.estimate import Chances
    from similarity.gallery import Gallery
    from similarity.query.inputs import Examples
    from similarity.search import Hit
    from similarity.search.accuracy import Accuracy

# Of more pictures, finding out takes longer than a search should, unless it is asked for.
AT_ONCE = 20_000


def find(
    gallery: "Gallery", examples: "Examples", precision: float | None, accuracy: "Accuracy" = "balanced"
) -> "Chances | None":
    """How likely hits of a query are right; None if the gallery cannot tell, and nobody asked for a precision.

    Raises:
        SearchError: a precision is asked for, and nothing says how sure a hit is.
    """
    from similarity.evaluation.calibrate import calibrate, read_calibration
    from similarity.evaluation.confidence.estimate import find_chances
    from similarity.images.picture import QueryFile

    if not all(isinstance(one, QueryFile) for one in (*examples.like, *examples.unlike)):
        if precision is None:
            return None
        raise SearchError(
            "How sure a result is has been measured for pictures only: leave out the words, or --precision."
        )
    try:
        is_asked_for = precision is not None or len(gallery) <= AT_ONCE
        calibration = calibrate(gallery) if is_asked_for else read_calibration(gallery)
    except SearchError:
        if precision is not None:
            raise
        return None
    if calibration is None:
        return None
    rows = [gallery.items.find(one.sha256) for one in examples.like if isinstance(one, QueryFile)]
    same = [gallery.items[row].id for row in rows if row is not None]
    return find_chances(gallery, calibration, gallery.embed_query(examples), same=same, accuracy=accuracy)


def say_if_unsure(chances: "Chances", hits: Sequence["Hit"], precision: float) -> None:
    """Say that the best hit is not as sure as was asked for, and how sure it is."""
    from similarity.evaluation.confidence.estimate import percent

    best = chances.best(hits)
    if best is None or chances.is_sure(best, precision):
        return
    asked = f"{precision:.1%}".replace(".0%", "%").replace("%", " %")
    if chances.calibration.threshold(precision) is None:
        why = f"no score of this gallery is right in {asked} of cases, as far as its own pictures tell"
    else:
        why = f"none is as good as those that are right in {asked} of cases"
    chance = chances.of(best)
    told = "has no label" if chance is None else f"is {percent(chance)} likely the same kind"
    terminal.say(f"{why}. The best one {told}.", as_="No confident match")


def tell(chances: "Chances", hit: "Hit") -> str:
    """How likely a hit is right, for a table."""
    from similarity.evaluation.confidence.estimate import percent

    chance = chances.of(hit)
    return "the query" if hit.item.id in chances.same else "" if chance is None else percent(chance)
