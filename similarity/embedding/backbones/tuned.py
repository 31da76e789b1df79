"""Fine-tuned weights: where they are kept, what is known of them, and how a gallery is made with them.

    models/tuned/efficientnet-lite2-4f6b1c09d2ae.safetensors      of which backbone, and how its SHA-256 begins

A gallery remembers the SHA-256 of its weights; by that they are found again here. `finetuning.backbone` makes them.
"""

import re
import shutil
from dataclasses import dataclass, fields
from pathlib import Path

from similarity.embedding.backbones import Backbone, check_installed, get_backbone
from similarity.embedding.backbones.tuned_files import CARD, read_header, tuned_model
from similarity.embedding.backbones.weights import AUTO, ModelChoice, find_weights, obtain_weights, weights_sha256
from similarity.errors import ModelError, WeightsError
from similarity.files import parse_json, write_atomically
from similarity.paths import full_path, models_folder
from similarity.vectors.heads import Card

SUFFIX, DIGITS = ".safetensors", 12
NAMED = re.compile(rf"-([0-9a-f]{{{DIGITS}}}){re.escape(SUFFIX)}$")


@dataclass(frozen=True, slots=True)
class Tuned:
    """Fine-tuned weights.

    Attributes:
        path: their file.
        card: what they were made of, how, and what they are worth; its weights_sha256 is of those they began as.
    """

    path: Path
    card: Card


def tuned_path(model: str, sha256: str) -> Path:
    """Where weights with this SHA-256 are kept, whether they are or not."""
    return models_folder() / "tuned" / f"{model.replace(':', '-')}-{sha256[:DIGITS]}{SUFFIX}"


def find_tuned(model: str, sha256: str) -> Path | None:
    """The fine-tuned weights with this SHA-256, if they are here and undamaged."""
    path = tuned_path(model, sha256)
    return path if path.is_file() and weights_sha256(path) == sha256 else None


def find_choice(backbone: Backbone, sha256: str) -> ModelChoice:
    """The weights with this SHA-256 where they are fine-tuned, else the published ones, whose own is not looked at.

    Raises:
        WeightsError: neither can be had. ModelError: a library is missing.
    """
    if tuned := find_tuned(backbone.name, sha256):
        return ModelChoice(backbone, tuned)
    if find_weights(backbone) is None and not sha256.startswith(backbone.weights.sha256_prefix):
        raise WeightsError(
            f"The weights that it was used with were fine-tuned from {backbone.title} and are not on this computer: "
            f"put {tuned_path(backbone.name, sha256).name} back into models/tuned, or index again."
        )
    return ModelChoice(backbone, obtain_weights(backbone))


def read_tuned(path: str | Path) -> Tuned:
    """What is to be known of fine-tuned weights.

    Raises:
        WeightsError: there are none, they are damaged, they are something else, or of a model that is not known.
    """
    path = full_path(path)
    try:
        header, model = read_header(path), tuned_model(path)
    except OSError as error:
        raise WeightsError(f"The weights {path} could not be read ({error.strerror or error}).") from error
    if model is None:
        raise WeightsError(f"{path} is damaged, or does not hold weights that were fine-tuned with this program.")
    try:
        get_backbone(model)
    except ModelError as error:
        raise WeightsError(f"{path} was fine-tuned from a model that is not known here: {error}") from error
    try:
        told = parse_json(header[CARD])
        card = Card(**{one.name: told[one.name] for one in fields(Card) if one.name in told})
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged: what is to be known of its weights cannot be read.") from error
    if card.model != model:
        raise WeightsError(f"{path} is damaged: it does not say clearly which model its weights are of.")
    return Tuned(path, card)


def choose_tuned(path: str | Path, model: str = AUTO) -> ModelChoice:
    """Fine-tuned weights to make a gallery with, or an `Embedder`.

    A copy is kept among the models if they are not there, so that the gallery finds them again.

    Args:
        model: the backbone that is asked for, if one is.

    Raises:
        WeightsError: they cannot be used; see `read_tuned`. ModelError: a library that the model needs is missing.
    """
    found = read_tuned(path)
    backbone = get_backbone(found.card.model)
    if model not in (AUTO, backbone.name):
        raise WeightsError(f"{found.path} was fine-tuned from {backbone.name} and does not fit {model}.")
    named = NAMED.search(found.path.name)
    if named and not weights_sha256(found.path).startswith(named[1]):
        raise WeightsError(f"{found.path} is damaged: it is not what it was when it got its name. Fine-tune again.")
    check_installed(backbone)
    return ModelChoice(backbone, keep_tuned(found.path, backbone.name))


def keep_tuned(made: Path, model: str) -> Path:
    """Copy fine-tuned weights to where they are found again, whole or not at all; returns where that is.

    Raises:
        WeightsError: they cannot be written.
    """
    sha256 = weights_sha256(made)
    kept = tuned_path(model, sha256)
    if find_tuned(model, sha256):
        return kept
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with made.open("rb") as file:
            write_atomically(kept, lambda copied: shutil.copyfileobj(file, copied))
    except OSError as error:
        raise WeightsError(f"The weights could not be written to {kept} ({error.strerror or error}).") from error
    return kept
