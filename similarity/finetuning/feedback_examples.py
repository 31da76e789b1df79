"""Feedback on results as training examples: pairs of pictures that belong together or not, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from similarity.errors import HeadError
from similarity.finetuning.examples import Fold
from similarity.finetuning.settings import Settings
from similarity.search import Rows
from similarity.storage.feedback import Mark, read_marks
from similarity.vectors.arrays import Vectors

if TYPE_CHECKING:
    from similarity.gallery import Gallery

# Pictures of the gallery in the sample that the PCA is fitted on.
BACKGROUND = 10_000
# Fewer queries with marks of both kinds are too few to hold some out.
QUERIES_TO_HOLD_OUT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """Marked results as training examples.

    Attributes:
        pairs: pairs of a query and a picture.
        backdrop: embeddings of a sample of the gallery's pictures, float32 (m, dim), rows of unit length.
    """

    pairs: Pairs
    backdrop: Vectors

    # Marks are of pairs, and no picture has a label.
    labels = 0

    @property
    def embeddings(self) -> Vectors:
        """The backbone's embeddings of all queries and pictures in the pairs, float32 (n, dim), rows of unit length."""
        return self.pairs.embeddings

    def __len__(self) -> int:
        """Number of marks."""
        return len(self.pairs)

    def background(self, _rows: Rows) -> Vectors:
        """Embeddings the PCA is fitted on."""
        return self.backdrop

    def both_ways(self) -> Rows:
        """The queries with marks of both kinds; only these can be evaluated."""
        pairs = self.pairs
        return np.intersect1d(pairs.queries[pairs.wanted], pairs.queries[~pairs.wanted])


def marked_results(gallery: Gallery, settings: Settings) -> Marked:
    """The marks of a gallery as training examples.

    Raises:
        HeadError: there are none, or they are not enough for training. GalleryError: they cannot be read.
    """
    if settings.loss == "proxy-anchor":
        raise HeadError(
            "The loss proxy-anchor learns from labels, and marks are no labels: choose contrastive, triplet or "
            "multi-similarity."
        )
    pairs = training_pairs(gallery)
    if len(gallery) < 2:
        raise HeadError(f"The gallery {gallery.name} has one picture: there is nothing to tell apart.")
    if pairs.wanted.all() or not pairs.wanted.any():
        only, other = ("More", "Not") if pairs.wanted.any() else ("Not", "More")
        raise HeadError(
            f"All marks of the gallery {gallery.name} are “{only} like this”: mark some results “{other} like this”, "
            "too, or there is nothing to tell apart."
        )
    drawn = np.random.default_rng(settings.seed).permutation(len(gallery))[:BACKGROUND]
    marked = Marked(pairs, gallery.embeddings[np.sort(drawn)])
    if settings.loss == "triplet" and not len(marked.both_ways()):
        raise HeadError(
            "The loss triplet takes marks of both kinds on the results of one query, and no query has both: mark more, "
            "or choose contrastive."
        )
    return marked


