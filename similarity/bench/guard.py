"""A guard against regressions: figures of this package as ratios to references that are measured in the same run.

A ratio says how many times the reference's time something takes, picture by picture or query by query, so that less is
better. Reports of the same computer, or of one like it, can be compared, however busy it was.

    torch             the network in torch's eager mode, with torchvision's transforms
    IndexFlatIP       exact search by FAISS
    Pillow            decoding at full size
    empty process     Python that does nothing
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from similarity.bench.baseline import torch_loop
from similarity.bench.embedding import embedding_tasks, sound_pictures
from similarity.bench.machine import describe_machine
from similarity.bench.made_vectors import Made, made_vectors
from similarity.bench.query import NAME
from similarity.bench.scratch_home import scratch_home
from similarity.bench.turns import Task, in_turns
from similarity.embedding.embedder import Embedder
from similarity.errors import SearchError, SimilarityError
from similarity.gallery import Gallery
from similarity.processes import run_module
from similarity.progress import OnProgress, Progress
from similarity.search import build_index, choose_recipe
from similarity.search.faiss_library import faiss
from similarity.search.recipes import FLAT, INVERTED, SCAN
from similarity.sources import Source, open_source
from similarity.storage.inventory import find_gallery

ROUNDS = 5
# Pictures of torch's loop, and of the gallery as queries; synthetic vectors, their length, and queries.
BASELINE, ASKED = 32, 10
VECTORS, DIM, QUERIES, K = 50_000, 1280, 40, 10

Verdict = Literal["better", "same", "worse"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio.

    Attributes:
        name: what takes the time.
        reference: what it is compared with.
        ratio, low, high: median, least and most of all rounds.
    """

    name: str
    reference: str
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure in two reports.

    Attributes:
        verdict: better or worse if the spreads of both do not touch.
    """

    name: str
    reference: str
    old: Figure
    new: Figure
    verdict: Verdict


# What is measured, and its reference.
MEASURED = {
    "from disk to vectors": "torch",
    "with thumbnails": "torch",
    "a query, from bytes to hits": "torch",
    "decoding": "Pillow",
    "exact search, flat-sq8": "IndexFlatIP",
    "exact search, flat": "IndexFlatIP",
    "search, ivf": "IndexFlatIP",
    "building, ivf": "IndexFlatIP",
    "search in a new process": "empty process",
    "list in a new process": "empty process",
}


def bench_all(folder: Path, *, progress: OnProgress | None = None) -> dict[str, Any]:
    """Measure every figure in five rounds, with the pictures of a folder and with synthetic vectors.

    Raises:
        SourceError: there is no picture that can be read. ModelError: the model is not available.
    """
    report_progress, started = progress or (lambda _: None), time.perf_counter()
    with _tasks(sound_pictures(open_source(folder)), report_progress) as tasks:
        seconds = in_turns(tasks, ROUNDS, report_progress)
    each = {name: np.array(seconds[name]) / task.amount for name, task in tasks.items()}
    figures = [
        _figure(name, reference, (each[name] / each[reference]).tolist()) for name, reference in MEASURED.items()
    ]
    return {
        "figures": [asdict(figure) for figure in figures],
        "rounds": ROUNDS,
        "seconds": round(time.perf_counter() - started, 1),
        "machine": describe_machine(),
    }


def compare_reports(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Compared]:
    """Compare two reports of `bench_all`, figure by figure; those that only one has are left out.

    Raises:
        SearchError: one is not such a report, or they have no figure in common.
    """
    before, now = _read(old), _read(new)
    common = [key for key in before if key in now]
    if not common:
        raise SearchError("These reports of `bench all` have no figure in common.")
    return [Compared(*key, before[key], now[key], _verdict(before[key], now[key])) for key in common]


def _read(report: Mapping[str, Any]) -> dict[tuple[str, str], Figure]:
    try:
        figures = [Figure(**figure) for figure in report["figures"]]
        if not all(0 < figure.low <= figure.ratio <= figure.high for figure in figures):
            raise ValueError("its figures are not in order")
        return {(figure.name, figure.reference): figure for figure in figures}
    except (LookupError, TypeError, ValueError) as error:
        raise SearchError("That is not a report of `bench all --json`.") from error


def _verdict(old: Figure, new: Figure) -> Verdict:
    if new.low > old.high:
        return "worse"
    return "better" if new.high < old.low else "same"


def _figure(name: str, reference: str, ratios: Sequence[float]) -> Figure:
    return Figure(name, reference, *(float(f"{of(ratios):.4g}") for of in (statistics.median, min, max)))


@contextmanager
def _tasks(source: Source, report_progress: OnProgress) -> Iterator[dict[str, Task]]:
    """What is measured, and the references, by name."""
    with scratch_home("auto") as (choice, _), tempfile.TemporaryDirectory(prefix="similarity-bench-") as folder:
        report_progress(Progress("Preparing"))
        gallery = Gallery.build(source, find_gallery(NAME), model=choice, progress=report_progress)
        paths = [item.path for item in gallery.items]
        embedder = Embedder.load(choice, device="cpu")
        with (
            torch_loop(choice.backbone.name, choice.weights, paths[:BASELINE]) as torch_round,
            made_vectors(VECTORS, DIM, QUERIES, report_progress) as made,
        ):
            pictures = embedding_tasks(source, embedder)
            yield {
                "torch": Task(torch_round, len(paths[:BASELINE])),
                "from disk to vectors": pictures["end_to_end"],
                "with thumbnails": pictures["indexing"],
                "decoding": pictures["decode"],
                "Pillow": Task(lambda: _decode(paths), len(paths)),
                "a query, from bytes to hits": _queries(gallery, paths[:ASKED]),
                **_searches(made, Path(folder)),
                "search in a new process": Task(lambda: _run("search", paths[0], "--gallery", NAME, "--json")),
                "list in a new process": Task(lambda: _run("list", "--json")),
                "empty process": Task(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)),
            }


def _queries(gallery: Gallery, paths: Sequence[str]) -> Task:
    files = [Path(path).read_bytes() for path in paths]
    return Task(lambda: [gallery.search(data) for data in files], len(files))


def _searches(made: Made, folder: Path) -> dict[str, Task]:
    """Searches one by one, and building inverted lists, among synthetic vectors."""
    whole = made.vectors[:]
    reference = faiss.IndexFlatIP(DIM)
    reference.add(whole)
    inverted = choose_recipe(INVERTED, VECTORS, DIM).name
    indexes = {recipe: build_index(recipe, made.vectors) for recipe in (FLAT, SCAN, inverted)}

    def search(recipe: str) -> Task:
        return Task(lambda: [indexes[recipe].search(query[np.newaxis], K) for query in made.queries], QUERIES)

    def build() -> None:
        build_index(inverted, made.vectors).save(folder / "index")

    return {
        "IndexFlatIP": Task(lambda: [reference.search(query[np.newaxis], K) for query in made.queries], QUERIES),
        "exact search, flat": search(FLAT),
        "exact search, flat-sq8": search(SCAN),
        "search, ivf": search(inverted),
        "building, ivf": Task(build),
    }


def _decode(paths: Sequence[str]) -> None:
    for path in paths:
        with Image.open(path) as image:
            image.convert("RGB")


def _run(*arguments: str) -> None:
    done = run_module("similarity", *arguments)
    if done.returncode:
        raise SimilarityError(f"`{arguments[0]}` failed in a new process: {done.stderr.strip()}")
