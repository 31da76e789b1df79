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
from similarity.storage.feedback import FeedbackEntry, read_feedback
from similarity.vectors.arrays import Vectors

if TYPE_CHECKING:
    from similarity.gallery import Gallery

# Pictures of the gallery in the sample that the PCA is fitted on.
BACKGROUND = 10_000
# With fewer queries that have feedback of both kinds, none are held out.
QUERIES_TO_HOLD_OUT = 8


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackExamples:
    """Feedback on results as training examples.

    Attributes:
        pairs: pairs of a query and a picture.
        backdrop: embeddings of a sample of the gallery's pictures, float32 (m, dim), rows of unit length.
    """

    pairs: Pairs
    backdrop: Vectors

    # Feedback is on pairs, and no picture has a label.
    labels = 0

    @property
    def embeddings(self) -> Vectors:
        """The backbone's embeddings of all queries and pictures in the pairs, float32 (n, dim), rows of unit length."""
        return self.pairs.embeddings

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.pairs)

    def background(self, _rows: Rows) -> Vectors:
        """Embeddings the PCA is fitted on."""
        return self.backdrop

    def both_ways(self) -> Rows:
        """The queries with feedback of both kinds; only these can be evaluated."""
        pairs = self.pairs
        return np.intersect1d(pairs.queries[pairs.wanted], pairs.queries[~pairs.wanted])


def feedback_examples(gallery: Gallery, settings: Settings) -> FeedbackExamples:
    """Return the feedback on a gallery's results as training examples.

    Raises:
        HeadError: there is none, or not enough for training. GalleryError: it cannot be read.
    """
    if settings.loss == "proxy-anchor":
        raise HeadError(
            "The loss proxy-anchor learns from labels, and marks are no labels: choose contrastive, triplet or "
            "multi-similarity."
        )
    pairs = training_pairs(gallery)
    if len(gallery) < 2:
        raise HeadError(f"The gallery {gallery.name} has only one picture: training needs at least two.")
    if pairs.wanted.all() or not pairs.wanted.any():
        only, other = ("More", "Not") if pairs.wanted.any() else ("Not", "More")
        raise HeadError(
            f"All marks of the gallery {gallery.name} are “{only} like this”: mark some results “{other} like this”, "
            "too, since training needs both."
        )
    drawn = np.random.default_rng(settings.seed).permutation(len(gallery))[:BACKGROUND]
    examples = FeedbackExamples(pairs, gallery.embeddings[np.sort(drawn)])
    if settings.loss == "triplet" and not len(examples.both_ways()):
        raise HeadError(
            "The loss triplet takes marks of both kinds on the results of one query, and no query has both: mark more, "
            "or choose contrastive."
        )
    return examples


def fold_feedback(examples: FeedbackExamples, settings: Settings) -> list[Fold]:
    """Return folds that hold out each query with all feedback on it once; none if too few have both kinds."""
    queries = examples.both_ways()
    if len(queries) < QUERIES_TO_HOLD_OUT:
        return []
    turns = np.full(len(examples.embeddings), -1)
    turns[np.random.default_rng(settings.seed).permutation(queries)] = np.arange(len(queries)) % settings.folds
    turn_of_pair, turn_of_item = turns[examples.pairs.queries], turns[examples.pairs.items]
    return [
        # Feedback on a picture that is a held-out query is left out, too: it may be the same pair the other way round.
        Fold(np.flatnonzero((turn_of_pair != turn) & (turn_of_item != turn)), np.flatnonzero(turn_of_pair == turn))
        for turn in range(min(settings.folds, len(queries)))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a query and a picture. All pairs of a query have the same row, so they form triplets, too.

    Attributes:
        embeddings: the backbone's, of all queries and pictures in the pairs, each once, float32 (n, dim), rows of unit
            length.
        queries, items: their rows in `embeddings`, int64 (m,).
        wanted: whether the two belong together, bool (m,).
        gone: number of entries left out because their picture has left the gallery.
        foreign: number of entries left out because their query was embedded by another backbone, or in another view.
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
    """Return the pairs of all feedback on a gallery's results, in the order in which it was given.

    Raises:
        HeadError: there is no feedback, or none that can be used. GalleryError: it cannot be read.
    """
    entries = read_feedback(gallery.directory)
    if not entries:
        raise HeadError(
            f"No result of the gallery {gallery.name} has been marked yet: search it in the app and mark some results "
            "with “More like this” and “Not like this”."
        )
    gathered = _PairEmbeddings(gallery, entries)
    usable = [entry for entry in entries if gathered.fault(entry) is None]
    faults = [gathered.fault(entry) for entry in entries]
    gone, foreign = faults.count("gone"), faults.count("foreign")
    if not usable:
        raise HeadError(
            f"None of the {len(entries):,} marks of the gallery {gallery.name} can be used: {gone:,} are of pictures "
            f"that have left it, and {foreign:,} were made with another model or view. Mark some results in the app."
        )
    queries = [gathered.place_of_query(entry) for entry in usable]
    items = [gathered.place_of_item(entry) for entry in usable]
    return Pairs(
        gathered.embeddings(),
        np.array(queries, np.int64),
        np.array(items, np.int64),
        np.array([entry.wanted for entry in usable], bool),
        gone,
        foreign,
    )


class _PairEmbeddings:
    """The embeddings of pictures with feedback and of queries, each once, in the order of first use."""

    def __init__(self, gallery: Gallery, entries: Sequence[FeedbackEntry]) -> None:
        self._gallery = gallery
        hashes = {entry.sha256 for entry in entries} | {entry.query.sha256 for entry in entries}
        contents = enumerate(gallery.items.contents())
        self._rows = {content: row for row, content in contents if content in hashes}
        self._places: dict[object, int] = {}
        self._vectors: list[Vectors] = []

    def fault(self, entry: FeedbackEntry) -> str | None:
        """The reason why an entry cannot be used; None if it can."""
        if entry.sha256 not in self._rows:
            return "gone"
        if self._row_of_query(entry) is not None:
            return None
        if entry.query.embedding is None:
            return "gone"
        manifest = self._gallery.manifest
        made_by = (entry.model, entry.weights_sha256, entry.network_sha256, entry.view)
        is_own = made_by == (manifest.model, manifest.weights_sha256, manifest.network_sha256, manifest.view)
        return None if is_own and entry.query.embedding.shape == (manifest.dim,) else "foreign"

    def place_of_item(self, entry: FeedbackEntry) -> int:
        """The position of the picture's embedding."""
        return self._place(entry.sha256, self._gallery.embeddings[self._rows[entry.sha256]])

    def place_of_query(self, entry: FeedbackEntry) -> int:
        """The position of the query's embedding."""
        row = self._row_of_query(entry)
        if row is not None:
            return self._place(entry.query.sha256, self._gallery.embeddings[row])
        assert entry.query.embedding is not None
        return self._place((entry.query.sha256, entry.query.box), entry.query.embedding)

    def embeddings(self) -> Vectors:
        """All embeddings, float32 (n, dim)."""
        return np.array(self._vectors, np.float32)

    def _row_of_query(self, entry: FeedbackEntry) -> int | None:
        """The row of a query that is a whole picture of the gallery; its embedding there replaces the stored one."""
        return None if entry.query.box else self._rows.get(entry.query.sha256)

    def _place(self, key: object, vector: Vectors) -> int:
        if key not in self._places:
            self._places[key] = len(self._vectors)
            self._vectors.append(vector)
        return self._places[key]
