"""Label conflicts: pictures that are nearly the same under different labels, and pictures among those of another label.

Both are found among the nearest neighbours of each picture by the backbone's embeddings, since a head or a refinement
may have learned the wrong labels, too. A picture with several labels agrees with another where they share one; that its
exact copies have several is a conflict of its own.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.gallery import Gallery
from similarity.progress import OnProgress, Reporter
from similarity.query.near_duplicates import check_threshold
from similarity.query.near_pairs import AnyVectors, Candidates, choose_candidates
from similarity.query.thresholds import SAME_TO_THE_EYE
from similarity.search import Rows, build_index, choose_recipe
from similarity.search.recipes import FLAT
from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.storage.items import Items

# Neighbours of each picture that are looked at, and how many of them at least must have a label.
NEIGHBOURS, FEWEST = 10, 5
# The share of neighbours without a label of the picture's own from which on nearly all have another one, and the share
# that must agree on which one it is.
NEARLY_ALL, AGREED = 0.9, 0.6
# Pictures whose neighbours are found at a time, and of which these are compared.
BATCH, SCORED = 2048, 256
NO_LABELS = (
    "{} has no labels, so none can be in conflict. Put pictures into a folder for each label, or index a CSV with a "
    "column for it."
)

Kind = Literal["copies", "pair", "neighbours"]
Labels = Sequence[Sequence[str]]
Table = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Pictures whose labels do not agree with what they look like.

    Attributes:
        kind: copies, one picture whose exact copies have different labels; pair, two pictures that look nearly the
            same; or neighbours, one picture among those of another label.
        rows: of the two pictures or the one, the one whose label is less likely first.
        score: the cosine similarity of the two, 1 for copies; or how near the neighbours with the suggested label are
            to the picture, their mean cosine similarity times their share of its neighbours.
        suggested: the label that pictures nearby have.
        share: the share of neighbours of the first picture that have none of its labels, the second being one of them.
        nearest: rows of the neighbours with the suggested label, nearest first.
    """

    kind: Kind
    rows: tuple[int, ...]
    score: float
    suggested: str
    share: float
    nearest: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The neighbours of all pictures.

    Attributes:
        rows: nearest first, without the picture itself, int64 (n, up to NEIGHBOURS); -1 for none.
        scores: their cosine similarity, float32 of the same shape.
    """

    rows: Rows
    scores: Table


def find_label_conflicts(
    gallery: Gallery,
    threshold: float = SAME_TO_THE_EYE,
    *,
    near: Neighbourhood | None = None,
    progress: OnProgress | None = None,
) -> list[Conflict]:
    """Find the label conflicts of a gallery, worst first.

    Conflicts of pictures whose labels the owner gave or confirmed are left out; see `Gallery.relabel`. Among more than
    MOST_COMPARED pictures, an approximate index may miss some.

    Args:
        threshold: pictures with at least this cosine similarity look nearly the same.
        near: what `find_neighbours` found for the same embeddings, if it has been asked before.

    Raises:
        SearchError: no picture has a label, or the threshold is not above 0 and at most 1. StoreError: the store of a
            large gallery cannot be asked.
    """
    check_threshold(threshold)
    labels = check_labels(gallery)
    near = near or find_neighbours(gallery, progress)
    contents, given = gallery.items.contents(), gallery.given_labels

    def settled(row: int) -> bool:
        """Whether the owner has said which label a picture has."""
        return given.has(contents[row])

    agree = _agreement(labels, near.rows)
    has_label = np.array([bool(one) for one in labels])
    known = (near.rows >= 0) & has_label[near.rows] & has_label[:, np.newaxis]
    pairs = list(_pairs(labels, near, known & ~agree & (near.scores >= threshold), settled))
    copies = list(_copies(labels, near, settled))
    told = {row for one in (*copies, *pairs) for row in one.rows}
    alone = [one for one in _misplaced(labels, near, known, agree) if one.rows[0] not in told]
    found = [*copies, *pairs, *(one for one in alone if not settled(one.rows[0]))]
    return sorted(found, key=lambda one: (-one.score, one.rows))


def all_labels(items: Items) -> list[list[str]]:
    """Return the labels of each picture, those of its copies included, each once."""
    labels: list[list[str]] = [[] for _ in range(len(items))]
    for row, _, label in items.iter_metadata():
        if label and label not in labels[row]:
            labels[row].append(label)
    return labels


def files_in(gallery: Gallery, conflict: Conflict) -> list[tuple[Item, list[str]]]:
    """Return the pictures of a conflict, or each file of copies, with their labels."""
    items = gallery.items.at(conflict.rows)
    if conflict.kind != "copies":
        return [(item, item.labels) for item in items]
    return [(file, [file.label] if file.label else []) for file in files_of(items)]


def check_labels(gallery: Gallery) -> list[list[str]]:
    """Return the labels of each picture of a gallery; raises SearchError if there are none."""
    labels = all_labels(gallery.items)
    if not any(labels):
        raise SearchError(NO_LABELS.format(gallery.name))
    return labels


def find_neighbours(gallery: Gallery, progress: OnProgress | None = None) -> Neighbourhood:
    """Find the neighbours of all pictures of a gallery, with the similarity of their embeddings.

    Raises:
        StoreError: the store of a large gallery cannot be asked.
    """
    return _nearest(gallery.embeddings, _candidates(gallery, progress), progress)


def _nearest(vectors: AnyVectors, candidates: Candidates, progress: OnProgress | None) -> Neighbourhood:
    """Return the nearest of the candidates of each row."""
    report = Reporter(len(vectors), progress, task="Comparing")
    count = min(NEIGHBOURS, len(vectors) - 1)
    rows, scores = np.full((len(vectors), count), -1, np.int64), np.zeros((len(vectors), count), np.float32)
    for start in range(0, len(vectors) if count else 0, BATCH):
        asked = np.arange(start, min(start + BATCH, len(vectors)))
        found = candidates.find(candidates.vectors[asked], count + 1).astype(np.int64)
        for first in range(0, len(asked), SCORED):
            part = slice(first, first + SCORED)
            rows[asked[part]], scores[asked[part]] = _rank(vectors, asked[part], found[part], count)
        report.advance(len(asked))
    return Neighbourhood(rows, scores)


def _rank(vectors: AnyVectors, asked: Rows, found: Rows, count: int) -> tuple[Rows, Table]:
    """Return the nearest of the rows that were found for some, without these themselves, and their similarity."""
    others = (found >= 0) & (found != asked[:, np.newaxis])
    near = np.einsum("ij,ikj->ik", vectors[asked], vectors[found.ravel()].reshape(*found.shape, -1))
    near = np.where(others, near, -np.inf)
    order = np.argsort(-near, axis=1, kind="stable")[:, :count]
    nearest = np.where(np.take_along_axis(others, order, axis=1), np.take_along_axis(found, order, axis=1), -1)
    return nearest, np.maximum(np.take_along_axis(near, order, axis=1), 0)


def _candidates(gallery: Gallery, progress: OnProgress | None) -> Candidates:
    """Return what finds neighbours: exactly in a small gallery, or else an index."""
    embeddings, index = gallery.embeddings, None if gallery.is_exact else gallery.index
    chosen = choose_candidates(embeddings, gallery.vectors, index, progress)
    return chosen or Candidates.of_index(
        build_index(choose_recipe(FLAT, *embeddings.shape).name, embeddings), embeddings
    )


def _agreement(labels: Labels, neighbours: Rows) -> npt.NDArray[np.bool_]:
    """Return whether each picture shares a label with each of its neighbours, of their shape."""
    numbers: dict[str, int] = {}
    single = np.array([numbers.setdefault(one[0], len(numbers)) if len(one) == 1 else -1 for one in labels])
    several = np.array([len(one) > 1 for one in labels])
    agree: npt.NDArray[np.bool_] = (single[neighbours] == single[:, np.newaxis]) & (single[:, np.newaxis] >= 0)
    for row, place in np.argwhere(several[neighbours] | several[:, np.newaxis]).tolist():
        agree[row, place] = not set(labels[row]).isdisjoint(labels[neighbours[row, place]])
    return agree


def _copies(labels: Labels, near: Neighbourhood, settled: Callable[[int], bool]) -> Iterator[Conflict]:
    """Yield the pictures whose exact copies have different labels."""
    for row, own in enumerate(labels):
        if len(own) > 1 and not settled(row):
            votes = _votes(labels, near, (row,))
            yield _conflict("copies", (row,), 1.0, max(own, key=lambda label: votes[label]), labels, near)


def _pairs(
    labels: Labels, near: Neighbourhood, chosen: npt.NDArray[np.bool_], settled: Callable[[int], bool]
) -> Iterator[Conflict]:
    """Yield the chosen neighbours as pairs, each once."""
    scores: dict[tuple[int, int], float] = {}
    for row, place in np.argwhere(chosen).tolist():
        other = int(near.rows[row, place])
        scores[min(row, other), max(row, other)] = float(near.scores[row, place])
    for pair, score in scores.items():
        if all(map(settled, pair)):
            continue
        votes = _votes(labels, near, pair)
        own = [label for row in pair for label in labels[row]]
        suggested = max(own, key=lambda label: votes[label])
        # A label that its owner gave is not the one that is in doubt.
        first, second = sorted(pair, key=lambda row: (settled(row), suggested in labels[row]))
        if settled(second):
            suggested = labels[second][0]
        yield _conflict("pair", (first, second), min(1.0, score), suggested, labels, near)


def _misplaced(
    labels: Labels, near: Neighbourhood, known: npt.NDArray[np.bool_], agree: npt.NDArray[np.bool_]
) -> Iterator[Conflict]:
    """Yield the pictures of which nearly all neighbours have another label, and most the same one."""
    counts = known.sum(axis=1)
    others = (known & ~agree).sum(axis=1)
    for row in np.flatnonzero((counts >= FEWEST) & (others >= NEARLY_ALL * counts)).tolist():
        found = Counter(label for other in near.rows[row][known[row]].tolist() for label in labels[other])
        suggested, number = max(found.items(), key=lambda pair: pair[1])
        if number >= AGREED * counts[row] and suggested not in labels[row]:
            has_it = [place for place in np.flatnonzero(known[row]) if suggested in labels[near.rows[row, place]]]
            score = float(near.scores[row, has_it].sum() / counts[row])
            yield _conflict("neighbours", (row,), score, suggested, labels, near)


def _votes(labels: Labels, near: Neighbourhood, pair: tuple[int, ...]) -> Counter[str]:
    """Count the labels of the neighbours of two pictures or one, without these themselves."""
    neighbours = [other for row in pair for other in near.rows[row].tolist() if other >= 0 and other not in pair]
    return Counter(label for other in neighbours for label in labels[other])


def _conflict(
    kind: Kind, rows: tuple[int, ...], score: float, suggested: str, labels: Labels, near: Neighbourhood
) -> Conflict:
    """Return a conflict, with what the neighbours of its first picture say."""
    # Of two, the first may have so many nearer neighbours that the second, whose neighbour it is, is none of them.
    others = [other for other in near.rows[rows[0]].tolist() if other >= 0 and labels[other]]
    others += [row for row in rows[1:] if row not in others]
    differ = sum(set(labels[other]).isdisjoint(labels[rows[0]]) for other in others)
    nearest = tuple(other for other in others if suggested in labels[other] and other not in rows)
    return Conflict(kind, rows, score, suggested, differ / max(1, len(others)), nearest)
