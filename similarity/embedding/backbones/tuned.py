"""Fine-tuned weights: storing them, reading their card, and choosing them for a gallery.

    models/tuned/efficientnet-lite2-4f6b1c09d2ae.safetensors      named by backbone and beginning of its SHA-256

A gallery remembers the SHA-256 of its weights; by that they are found again here. `finetuning.backbone` makes them.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from similarity.embedding.backbones import Backbone, check_installed, get_backbone
from similarity.embedding.backbones.tuned_files import CARD, read_header, tuned_model
from similarity.embedding.backbones.weights import AUTO, ModelChoice, find_weights, obtain_weights, weights_sha256
from similarity.errors import ModelError, WeightsError
from similarity.files import parse_json, write_atomically
from similarity.paths import full_path, models_folder
from similarity.vectors.head_card import Card

SUFFIX, DIGITS = ".safetensors", 12
NAMED = re.compile(rf"-([0-9a-f]{{{DIGITS}}}){re.escape(SUFFIX)}$")


@dataclass(frozen=True, slots=True)
class Tuned:
    """Fine-tuned weights.

    Attributes:
        path: their file.
        card: their training and metrics; its weights_sha256 is of the initial weights.
    """

    path: Path
    card: Card


def tuned_path(model: str, sha256: str) -> Path:
    """Return the path for weights with this SHA-256, whether it exists or not."""
    return models_folder() / "tuned" / f"{model.replace(':', '-')}-{sha256[:DIGITS]}{SUFFIX}"


def find_tuned(model: str, sha256: str) -> Path | None:
    """Return the fine-tuned weights with this SHA-256; None if they are missing or damaged."""
    path = tuned_path(model, sha256)
    return path if path.is_file() and weights_sha256(path) == sha256 else None


def find_choice(backbone: Backbone, sha256: str) -> ModelChoice:
    """Return the fine-tuned weights with this SHA-256, or else the published ones, whose SHA-256 is not checked.

    Raises:
        WeightsError: neither can be obtained. ModelError: a library is missing.
    """
    if tuned := find_tuned(backbone.name, sha256):
        return ModelChoice(backbone, tuned)
    if find_weights(backbone) is None and not sha256.startswith(backbone.weights.sha256_prefix):
        raise WeightsError(
            f"The weights that were used before were fine-tuned from {backbone.title} and are not on this computer: "
            f"put {tuned_path(backbone.name, sha256).name} back into {tuned_path(backbone.name, sha256).parent}, or "
            "index again."
        )
    return ModelChoice(backbone, obtain_weights(backbone))


def read_tuned(path: str | Path) -> Tuned:
    """Read the card of fine-tuned weights.

    Raises:
        WeightsError: the file is missing, damaged or another kind of file, or of an unknown model.
    """
    path = full_path(path)
    try:
        header, model = read_header(path), tuned_model(path)
    except OSError as error:
        raise WeightsError(f"The weights {path} could not be read ({error.strerror or error}).") from error
    if model is None:
        raise WeightsError(f"{path} is damaged, or does not contain weights that were fine-tuned with this program.")
    try:
        get_backbone(model)
    except ModelError as error:
        raise WeightsError(f"{path} was fine-tuned from an unknown model: {error}") from error
    try:
        card = Card.from_json(parse_json(header[CARD]))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged: the description of its weights cannot be read.") from error
    if card.model != model:
        raise WeightsError(f"{path} is damaged: its description names two different models.")
    return Tuned(path, card)


def choose_tuned(path: str | Path, model: str = AUTO) -> ModelChoice:
    """Choose fine-tuned weights for a gallery or an `Embedder`.

    They are copied to the models if necessary, so that the gallery finds them again.

    Args:
        model: the requested backbone, if any.

    Raises:
        WeightsError: they cannot be used; see `read_tuned`. ModelError: a library that the model needs is missing.
    """
    tuned = read_tuned(path)
    backbone = get_backbone(tuned.card.model)
    if model not in (AUTO, backbone.name):
        raise WeightsError(f"{tuned.path} was fine-tuned from {backbone.name} and does not fit {model}.")
    named = NAMED.search(tuned.path.name)
    if named and not weights_sha256(tuned.path).startswith(named[1]):
        raise WeightsError(f"{tuned.path} is damaged: its content does not match its name. Fine-tune again.")
    check_installed(backbone)
    return ModelChoice(backbone, keep_tuned(tuned.path, backbone.name))


def keep_tuned(weights: Path, model: str) -> Path:
    """Copy fine-tuned weights to the models, atomically; returns their path there.

    Raises:
        WeightsError: they cannot be written.
    """
    sha256 = weights_sha256(weights)
    target = tuned_path(model, sha256)
    if find_tuned(model, sha256):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with weights.open("rb") as file:
            write_atomically(target, lambda copied: shutil.copyfileobj(file, copied))
    except OSError as error:
        raise WeightsError(f"The weights could not be written to {target} ({error.strerror or error}).") from error
    return target
