"""The process that fine-tunes a backbone; run by `launcher.py`, so that no other process imports torch.

python -m similarity.finetuning.backbone.worker TASK.json WEIGHTS

It puts decoded pictures beside WEIGHTS and reports on standard output, one JSON object per line:
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
from similarity.finetuning.validation import HeldOutLabels
from similarity.progress import Progress, Reporter
from similarity.sources import Item
from similarity.vectors.arrays import Vectors
from similarity.vectors.head_card import Card
from similarity.vectors.methods import Method

LIBRARIES = ("torch", "torchvision", "timm", "pytorch-metric-learning", "numpy")
# Beginnings of out-of-memory messages that come as a plain RuntimeError.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def teach(
    items: Sequence[Item],
    codes: Sequence[int],
    settings: TuneSettings,
    card: Card,
    weights: Path,
    method: Method,
    power: float,
    target: Path,
) -> None:
    """Train on some of the pictures until recall of the held-out ones stops rising, then write the weights.

    Args:
        card: the facts known before training.
        weights: the initial weights.
        method: the refinement of the gallery.
        power: its power of neighbours, see `power_of`.
        target: the file that the weights are written to; decoded pictures are put beside it.

    Raises:
        HeadError: there is too little to learn from. WeightsError: the weights are not those of the backbone.
    """
    started = time.perf_counter()
    backbone, arithmetic = get_backbone(card.model), arithmetic_here()
    pictures = read_pictures(items, np.array(codes, np.int32), backbone.preprocessing, target.parent, _progress)
    labelled, fold = _split(pictures, settings)
    held_out = HeldOutLabels.of(labelled, fold, settings.split)
    tuner = Tuner(build_network(backbone, weights), pictures, fold.learned, backbone.dim, settings, arithmetic)
    before = _embed(tuner, pictures)
    best, after = _learn(tuner, pictures, fold, held_out, settings)
    results = held_out.evaluate(after, method, power)
    measured = replace(
        card,
        data=dict(card.data) | _facts(pictures, len(items)) | {"queries": len(results)},
        settings=settings.to_json() | {"best_epoch": best, "refinement": method} | _precision_facts(arithmetic),
        before=held_out.evaluate(before, method, power).summary(),
        after=results.summary(),
    )
    card = _add_date(measured, time.perf_counter() - started)
    write_tuned(tuner.features, target, card.model, json.dumps(card.to_json(), ensure_ascii=False, sort_keys=True))


def _add_date(card: Card, seconds: float) -> Card:
    """The card with the time of the training and the versions of its libraries."""
    return replace(
        card,
        seconds=round(seconds, 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
    )


def _split(pictures: Pictures, settings: TuneSettings) -> tuple[Labelled, Fold]:
    """The pictures with their labels, split into training and held-out ones."""
    labelled = Labelled(np.empty((len(pictures), 0), np.float32), pictures.codes, int(pictures.codes.max()) + 1)
    folds = fold_labelled(labelled.codes, settings.folding)
    if labelled.labels < 2 or not folds:
        raise HeadError(
            "Too few of the pictures can still be read: training needs two labels, and two pictures of one of them."
        )
    return labelled, folds[0]


def _learn(
    tuner: Tuner, pictures: Pictures, fold: Fold, held_out: HeldOutLabels, settings: TuneSettings
) -> tuple[int, Vectors]:
    """Train, restore the state of the best epoch, and return its number and embeddings."""
    best_recall, best, risen = -1.0, 0, 0
    state, best_vectors = tuner.state(), np.empty((0, 0), np.float32)
    for number in range(1, settings.epochs + 1):
        report = Reporter(len(fold.learned), _progress, task=f"Epoch {number} of {settings.epochs}")
        loss = tuner.learn(number, report.advance)
        vectors = _embed(tuner, pictures)
        recall = held_out.recall(vectors)
        if recall > best_recall:
            risen = number
        if recall >= best_recall:  # at equal recall the later epoch, which has learned more
            state, best_vectors, best_recall, best = tuner.state(), vectors, recall, number
        _say(epoch=asdict(Epoch("trial", number, settings.epochs, loss, recall)))
        if number - risen >= settings.patience:
            break
    tuner.restore(state)
    return best, best_vectors


def _embed(tuner: Tuner, pictures: Pictures) -> Vectors:
    return tuner.embed(Reporter(len(pictures), _progress, task="Comparing").advance)


def _facts(pictures: Pictures, listed: int) -> dict[str, Any]:
    """Facts about the training pictures, for the card."""
    sha256 = hashlib.sha256(pictures.codes.tobytes())
    for picture in pictures.pixels:
        sha256.update(picture.tobytes())
    labels = int(pictures.codes.max()) + 1
    return {
        "pictures": len(pictures),
        "labels": labels,
        "unreadable": listed - len(pictures),
        "sha256": sha256.hexdigest(),
    }


def _precision_facts(arithmetic: Arithmetic) -> dict[str, Any]:
    return {"device": arithmetic.device, "precision": arithmetic.half or "float32"}


def _progress(progress: Progress) -> None:
    _say(progress=asdict(progress))


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY)


def _run(task: Mapping[str, Any], target: Path) -> None:
    teach(
        [Item(**item) for item in task["items"]],
        task["codes"],
        TuneSettings.from_json(task["settings"]),
        Card(**task["card"]),
        Path(task["weights"]),
        task["refinement"],
        task["neighbour_power"],
        target,
    )


def main() -> None:
    """Fine-tune by the task file that is named on the command line."""
    task, target = map(Path, sys.argv[1:])
    try:
        _run(json.loads(task.read_text()), target)
    except SimilarityError as error:
        _say(error=str(error))
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        _say(error="There is too little memory for this batch: try again with a smaller one.")


if __name__ == "__main__":
    main()
