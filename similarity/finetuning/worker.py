"""The process that trains a head: `process.py` runs it, so that torch stays out of every other one.

python -m similarity.finetuning.worker EXAMPLES.npz TASK.json HEAD

It tells how it goes on standard output, a JSON object to a line: {"epoch": {...}} or, last, {"error": "a sentence"}.
"""

import importlib.metadata
import json
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import SimilarityError
from similarity.finetuning.examples import Labelled, split
from similarity.finetuning.settings import Settings
from similarity.finetuning.telling import Epoch
from similarity.finetuning.training import train
from similarity.finetuning.worth import Exam, calibration, judged_by, measure
from similarity.heads import Card, Head
from similarity.refinement import Method

LIBRARIES = ("torch", "pytorch-metric-learning", "numpy")


def teach(examples: Labelled, settings: Settings, card: Card, method: Method) -> Head:
    """Try on a part, see what that is worth, then learn from all.

    Args:
        card: what is known of the head beforehand.
        method: how the gallery refines what it compares.

    Raises:
        HeadError: there is too little to hold anything out of.
    """
    started = time.perf_counter()
    parts = split(examples, settings)
    exam = Exam.of(examples, parts, settings.split)
    learned = examples.at(parts.learned)
    judge = judged_by(exam, examples.embeddings)
    tried, best = train(learned, settings, card, stage="trial", epochs=settings.epochs, judge=judge, on_epoch=_tell)
    before, _ = exam.sit(examples.embeddings, method)
    after, hits = exam.sit(tried.project(examples.embeddings), method)
    final, _ = train(examples, settings, card, stage="final", epochs=best, on_epoch=_tell)
    told = replace(
        card,
        before=measure(before),
        after=measure(after),
        calibration=calibration(after, hits) if settings.split == "item" else None,
        seconds=round(time.perf_counter() - started, 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
        settings=settings.to_json() | {"best_epoch": best, "refinement": method},
        data=dict(card.data) | {"learned": len(parts.learned), "held_out": len(before)},
    )
    return replace(final, card=told)


def _tell(epoch: Epoch) -> None:
    _say(epoch=asdict(epoch))


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the command line says."""
    examples, task, head = map(Path, sys.argv[1:])
    told = json.loads(task.read_text())
    with np.load(examples) as arrays:
        pictures = Labelled(arrays["embeddings"], arrays["codes"], int(arrays["labels"]))
    try:
        made = teach(pictures, Settings.from_json(told["settings"]), Card(**told["card"]), told["refinement"])
        made.write(head)
    except SimilarityError as error:
        _say(error=str(error))


if __name__ == "__main__":
    main()
