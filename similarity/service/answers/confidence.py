"""Confidence of hits: the probability that each is right."""

from similarity.errors import SearchError
from similarity.evaluation.confidence.estimate import Chances
from similarity.evaluation.gallery_calibration import calibrate, read_calibration
from similarity.evaluation.gallery_chances import estimate_chances, why_withheld
from similarity.gallery import Gallery
from similarity.query.encoder import EncodedQuery
from similarity.query.gallery_belonging import read_belonging
from similarity.query.options import SearchOptions

# A larger gallery is calibrated only for a requested precision, since it takes longer than a search should.
AT_ONCE = 20_000


def check_measured(gallery: Gallery) -> None:
    """Raise SearchError if a precision could only be reached after the gallery is measured for longer than a search."""
    if len(gallery) > AT_ONCE and (read_calibration(gallery) is None or read_belonging(gallery.state) is None):
        raise SearchError(
            f"How often results of {gallery.name} are right has not been measured yet, which takes a while: leave out "
            "the precision, or whoever runs this searches once with `python -m similarity search --precision`."
        )


def find(gallery: Gallery, query: EncodedQuery, precision: float | None, options: SearchOptions) -> Chances | None:
    """Return the probabilities for the hits of a query; None for words, and if nothing is known.

    Raises:
        SearchError: a precision is requested, and the gallery cannot be calibrated.
    """
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
    rows = [gallery.items.find(content) for content in query.contents]
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
