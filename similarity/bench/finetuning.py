"""Benchmark of heads, repeated: for held-out pictures, and for labels that were not in training."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from similarity.bench.machine import describe_machine
from similarity.finetuning.examples import Fold, Labelled, labelled_pictures, labelled_rows
from similarity.finetuning.settings import Loss, Settings
from similarity.finetuning.training import Member, join
from similarity.finetuning.validation import METRICS, HeldOutLabels
from similarity.gallery import Gallery, open_gallery
from similarity.progress import OnProgress, Progress
from similarity.vectors.head_card import Card
from similarity.vectors.heads import Head

# The share of the pictures, or of the labels, that is held out.
PICTURES, LABELS = 0.2, 0.3
DRAWS = 5


def bench_teaching(
    gallery: str | Gallery,
    *,
    loss: Loss = "multi-similarity",
    draws: int = DRAWS,
    settings: Settings | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Train heads on random parts of a gallery's labelled pictures, and evaluate them on the others, unrefined.

    Args:
        draws: number of random splits.
        settings: by default those for the loss.

    Returns:
        For each case recall@1 and mAP@R without and with a head, and the mean, standard deviation and minimum of the
        differences. Cases are held-out `pictures`, held-out `labels`, and the latter with `keep` = 0.

    Raises:
        HeadError: the labels are not enough to learn from.
    """
    opened = gallery if isinstance(gallery, Gallery) else open_gallery(gallery)
    settings = settings or Settings(loss=loss)
    pictures, started = labelled_pictures(opened, settings), time.perf_counter()
    labelled_rows(opened, replace(settings, split="label"))  # raises now, and not after the first case
    cases = {
        "pictures": ("item", settings),
        "labels": ("label", settings),
        "labels, nothing kept": ("label", replace(settings, keep=0.0)),
    }
    report: dict[str, Any] = {"gallery": opened.name, "loss": settings.loss, "draws": draws, "keep": settings.keep}
    for name, (split, case) in cases.items():
        changes = []
        for draw in range(draws):
            if progress:
                progress(Progress(f"Held out: {name}", draw, draws))
            changes.append(_measure(pictures, replace(case, seed=draw, split=split)))  # type: ignore[arg-type]
        report[name] = _summary(changes)
    return report | {"seconds": round(time.perf_counter() - started, 1), "machine": describe_machine()}


def _measure(pictures: Labelled, settings: Settings) -> dict[str, tuple[float, float]]:
    """Each metric before and after training, for the held-out pictures of one draw."""
    fold = _draw(pictures, settings)
    head = _train(pictures.at(fold.learned), settings)
    held_out = HeldOutLabels.of(pictures, fold, settings.split)
    before = held_out.evaluate(pictures.embeddings, "none").summary()
    after = held_out.evaluate(head.project(pictures.embeddings), "none").summary()
    return {name: (before[name], after[name]) for name in METRICS}


def _draw(pictures: Labelled, settings: Settings) -> Fold:
    random = np.random.default_rng(settings.seed)
    if settings.split == "label":
        held_out = random.permutation(pictures.labels)[: max(2, round(LABELS * pictures.labels))]
        is_held_out = np.isin(pictures.codes, held_out)
    else:
        is_held_out = random.permutation(len(pictures)) < PICTURES * len(pictures)
    return Fold(np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out))


def _train(pictures: Labelled, settings: Settings) -> Head:
    rows = np.arange(len(pictures))
    members = [Member(pictures, rows, settings, number) for number in range(settings.members)]
    for _ in range(settings.epochs):
        for member in members:
            member.learn()
    card = Card("", "", settings.loss)
    return join([member.head(card) for member in members], pictures.embeddings)


def _summary(changes: Sequence[dict[str, tuple[float, float]]]) -> dict[str, Any]:
    facts = {}
    for name in METRICS:
        before, after = np.array([change[name] for change in changes]).T
        change = after - before
        facts[name] = {
            "before": round(float(before.mean()), 4),
            "after": round(float(after.mean()), 4),
            "change": round(float(change.mean()), 4),
            "spread": round(float(change.std(ddof=1)), 4) if len(change) > 1 else 0.0,
            "least": round(float(change.min()), 4),
        }
    return facts
