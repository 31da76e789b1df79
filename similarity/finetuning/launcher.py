"""Training from where a gallery is: the examples are gathered, a process of its own trains, and the head comes back."""

import json
import logging
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from similarity.embedding.backbones import understands_text
from similarity.errors import HeadError, SearchError
from similarity.finetuning.batches import Examples
from similarity.finetuning.epochs import Epoch, OnEpoch
from similarity.finetuning.example_files import describe, gather_examples, write_examples
from similarity.finetuning.settings import Settings
from similarity.gallery import Gallery
from similarity.processes import running_module
from similarity.vectors.heads import Card, Head, read_head
from similarity.vectors.methods import Method
from similarity.vectors.refinement import AUTO, choose_refinement

logger = logging.getLogger(__name__)


def finetune(gallery: Gallery, settings: Settings | None = None, *, on_epoch: OnEpoch | None = None) -> Head:
    """Train a head on the labels of a gallery's pictures, or on marks; no picture is looked at, and the gallery stays
    as it is.

    It always learns from embeddings as the backbone gives them, also if the gallery has a head already.

    Args:
        settings: the defaults were measured; see `Settings`.
        on_epoch: told how it goes; whatever it raises ends the training.

    Returns:
        The head, for `Gallery.rebuild`. Its card says what it is worth: metrics of what was held out.

    Raises:
        HeadError: there is nothing to be learned, or training failed. GalleryError: marks cannot be read.
    """
    settings = settings or Settings()
    examples = gather_examples(gallery, settings)
    made = gallery.manifest
    card = Card(
        model=made.model,
        weights_sha256=made.weights_sha256,
        network_sha256=made.network_sha256,
        loss=settings.loss,
        data={"gallery": gallery.name} | describe(examples),
    )
    return _run(examples, settings, card, _methods(gallery, settings), on_epoch)


def _methods(gallery: Gallery, settings: Settings) -> dict[str, Method]:
    """How the gallery refines what it compares without a head, and how it will with this one."""
    made, dim = gallery.manifest, settings.dim * (2 if settings.keep else 1)
    choose = partial(choose_refinement, count=len(gallery), is_exact=gallery.is_exact)
    has_words, knows_labels = understands_text(made.model), settings.source == "labels"

    def both(asked: str) -> dict[str, Method]:
        before = choose(asked, dim=made.dim, has_words=has_words)
        return {"before": before.method, "after": choose(asked, dim=dim, knows_labels=knows_labels).method}

    try:
        return both(made.refinement_asked)
    except SearchError:  # as when the gallery was made; see `storage.py`
        return both(AUTO)


def _run(
    examples: Examples, settings: Settings, card: Card, methods: dict[str, Method], on_epoch: OnEpoch | None
) -> Head:
    with TemporaryDirectory() as folder:
        arrays, task, head = (Path(folder, name) for name in ("examples.npz", "task.json", "made.safetensors"))
        write_examples(arrays, examples)
        task.write_text(json.dumps({"settings": settings.to_json(), "card": card.to_json()} | methods))
        with running_module("similarity.finetuning.worker", arrays, task, head) as process:
            for line in process.stdout or ():
                _hear(line, on_epoch)
            status = process.wait()
        if status or not head.exists():
            logger.error("The training process ended with status %d", status)
            raise HeadError(
                "The training ended before it was done: the computer may be short of memory. Try again when less is "
                "going on, or with a smaller dimension; the log has the detail."
            )
        return read_head(head)


def _hear(line: str, on_epoch: OnEpoch | None) -> None:
    told = json.loads(line)
    if "error" in told:
        raise HeadError(told["error"])
    if on_epoch:
        on_epoch(Epoch(**told["epoch"]))
