"""Training for a gallery: gathers the examples, and runs a separate process that trains the head."""

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from similarity.embedding.backbones import understands_text
from similarity.errors import HeadError, SearchError
from similarity.finetuning.batches import TrainingExamples
from similarity.finetuning.epochs import Epoch, OnEpoch
from similarity.finetuning.example_files import describe, gather_examples, write_examples
from similarity.finetuning.settings import Settings
from similarity.gallery import Gallery
from similarity.processes import running_module
from similarity.vectors.head_card import Card
from similarity.vectors.heads import Head, read_head
from similarity.vectors.methods import Method
from similarity.vectors.refinement import AUTO, choose_refinement

logger = logging.getLogger(__name__)


def finetune(gallery: Gallery, settings: Settings | None = None, *, on_epoch: OnEpoch | None = None) -> Head:
    """Train a head on the labels of a gallery's pictures, or on feedback, without changing the gallery.

    It is trained on the backbone's embeddings in the gallery, even if that has a head already; no picture is read.

    Args:
        settings: the defaults were measured; see `Settings`.
        on_epoch: called after each epoch; an exception from it ends the training.

    Returns:
        The head, for `Gallery.rebuild`. Its card has metrics of held-out examples, before and after training.

    Raises:
        HeadError: there is nothing to learn from, or training failed. GalleryError: feedback cannot be read.
    """
    settings = settings or Settings()
    examples = gather_examples(gallery, settings)
    manifest = gallery.manifest
    card = Card(
        model=manifest.model,
        weights_sha256=manifest.weights_sha256,
        network_sha256=manifest.network_sha256,
        view=manifest.view,
        loss=settings.loss,
        data={"gallery": gallery.name} | describe(examples),
    )
    refinement = _methods(gallery, settings) | {"neighbour_power": manifest.neighbour_power}
    return _run(examples, settings, card, refinement, on_epoch)


def _methods(gallery: Gallery, settings: Settings) -> dict[str, Method]:
    """Return the refinement of the gallery without a head, and with the new one.

    Without one it is what the gallery has: in a large one, `auto` may choose something else by now.
    """
    manifest, dim = gallery.manifest, settings.dim * (2 if settings.keep else 1)
    choose = partial(choose_refinement, count=len(gallery), is_exact=gallery.is_exact)
    has_words, knows_labels = understands_text(manifest.model), settings.source == "labels"

    def both(method: str) -> dict[str, Method]:
        before = manifest.refinement
        if gallery.head:
            before = choose(method, dim=manifest.dim, has_words=has_words).method
        return {"before": before, "after": choose(method, dim=dim, knows_labels=knows_labels).method}

    try:
        return both(manifest.refinement_asked)
    except SearchError:  # the gallery itself falls back to auto, too
        return both(AUTO)


def _run(
    examples: TrainingExamples, settings: Settings, card: Card, refinement: Mapping[str, Any], on_epoch: OnEpoch | None
) -> Head:
    with TemporaryDirectory() as folder:
        arrays, task, head = (Path(folder, name) for name in ("examples.npz", "task.json", "made.safetensors"))
        write_examples(arrays, examples)
        task.write_text(json.dumps({"settings": settings.to_json(), "card": card.to_json(), **refinement}))
        with running_module("similarity.finetuning.worker", arrays, task, head) as process:
            for line in process.stdout or ():
                _handle(line, on_epoch)
            status = process.wait()
        if status or not head.exists():
            logger.error("The training process ended with status %d", status)
            raise HeadError(
                "The training process died, maybe for lack of memory: close other programs, or choose a smaller "
                "dimension, then try again. The log has details."
            )
        return read_head(head)


def _handle(line: str, on_epoch: OnEpoch | None) -> None:
    message = json.loads(line)
    if "error" in message:
        raise HeadError(message["error"])
    if on_epoch:
        on_epoch(Epoch(**message["epoch"]))