def fold_marks(marked: Marked, settings: Settings) -> list[Fold]:
    """Folds that hold out each query with all its marks once; none if too few have marks of both kinds."""
    queries = marked.both_ways()
    if len(queries) < QUERIES_TO_HOLD_OUT:
        return []
    turns = np.full(len(marked.embeddings), -1)
    turns[np.random.default_rng(settings.seed).permutation(queries)] = np.arange(len(queries)) % settings.folds
    turn_of_pair, turn_of_item = turns[marked.pairs.queries], turns[marked.pairs.items]
    return [
        # Nor is a mark learned whose picture is a held-out query: it may say the same the other way round.
        Fold(np.flatnonzero((turn_of_pair != turn) & (turn_of_item != turn)), np.flatnonzero(turn_of_pair == turn))
        for turn in range(min(settings.folds, len(queries)))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a query and a picture. Marks of the same query have the same row, so they make triplets as well.

    Attributes:
        embeddings: of all queries and pictures in them, each once, float32 (n, dim), rows of unit length, as the
            backbone gives them.
        queries, items: rows of these, int64 (m,).
        wanted: whether the two belong together, bool (m,).
        gone: number of marks left out because their picture has left the gallery.
        foreign: number of marks left out because another backbone embedded their query.
    """

    embeddings: Vectors
    queries: Rows
    items: Rows
    wanted: npt.NDArray[np.bool_]
    gone: int = 0
    foreign: int = 0

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.wanted)


def training_pairs(gallery: Gallery) -> Pairs:
    """The marks of a gallery, in the order in which they were made.

    Raises:
        HeadError: nothing has been marked, or no mark can be used. GalleryError: the marks cannot be read.
    """
    marks = read_marks(gallery.directory)
    if not marks:
        raise HeadError(
            f"No result of the gallery {gallery.name} has been marked yet: search it in the app and mark some results "
            "with “More like this” and “Not like this”."
        )
    gathered = _Gathered(gallery, marks)
    kept = [mark for mark in marks if gathered.fault(mark) is None]
    faults = [gathered.fault(mark) for mark in marks]
    gone, foreign = faults.count("gone"), faults.count("foreign")
    if not kept:
        raise HeadError(
            f"None of the {len(marks):,} marks of the gallery {gallery.name} can be used: {gone:,} are of pictures "
            f"that have left it, and {foreign:,} were made with another model. Mark some results in the app."
        )
    queries = [gathered.place_of_query(mark) for mark in kept]
    items = [gathered.place_of_item(mark) for mark in kept]
    return Pairs(
        gathered.embeddings(),
        np.array(queries, np.int64),
        np.array(items, np.int64),
        np.array([mark.wanted for mark in kept], bool),
        gone,
        foreign,
    )


class _Gathered:
    """The embeddings of marked pictures and queries, each once, in the order of first use."""

    def __init__(self, gallery: Gallery, marks: Sequence[Mark]) -> None:
        self._gallery = gallery
        spoken_of = {mark.sha256 for mark in marks} | {mark.query.sha256 for mark in marks}
        contents = enumerate(gallery.items.contents())
        self._rows = {content: row for row, content in contents if content in spoken_of}
        self._places: dict[object, int] = {}
        self._vectors: list[Vectors] = []

    def fault(self, mark: Mark) -> str | None:
        """The reason why a mark cannot be used; None if it can."""
        if mark.sha256 not in self._rows:
            return "gone"
        if self._row_of_query(mark) is not None:
            return None
        if mark.query.embedding is None:
            return "gone"
        manifest = self._gallery.manifest
        backbone = (mark.model, mark.weights_sha256, mark.network_sha256)
        is_own = backbone == (manifest.model, manifest.weights_sha256, manifest.network_sha256)
        return None if is_own and mark.query.embedding.shape == (manifest.dim,) else "foreign"

    def place_of_item(self, mark: Mark) -> int:
        """The position of the picture's embedding."""
        return self._place(mark.sha256, self._gallery.embeddings[self._rows[mark.sha256]])

    def place_of_query(self, mark: Mark) -> int:
        """The position of the query's embedding."""
        row = self._row_of_query(mark)
        if row is not None:
            return self._place(mark.query.sha256, self._gallery.embeddings[row])
        assert mark.query.embedding is not None
        return self._place((mark.query.sha256, mark.query.box), mark.query.embedding)

    def embeddings(self) -> Vectors:
        """All embeddings, float32 (n, dim)."""
        return np.array(self._vectors, np.float32)

    def _row_of_query(self, mark: Mark) -> int | None:
        """The row of a query that is a whole picture of the gallery; its embedding there replaces the stored one."""
        return None if mark.query.box else self._rows.get(mark.query.sha256)

    def _place(self, key: object, vector: Vectors) -> int:
        if key not in self._places:
            self._places[key] = len(self._vectors)
            self._vectors.append(vector)
        return self._places[key]
