"""Pictures a second that each model embeds on this computer, measured once and stored in the cache."""

import hashlib
import json
import statistics
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from similarity.bench.machine import describe_machine
from similarity.bench.scratch_home import scratch_home
from similarity.cache import read_notes, write_note
from similarity.embedding.backbones import Backbone, check_installed
from similarity.embedding.devices import find_gpu
from similarity.embedding.embedder import Embedder
from similarity.embedding.engines import Pixels

NOTES = "model-speeds.json"
ROUNDS = 3
# A round is at least so long, which is many batches of a fast model and a few of a slow one.
ROUND_SECONDS = 2.0
# Dependencies of a rate beside the model.
OF_MACHINE = ("processor", "cores", "computes", "system", "openvino")


def known_speed(backbone: Backbone) -> float | None:
    """The measured pictures a second of a model on this computer; None if not measured."""
    noted = read_notes(NOTES).get(_key(backbone))
    rate = noted.get("images_per_s") if isinstance(noted, dict) else None
    return float(rate) if isinstance(rate, int | float) else None


def measure_speed(backbone: Backbone) -> float:
    """Measure a model and note the result; with random weights where the real ones are not at hand, which take as long.

    Returns:
        Pictures a second through the network, from prepared pixels to features, as when a gallery is indexed: the
        median of three rounds.

    Raises:
        ModelError: the model is not available.
    """
    check_installed(backbone)
    with scratch_home(backbone.name) as (choice, _):
        embedder = Embedder.load(choice)
        _round(embedder, 0.0)  # compiles, and warms up
        rate = statistics.median(_round(embedder, ROUND_SECONDS) for _ in range(ROUNDS))
    facts = {"model": backbone.name, "precision": embedder.precision, "images_per_s": round(rate, 1)}
    write_note(NOTES, _key(backbone), facts)
    return round(rate, 1)


def _round(embedder: Embedder, seconds: float) -> float:
    """Pictures a second for so long, noise."""
    side = embedder.backbone.preprocessing.crop
    noise = np.random.default_rng(0).integers(0, 256, (embedder.batch, side, side, 3), dtype=np.uint8)
    started = time.perf_counter()
    count = sum(len(features) for features in embedder.embed_stream(_until(started + seconds, noise)))
    return count / (time.perf_counter() - started)


def _until(end: float, batch: Pixels) -> Iterator[Pixels]:
    """The same batch repeatedly until a time of `perf_counter`, at least once."""
    yield batch
    while time.perf_counter() < end:
        yield batch


@cache
def _machine() -> tuple[Any, ...]:
    described = describe_machine()
    return (*(described[name] for name in OF_MACHINE), find_gpu() is not None)


def _key(backbone: Backbone) -> str:
    """The key of a rate, made of everything that it depends on."""
    facts = (backbone.name, backbone.preprocessing.crop, *_machine())
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
