"""Labelled examples that a head is trained on, and folds of them for validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from similarity.errors import HeadError
from similarity.finetuning.settings import Settings
from similarity.search import Rows
from similarity.vectors.arrays import Vectors

if TYPE_CHECKING:
    from similarity.gallery import Gallery

Codes = npt.NDArray[np.int32]

# More pictures do not improve a projection of this size, and take minutes.
MOST_PICTURES = 50_000
# Fewer labels cannot be split into training and held-out ones with wrong answers in both.
LABELS_TO_SPLIT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Pictures with labels.

    Attributes:
        embeddings: the backbone's embeddings, float32 (n, dim), rows of unit length.
        codes: their labels as numbers from 0, int32 (n,).
        labels: number of labels.
    """

    embeddings: Vectors
    codes: Codes
    labels: int

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.codes)

    def background(self, rows: Rows) -> Vectors:
        """Embeddings the PCA is fitted on."""
        return self.embeddings[rows]

    def at(self, rows: Rows) -> Labelled:
        """A subset of the pictures, with labels renumbered."""
        labels, codes = np.unique(self.codes[rows], return_inverse=True)
        return Labelled(self.embeddings[rows], codes.astype(np.int32), len(labels))


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A split of examples: rows of the training ones, and of the held-out ones, int64."""

    learned: Rows
    held_out: Rows


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """The labelled pictures of a gallery: their rows, int64 (n,), and labels as numbers from 0, int32 (n,)."""

    rows: Rows
    codes: Codes


def labelled_rows(gallery: Gallery, settings: Settings) -> LabelledRows:
    """Return the labelled pictures of a gallery, or MOST_PICTURES of them, drawn at random.

    Raises:
        HeadError: the labels are not enough to learn from, or to hold some pictures out.
    """
    labels = np.array([label or "" for label in gallery.items.labels()])
    rows = np.flatnonzero(labels != "")
    if not len(rows):
        raise HeadError(
            f"The pictures of {gallery.name} have no labels to learn from. Put pictures into a folder for each label, "
            "index a CSV with a column for it, or learn from marks on results."
        )
    names, codes, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise HeadError(
            f"All labelled pictures of {gallery.name} have the label {str(names[0])!r}: training needs at least "
            "two labels."
        )
    if counts.max() < 2:
        raise HeadError(f"Each label of {gallery.name} has only one picture: training needs two pictures of a label.")
    if len(rows) > MOST_PICTURES:
        drawn = np.sort(np.random.default_rng(settings.seed).choice(len(rows), MOST_PICTURES, replace=False))
        rows, codes = rows[drawn], np.unique(codes[drawn], return_inverse=True)[1]
    labelled = LabelledRows(rows, codes.astype(np.int32))
    fold_labelled(labelled.codes, settings)
    return labelled


def labelled_pictures(gallery: Gallery, settings: Settings) -> Labelled:
    """Return the labelled pictures with their embeddings; raises as `labelled_rows`."""
    labelled = labelled_rows(gallery, settings)
    return Labelled(gallery.embeddings[labelled.rows], labelled.codes, int(labelled.codes.max()) + 1)


def fold_labelled(codes: Codes, settings: Settings) -> list[Fold]:
    """Return the folds of a cross-validation, over pictures or over whole labels.

    A picture that is the only one of its label is never held out, since no result would be right.

    Args:
        codes: the labels of all pictures.

    Raises:
        HeadError: there are too few labels.
    """
    random = np.random.default_rng(settings.seed)
    counts = np.bincount(codes)
    usable = np.flatnonzero(counts >= 2)
    if settings.split == "label":
        turns, folds = _turns_of_labels(len(counts), usable, settings, random)[codes], settings.folds
    else:
        turns, folds = np.full(len(codes), -1), settings.folds
        for code in usable:
            rows = random.permutation(np.flatnonzero(codes == code))
            turns[rows] = (np.arange(len(rows)) + random.integers(folds)) % folds
    candidates = [Fold(np.flatnonzero(turns != turn), np.flatnonzero(turns == turn)) for turn in range(folds)]
    return [fold for fold in candidates if len(fold.held_out)]


def _turns_of_labels(count: int, usable: Rows, settings: Settings, random: np.random.Generator) -> Rows:
    """Return the fold in which each label is held out, -1 for none."""
    if len(usable) < LABELS_TO_SPLIT:
        raise HeadError(
            f"To hold whole labels out, {LABELS_TO_SPLIT} labels need two pictures each, and {len(usable)} do: hold "
            "items out instead."
        )
    folds = min(settings.folds, len(usable) // 2)  # at least two labels in each, so that results can be wrong
    turns = np.full(count, -1)
    turns[random.permutation(usable)] = np.arange(len(usable)) % folds
    return turns
