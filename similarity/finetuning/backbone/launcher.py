"""Fine-tuning for a gallery: a separate process trains on its labelled pictures and writes new weights."""

import json
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from similarity.embedding.backbones import Backbone, check_installed, get_backbone
from similarity.embedding.backbones.tuned import Tuned, choose_tuned, find_choice, keep_tuned, read_tuned
from similarity.embedding.backbones.weights import check_same, weights_sha256
from similarity.errors import HeadError, ModelError
from similarity.finetuning.backbone.settings import TuneSettings
from similarity.finetuning.epochs import Epoch, OnEpoch
from similarity.finetuning.examples import labelled_rows
from similarity.gallery import Gallery
from similarity.indexing.options import options_of
from similarity.paths import cache_folder
from similarity.processes import running_module
from similarity.progress import OnProgress, Progress
from similarity.sources import Item
from similarity.sources.originals import Originals
from similarity.vectors.head_card import Card
from similarity.vectors.refinement import AUTO, choose_refinement

PREFIX, ABANDONED_S = "tuning-", 7 * 24 * 3600

logger = logging.getLogger(__name__)


def tune_backbone(
    gallery: Gallery,
    settings: TuneSettings | None = None,
    *,
    on_epoch: OnEpoch | None = None,
    progress: OnProgress | None = None,
) -> Tuned:
    """Fine-tune the backbone of a gallery on its labelled pictures, without changing the gallery.

    Training starts from the weights that the gallery was made with, and runs on a GPU if there is one, by CUDA or of
    Apple silicon.

    Args:
        settings: see `TuneSettings`.
        on_epoch: called after each pass through all pictures.
        progress: called within an epoch; an exception from either callback ends the training.

    Returns:
        The new weights, stored with the models; `reindex` makes a gallery with them. Their card has metrics of held-out
        pictures.

    Raises:
        HeadError: there is nothing to learn from, the pictures are gone, the model cannot be fine-tuned, or training
            failed. WeightsError: the weights that the gallery was made with are missing. ModelError: a library is
            missing.
    """
    task = _task(gallery, settings or TuneSettings())
    with _scratch_folder() as folder:
        weights = folder / "made.safetensors"
        _run(task, weights, on_epoch, progress)
        return read_tuned(keep_tuned(weights, gallery.manifest.model))


def _task(gallery: Gallery, settings: TuneSettings) -> dict[str, Any]:
    """Return the training task for the worker."""
    manifest = gallery.manifest
    backbone = _tunable(manifest.model)
    labelled = labelled_rows(gallery, settings.folding)
    refinement: str = manifest.refinement
    if gallery.head:  # the new gallery will have none
        refinement = choose_refinement(AUTO, len(gallery), manifest.dim, is_exact=gallery.is_exact).method
    card = Card(manifest.model, manifest.weights_sha256, settings.loss, data={"gallery": gallery.name})
    return {
        "settings": settings.to_json(),
        "card": card.to_json(),
        "weights": str(_weights_of(backbone, manifest.weights_sha256)),
        "refinement": refinement,
        "neighbour_power": manifest.neighbour_power,
        "items": [_locate(gallery.items[int(row)]) for row in labelled.rows],
        "codes": labelled.codes.tolist(),
    }


def reindex(gallery: Gallery, weights: str | Path, into: str | Path, *, progress: OnProgress | None = None) -> Gallery:
    """Make a new gallery of the same pictures in the same view, with fine-tuned weights; this one is not changed.

    Raises:
        WeightsError: the file is not one of fine-tuned weights. Others as `Gallery.build`.
    """
    manifest = gallery.manifest
    return Gallery.build(
        Originals(gallery.items, manifest.source),
        into,
        options_of(manifest).updated(model=choose_tuned(weights)),
        progress=progress,
    )


def _tunable(model: str) -> Backbone:
    backbone = get_backbone(model)
    if backbone.text is not None:
        raise HeadError(
            f"{backbone.title} compares pictures with words, and would not understand words any more after fine-tuning "
            "on pictures: train a head instead, or fine-tune a model for pictures alone."
        )
    check_installed(backbone)
    return backbone


def _weights_of(backbone: Backbone, sha256: str) -> Path:
    """Return the weights that a gallery was made with."""
    weights = find_choice(backbone, sha256).weights
    check_same(backbone, weights_sha256(weights), sha256)
    return weights


def _locate(item: Item) -> dict[str, str]:
    """The fields of an item that reading its picture needs."""
    return {"id": item.id, "path": item.path, "source": item.source, "sha256": item.sha256}


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """A temporary folder in the cache, where there is room for decoded pictures."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        for leftover in cache_folder().glob(f"{PREFIX}*"):
            if time.time() - leftover.stat().st_mtime > ABANDONED_S:  # by a process that was killed
                shutil.rmtree(leftover, ignore_errors=True)
        folder = TemporaryDirectory(dir=cache_folder(), prefix=PREFIX, ignore_cleanup_errors=True)
    except OSError as error:
        raise ModelError(f"Nothing can be written to {cache_folder()} ({error.strerror or error}).") from error
    with folder as name:
        yield Path(name)


def _run(task: dict[str, Any], weights: Path, on_epoch: OnEpoch | None, progress: OnProgress | None) -> None:
    file = weights.with_name("task.json")
    file.write_text(json.dumps(task))
    with running_module("similarity.finetuning.backbone.worker", file, weights) as process:
        for line in process.stdout or ():
            _handle(json.loads(line), on_epoch, progress)
        status = process.wait()
    if status or not weights.exists():
        logger.error("The process that fine-tunes ended with status %d", status)
        raise HeadError("The training process died, maybe for lack of memory: try again with a smaller batch.")


def _handle(message: dict[str, Any], on_epoch: OnEpoch | None, progress: OnProgress | None) -> None:
    """Pass on a message of the worker, or raise the error that it reports."""
    if "error" in message:
        raise HeadError(message["error"])
    if on_epoch and "epoch" in message:
        on_epoch(Epoch(**message["epoch"]))
    if progress and "progress" in message:
        progress(Progress(**message["progress"]))
