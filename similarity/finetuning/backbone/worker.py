"""The process that fine-tunes a backbone: `process.py` runs it, so that torch stays out of every other one.

python -m similarity.finetuning.backbone.worker TASK.json WEIGHTS

It puts decoded pictures beside TASK.json. How it goes it tells on standard output, a JSON object to a line:
{"progress": {...}}, {"epoch": {...}} or, last, {"error": "a sentence"}.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from similarity.embedding.backbones import build_network, get_backbone
from similarity.embedding.backbones.tuned_files import write_tuned
from similarity.errors import HeadError, SimilarityError
from similarity.finetuning.backbone.dataset import Pictures, read_pictures
from similarity.finetuning.backbone.precision import Arithmetic, arithmetic_here
from similarity.finetuning.backbone.settings import TuneSettings
from similarity.finetuning.backbone.training import Tuner
from similarity.finetuning.epochs import Epoch
from similarity.finetuning.examples import Fold, Labelled, fold_labelled
from similarity.finetuning.validation import LabelExam
from similarity.progress import Progress, Reporter
from similarity.sources import Item
from similarity.vectors.arrays import Vectors
from similarity.vectors.heads import Card
from similarity.vectors.methods import Method

LIBRARIES = ("torch", "torchvision", "timm", "pytorch-metric-learning", "numpy")
# How a want of memory begins to be told by what raises only RuntimeError.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def teach(
    items: Sequence[Item],
    codes: Sequence[int],
    settings: TuneSettings,
    card: Card,
    weights: Path,
    method: Method,
    made: Path,
    folder: Path,
) -> None:
    """Learn from some of the pictures until those that are held out are found no better, and write the weights.

    Args:
        card: what is known of the weights beforehand.
        weights: what the network begins with.
        method: how the gallery refines what it compares.
        made: where the weights are written to,
        folder: and the decoded pictures.

    Raises:
        HeadError: there is too little to learn from. WeightsError: the weights are not those of the backbone.
    """
    started = time.perf_counter()
    backbone, arithmetic = get_backbone(card.model), arithmetic_here()
    pictures = read_pictures(items, np.array(codes, np.int32), backbone.preprocessing, folder, _progress)
    labelled = Labelled(np.empty((len(pictures), 0), np.float32), pictures.codes, int(pictures.codes.max()) + 1)
    fold = _held_out(labelled, settings)
    exam = LabelExam.of(labelled, fold, settings.split)
    tuner = Tuner(build_network(backbone, weights), pictures, fold.learned, backbone.dim, settings, arithmetic)
    before = _embed(tuner, pictures)
    best, after = _learn(tuner, pictures, fold, exam, settings)
    answers = exam.sit(after, method)
    told = replace(
        card,
        data=dict(card.data) | _facts(pictures, len(items)) | {"queries": len(answers)},
        settings=settings.to_json() | {"best_epoch": best, "refinement": method} | _computed(arithmetic),
        before=exam.sit(before, method).summary(),
        after=answers.summary(),
        seconds=round(time.perf_counter() - started, 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
    )
    write_tuned(tuner.features, made, card.model, json.dumps(told.to_json(), ensure_ascii=False, sort_keys=True))


def _held_out(labelled: Labelled, settings: TuneSettings) -> Fold:
    """What is learned from, and what is asked about."""
    folds = fold_labelled(labelled.codes, settings.folding)
    if labelled.labels < 2 or not folds:
        raise HeadError(
            "Of the pictures that can still be read there are too few to learn from: it takes two labels, and two "
            "pictures of one of them."
        )
    return folds[0]


def _learn(
    tuner: Tuner, pictures: Pictures, fold: Fold, exam: LabelExam, settings: TuneSettings
) -> tuple[int, Vectors]:
    """Train, and leave the network as it was at its best; returns the epoch that was, and its embeddings."""
    best_recall, best, risen = -1.0, 0, 0
    state, kept = tuner.state(), np.empty((0, 0), np.float32)
    for number in range(1, settings.epochs + 1):
        report = Reporter(len(fold.learned), _progress, task=f"Epoch {number} of {settings.epochs}")
        loss = tuner.learn(number, report.advance)
        vectors = _embed(tuner, pictures)
        recall = exam.recall(vectors)
        if recall > best_recall:
            risen = number
        if recall >= best_recall:  # of equals the last one: it has learned more
            state, kept, best_recall, best = tuner.state(), vectors, recall, number
        _say(epoch=asdict(Epoch("trial", number, settings.epochs, loss, recall)))
        if number - risen >= settings.patience:
            break
    tuner.restore(state)
    return best, kept


def _embed(tuner: Tuner, pictures: Pictures) -> Vectors:
    return tuner.embed(Reporter(len(pictures), _progress, task="Comparing").advance)


def _facts(pictures: Pictures, asked: int) -> dict[str, Any]:
    """What was learned from, for the card."""
    sha256 = hashlib.sha256(pictures.codes.tobytes())
    for picture in pictures.pixels:
        sha256.update(picture.tobytes())
    labels = int(pictures.codes.max()) + 1
    return {
        "pictures": len(pictures),
        "labels": labels,
        "unreadable": asked - len(pictures),
        "sha256": sha256.hexdigest(),
    }


def _computed(arithmetic: Arithmetic) -> dict[str, Any]:
    return {"device": arithmetic.device, "precision": arithmetic.half or "float32"}


def _progress(progress: Progress) -> None:
    _say(progress=asdict(progress))


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _is_want_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY)


def _do(told: Mapping[str, Any], folder: Path, made: Path) -> None:
    teach(
        [Item(**one) for one in told["items"]],
        told["codes"],
        TuneSettings.from_json(told["settings"]),
        Card(**told["card"]),
        Path(told["weights"]),
        told["refinement"],
        made,
        folder,
    )


def main() -> None:
    """Do what the command line says."""
    task, made = map(Path, sys.argv[1:])
    try:
        _do(json.loads(task.read_text()), task.parent, made)
    except SimilarityError as error:
        _say(error=str(error))
    except (MemoryError, RuntimeError) as error:
        if not _is_want_of_memory(error):
            raise
        _say(error="There is too little memory for so many pictures at a time: try again with a smaller batch.")


if __name__ == "__main__":
    main()
