"""Examples of either kind: gathering them, folding them, and files that pass them to another process."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from similarity.finetuning.batches import TrainingExamples
from similarity.finetuning.examples import Fold, Labelled, fold_labelled, labelled_pictures
from similarity.finetuning.feedback_examples import FeedbackExamples, Pairs, feedback_examples, fold_feedback
from similarity.finetuning.settings import Settings

if TYPE_CHECKING:
    from similarity.gallery import Gallery


def gather_examples(gallery: Gallery, settings: Settings) -> TrainingExamples:
    """Gather the training examples of a gallery: its labels, or the feedback on its results.

    Raises:
        HeadError: there are none to learn from. GalleryError: feedback cannot be read.
    """
    if settings.source == "marks":
        return feedback_examples(gallery, settings)
    return labelled_pictures(gallery, settings)


def make_folds(examples: TrainingExamples, settings: Settings) -> list[Fold]:
    """Return folds that hold each example out once; none if there is too little feedback."""
    if isinstance(examples, Labelled):
        return fold_labelled(examples.codes, settings)
    return fold_feedback(examples, settings)


def describe(examples: TrainingExamples) -> dict[str, Any]:
    """Counts and a digest of the examples, for a card."""
    if isinstance(examples, Labelled):
        sha256 = hashlib.sha256(examples.embeddings.tobytes() + examples.codes.tobytes()).hexdigest()
        return {"pictures": len(examples), "labels": examples.labels, "sha256": sha256}
    pairs = examples.pairs
    parts = (pairs.embeddings, pairs.queries, pairs.items, pairs.wanted, examples.backdrop)
    sha256 = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    return {"marks": len(examples), "gone": pairs.gone, "foreign": pairs.foreign, "sha256": sha256}


def write_examples(path: Path, examples: TrainingExamples) -> None:
    """Write examples to a file."""
    if isinstance(examples, Labelled):
        np.savez(path, embeddings=examples.embeddings, codes=examples.codes, labels=examples.labels)
        return
    pairs = examples.pairs
    np.savez(
        path,
        embeddings=pairs.embeddings,
        queries=pairs.queries,
        items=pairs.items,
        wanted=pairs.wanted,
        backdrop=examples.backdrop,
    )


def read_examples(path: Path) -> TrainingExamples:
    """Read a file of `write_examples`."""
    with np.load(path) as arrays:
        if "codes" in arrays:
            return Labelled(arrays["embeddings"], arrays["codes"], int(arrays["labels"]))
        pairs = Pairs(arrays["embeddings"], arrays["queries"], arrays["items"], arrays["wanted"])
        return FeedbackExamples(pairs, arrays["backdrop"])
