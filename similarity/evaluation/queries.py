"""The queries of an evaluation, their right answers, and their results.

Queries are the pictures of the gallery, each left out of its own results, or those of another source.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from similarity.embedding.pipeline import Embedded, Recognised, embed_source
from similarity.errors import SearchError
from similarity.evaluation.findings import LeftOut
from similarity.evaluation.ranking import Amend, Amended, Codes, Outcomes, ReadQueries, Task, rank_all
from similarity.evaluation.results import LEAVE_ONE_OUT, label_of
from similarity.gallery import Gallery
from similarity.progress import OnProgress, Progress
from similarity.sources import Item, Skipped, Source
from similarity.sources.base import LABEL
from similarity.sources.unread import without_unread
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

NO_LABELS = (
    "none of its pictures has a label. Put pictures into a folder for each label, or index a CSV with a column for it."
)


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Query pictures with a function for their vectors.

    Attributes:
        name: the name of the protocol.
        items: the pictures.
        sha256: SHA-256 of their files, in hex.
        own: the row of each in the gallery, or -1.
        read_embeddings: returns their embeddings by their numbers, neither projected nor refined.
        read_vectors: returns their refined vectors by their numbers.
        left_out: counts of pictures that could not be read.
    """

    name: str
    items: Sequence[Item]
    sha256: list[str]
    own: npt.NDArray[np.int64]
    read_embeddings: ReadQueries
    read_vectors: ReadQueries
    left_out: LeftOut


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """Queries and their results.

    Attributes:
        queries: all query pictures.
        rows: the numbers of those with a right answer, int64 (q,).
        values: the value of each picture of the gallery in the label column, or None.
        labels: the distinct values, sorted; label numbers are positions in it.
        task: the queries as they were ranked.
        left_out: counts of pictures that could not be queries.
        outcomes: the results of each query.
    """

    queries: Queries
    rows: npt.NDArray[np.int64]
    values: Sequence[str | None]
    labels: tuple[str, ...]
    task: Task
    left_out: LeftOut
    outcomes: Outcomes

    @property
    def hits(self) -> Codes:
        """The labels of the first ten hits as numbers, int32 (q, 10); -1 for none."""
        rows = self.outcomes.rows
        return np.where(rows >= 0, self.task.pictures[rows], -1).astype(np.int32)


def run_queries(
    gallery: Gallery,
    queries: Source | None = None,
    *,
    by: str = LABEL,
    most: int | None = None,
    seed: int = 0,
    progress: OnProgress | None = None,
) -> Round:
    """Compare all queries with all pictures; arguments and errors are those of `protocol.evaluate`."""
    values = _checked_values(gallery, queries, by)
    prepared = _leave_one_out(gallery) if queries is None else embed_queries(gallery, queries, progress)
    query_values = values if queries is None else _values(prepared.items, by, prepared.name)
    labels = tuple(sorted({value for value in values if value}))
    numbers = {label: code for code, label in enumerate(labels)}
    pictures = _codes(values, numbers)
    rows, task, left_out = _answerable(prepared, query_values, _codes(query_values, numbers), pictures)
    if most is not None and len(rows) > most:
        rows, task = _draw(rows, task, most, seed)
    amend = without_the_query(gallery.vectors, task.own)
    outcomes = rank_all(
        gallery.vectors, lambda chosen: prepared.read_vectors(rows[chosen]), task, amend=amend, progress=progress
    )
    return Round(prepared, rows, values, labels, task, left_out, outcomes)


def check_queries(gallery: Gallery, queries: Source | None = None, *, by: str = LABEL) -> set[str]:
    """Check the labels of an evaluation before anything is embedded; returns those of the gallery.

    Raises:
        SearchError: no query can have a right answer, as in `protocol.evaluate`.
    """
    if queries is None:
        return set(run_queries(gallery, by=by, most=1).labels)
    return {value for value in _checked_values(gallery, queries, by) if value}


def _checked_values(gallery: Gallery, queries: Source | None, by: str) -> list[str | None]:
    """Return the value of each picture of a gallery; raises SearchError if no query of a source can have it."""
    values = _values(gallery.items, by, f"the gallery {gallery.name}")
    if queries is not None:  # checked before all of them are embedded
        _check_labels(queries, by, set(values))
    return values


def _values(items: Iterable[Item], by: str, owner: str) -> list[str | None]:
    """Return the value of each picture in a column; raises SearchError if all are empty."""
    values: list[str | None] = []
    columns: set[str] = set()
    for item in items:
        values.append(label_of(item, by))
        columns |= item.metadata.keys() | ({LABEL} if item.label else set())
    if any(values):
        return values
    if by == LABEL:
        raise SearchError(f"The results of {owner} cannot be evaluated: {NO_LABELS}")
    remedy = f"choose from {', '.join(sorted(columns))}" if columns else "they have neither labels nor columns"
    raise SearchError(f"No picture of {owner} has a {by!r}: {remedy}.")


