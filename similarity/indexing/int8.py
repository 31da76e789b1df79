"""`--precision auto` of a new gallery: int8 where it is faster, if its own pictures prove that nothing is lost."""

import importlib.util
import logging
import os
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from similarity.cache import read_notes, write_note
from similarity.embedding.backbones.weights import ModelChoice
from similarity.embedding.calibration import CALIBRATION_PICTURES, read_windows
from similarity.embedding.embedder import Embedder
from similarity.embedding.engines import Pixels
from similarity.embedding.view_names import View
from similarity.errors import GalleryError, ModelError
from similarity.indexing.int8_proof import prove
from similarity.progress import OnProgress, Progress
from similarity.sources import Item, Source
from similarity.storage.live import read_live_manifest
from similarity.vectors.arrays import Vectors

# Pictures from which on int8 saves about twice the time of quantising and the proof, a minute, by the precision that it
# replaces; reckoned from rates of two cores.
PAYS_FROM = {"f32": 10_000, "bf16": 100_000}
# Times as fast end to end as the other precision, from which on int8 is taken.
MIN_SPEEDUP = 1.3
PROOF_PICTURES = 600
TIMED_PICTURES, ROUNDS = 64, 5
NOTES = "int8.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """Pictures that int8 is tried with.

    Attributes:
        items: the pictures.
        pixels: a window of each, uint8 (n, crop, crop, 3).
        seconds: time that reading and decoding took, for each.
    """

    items: list[Item]
    pixels: Pixels
    seconds: float


def worth_trying(plain: Embedder, source: Source, directory: Path) -> bool:
    """Whether int8 may replace what a model was loaded in: on a CPU, with NNCF, for many pictures, none embedded yet.

    Args:
        plain: the model as it is without int8.
        directory: the gallery's folder. If there is one of this model, its embeddings stay in their precision.
    """
    if not plain.maps_come_along or len(source.items) < PAYS_FROM.get(plain.precision, len(source.items) + 1):
        return False
    if not has_nncf():
        return False
    with suppress(GalleryError):
        live = read_live_manifest(directory)
        same = (live.model, live.weights_sha256) == (plain.backbone.name, plain.weights_sha256)
        return not (same and live.precision != "int8")
    return True


def has_nncf() -> bool:
    """Whether networks can be quantised here; NNCF is looked for, not imported, which takes seconds."""
    return importlib.util.find_spec("nncf") is not None


def try_int8(choice: ModelChoice, plain: Embedder, view: View, source: Source, progress: OnProgress | None) -> Embedder:
    """Quantise a model with a gallery's pictures, and return it if it is faster and loses nothing, else the plain one.

    The `reason` of the embedder says which and why.
    """
    window: View = "fit" if view == "both" else view
    report = progress or (lambda _: None)
    report(Progress(f"Trying {choice.backbone.title} in int8"))
    used, held = _read(source, choice, window)
    if len(used.items) < CALIBRATION_PICTURES // 2 or len(held.items) < PROOF_PICTURES // 2:
        return plain  # most cannot be read, which indexing reports
    try:
        int8 = Embedder.quantise(choice, used.pixels)
    except ModelError as error:
        plain.reason = f"The pictures are embedded in {plain.precision}, since int8 failed: {error}"
        return plain
    report(Progress(f"Comparing {choice.backbone.title} in int8 and {plain.precision}"))
    keeps, reason = _decide(plain, int8, held)
    chosen = int8 if keeps else plain
    chosen.reason = reason
    return chosen.with_view(view)


def _decide(plain: Embedder, int8: Embedder, held: Held) -> tuple[bool, str]:
    """Whether int8 is kept, and why. A decision is noted, so that an interrupted run goes on with the same network."""
    key = f"{int8.network_sha256} {plain.precision} {os.cpu_count()}"
    noted = read_notes(NOTES).get(key)
    if isinstance(noted, list) and len(noted) == 2 and isinstance(noted[0], bool):
        return noted[0], str(noted[1])
    decision = _measure(plain, int8, held)
    write_note(NOTES, key, list(decision))
    return decision


def _measure(plain: Embedder, int8: Embedder, held: Held) -> tuple[bool, str]:
    name, timed = plain.precision, held.pixels[:TIMED_PICTURES]
    networks = seconds_each([plain, int8], timed)
    speedup = (held.seconds + networks[0]) / (held.seconds + networks[1])
    if speedup < MIN_SPEEDUP:
        return False, f"The pictures are embedded in {name}, since int8 would only be {speedup:.1f} times as fast."
    mirrored = np.ascontiguousarray(held.pixels[:, :, ::-1])
    labels = [item.label for item in held.items]
    proof = prove(_embed(plain, held.pixels), _embed(plain, mirrored), _embed(int8, held.pixels), labels, name)
    if not proof.holds:
        return False, f"The pictures are embedded in {name}, since results could get worse: in int8 {proof.finding}."
    return True, f"The pictures are embedded in int8, {speedup:.1f} times as fast as in {name}, and {proof.finding}."


def seconds_each(embedders: list[Embedder], pixels: Pixels) -> list[float]:
    """Time the networks alone, in turns: the median seconds a picture of each."""
    seconds: list[list[float]] = [[] for _ in embedders]
    for turn in range(ROUNDS + 1):  # the first warms up
        for embedder, rounds in zip(embedders, seconds, strict=True):
            started = time.perf_counter()
            _embed(embedder, pixels)
            if turn:
                rounds.append((time.perf_counter() - started) / len(pixels))
    return [statistics.median(rounds) for rounds in seconds]


def _embed(embedder: Embedder, pixels: Pixels) -> Vectors:
    size = embedder.batch
    batches = (pixels[start : start + size] for start in range(0, len(pixels), size))
    return np.concatenate(list(embedder.embed_stream(batches)))


def _read(source: Source, choice: ModelChoice, view: View) -> tuple[Held, Held]:
    """Read two even samples of a source that share no picture: to quantise with, and to compare."""
    count = CALIBRATION_PICTURES + PROOF_PICTURES
    items = source.items[:: max(1, len(source.items) // count)][:count]
    is_used = [place % 3 == 0 for place in range(len(items))]
    parts = []
    for used in (True, False):
        chosen = [item for item, is_one in zip(items, is_used, strict=True) if is_one == used]
        started = time.perf_counter()
        read, pixels = read_windows(source, chosen, choice.backbone.preprocessing, view)
        parts.append(Held(read, pixels, (time.perf_counter() - started) / max(1, len(read))))
    return parts[0], parts[1]
