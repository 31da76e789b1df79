"""The verdict on a search: what is known of its results, in one line above them.

    the same picture             the query is a picture of the gallery
    strong match                 a result is very likely of the query's kind, or as likely as was asked for
    similar, kind uncertain      none is, or the gallery may have nothing of this kind
    looks like nothing           the gallery has nothing of this kind

It is made of the likeliest of the first results, so that no result below it is likelier than it says.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from similarity.evaluation.confidence.estimate import Chances, Withheld, label_of, percent
from similarity.query import copy_facts
from similarity.query.belonging import NOTHING_LIKE_IT
from similarity.search import Hit

# Unless a precision is asked for, a match is strong from this probability on.
STRONG = 0.8
# Of so many first results so many have one label where they agree. Nothing could be called alike above nine shoes.
FIRST, AGREED = 10, 8


class Kind(StrEnum):
    """The kinds of verdicts, as JSON has them."""

    SAME = "same"
    STRONG = "strong"
    UNCERTAIN = "uncertain"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a search.

    Attributes:
        kind: which one it is.
        title: it in some words, such as `Strong match`.
        detail: the rest of the line, a sentence that begins with a small letter.
    """

    kind: Kind
    title: str
    detail: str


def find_verdict(hits: Sequence[Hit], chances: Chances | None, precision: float | None = None) -> Verdict | None:
    """Return the verdict on some hits; None if nothing is known of them, or nothing was found.

    Args:
        hits: of one search.
        chances: their probabilities.
        precision: the precision from which results count as confident, in 0..1; None if none is asked for.
    """
    if chances is None or not hits:
        return None
    if chances.same and chances.withheld is not Withheld.SEVERAL:
        return Verdict(Kind.SAME, copy_facts.FOUND.rstrip("."), _whereabouts(hits, chances))
    if chances.is_stranger:
        return _of_stranger(hits, chances)
    if chances.is_doubtful:
        return _uncertain("this gallery may have nothing of its kind, so no result is called likely.")
    return _judge(hits, chances, precision) if chances.are_known else None


def _of_stranger(hits: Sequence[Hit], chances: Chances) -> Verdict:
    """Judge hits of a query that the gallery has nothing like.

    If they agree, and some of the gallery's own pictures are as far from all others, it may be one more of their kind,
    such as an odd shoe. Agreement alone says nothing: that to noise, and to dresses among furniture, is as large.
    """
    first = [label_of(hit) for hit in hits[:FIRST]]
    label, count = Counter(first).most_common(1)[0]
    if label and len(first) == FIRST and count >= AGREED and chances.belongs:
        why = f"the nearest pictures are mostly “{label}”, and yours may show something else."
        return Verdict(Kind.NOTHING, "No close match", why)
    return Verdict(Kind.NOTHING, NOTHING_LIKE_IT, "these are the nearest pictures, but they may show something else.")


def _judge(hits: Sequence[Hit], chances: Chances, precision: float | None) -> Verdict:
    """Judge hits by their probabilities."""
    likeliest = chances.likeliest(hits)
    if likeliest is None:
        return _uncertain("none of the first results has a label.")
    label, chance = f"“{label_of(likeliest)}”", chances.of(likeliest) or 0.0
    if precision is None:
        if chance >= STRONG:
            return Verdict(Kind.STRONG, "Strong match", f"probably {label} ({percent(chance)}).")
        return _uncertain(f"most likely {label} ({percent(chance)}).")
    sure = [hit for hit in hits if chances.is_sure(hit, precision)]
    if (best := chances.likeliest(sure)) is not None:
        detail = f"probably “{label_of(best)}” ({percent(chances.of(best) or 0.0)})."
        return Verdict(Kind.STRONG, "Strong match", detail)
    share = f"{precision:.1%}".replace(".0%", "%").replace("%", " %")
    why = f"none of the first results has a score that is right in {share} of cases"
    if chances.threshold(precision) is None:
        why = f"in this gallery no score means {share} certainty, measured on its own pictures"
    detail = f"{why}. The likeliest, {label}, is {percent(chance)} likely the same kind."
    return Verdict(Kind.UNCERTAIN, "No confident match", detail)


def _uncertain(detail: str) -> Verdict:
    return Verdict(Kind.UNCERTAIN, "Similar, kind uncertain", detail)


def _whereabouts(hits: Sequence[Hit], chances: Chances) -> str:
    labels = [label_of(hit) for hit in hits if hit.item.id in chances.same]
    if not labels:
        return "it is not among these results."
    return f"it is labelled “{labels[0]}”." if labels[0] else "it has no label."