def _check_labels(queries: Source, by: str, labels: set[str | None]) -> None:
    """Raise SearchError if no query can have a right answer."""
    values = _values(queries.items, by, queries.name)
    if not labels & {value for value in values if value}:
        raise SearchError(_no_answers(len(values), queries.name))


def _no_answers(count: int, name: str) -> str:
    return f"None of the {count:,} pictures in {name} has a label that a picture of the gallery has."


def _draw(rows: npt.NDArray[np.int64], task: Task, count: int, seed: int) -> tuple[npt.NDArray[np.int64], Task]:
    """Draw some queries, which stay in order; the same for the same seed."""
    drawn = np.sort(np.random.default_rng(seed).choice(len(rows), count, replace=False))
    return rows[drawn], Task(task.pictures, task.queries[drawn], task.own[drawn], task.relevant[drawn])


def _codes(values: Sequence[str | None], numbers: dict[str, int]) -> Codes:
    """Return labels as numbers; -1 for none, and for labels that no picture of the gallery has."""
    return np.array([numbers.get(value, -1) if value else -1 for value in values], np.int32)


def _leave_one_out(gallery: Gallery) -> Queries:
    """Return all pictures of a gallery as queries, each refined as if it were not in the gallery."""

    def read_vectors(rows: npt.NDArray[np.int64]) -> Vectors:
        return gallery.refine(gallery.embeddings[rows], rows)

    own = np.arange(len(gallery), dtype=np.int64)
    contents, embeddings = gallery.items.contents(), gallery.embeddings
    return Queries(LEAVE_ONE_OUT, gallery.items, contents, own, lambda rows: embeddings[rows], read_vectors, LeftOut())


def embed_queries(gallery: Gallery, source: Source, progress: OnProgress | None = None) -> Queries:
    """Embed the pictures of a source as queries, exact copies only once.

    Raises:
        SearchError: none of them can be read. GalleryError: the gallery's model cannot be loaded.
    """

    def report(progressed: Progress) -> None:
        if progress:
            progress(replace(progressed, task="Embedding the queries"))

    items, embeddings = [], []
    unreadable, repeated = len(without_unread(source.skipped)), 0
    for result in embed_source(source, gallery.embedder, thumbnails=False, progress=report):
        if isinstance(result, Embedded):
            items.append(result.item)
            embeddings.append(result.vector)
        repeated += isinstance(result, Recognised)
        unreadable += isinstance(result, Skipped)
    if not items:
        raise SearchError(f"None of the pictures in {source.name} can be read, so there are no queries.")
    contents = [item.sha256 for item in items]
    row_of = {content: row for row, content in enumerate(gallery.items.contents())}
    own = np.array([row_of.get(content, -1) for content in contents], np.int64)
    vectors, inside = np.stack(embeddings), own >= 0
    refined = gallery.refine(vectors)
    if inside.any():
        refined[inside] = gallery.refine(vectors[inside], own[inside])
    left_out = LeftOut(unreadable=unreadable, repeated=repeated)
    return Queries(
        source.name,
        items,
        contents,
        own,
        lambda numbers: vectors[numbers],
        lambda numbers: refined[numbers],
        left_out,
    )


def without_the_query(vectors: StoredVectors, own: npt.NDArray[np.int64]) -> Amend:
    """Return a function for `rank_all` that gives vectors as they would be if a query were not in the gallery."""

    def amend(numbers: npt.NDArray[np.int64]) -> Amended:
        inside = numbers[own[numbers] >= 0]
        places, rows = vectors.followers(own[inside])
        return inside[places], rows, vectors.without(rows, own[inside[places]])

    return amend


def _answerable(
    queries: Queries, values: Sequence[str | None], codes: Codes, pictures: Codes
) -> tuple[npt.NDArray[np.int64], Task, LeftOut]:
    """Return the queries that have a right answer, as a task, with counts of those left out."""
    counts = np.bincount(pictures[pictures >= 0], minlength=int(pictures.max()) + 1)
    is_own = (queries.own >= 0) & (pictures[queries.own] == codes)
    relevant = np.where(codes >= 0, counts[codes] - is_own, 0)
    rows = np.flatnonzero(relevant > 0)
    unlabelled = sum(value is None for value in values)
    left_out = replace(queries.left_out, unlabelled=unlabelled, unanswerable=len(codes) - unlabelled - len(rows))
    if not len(rows):
        raise SearchError(
            f"None of the {len(codes):,} query pictures has a right answer: no two have the same label."
            if queries.name == LEAVE_ONE_OUT
            else _no_answers(len(codes), queries.name)
        )
    return rows, Task(pictures, codes[rows], queries.own[rows], relevant[rows].astype(np.int32)), left_out
