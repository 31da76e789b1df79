"""Feature maps: where they are in a network's graph, and which part of a picture they cover."""

from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from PIL import Image
from standin import standin

from similarity.embedding.backbones import Preprocessing
from similarity.embedding.feature_maps import FeatureMaps
from similarity.embedding.openvino_models import openvino
from similarity.embedding.views import preprocess, seen_box
from similarity.errors import ModelError


def network(pooled: str) -> object:
    """A small network of OpenVINO, (1, 32, 32, 3) -> (1, 8): pooled by its mean, by GeM, or as a class token is."""
    opset, random = openvino().opset13, np.random.default_rng(0)
    pixels = opset.parameter([1, 32, 32, 3], np.uint8)
    planes = opset.transpose(opset.convert(pixels, "f32"), [0, 3, 1, 2])
    kernel = random.standard_normal((8, 3, 8, 8)).astype(np.float32) / 1000
    cells = opset.relu(opset.convolution(planes, kernel, [8, 8], [0, 0], [0, 0], [1, 1]))
    if pooled == "mean":
        features = opset.squeeze(opset.reduce_mean(cells, [2, 3], True), [2, 3])
    elif pooled == "average":
        features = opset.reshape(opset.avg_pool(cells, [1, 1], [0, 0], [0, 0], [4, 4], True), [1, 8], False)
    elif pooled == "gem":
        cubes = opset.power(opset.clamp(cells, 1e-6, 1e6), np.float32(3))
        features = opset.power(opset.reduce_mean(cubes, [2, 3], False), np.float32(1 / 3))
    elif pooled == "class token":
        tokens = opset.transpose(opset.reshape(cells, [1, 8, 16], False), [0, 2, 1])
        tokens = opset.concat([np.ones((1, 1, 8), np.float32), tokens], 1)
        mixed = opset.add(
            opset.matmul(opset.softmax(opset.matmul(tokens, tokens, False, True), 2), tokens, False, False), tokens
        )
        features = opset.gather(mixed, np.int32(0), np.int32(1))
    else:
        features = opset.matmul(
            opset.reshape(planes, [1, 3072], False), random.standard_normal((3072, 8)).astype(np.float32), False, False
        )
    return openvino().Model([features], [pixels], pooled)


class Small:
    """An engine of such a network."""

    def __init__(self, pooled: str) -> None:
        self._model = network(pooled)

    def network_for(self, batch: int) -> object:
        assert batch == 1
        return self._model

    def compile(self, model: object, hint: str) -> object:
        return (
            openvino().Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"})
        )


@pytest.mark.parametrize(
    ("pooled", "is_exact"), [("mean", True), ("average", True), ("gem", False), ("class token", False)]
)
def test_a_network_is_known_by_its_pooling(pooled: str, is_exact: bool) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    found = FeatureMaps(Small(pooled), "A small network").run(pixels)  # type: ignore[arg-type]
    assert found.cells.shape == (4, 4, 8)
    assert found.is_exact == is_exact
    if is_exact:
        np.testing.assert_allclose(found.cells.mean(axis=(0, 1)), found.features, atol=1e-5)


def test_a_network_without_a_map_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match="A small network has no feature map of a picture"):
        FeatureMaps(Small("flat"), "A small network")  # type: ignore[arg-type]


def test_a_network_that_is_not_openvinos_is_refused_in_words(tmp_path: Path, empty_home: Path) -> None:  # noqa: ARG001
    with pytest.raises(ModelError, match="is not on this computer, so results cannot be explained"):
        standin().feature_map(draw("dots", 0))


@pytest.mark.parametrize("size", [(400, 711), (640, 480), (300, 300), (37, 2000)])
@pytest.mark.parametrize("fit", ["shorter", "squash"])
def test_the_part_that_is_seen_is_the_one_that_is_embedded(size: tuple[int, int], fit: str) -> None:
    how = Preprocessing(292, 260, "bicubic", (0.5,) * 3, (0.5,) * 3, fit=fit)  # type: ignore[arg-type]
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))
    box = seen_box(size, how)
    edges = (box.left * size[0], box.top * size[1], box.right * size[0], box.bottom * size[1])
    seen = np.asarray(image.resize((260, 260), Image.Resampling.BICUBIC, box=edges))
    np.testing.assert_allclose(seen.astype(int), preprocess(image, how).astype(int), atol=1)
    assert 0 <= box.left < box.right <= 1
    assert 0 <= box.top < box.bottom <= 1
