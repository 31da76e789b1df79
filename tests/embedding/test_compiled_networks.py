"""Networks that were compiled before, which a new process reads."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL

from similarity.embedding.backbones import get_backbone
from similarity.embedding.embedder import Embedder
from similarity.embedding.engines import OpenVinoEngine
from similarity.embedding.openvino_models import XML

PIXELS = np.random.default_rng(3).integers(0, 256, (2, 260, 260, 3), np.uint8)


@pytest.fixture
def network(embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - converts it
    """A converted network in a cache of its own, of which nothing was compiled."""
    from similarity.paths import cache_folder

    folders = (path.parent for path in (cache_folder() / "networks").glob(f"{MODEL}-*/{XML}"))
    converted = next(folder for folder in folders if "int8" not in folder.name)
    monkeypatch.setattr("similarity.embedding.compiled_networks.cache_folder", lambda: tmp_path)
    target = tmp_path / "networks" / converted.name
    target.mkdir(parents=True)
    for path in converted.iterdir():
        if path.suffix != ".blob":
            shutil.copy(path, target)
    return target


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hint of each network that is compiled."""
    hints: list[str] = []
    really = OpenVinoEngine.compile

    def counted(self: OpenVinoEngine, model: Any, hint: str) -> Any:
        hints.append(hint)
        return really(self, model, hint)

    monkeypatch.setattr(OpenVinoEngine, "compile", counted)
    return hints


def engine(network: Path, **options: Any) -> OpenVinoEngine:
    return OpenVinoEngine(network, get_backbone(MODEL), **options)


def blobs(network: Path) -> list[Path]:
    return sorted(network.glob("*.blob*"))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=pytest.mark.exhaustive),
        {"precision": "f32"},
        pytest.param({"precision": "f32", "threads": 1}, marks=pytest.mark.exhaustive),
    ],
)
def test_a_network_is_compiled_once_and_gives_the_same_numbers_when_it_is_read(
    network: Path, compiled: list[str], options: dict[str, Any]
) -> None:
    first = engine(network, **options).run(PIXELS)
    again = engine(network, **options)
    assert np.array_equal(again.run(PIXELS), first)
    assert compiled == ["LATENCY"]
    assert np.allclose(next(iter(again.stream([PIXELS]))), first, atol=1e-3 * np.abs(first).max())


@pytest.mark.exhaustive
def test_each_number_of_threads_has_a_network_of_its_own(network: Path, compiled: list[str]) -> None:
    for threads in (None, 1, None, 1):
        engine(network, precision="f32", threads=threads)
    assert compiled == ["LATENCY"] * 2
    engine(network)
    assert len(blobs(network)) == len(compiled)


@pytest.mark.parametrize(
    "damage", ["bit", *(pytest.param(kind, marks=pytest.mark.exhaustive) for kind in ("cut", "empty", "other"))]
)
def test_what_is_damaged_is_compiled_and_written_again(network: Path, compiled: list[str], damage: str) -> None:
    first = engine(network).run(PIXELS)
    (path,) = blobs(network)
    good = path.read_bytes()
    middle = len(good) // 2
    path.write_bytes(
        {
            "cut": good[:middle],
            "bit": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
            "empty": b"",
            "other": b"of another program",
        }[damage]
    )
    assert np.array_equal(engine(network).run(PIXELS), first)
    assert compiled == ["LATENCY", "LATENCY"]
    assert path.read_bytes()[:32] == good[:32] or len(path.read_bytes()) > 1_000_000
    assert np.array_equal(engine(network).run(PIXELS), first)
    assert compiled == ["LATENCY", "LATENCY"]


def test_where_nothing_can_be_written_it_is_compiled_each_time(
    network: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("similarity.embedding.compiled_networks.write_atomically", full)
    assert np.isfinite(engine(network).run(PIXELS)).all()
    assert np.isfinite(engine(network).run(PIXELS)).all()
    assert (compiled, blobs(network)) == (["LATENCY", "LATENCY"], [])


def test_nothing_is_written_beside_the_network_of_a_gallery(network: Path, tmp_path: Path, compiled: list[str]) -> None:
    own = shutil.copytree(network, tmp_path.parent / f"{tmp_path.name}-gallery" / "network")
    engine(own)
    engine(own)
    assert (compiled, blobs(own)) == (["LATENCY", "LATENCY"], [])
