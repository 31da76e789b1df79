"""Speed of embedding: the network alone, decoding alone, both together, and torch as most people use it."""

import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from similarity.bench.baseline import torch_loop
from similarity.bench.machine import describe_machine, peak_rss_mb
from similarity.bench.scratch_home import scratch_home
from similarity.bench.turns import Task, in_turns
from similarity.embedding.backbones.weights import ModelChoice
from similarity.embedding.calibration import CALIBRATION_PICTURES, read_pixels
from similarity.embedding.embedder import Embedder
from similarity.embedding.pipeline import embed_source
from similarity.embedding.precision import Precision
from similarity.errors import ImageError, SourceError
from similarity.images.decoding import read_image
from similarity.progress import OnProgress, Progress
from similarity.sources import Source, open_source

PICTURES = 300
ROUNDS = 5
# Torch is slow, so it gets fewer: two batches.
BASELINE_PICTURES = 64


def bench_embedding(
    folder: Path, *, model: str = "auto", precision: Precision = "auto", progress: OnProgress | None = None
) -> dict[str, Any]:
    """Measure with up to 300 of a folder's pictures; each rate is the median of five interleaved rounds.

    `bound_images_per_s` is the rate of network and decoder if they shared the cores without any loss:
    1 / (1 / model + 1 / decode). `efficiency` is the share of that which the pipeline reaches, from disk to vectors.

    Raises:
        SourceError: there is no picture that can be read. ModelError: the model is not available.
    """
    report_progress = progress or (lambda _: None)
    source = sound_pictures(open_source(folder))
    with scratch_home(model) as (choice, real):
        report_progress(Progress(f"Preparing {choice.backbone.title}"))
        plain = Embedder.load(choice, device="cpu", precision="auto" if precision == "int8" else precision)
        embedder = _quantise(choice, source) if precision == "int8" else plain
        paths = [item.path for item in source.items[:BASELINE_PICTURES]]
        with torch_loop(choice.backbone.name, choice.weights, paths) as torch_round:
            tasks = embedding_tasks(source, embedder) | {"torch": Task(torch_round, len(paths))}
            if embedder is not plain:
                tasks["plain"] = Task(lambda: _embed(source, plain, thumbnails=False), len(source.items))
            rates = _rates(tasks, report_progress)
    facts = {
        "model": choice.backbone.name,
        "weights": "pretrained" if real else "random",
        "precision": embedder.precision,
        "pictures": len(source.items),
    }
    machine = {"peak_rss_mb": peak_rss_mb(), "machine": describe_machine()}
    return facts | _report(rates, plain.precision) | machine


def _report(rates: dict[str, float], plain: str) -> dict[str, float]:
    """Rounded rates and their ratios."""
    bound, end_to_end = 1 / (1 / rates["model"] + 1 / rates["decode"]), rates["end_to_end"]
    report = {
        "model_images_per_s": round(rates["model"], 1),
        "decode_images_per_s": round(rates["decode"], 1),
        "bound_images_per_s": round(bound, 1),
        "images_per_s": round(end_to_end, 1),
        "efficiency": round(end_to_end / bound, 3),
        "with_thumbnails_images_per_s": round(rates["indexing"], 1),
        "torch_eager_images_per_s": round(rates["torch"], 2),
        "speedup_over_torch_eager": round(end_to_end / rates["torch"], 1),
    }
    if "plain" in rates:
        report[f"{plain}_images_per_s"] = round(rates["plain"], 1)
        report[f"speedup_over_{plain}"] = round(end_to_end / rates["plain"], 2)
    return report


def _quantise(choice: ModelChoice, source: Source) -> Embedder:
    return Embedder.quantise(choice, read_pixels(source, choice.backbone.preprocessing, CALIBRATION_PICTURES))


def embedding_tasks(source: Source, embedder: Embedder) -> dict[str, Task]:
    """The network alone, decoding alone, both from disk to vectors, and with thumbnails, of a source's pictures."""
    count = len(source.items)
    return {
        "model": Task(lambda: _run_model(embedder, count), count),
        "decode": Task(lambda: _decode(source, embedder), count),
        "end_to_end": Task(lambda: _embed(source, embedder, thumbnails=False), count),
        "indexing": Task(lambda: _embed(source, embedder, thumbnails=True), count),
    }


def sound_pictures(source: Source) -> Source:
    """An even sample of up to PICTURES of a source, decodable ones only, since torch's loop fails on others."""
    step = max(1, -(-len(source.items) // PICTURES))
    source.items = [item for item in source.items[::step] if _is_readable(item.path)]
    if not source.items:
        raise SourceError(f"None of the pictures in {source.name} can be read.")
    return source


def _is_readable(path: str) -> bool:
    try:
        read_image(path)
    except ImageError:
        return False
    return True


def _rates(tasks: dict[str, Task], report_progress: OnProgress) -> dict[str, float]:
    """The median rate of each task, in pictures a second."""
    seconds = in_turns(tasks, ROUNDS, report_progress)
    return {name: task.amount / statistics.median(seconds[name]) for name, task in tasks.items()}


def _run_model(embedder: Embedder, count: int) -> None:
    """The network alone, on noise."""
    side = embedder.backbone.preprocessing.crop
    noise = np.random.default_rng(0).integers(0, 256, (embedder.batch, side, side, 3), dtype=np.uint8)
    sizes = [embedder.batch] * (count // embedder.batch) + [count % embedder.batch]
    for _ in embedder.embed_stream(noise[:size] for size in sizes if size):
        pass


def _decode(source: Source, embedder: Embedder) -> None:
    """Reading, decoding and resizing alone."""
    with ThreadPoolExecutor(source.readers) as pool:
        for _ in pool.map(
            lambda item: embedder.prepare(embedder.decode(source.read(item).data, item.path).image), source.items
        ):
            pass


def _embed(source: Source, embedder: Embedder, *, thumbnails: bool) -> None:
    """The whole pipeline, as in indexing."""
    for _ in embed_source(source, embedder, thumbnails=thumbnails):
        pass
