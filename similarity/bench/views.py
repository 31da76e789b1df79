"""Benchmark of views: how good a gallery's results would be in each view of its pictures, and how fast each embeds."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from similarity.bench.machine import describe_machine
from similarity.bench.scratch_home import scratch_galleries
from similarity.embedding.backbones import get_backbone
from similarity.embedding.backbones.tuned import find_choice, find_tuned
from similarity.embedding.backbones.weights import AUTO, choose_model
from similarity.embedding.view_names import VIEWS
from similarity.embedding.views import windows
from similarity.errors import SearchError
from similarity.evaluation import Comparison, Evaluation, compare, evaluate
from similarity.evaluation.protocol import ONE_LABEL
from similarity.evaluation.queries import check_queries
from similarity.gallery import Gallery, open_gallery
from similarity.indexing.options import IndexOptions, index_arguments, options_of
from similarity.paths import galleries_folder
from similarity.progress import INDEXING, OnProgress, Progress
from similarity.search.stores import EMBEDDED
from similarity.sources import Skipped, Source
from similarity.sources.base import LABEL
from similarity.sources.opening import source_arguments
from similarity.sources.originals import Originals
from similarity.storage.manifest import Manifest

BEST: Literal["best"] = "best"
# The metrics that decide between views.
RECALL, MAP = "recall@1", "map@r"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """The pictures of a gallery, embedded in another way.

    Attributes:
        name: the name of the view, or `best`.
        manifest: the manifest of the scratch gallery, which is gone.
        evaluation: its evaluation; what is read from its files is gone.
        images_per_s: files that were read, decoded and embedded a second, without the time to load the network.
        windows: mean number of windows of a picture, 1 to 2.
        skipped: files that could not be read.
        command: the command that makes the gallery so.
    """

    name: str
    manifest: Manifest
    evaluation: Evaluation
    images_per_s: float
    windows: float
    skipped: Sequence[Skipped]
    command: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommendation.

    Attributes:
        name: the recommended view, or `best`; None where the queries cannot tell.
        is_draw: whether none differs significantly from the gallery's own view.
        reason: what is recommended and why, as a sentence.
    """

    name: str | None
    is_draw: bool
    reason: str


