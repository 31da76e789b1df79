"""Training from where a gallery is: the examples are gathered, a process of its own trains, and the head comes back."""

import hashlib
import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from similarity.errors import HeadError
from similarity.finetuning.examples import Labelled, labelled_pictures, make_folds
from similarity.finetuning.settings import Settings
from similarity.finetuning.telling import Epoch, OnEpoch
from similarity.gallery import Gallery
from similarity.heads import Card, Head, read_head
from similarity.processes import running_module
from similarity.refinement import Method, choose_refinement

logger = logging.getLogger(__name__)


def finetune(gallery: Gallery, settings: Settings | None = None, *, on_epoch: OnEpoch | None = None) -> Head:
    """Train a head on the labels of a gallery's pictures; no picture is looked at, and the gallery stays as it is.

    It always learns from embeddings as the backbone gives them, also if the gallery has a head already.

    Args:
        settings: the defaults were measured; see `Settings`.
        on_epoch: told how it goes; whatever it raises ends the training.

    Returns:
        The head, for `Gallery.rebuild`. Its card says what it is worth: metrics of held-out pictures.

    Raises:
        HeadError: there is nothing to be learned of the labels, or training failed.
    """
    settings = settings or Settings()
    examples = labelled_pictures(gallery, settings.seed)
    make_folds(examples, settings)  # or it fails after torch was loaded
    made = gallery.manifest
    contents = hashlib.sha256(examples.embeddings.tobytes() + examples.codes.tobytes()).hexdigest()
    card = Card(
        model=made.model,
        weights_sha256=made.weights_sha256,
        network_sha256=made.network_sha256,
        loss=settings.loss,
        data={"gallery": gallery.name, "pictures": len(examples), "labels": examples.labels, "sha256": contents},
    )
    return _run(examples, settings, card, _method(gallery, settings), on_epoch)


def _method(gallery: Gallery, settings: Settings) -> Method:
    """How the gallery will be refined with the head."""
    dim = settings.dim * (2 if settings.keep else 1)
    asked = gallery.manifest.refinement_asked
    return choose_refinement(asked, len(gallery), dim, is_exact=gallery.is_exact).method


def _run(examples: Labelled, settings: Settings, card: Card, method: Method, on_epoch: OnEpoch | None) -> Head:
    with TemporaryDirectory() as folder:
        arrays, task, head = (Path(folder, name) for name in ("examples.npz", "task.json", "made.safetensors"))
        np.savez(arrays, embeddings=examples.embeddings, codes=examples.codes, labels=examples.labels)
        task.write_text(json.dumps({"settings": settings.to_json(), "card": card.to_json(), "refinement": method}))
        with running_module("similarity.finetuning.worker", arrays, task, head) as process:
            for line in process.stdout or ():
                _hear(line, on_epoch)
            status = process.wait()
        if status or not head.exists():
            logger.error("The training process ended with status %d", status)
            raise HeadError(
                "The training ended before it was done: the computer may be short of memory. Try again with fewer "
                "hidden units or members."
            )
        return read_head(head)


def _hear(line: str, on_epoch: OnEpoch | None) -> None:
    told = json.loads(line)
    if "error" in told:
        raise HeadError(told["error"])
    if on_epoch:
        on_epoch(Epoch(**told["epoch"]))
