"""Marks on results as what a head learns from: pictures that belong together or do not, and no labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from similarity.errors import HeadError
from similarity.finetuning.examples import Fold
from similarity.finetuning.settings import Settings
from similarity.pairs import Pairs, training_pairs
from similarity.search import Rows
from similarity.vectors.arrays import Vectors

if TYPE_CHECKING:
    from similarity.gallery import Gallery

# So many pictures of the gallery say well what its pictures have in common, and how they differ.
BACKGROUND = 10_000
# Fewer queries with marks of both kinds say nothing when some of them are held out.
QUERIES_TO_HOLD_OUT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """Marked results.

    Attributes:
        pairs: of a query and a picture.
        backdrop: embeddings of pictures of the gallery, marked or not, float32 (m, dim), rows of unit length.
    """

    pairs: Pairs
    backdrop: Vectors

    # Marks are of pairs, and no picture has a label.
    labels = 0

    @property
    def embeddings(self) -> Vectors:
        """Of all that is in the pairs, as the backbone gives them, float32 (n, dim), rows of unit length."""
        return self.pairs.embeddings

    def __len__(self) -> int:
        """How many marks there are."""
        return len(self.pairs)

    def background(self, _rows: Rows) -> Vectors:
        """Whatever some of them are, what principal components are taken of."""
        return self.backdrop

    def both_ways(self) -> Rows:
        """The queries that have marks of both kinds: they alone can be asked."""
        pairs = self.pairs
        return np.intersect1d(pairs.queries[pairs.wanted], pairs.queries[~pairs.wanted])


def marked_results(gallery: Gallery, settings: Settings) -> Marked:
    """The marks of a gallery, to be learned from.

    Raises:
        HeadError: there are none, or nothing is to be learned of them. GalleryError: they cannot be read.
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
    """Hold out each query with all its marks once; none at all, if too few have marks of both kinds."""
    asked = marked.both_ways()
    if len(asked) < QUERIES_TO_HOLD_OUT:
        return []
    turns = np.full(len(marked.embeddings), -1)
    turns[np.random.default_rng(settings.seed).permutation(asked)] = np.arange(len(asked)) % settings.folds
    turn_of_pair, turn_of_item = turns[marked.pairs.queries], turns[marked.pairs.items]
    return [
        # Nor is a mark learned whose picture is a held-out query: it may say the same the other way round.
        Fold(np.flatnonzero((turn_of_pair != turn) & (turn_of_item != turn)), np.flatnonzero(turn_of_pair == turn))
        for turn in range(min(settings.folds, len(asked)))
    ]
