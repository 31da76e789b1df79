"""Networks in OpenVINO's own format, cached under SIMILARITY_HOME/cache: converted once, then used without torch.

    cache/networks/
      resnet50-4e98c30495bacd13/         model.xml, model.bin, sha256: in float32, to be run in that or in bfloat16
      resnet50-int8-81f3a05c2b7d9e64/    likewise, quantised with pictures of one gallery
      clip-b32-text-0b6c7f12d9a3e854/    the text tower of a network that understands words
      …/compiled-484a560d50a57967.blob   what was compiled of a network, see `compiled_networks.py`

A folder's name contains a hash of everything that its content depends on. `filled_networks.py` makes those whose
structure is in the package; `converter.py` makes others in a separate process, since torch takes seconds to import and
hundreds of megabytes.
"""

import hashlib
import importlib.metadata
import logging
import shutil
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import numpy.typing as npt

from similarity.embedding.backbones import Backbone, check_installed
from similarity.embedding.filled_networks import fill_network
from similarity.errors import ModelError, WeightsError
from similarity.files import read_own
from similarity.paths import NETWORK_FILES, cache_folder
from similarity.processes import run_module

XML, BIN, DIGEST = NETWORK_FILES
# The converter's exit statuses for faulty weights, and for a disk that is full or cannot be written; the last line on
# standard error describes the fault.
WRONG_WEIGHTS, CANNOT_WRITE = 3, 4
# How networks are quantised; another one whenever the same pictures would give another network.
QUANTISING = "accuracy control, first 4 convolutions left, cosine 0.97"
MOST_BYTES = 1_000  # of the digest file

logger = logging.getLogger(__name__)
# Held while OpenVINO is imported.
_loading = threading.Lock()


def openvino() -> Any:
    """Import OpenVINO without its usage statistics, which an optional package would send."""
    with _loading:
        if "openvino" not in sys.modules:
            sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        import openvino

        _load_array_interface()
    return openvino


@cache
def _load_array_interface() -> None:
    """Let OpenVINO load its interface to NumPy, in one thread.

    Two threads whose first arrays came at the same moment would wait for each other for ever, one of them with Python's
    own lock, and so would all of the process.
    """
    import openvino

    np.asarray(openvino.Tensor(np.zeros(1, np.uint8)).data)


def digest(network: Path) -> str:
    """SHA-256 of a network's two files, in hex."""
    sha256 = hashlib.sha256()
    for name in (XML, BIN):
        with (network / name).open("rb") as file:
            sha256.update(hashlib.file_digest(file, "sha256").digest())
    return sha256.hexdigest()


def find_network(backbone: Backbone, weights_sha256: str) -> Path | None:
    """Return the folder of a converted network; None if it is missing or damaged."""
    folder = _picture_folder(backbone, weights_sha256)
    return folder if _is_sound(folder) else None


def converted_network(backbone: Backbone, weights: Path, weights_sha256: str) -> Path:
    """Return the folder of a backbone's network with these weights, filling or converting it if necessary.

    Raises:
        WeightsError: they are damaged or of another network. ModelError: it cannot be converted or stored.
    """

    def make(target: Path) -> None:
        if not fill_network(backbone, weights, weights_sha256, target):
            _convert(backbone, "convert", weights, target)

    return _keep(_picture_folder(backbone, weights_sha256), make)


def find_text_network(backbone: Backbone, weights_sha256: str) -> Path | None:
    """As `find_network`, for the backbone's text tower."""
    folder = _text_folder(backbone, weights_sha256)
    return folder if _is_sound(folder) else None


def converted_text_network(backbone: Backbone, weights: Path, weights_sha256: str) -> Path:
    """As `converted_network`, for the backbone's text tower."""
    folder = _text_folder(backbone, weights_sha256)
    return _keep(folder, lambda target: _convert(backbone, "convert-text", weights, target))


def quantised_network(backbone: Backbone, converted: Path, pixels: npt.NDArray[np.uint8]) -> Path:
    """Return the folder of a network in int8, calibrated with pictures, uint8 (n, crop, crop, 3).

    Raises:
        ModelError: NNCF is not installed, or the network cannot be quantised or stored.
    """
    try:
        nncf = importlib.metadata.version("nncf")
    except importlib.metadata.PackageNotFoundError:
        raise ModelError("Precision int8 needs NNCF: run `pip install nncf` and try again.") from None
    pictures = hashlib.sha256(pixels.tobytes()).hexdigest()
    folder = _folder(f"{backbone.name}-int8", digest(converted), pictures, nncf, QUANTISING)

    def quantise(target: Path) -> None:
        np.save(target / "pixels.npy", pixels)
        _run_converter(backbone, "quantise", converted / XML, target / "pixels.npy", target)
        (target / "pixels.npy").unlink()

    return _keep(folder, quantise)


def _picture_folder(backbone: Backbone, weights_sha256: str) -> Path:
    others = [file.sha256_prefix for file in backbone.also]
    return _folder(backbone.name, backbone.preprocessing, backbone.exact_convolutions, weights_sha256, *others)


def _text_folder(backbone: Backbone, weights_sha256: str) -> Path:
    return _folder(f"{backbone.name}-text", backbone.text and backbone.text.context, weights_sha256)


def _folder(name: str, *depends_on: object) -> Path:
    key = hashlib.sha256(repr((name, *depends_on, openvino().__version__)).encode()).hexdigest()[:16]
    return cache_folder() / "networks" / f"{name.replace(':', '-')}-{key}"  # no colons in names of files on Windows


def _convert(backbone: Backbone, task: str, weights: Path, target: Path) -> None:
    check_installed(backbone)
    _run_converter(backbone, task, backbone.name, weights, target)


def _is_sound(folder: Path) -> bool:
    """Whether a network matches its digest."""
    try:
        return read_own(folder / DIGEST, MOST_BYTES).decode() == digest(folder)
    except (OSError, ValueError):
        return False


def _keep(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return a network's folder, making it atomically if it is missing or damaged.

    Other processes that need the same network wait for it.
    """
    if _is_sound(folder):
        return folder
    making = folder.with_name(f"{folder.name}.new")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
            if _is_sound(folder):
                return folder
            if folder.exists():
                logger.warning("The network in %s is damaged and is made again", folder)
            for leftover in (folder, making):
                shutil.rmtree(leftover, ignore_errors=True)
            try:
                making.mkdir()
                make(making)
                (making / DIGEST).write_text(digest(making))
                making.replace(folder)
            finally:
                shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        raise _not_stored(str(error.strerror or error)) from error
    return folder


def _run_converter(backbone: Backbone, *arguments: str | Path) -> None:
    """Run `converter.py` and turn its exit status into an error."""
    done = run_module("similarity.embedding.converter", *arguments)
    last_line = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    if done.returncode == WRONG_WEIGHTS:
        raise WeightsError(last_line)
    if done.returncode == CANNOT_WRITE:
        raise _not_stored(last_line)
    if done.returncode:
        logger.error("The converter failed:\n%s", done.stderr)
        raise ModelError(f"The network of {backbone.title} could not be converted ({last_line}).")


def _not_stored(reason: str) -> ModelError:
    return ModelError(
        f"The converted network could not be stored in {cache_folder() / 'networks'} ({reason}): "
        "make room there, or set SIMILARITY_HOME to a folder that can be written, and run the same command again."
    )
