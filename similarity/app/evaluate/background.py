"""Evaluations, each computed once in the background, for which every session that requests it waits."""

from dataclasses import dataclass

from similarity.app.components.waiting import wait_with_bar
from similarity.app.serving import access, visitors
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.evaluation import Evaluation, evaluate
from similarity.evaluation.passes import fits_in_memory
from similarity.evaluation.ranking import block_starts
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.service import turns
from similarity.service.singleton import singleton
from similarity.sources import open_source
from similarity.vectors.refined import NEAREST

# Evaluations kept in memory, each of 250 bytes a query, with the list of its gallery's pictures.
MAX_CACHED = 4
# Galleries of up to this many pictures are evaluated without a request, which takes seconds.
AT_ONCE = 5_000
# Maximum number of queries; of more pictures, a random sample is taken.
MOST = 10_000
# Numbers that a slow computer multiplies, reads, and moves towards neighbours and writes, in a second.
PER_SECOND, READ_PER_SECOND, MOVED_PER_SECOND = 2e10, 2e8, 4e7


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """An evaluation to make.

    Attributes:
        by: the column in which a correct result has the query's value.
        place: the folder, zip or CSV of the queries; the gallery's own pictures if it is empty.
        turn: a new number repeats the same evaluation.
    """

    by: str
    place: str = ""
    turn: int = 0

    def name(self, gallery: Gallery) -> str:
        """Return the name under which the evaluation is cached."""
        return "\n".join((str(gallery.directory), gallery.state, self.by, self.place, str(self.turn)))


@singleton
def evaluations() -> SingleFlight[Evaluation]:
    """Return the evaluations of this process."""
    return SingleFlight(MAX_CACHED)


def start(gallery: Gallery, request: EvaluationRequest) -> Computation[Evaluation]:
    """Start an evaluation, unless it runs already or is done."""
    visitor = visitors.current()

    def work(progress: OnProgress) -> Evaluation:
        queries = open_source(request.place) if request.place else None
        with turns.shared_turns().counting(visitor):
            return evaluate(gallery, queries, by=request.by, most=MOST, progress=progress)

    return evaluations().start(request.name(gallery), work)


def expected_seconds(gallery: Gallery) -> float:
    """Estimate the seconds of an evaluation whose queries are the gallery's own pictures."""
    count, dim, queries = len(gallery), gallery.vectors.dim, min(MOST, len(gallery))
    numbers, passes = count * dim, 1 if fits_in_memory(count, dim) else len(block_starts(queries, count, dim))
    seconds = queries * numbers / PER_SECOND + passes * numbers / READ_PER_SECOND
    if gallery.vectors.nearest is None:
        return seconds
    # All are moved once, and those that were moved towards a query again for it.
    return seconds + (numbers + queries * NEAREST * dim) / MOVED_PER_SECOND


def may_start(gallery: Gallery) -> bool:
    """Whether the visitor may start an evaluation: one that takes minutes is for those who manage galleries."""
    return len(gallery) <= AT_ONCE or access.may_manage()


def wait_for(gallery: Gallery, request: EvaluationRequest) -> Evaluation | None:
    """Wait for an evaluation, with a progress bar on the page; None after an unexpected error, which is in the log.

    Raises:
        SimilarityError: the request is invalid, or a picture or the model is missing.
    """
    return wait_with_bar(start(gallery, request), "Evaluating", gallery.name, name=request.name(gallery))
