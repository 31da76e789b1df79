"""Time to explain why two pictures are similar, from the bytes of one of them to the finished maps."""

import itertools
import statistics
import time
from pathlib import Path
from typing import Any

from similarity.bench.machine import describe_machine
from similarity.bench.scratch_home import scratch_home
from similarity.embedding.precision import Precision
from similarity.gallery import Gallery
from similarity.progress import OnProgress, Progress
from similarity.query.explain import Look
from similarity.storage.inventory import find_gallery

PAIRS = 20
# Between two pairs, as a person pauses: threads of NumPy's BLAS wait for more work by keeping the cores busy for 40 ms,
# in which a network takes half as long again.
PAUSE_S = 0.1
NAME = "bench"


def bench_explain(
    folder: Path, *, model: str = "auto", precision: Precision = "auto", progress: OnProgress | None = None
) -> dict[str, Any]:
    """Index a folder, then explain up to 20 pairs of its pictures, for new queries and for ones seen before.

    Raises:
        SourceError: there is no picture that can be read. ModelError: the model is not available, or has no feature
            map.
    """
    report_progress = progress or (lambda _: None)
    with scratch_home(model) as (choice, real):
        gallery = Gallery.build(folder, find_gallery(NAME), model=choice, precision=precision, progress=report_progress)
        report_progress(Progress("Explaining"))
        items = [gallery.items[row] for row in range(0, len(gallery), max(1, len(gallery) // (PAIRS + 1)))][: PAIRS + 1]
        started = time.perf_counter()
        picture = gallery.look(items[0].path)
        first = 1000 * (time.perf_counter() - started)
        whole, cached = [], []
        for before, item in itertools.pairwise(items):
            whole.append(_measure(gallery, before.path, item.id))
            cached.append(_measure(gallery, picture, item.id))
        return {
            "model": choice.backbone.name,
            "weights": "pretrained" if real else "random",
            "precision": gallery.manifest.precision,
            "pairs": len(whole),
            "is_exact": picture.is_exact,
            "first_ms": round(first, 1),
            "p50_ms": round(statistics.median(whole), 1),
            "most_ms": round(max(whole), 1),
            "p50_ms_known_query": round(statistics.median(cached), 1),
            "most_ms_known_query": round(max(cached), 1),
            "machine": describe_machine(),
        }


def _measure(gallery: Gallery, query: str | Look, item_id: str) -> float:
    """Time for one pair, in milliseconds."""
    time.sleep(PAUSE_S)
    started = time.perf_counter()
    gallery.explain(query, item_id)
    return 1000 * (time.perf_counter() - started)
