"""Which device a network runs on: a GPU where there is one, and the CPU where that cannot run it or is wrong."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import MODEL, draw
from mps import have_mps, play_mps
from PIL import Image

from similarity import Embedder
from similarity.embedding import devices
from similarity.embedding.devices import find_gpu
from similarity.embedding.engines import OpenVinoEngine, TorchEngine, choose_precision
from similarity.shards.run import LocalWorkers
from similarity.vectors.arrays import Vectors

pytestmark = pytest.mark.usefixtures("bundled")


@pytest.fixture(scope="module")
def drawn() -> list[Image.Image]:
    return [draw(kind, seed) for kind in ("dots", "rings") for seed in range(2)]


@pytest.fixture(scope="module")
def expected(drawn: list[Image.Image]) -> Vectors:
    return Embedder.load(MODEL, device="cpu", precision="f32").embed(drawn)


@pytest.mark.parametrize(
    ("has_cuda", "system", "machine", "has_mps", "gpu"),
    [
        (True, "Linux", "x86_64", False, "cuda"),
        (False, "Linux", "x86_64", True, None),
        (False, "Darwin", "x86_64", True, None),
        (False, "Darwin", "arm64", False, None),
        (False, "Darwin", "arm64", True, "mps"),
    ],
)
def test_the_gpu_is_cuda_or_that_of_apple_silicon(
    has_cuda: bool, system: str, machine: str, has_mps: bool, gpu: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_mps(monkeypatch, system, machine, is_available=has_mps)
    monkeypatch.setattr(devices, "has_cuda", lambda: has_cuda)
    assert find_gpu() == gpu
    assert LocalWorkers().device == (gpu or "cpu")


def test_a_precision_that_is_chosen_is_half_on_cuda_only() -> None:
    assert [choose_precision("auto", device) for device in ("cuda", "mps")] == ["f16", "f32"]
    assert choose_precision("f16", "mps") == "f16"


def test_a_network_runs_on_the_gpu_of_apple_silicon_and_gives_what_the_cpu_gives(
    drawn: list[Image.Image], expected: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_mps(monkeypatch)
    sent = play_mps(monkeypatch)
    embedder = Embedder.load(MODEL)
    assert isinstance(embedder._engine, TorchEngine)
    assert (embedder.precision, sent[0]) == ("f32", "network")
    with ThreadPoolExecutor(4) as pool:
        found = np.concatenate(list(pool.map(lambda image: embedder.embed([image]), drawn)))
    assert (found * expected).sum(axis=1).min() > 0.9999
    assert sent.count("numbers") == len(drawn) + 1  # one batch was to compare it


def test_a_gpu_that_gives_other_features_is_not_used(
    drawn: list[Image.Image],
    expected: Vectors,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    have_mps(monkeypatch)
    play_mps(monkeypatch, is_wrong=True)
    with caplog.at_level(logging.WARNING):
        embedder = Embedder.load(MODEL, precision="f32")
    assert isinstance(embedder._engine, OpenVinoEngine)
    assert (embedder.embed(drawn) * expected).sum(axis=1).min() > 0.9999
    assert "gives other features on this GPU, and runs on the CPU" in caplog.text


def test_a_gpu_that_cannot_run_a_network_leaves_it_to_the_cpu(
    drawn: list[Image.Image],
    expected: Vectors,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As torch of this computer, which says itself that it cannot."""
    have_mps(monkeypatch)
    with caplog.at_level(logging.WARNING):
        embedder = Embedder.load(MODEL, precision="f32")
    assert isinstance(embedder._engine, OpenVinoEngine)
    assert (embedder.embed(drawn) * expected).sum(axis=1).min() > 0.9999
    assert "cannot run on this GPU, and runs on the CPU" in caplog.text
