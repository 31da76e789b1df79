"""The process that trains a head: `process.py` runs it, so that torch stays out of every other one.

python -m similarity.finetuning.worker EXAMPLES.npz TASK.json HEAD

It tells how it goes on standard output, a JSON object to a line: {"epoch": {...}} or, last, {"error": "a sentence"}.
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
from similarity.finetuning.batches import Examples
from similarity.finetuning.epochs import Epoch
from similarity.finetuning.example_files import make_folds, read_examples
from similarity.finetuning.examples import Fold, Labelled
from similarity.finetuning.settings import Settings
from similarity.finetuning.training import Member, join
from similarity.finetuning.validation import Answers, Exam, make_exam
from similarity.vectors.heads import Card, Head
from similarity.vectors.methods import Method

LIBRARIES = ("torch", "pytorch-metric-learning", "numpy")


def teach(examples: Examples, settings: Settings, card: Card, before: Method, after: Method) -> Head:
    """Try on parts of the examples, see what that is worth, then learn from all.

    Args:
        card: what is known of the head beforehand.
        before: how the gallery refines what it compares without a head,
        after: and with this one.

    Raises:
        HeadError: there is too little to hold anything out of.
    """
    started = time.perf_counter()
    folds = make_folds(examples, settings)
    card = replace(card, settings=settings.to_json() | {"refinement": after})
    epochs = settings.epochs
    if folds:
        exams = [make_exam(examples, fold, settings.split) for fold in folds]
        heads, epochs = _try(examples, folds, exams, settings, card)
        card = _marked(card, examples, exams, heads, before, after)
    final = _learn(examples, settings, card, epochs)
    told = replace(
        card,
        seconds=round(time.perf_counter() - started, 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
        settings=dict(card.settings) | {"best_epoch": epochs},
    )
    return replace(final, card=told)


def _try(
    examples: Examples, folds: Sequence[Fold], exams: Sequence[Exam], settings: Settings, card: Card
) -> tuple[list[Head], int]:
    """Train a network without each of the folds; their heads at the epoch that was best, and which it was."""
    members = [Member(examples, fold.learned, settings, number) for number, fold in enumerate(folds)]
    asked = [len(exam) for exam in exams]
    best: list[Head] = []
    best_recall, best_epoch = -1.0, 0
    for number in range(1, settings.epochs + 1):
        loss = float(np.mean([member.learn() for member in members]))
        heads = [member.head(card) for member in members]
        found = [exam.recall(head.project(examples.embeddings)) for exam, head in zip(exams, heads, strict=True)]
        recall = float(np.average(found, weights=asked))
        if (
            recall >= best_recall or not settings.patience
        ):  # where there is nothing left to be risen, results still come closer together
            best, best_recall, best_epoch = heads, recall, number
        _tell(Epoch("trial", number, settings.epochs, loss, recall))
        if settings.patience and number - best_epoch >= settings.patience:
            break
    return best, best_epoch


def _marked(
    card: Card, examples: Examples, exams: Sequence[Exam], heads: Sequence[Head], before: Method, after: Method
) -> Card:
    """The card with what the heads of a trial were worth, each for what it had not seen."""
    vectors = examples.embeddings
    untaught = Answers.join([exam.sit(vectors, before) for exam in exams])
    taught = Answers.join([exam.sit(head.project(vectors), after) for exam, head in zip(exams, heads, strict=True)])
    # What is learned of whole labels that are held out says nothing of how sure a result among all labels is.
    is_like_searching = isinstance(examples, Labelled) and card.settings["split"] == "item"
    return replace(
        card,
        before=untaught.summary(),
        after=taught.summary(),
        calibration=taught.calibration() if is_like_searching else None,
        data=dict(card.data) | {"queries": len(taught)},
    )


def _learn(examples: Examples, settings: Settings, card: Card, epochs: int) -> Head:
    """Train on all examples, for so many epochs."""
    rows = np.arange(len(examples))
    members = [Member(examples, rows, settings, number) for number in range(settings.members)]
    for number in range(1, epochs + 1):
        loss = float(np.mean([member.learn() for member in members]))
        _tell(Epoch("final", number, epochs, loss))
    return join([member.head(card) for member in members], examples.background(rows))


def _tell(epoch: Epoch) -> None:
    _say(epoch=asdict(epoch))


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the command line says."""
    examples, task, head = map(Path, sys.argv[1:])
    told = json.loads(task.read_text())
    settings, card = Settings.from_json(told["settings"]), Card(**told["card"])
    try:
        teach(read_examples(examples), settings, card, told["before"], told["after"]).write(head)
    except SimilarityError as error:
        _say(error=str(error))


if __name__ == "__main__":
    main()
