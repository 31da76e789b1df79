"""Quantising a network to int8, so far as its embeddings stay near to those of the network it is made of.

Post-training quantisation: Jacob et al. 2018, https://arxiv.org/abs/1712.05877. Runs in the converter's process.
"""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.embedding.openvino_models import openvino
from similarity.vectors.arrays import Vectors, normalise

# Least cosine between the two embeddings of each held-out picture.
LEAST_COSINE = 0.97
# Every how many pictures one is held out.
HELD_OUT = 6
# Below this number of pictures all are held out as well as used: a few say too little about ranges otherwise.
MIN_TO_SPLIT = 60
# How many convolutions stay as they are. Measured with EfficientNet-Lite2 and 600 photographs of clothing that set no
# ranges, mAP@R beside float32: 0.0036 lower with one, 0.0012 with 4, the same with 9, which take a third more time.
FIRST_CONVOLUTIONS = 4
# How many layers are put back at most, worst first. With more, int8 is no faster any more.
MOST_PUT_BACK = 10
# How many of the held-out pictures tell which layers are the worst.
RANKED_BY = 16

Pixels = npt.NDArray[np.uint8]


def quantise(model: Any, pictures: Pixels) -> Any:
    """Return a network in int8 whose worst cosine is LEAST_COSINE or more, or as high as it gets.

    The first convolutions stay as they are, and if the worst cosine is still too low, the worst layers are put back.
    There are pictures that none of that helps: of 341 photographs of clothing one has 0.89, and all others 0.99.

    Args:
        model: OpenVINO's, in float32, uint8 (n, crop, crop, 3) -> float32 (n, dim). It is changed.
        pictures: uint8 (n, crop, crop, 3). Some are held out from setting ranges, to compare the embeddings of.
    """
    import nncf

    used, held_out = split(pictures)
    model.reshape([1, *pictures.shape[1:]])
    original = openvino().Core().compile_model(model.clone(), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = _embed(original, held_out)

    def worst_cosine(compiled: Any, chosen: Iterable[tuple[Pixels, int]]) -> tuple[float, list[float]]:
        places = [place for _, place in chosen]
        cosines = (_embed(compiled, held_out[places]) * expected[places]).sum(axis=1)
        return float(cosines.min()), cosines.tolist()

    return nncf.quantize_with_accuracy_control(
        model,
        nncf.Dataset([picture[np.newaxis] for picture in used]),
        nncf.Dataset([(picture[np.newaxis], place) for place, picture in enumerate(held_out)], _first),
        worst_cosine,
        max_drop=1 - LEAST_COSINE,
        drop_type=nncf.DropType.ABSOLUTE,
        subset_size=len(used),
        ignored_scope=nncf.IgnoredScope(names=_first_convolutions(model)),
        advanced_accuracy_restorer_parameters=nncf.AdvancedAccuracyRestorerParameters(
            max_num_iterations=MOST_PUT_BACK, ranking_subset_size=RANKED_BY
        ),
    )


def split(pictures: Pixels) -> tuple[Pixels, Pixels]:
    """Return the pictures that set the ranges, and those held out; of few, all are both."""
    if len(pictures) < MIN_TO_SPLIT:
        return pictures, pictures
    is_held_out = np.arange(len(pictures)) % HELD_OUT == 0
    return pictures[~is_held_out], pictures[is_held_out]


def _embed(compiled: Any, pictures: Pixels) -> Vectors:
    """Embed pictures one by one: float32 (n, dim), rows of unit length."""
    request = compiled.create_infer_request()
    return normalise(np.concatenate([request.infer({0: picture[np.newaxis]})[0].copy() for picture in pictures]))


def _first_convolutions(model: Any) -> list[str]:
    """Return the names of the first convolutions, as many as stay."""
    names = (op.get_friendly_name() for op in model.get_ordered_ops() if "Convolution" in op.get_type_name())
    return list(itertools.islice(names, FIRST_CONVOLUTIONS))


def _first(pair: tuple[Pixels, int]) -> Pixels:
    return pair[0]
