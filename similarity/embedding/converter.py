"""The process that converts networks for OpenVINO; run by `openvino_models.py`, so that no other process imports torch.

python -m similarity.embedding.converter convert MODEL WEIGHTS FOLDER
python -m similarity.embedding.converter convert-text MODEL WEIGHTS FOLDER
python -m similarity.embedding.converter quantise MODEL.xml PIXELS.npy FOLDER
"""

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from similarity.embedding.backbones import build_network, build_text_network, get_backbone
from similarity.embedding.openvino_models import CANNOT_WRITE, WRONG_WEIGHTS, XML, openvino
from similarity.errors import ModelError, WeightsError

CHUNK_BYTES = 1_000_000

if TYPE_CHECKING:
    from torch import Tensor, nn


def convert(model: str, weights: Path, folder: Path) -> None:
    """Write a backbone's network with normalisation inside, uint8 (n, crop, crop, 3) -> float32 (n, dim).

    Raises:
        WeightsError: the weights are damaged or of another network.
    """
    import torch

    backbone = get_backbone(model)
    network, side = build_network(backbone, weights), backbone.preprocessing.crop
    _write(network, torch.zeros(1, side, side, 3, dtype=torch.uint8), folder)
    _keep_exact(folder / XML, backbone.exact_convolutions)


def convert_text(model: str, weights: Path, folder: Path) -> None:
    """Write the text tower of a backbone that has one, int64 (n, context) -> float32 (n, dim).

    Raises:
        WeightsError: the weights are damaged or of another network. ModelError: it has none.
    """
    import torch

    backbone = get_backbone(model)
    network = build_text_network(backbone, weights)
    if backbone.text is None:
        raise ModelError(f"{backbone.title} has no text tower.")
    _write(network, torch.zeros(1, backbone.text.context, dtype=torch.int64), folder)


def quantise(network: Path, pixels: Path, folder: Path) -> None:
    """Write a network in int8; see `quantising.py`.

    Args:
        pixels: pictures whose activations set the ranges, uint8 (n, crop, crop, 3).
    """
    core = openvino().Core()  # before NNCF, which would send statistics if OpenVINO's package for that were there
    from similarity.embedding import quantising

    _save(quantising.quantise(core.read_model(network), np.load(pixels)), folder)


def _write(network: "nn.Module", example: "Tensor", folder: Path) -> None:
    """Write a network for inputs shaped like the example, in batches of any size."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on other people's code
        traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
        converted = openvino().convert_model(traced, example_input=example)
    _save(converted, folder)


def _save(model: Any, folder: Path) -> None:
    """Write a network, and read it again: the last bytes that do not fit on a disk are lost without an error."""
    openvino().save_model(model, folder / XML, compress_to_fp16=False)
    openvino().Core().read_model(folder / XML)


def _keep_exact(xml: Path, products: int) -> None:
    """Exclude the layers from the first convolution or matrix product up to the given one from half precision, in each
    branch.

    The mark is the one that OpenVINO itself writes for layers that are sensitive to precision; its Python interface has
    no way to set it.
    """
    network = ElementTree.parse(xml)
    for layer, seen in _count_products(network):
        if 0 < seen <= products and layer.get("type") != "Const":
            ElementTree.SubElement(_child(layer, "rt_info"), "attribute", name="precise", version="0")
    network.write(xml, encoding="utf-8", xml_declaration=True)


def _count_products(network: "ElementTree.ElementTree[Any]") -> Iterator[tuple[ElementTree.Element, int]]:
    """Each layer, with the most convolutions and matrix products on a way from the input to it, itself included."""
    sources: dict[str | None, list[str | None]] = {}
    for edge in network.iterfind("edges/edge"):
        sources.setdefault(edge.get("to-layer"), []).append(edge.get("from-layer"))
    seen: dict[str | None, int] = {}
    for layer in network.iterfind("layers/layer"):  # OpenVINO writes a layer after those that it depends on
        number, kind = layer.get("id"), layer.get("type", "")
        before = max((seen[source] for source in sources.get(number, [])), default=0)
        seen[number] = before + ("Convolution" in kind or kind == "MatMul")
        yield layer, seen[number]


def _child(element: ElementTree.Element, name: str) -> ElementTree.Element:
    """A child element, added in front if it is missing."""
    child = element.find(name)
    if child is None:
        child = ElementTree.Element(name)
        element.insert(0, child)
    return child


def main() -> None:
    """Run the task that the command line names."""
    task, first, second, folder = sys.argv[1:]
    try:
        if task == "quantise":
            quantise(Path(first), Path(second), Path(folder))
        else:
            (convert_text if task == "convert-text" else convert)(first, Path(second), Path(folder))
    except WeightsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(WRONG_WEIGHTS)
    except (OSError, RuntimeError):
        if reason := why_unwritable(Path(folder), Path(first if task == "quantise" else second)):
            sys.stderr.write(f"{reason}\n")
            sys.exit(CANNOT_WRITE)
        raise


def why_unwritable(folder: Path, source: Path) -> str:
    """The reason why a network cannot be written, such as a full disk, which OpenVINO does not give; otherwise empty.

    Args:
        folder: where it goes.
        source: the file that it is made of, about as large as it will be.
    """
    content = source.with_suffix(".bin") if source.suffix == ".xml" else source
    size = content.stat().st_size if content.exists() else 0
    try:
        with (folder / "probe").open("wb") as file:
            for _ in range(size // CHUNK_BYTES + 1):
                file.write(os.urandom(CHUNK_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""


if __name__ == "__main__":
    main()