def bench_views(
    gallery: str | Gallery,
    queries: Source | None = None,
    *,
    by: str = LABEL,
    quality: bool = False,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Embed the pictures of a gallery in each view, with its model and options, and evaluate each.

    The gallery stays as it is. Its own view is embedded again, too, so that the speeds and the pictures are the same
    for all; a head is left out, since it was trained for one view. Each scratch gallery is deleted when it has been
    evaluated.

    Args:
        queries: the query pictures; by default the gallery's own, each left out of its own results.
        by: the column in which a right result has the query's value.
        quality: whether to embed in the best quality as well, which may take another model.

    Returns:
        A row for each view with its metrics, its differences to `crop`, and its speed; and the recommendation.

    Raises:
        SearchError: the labels cannot tell one view from another. SourceError: no picture can be read any more.
        ModelError: the gallery's model cannot be loaded.
    """
    opened, started = gallery if isinstance(gallery, Gallery) else open_gallery(gallery), time.perf_counter()
    labels = check_queries(opened, queries, by=by)
    if len(labels) < 2:
        raise SearchError(ONE_LABEL.format(by=by, label=next(iter(labels))))
    names = (*VIEWS, BEST) if quality else VIEWS
    candidates = [_measure(name, opened, queries, by, progress) for name in names]
    if progress:
        progress(Progress("Comparing"))
    report = _report(opened, candidates)
    return report | {"seconds": round(time.perf_counter() - started, 1), "machine": describe_machine()}


def _report(gallery: Gallery, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Return the figures of all candidates, the first of which is the crop, and the recommendation."""
    crop, view = candidates[0], gallery.manifest.view
    advice = recommend(next(one for one in candidates if one.name == view), candidates)
    return {
        "gallery": gallery.name,
        "view": view,
        "has_head": gallery.head is not None,
        "pictures": crop.evaluation.pictures,
        "skipped": [{"path": file.path, "reason": file.reason} for file in crop.skipped],
        "protocol": crop.evaluation.protocol,
        "by": crop.evaluation.by,
        "queries": crop.evaluation.queries,
        "left_out": crop.evaluation.left_out.total,
        "caution": crop.evaluation.caution,
        "views": [_row(one, compare(crop.evaluation, one.evaluation)) for one in candidates],
        "recommended": advice.name,
        "is_draw": advice.is_draw,
        "reason": advice.reason,
        "command": _advised_command(gallery, advice, candidates),
    }


def recommend(own: Candidate, candidates: Sequence[Candidate]) -> Advice:
    """Recommend a view: the best mAP@R of those whose recall@1 is not significantly lower than in the gallery's own.

    Significant is as in `evaluation.comparison`: after the correction for several metrics, but not for several views.
    The gallery's own view is kept unless that one differs from it significantly, too.
    """
    if own.evaluation.caution:
        return Advice(None, False, f"No view is recommended. {own.evaluation.caution}")
    compared = [(one, compare(own.evaluation, one.evaluation)) for one in candidates if one is not own]
    differing = [(one, comparison) for one, comparison in compared if _differs(comparison)]
    has = f"{own.name}, which the gallery has"
    if not differing:
        return Advice(
            own.name, True, f"This is a draw: none differs significantly from {has}, so the gallery can stay as it is."
        )
    good = [own, *(one for one, comparison in differing if not _is_lower(comparison))]
    best = max(good, key=lambda one: one.evaluation.metrics[MAP].value)
    why = (
        f"none that differs significantly from {has}, has a higher mAP@R without a significantly lower recall@1."
        if best is own
        else f"it has the highest mAP@R of those whose recall@1 is not significantly lower than with {has}."
    )
    return Advice(best.name, False, f"{'The gallery can stay as it is' if best is own else f'Take {best.name}'}: {why}")


def _differs(comparison: Comparison) -> bool:
    return any(comparison.metrics[name].is_significant for name in (RECALL, MAP))


def _is_lower(comparison: Comparison) -> bool:
    recall = comparison.metrics[RECALL]
    return recall.is_significant and recall.difference < 0


def _measure(name: str, gallery: Gallery, queries: Source | None, by: str, progress: OnProgress | None) -> Candidate:
    """Embed and evaluate the pictures of a gallery in a view, or in the best quality, in a scratch gallery."""
    embedded: list[Progress] = []

    def report(stage: Progress) -> None:
        if stage.task == INDEXING:
            embedded[:] = [stage]
        if progress:
            progress(replace(stage, task=f"{name}: {stage.task}"))

    options = _options(name, gallery.manifest)
    command, originals = _command(gallery, options), Originals(gallery.items, gallery.manifest.source)
    with scratch_galleries() as folder:
        built = Gallery.build(originals, folder / name, options, progress=report)
        evaluation = evaluate(built, queries, by=by, with_reliability=False, progress=report)
        how, view = built.embedder.backbone.preprocessing, built.manifest.view
        shown = sum(len(windows((item.width, item.height), how, view)) for item in built.items)
        return Candidate(
            name=name,
            manifest=built.manifest,
            evaluation=evaluation,
            images_per_s=embedded[0].images_per_second if embedded else 0.0,
            windows=shown / len(built),
            skipped=built.manifest.skipped,
            command=command,
        )


def _options(name: str, manifest: Manifest) -> IndexOptions:
    """Return the options of a gallery as they were asked for, with another view or the best quality."""
    options = options_of(manifest).updated(store=EMBEDDED)
    if name == BEST:
        return options.updated(model=choose_model(AUTO, quality=BEST, may_download=False), view=AUTO, quality=BEST)
    return options.updated(model=find_choice(get_backbone(manifest.model), manifest.weights_sha256), view=name)


def _command(gallery: Gallery, options: IndexOptions) -> str:
    """Return the command that indexes a gallery with these options; a source that is not one place is SOURCE."""
    manifest, choice = gallery.manifest, options.choose_model()
    is_one = {item.source for item in gallery.items} == {manifest.source}
    is_named = gallery.directory.parent == galleries_folder()
    is_tuned = find_tuned(choice.backbone.name, manifest.weights_sha256) == choice.weights
    words = ["index", *((source_arguments(manifest.source) if is_one else None) or ["SOURCE"])]
    words += ["--gallery", gallery.name if is_named else str(gallery.directory)]
    model = ("--weights", str(choice.weights)) if is_tuned else ("--model", choice.backbone.name)
    return f"python -m similarity {shlex.join([*words, *index_arguments(manifest, options, model)])}"


def _advised_command(gallery: Gallery, advice: Advice, candidates: Sequence[Candidate]) -> str:
    """Return the command of the recommended view, or where the gallery can stay that of any view, called VIEW."""
    own = gallery.manifest.view
    if advice.name in (None, own):
        return _command(gallery, _options(own, gallery.manifest).updated(view="VIEW"))
    return next(one.command for one in candidates if one.name == advice.name)


def _row(candidate: Candidate, to_crop: Comparison) -> dict[str, Any]:
    """Return the figures of a view; `to_crop` compares it with the crop."""
    estimates = {name: candidate.evaluation.metrics[name] for name in (RECALL, MAP)}
    before = to_crop.a.values(RECALL)[to_crop.numbers_a] > 0
    after = to_crop.b.values(RECALL)[to_crop.numbers_b] > 0
    differences = {
        name: {
            "difference": round(metric.difference, 6),
            "interval": [round(metric.low, 6), round(metric.high, 6)],
            "p_adjusted": metric.adjusted,
            "is_significant": metric.is_significant and not to_crop.cautions,
        }
        for name, metric in ((name, to_crop.metrics[name]) for name in (RECALL, MAP))
    }
    return {
        "name": candidate.name,
        "view": candidate.manifest.view,
        "model": candidate.manifest.model,
        "precision": candidate.manifest.precision,
        "recipe": candidate.manifest.recipe,
        "refinement": candidate.manifest.refinement,
        **{name: round(estimate.value, 6) for name, estimate in estimates.items()},
        "intervals": {name: [round(one.low, 6), round(one.high, 6)] for name, one in estimates.items()},
        "to_crop": differences,
        "won_at_1": int((after & ~before).sum()),
        "lost_at_1": int((before & ~after).sum()),
        "images_per_s": round(candidate.images_per_s, 1),
        "windows_per_picture": round(candidate.windows, 3),
        "command": candidate.command,
    }
