"""Networks that were converted once and stand in the package without their weights, which are filled in by need.

    structures/efficientnet-lite2.zip
      facts.json      the weights and the preprocessing that it is for, its layers, and the network's digest
      model.xml       the network, as OpenVINO has written it
      model.bin       its constants, with zeros in place of weights

To convert a network takes torch, and seconds of processor time at the first start; to fill one takes a tenth of a
second. Each layer is a convolution that the batch normalisation behind it is folded into, as the converter does it. The
result is the converter's, bit by bit, which its digest proves. Such a file is written by `python -m tests.structures`.
"""

import hashlib
import json
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.embedding.backbones import Backbone
from similarity.paths import NETWORK_FILES

XML, BIN, _ = NETWORK_FILES
FACTS, FOLDER = "facts.json", Path(__file__).with_name("structures")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution and the batch normalisation behind it: places of float32 numbers, in bytes.

    Attributes:
        shape: that of the convolution's weights; all else has a number for each of the first dimension.
        axes: the order of these dimensions in the file of weights.
        weight: in the file of weights.
        gamma, beta, mean, variance: those of the batch normalisation, in the file of weights.
        folded_weight, folded_bias: in `model.bin`.
    """

    shape: list[int]
    axes: list[int]
    weight: int
    gamma: int
    beta: int
    mean: int
    variance: int
    folded_weight: int
    folded_bias: int


def fill_network(backbone: Backbone, weights: Path, weights_sha256: str, target: Path) -> bool:
    """Write the two files of a backbone's network into a folder; False if its structure is not here.

    Raises:
        OSError: they cannot be written, or the weights cannot be read.
    """
    path = FOLDER / f"{backbone.name}.zip"
    if not path.is_file():
        return False
    try:
        files = _fill(path, backbone, weights.read_bytes(), weights_sha256)
    except (zipfile.BadZipFile, LookupError, TypeError, ValueError) as error:
        logger.warning("%s is damaged: %s", path, error)
        return False
    for name, content in files.items():
        (target / name).write_bytes(content)
    return bool(files)


def _fill(path: Path, backbone: Backbone, data: bytes, weights_sha256: str) -> dict[str, bytes | bytearray]:
    """The two files of a network, by name; none if its structure is for other weights.

    Raises:
        BadZipFile, LookupError, TypeError, ValueError: the file of its structure is damaged.
    """
    with zipfile.ZipFile(path) as structure:
        facts = json.loads(structure.read(FACTS))
        wanted = facts["weights_sha256"], facts["depends_on"]
        if wanted != (weights_sha256, depends_on(backbone)) or hashlib.sha256(data).hexdigest() != weights_sha256:
            return {}
        xml, filled = structure.read(XML), bytearray(structure.read(BIN))
    for layer in facts["layers"]:
        fold(Layer(**layer), facts["epsilon"], data, filled)
    if digest_of(xml, filled) != facts["digest"]:
        raise ValueError("what was filled in differs from what was converted")
    return {XML: xml, BIN: filled}


def depends_on(backbone: Backbone) -> str:
    """What a network depends on beside its weights."""
    return repr((backbone.preprocessing, backbone.exact_convolutions))


def digest_of(xml: bytes, constants: bytes | bytearray) -> str:
    """SHA-256 of a network's two files, in hex."""
    return hashlib.sha256(xml + constants).hexdigest()


def fold(layer: Layer, epsilon: float, data: bytes, filled: bytearray) -> None:
    """Write the folded weights and the bias of a layer; in float32, in the converter's order of operations."""
    channels = layer.shape[0]

    def of_channels(place: int) -> npt.NDArray[np.float32]:
        return np.frombuffer(data, "<f4", channels, place)

    scale = of_channels(layer.gamma) / np.sqrt(of_channels(layer.variance) + np.float32(epsilon))
    stored = np.frombuffer(data, "<f4", int(np.prod(layer.shape)), layer.weight)
    weight = stored.reshape([layer.shape[axis] for axis in layer.axes]).transpose(np.argsort(layer.axes))
    _put(filled, layer.folded_weight, weight * scale.reshape(-1, *[1] * (len(layer.shape) - 1)))
    _put(filled, layer.folded_bias, of_channels(layer.beta) - of_channels(layer.mean) * scale)


def _put(filled: bytearray, place: int, values: npt.NDArray[Any]) -> None:
    written = np.ascontiguousarray(values, "<f4").tobytes()
    filled[place : place + len(written)] = written
