"""The process that trains a head; run by `launcher.py`, so that no other process imports torch.

python -m similarity.finetuning.worker EXAMPLES.npz TASK.json HEAD

It reports on standard output, one JSON object per line: {"epoch": {...}} or, last, {"error": "a sentence"}.
"""

import importlib.metadata
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import SimilarityError
from similarity.finetuning.batches import TrainingExamples
from similarity.finetuning.epochs import Epoch
from similarity.finetuning.example_files import make_folds, read_examples
from similarity.finetuning.examples import Fold, Labelled
from similarity.finetuning.settings import Settings
from similarity.finetuning.training import Member, join
from similarity.finetuning.validation import HeldOut, QueryResults, make_held_out
from similarity.vectors.head_card import Card
from similarity.vectors.heads import Head
from similarity.vectors.methods import POWER, Method

LIBRARIES = ("torch", "pytorch-metric-learning", "numpy")


def teach(
    examples: TrainingExamples, settings: Settings, card: Card, before: Method, after: Method, *, power: float = POWER
) -> Head:
    """Validate on held-out parts of the examples, then train on all of them.

    Args:
        card: the facts known before training.
        before: the gallery's refinement without a head.
        after: its refinement with this head.
        power: the gallery's power of neighbours, with and without a head; see `power_of`.

    Raises:
        HeadError: there are too few examples to hold any out.
    """
    started = time.perf_counter()
    folds = make_folds(examples, settings)
    card = replace(card, settings=settings.to_json() | {"refinement": after})
    epochs = settings.epochs
    if folds:
        held_out = [make_held_out(examples, fold, settings.split) for fold in folds]
        heads, epochs = _try(examples, folds, held_out, settings, card)
        card = _add_metrics(card, examples, held_out, heads, before, after, power)
    final = _learn(examples, settings, card, epochs)
    card = replace(
        card,
        seconds=round(time.perf_counter() - started, 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
        settings=dict(card.settings) | {"best_epoch": epochs},
    )
    return replace(final, card=card)


def _try(
    examples: TrainingExamples, folds: Sequence[Fold], held_out: Sequence[HeldOut], settings: Settings, card: Card
) -> tuple[list[Head], int]:
    """Train a network without each of the folds; returns their heads at the best epoch, and its number."""
    members = [Member(examples, fold.learned, settings, number) for number, fold in enumerate(folds)]
    sizes = [len(part) for part in held_out]
    best: list[Head] = []
    best_recall, best_epoch = -1.0, 0
    for number in range(1, settings.epochs + 1):
        loss = float(np.mean([member.learn() for member in members]))
        heads = [member.head(card) for member in members]
        recalls = [part.recall(head.project(examples.embeddings)) for part, head in zip(held_out, heads, strict=True)]
        recall = float(np.average(recalls, weights=sizes))
        # At equal recall the later epoch counts: pictures that belong together are closer by then.
        if recall >= best_recall or not settings.patience:
            best, best_recall, best_epoch = heads, recall, number
        _report(Epoch("trial", number, settings.epochs, loss, recall))
        if settings.patience and number - best_epoch >= settings.patience:
            break
    return best, best_epoch


def _add_metrics(
    card: Card,
    examples: TrainingExamples,
    held_out: Sequence[HeldOut],
    heads: Sequence[Head],
    before: Method,
    after: Method,
    power: float,
) -> Card:
    """Return the card with metrics of the trial's heads, each on the examples held out from it."""
    vectors, pairs = examples.embeddings, zip(held_out, heads, strict=True)
    without = QueryResults.join([part.evaluate(vectors, before, power) for part in held_out])
    with_heads = QueryResults.join([part.evaluate(head.project(vectors), after, power) for part, head in pairs])
    # Held-out labels say nothing about confidence in a search among all labels.
    is_like_searching = isinstance(examples, Labelled) and card.settings["split"] == "item"
    return replace(
        card,
        before=without.summary(),
        after=with_heads.summary(),
        calibration=with_heads.calibration() if is_like_searching else None,
        data=dict(card.data) | {"queries": len(with_heads)},
    )


def _learn(examples: TrainingExamples, settings: Settings, card: Card, epochs: int) -> Head:
    """Train on all examples, for a number of epochs."""
    rows = np.arange(len(examples))
    members = [Member(examples, rows, settings, number) for number in range(settings.members)]
    for number in range(1, epochs + 1):
        loss = float(np.mean([member.learn() for member in members]))
        _report(Epoch("final", number, epochs, loss))
    return join([member.head(card) for member in members], examples.background(rows))


def _report(epoch: Epoch) -> None:
    _say(epoch=asdict(epoch))


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Train a head from the files that are named on the command line."""
    examples, task, head = map(Path, sys.argv[1:])
    spec = json.loads(task.read_text())
    settings, card = Settings.from_json(spec["settings"]), Card(**spec["card"])
    try:
        learned = teach(
            read_examples(examples), settings, card, spec["before"], spec["after"], power=spec["neighbour_power"]
        )
        learned.write(head)
    except SimilarityError as error:
        _say(error=str(error))


if __name__ == "__main__":
    main()
