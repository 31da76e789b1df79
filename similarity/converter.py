"""The process that makes networks for OpenVINO: `networks.py` runs it, so that torch stays out of every other one.

python -m similarity.converter convert MODEL WEIGHTS FOLDER
python -m similarity.converter quantise MODEL.xml PIXELS.npy FOLDER
"""

import sys
import warnings
from pathlib import Path

import numpy as np

from similarity.errors import WeightsError
from similarity.models import build_network, get_backbone
from similarity.networks import WRONG_WEIGHTS, XML, openvino


def convert(model: str, weights: Path, folder: Path) -> None:
    """Write a backbone's network with normalisation inside, uint8 (n, crop, crop, 3) -> float32 (n, dim).

    Raises:
        WeightsError: the weights are damaged or of another network.
    """
    import torch

    backbone = get_backbone(model)
    network, side = build_network(backbone, weights), backbone.preprocessing.crop
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on timm's code
        example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
        traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
        converted = openvino().convert_model(traced, example_input=example)
    openvino().save_model(converted, folder / XML, compress_to_fp16=False)


def quantise(network: Path, pixels: Path, folder: Path) -> None:
    """Write a network in int8 by post-training quantisation: Jacob et al. 2018, https://arxiv.org/abs/1712.05877.

    Args:
        pixels: of the pictures whose activations set the ranges, uint8 (n, crop, crop, 3).
    """
    core = openvino().Core()  # before NNCF, which would send statistics if OpenVINO's package for that were there
    import nncf

    pictures = np.load(pixels)
    model = core.read_model(network)
    model.reshape([1, *pictures.shape[1:]])
    dataset = nncf.Dataset([picture[np.newaxis] for picture in pictures])
    quantised = nncf.quantize(model, dataset, subset_size=len(pictures))
    openvino().save_model(quantised, folder / XML, compress_to_fp16=False)


def main() -> None:
    """Do what the command line says."""
    task, first, second, folder = sys.argv[1:]
    try:
        if task == "convert":
            convert(first, Path(second), Path(folder))
        else:
            quantise(Path(first), Path(second), Path(folder))
    except WeightsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(WRONG_WEIGHTS)


if __name__ == "__main__":
    main()
