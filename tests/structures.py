"""Write a network without its weights into the package: `python -m tests.structures efficientnet-lite2`.

It is converted by torch. Each convolution with the batch normalisation behind it is then found in the network's
constants by its bytes, and each of their tensors in the file of weights.
"""

import argparse
import itertools
import json
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from similarity.embedding.backbones import Backbone
from similarity.embedding.backbones.weights import choose_model, weights_sha256
from similarity.embedding.filled_networks import BIN, FACTS, FOLDER, XML, Layer, depends_on, digest_of, fold

# When it was written into the zip file: the same each time, so that the same network is the same file.
STAMP = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    """Parse the options, convert the network, and write its structure."""
    options = argparse.ArgumentParser(prog="python -m tests.structures", description=__doc__.partition("\n")[0])
    options.add_argument("model")
    choice = choose_model(options.parse_args().model, may_download=False)
    write_structure(choice.backbone, choice.weights, FOLDER)


def write_structure(backbone: Backbone, weights: Path, folder: Path) -> Path:
    """Convert a backbone's network, and write it without its weights into a folder; returns the file."""
    from similarity.embedding.converter import convert

    with tempfile.TemporaryDirectory() as place:
        convert(backbone.name, weights, Path(place))
        xml, constants = Path(place, XML).read_bytes(), Path(place, BIN).read_bytes()
    data = weights.read_bytes()
    epsilon, named = _normalisations(backbone, weights)
    layers = [_layer(tensors, epsilon, data, constants) for tensors in named]
    rest = bytearray(constants)
    for layer in layers:
        size = 4 * int(np.prod(layer.shape))
        rest[layer.folded_weight : layer.folded_weight + size] = bytes(size)
        rest[layer.folded_bias : layer.folded_bias + 4 * layer.shape[0]] = bytes(4 * layer.shape[0])
    facts = {
        "weights_sha256": weights_sha256(weights),
        "depends_on": depends_on(backbone),
        "digest": digest_of(xml, constants),
        "epsilon": epsilon,
        "layers": [asdict(layer) for layer in layers],
    }
    path = folder / f"{backbone.name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as structure:
        for name, content in ((FACTS, json.dumps(facts).encode()), (XML, xml), (BIN, bytes(rest))):
            structure.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED, 9)
    return path


def _normalisations(backbone: Backbone, weights: Path) -> tuple[float, list[dict[str, Any]]]:
    """The epsilon of all batch normalisations, and the tensors of each with the convolution in front of it."""
    import torch
    from torch import nn

    from similarity.embedding.backbones import build_network

    modules = list(build_network(backbone, weights).modules())
    convolutions = [module for module in modules if isinstance(module, nn.Conv2d)]
    normalisations = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    (epsilon,) = {module.eps for module in normalisations}
    with torch.no_grad():
        return epsilon, [
            {
                "weight": convolution.weight.numpy(),
                "gamma": normalisation.weight.numpy(),
                "beta": normalisation.bias.numpy(),
                "mean": normalisation.running_mean.numpy(),  # type: ignore[union-attr]
                "variance": normalisation.running_var.numpy(),  # type: ignore[union-attr]
            }
            for convolution, normalisation in zip(convolutions, normalisations, strict=True)
        ]


def _layer(tensors: dict[str, Any], epsilon: float, data: bytes, constants: bytes) -> Layer:
    """A layer whose tensors were found in both files; raises ValueError or StopIteration if one is not there."""
    weight = tensors.pop("weight")
    shape, axes, place = next(
        (list(weight.shape), list(axes), place)
        for axes in itertools.permutations(range(weight.ndim))
        if (place := data.find(weight.transpose(axes).tobytes())) >= 0
    )
    places = {name: data.index(tensor.tobytes()) for name, tensor in tensors.items()} | {"weight": place}
    size, bias = 4 * int(np.prod(shape)), 4 * shape[0]
    folded = bytearray(size + bias)
    fold(Layer(shape=shape, axes=axes, **places, folded_weight=0, folded_bias=size), epsilon, data, folded)
    return Layer(
        shape=shape,
        axes=axes,
        **places,
        folded_weight=constants.index(bytes(folded[:size])),
        folded_bias=constants.index(bytes(folded[size:])),
    )


if __name__ == "__main__":
    main()
