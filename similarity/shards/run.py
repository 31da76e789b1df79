"""The run that embeds a list into a folder of shards, in this process or in those of a cluster."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from similarity.embedding.backbones.weights import ModelChoice, weights_sha256
from similarity.embedding.devices import Unit, find_gpu
from similarity.embedding.engines import choose_precision
from similarity.embedding.precision import Precision
from similarity.embedding.view_names import AUTO, Quality
from similarity.embedding.views import choose_view
from similarity.errors import ModelError, ShardError, SourceError
from similarity.paths import full_path
from similarity.progress import OnProgress, Progress, Reporter
from similarity.shards.chunks import CHUNK, Chunk, cut
from similarity.shards.folder import Shelf, begin, complete, find_finished, holding, name_of, with_view_of
from similarity.shards.metadata import Counts, Origin
from similarity.shards.shard_file import read_skipped
from similarity.shards.worker import Done, Task, embed_chunk, identity, load_embedder
from similarity.sources import Skipped, Source
from similarity.sources.parquet_table import Listing

Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class ShardOptions:
    """Options of shards, with their defaults.

    Attributes:
        precision: number format of the network; not int8.
        view, quality: as in `indexing.options`.
        size: pictures of a shard; another size makes other shards.
        thumbnails: whether to make thumbnails, for galleries that are made from the shards.
    """

    precision: Precision = "auto"
    view: str = AUTO
    quality: Quality = "standard"
    size: int = CHUNK
    thumbnails: bool = True


DEFAULTS = ShardOptions()


class Workers(Protocol):
    """Workers that embed chunks.

    Attributes:
        name: the name of the engine.
        device: the device of the networks.
    """

    name: str
    device: Unit

    def embed(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Iterator[Done]:
        """Embed chunks, in any order; `advance` is called with the number of further pictures processed."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """The result of a run.

    Attributes:
        out: the folder of shards.
        origin: the origin of all shards.
        engine: the name of the workers' engine.
        before: the shards of earlier runs.
        done: the shards of this run.
        skipped: pictures and lines of the list that cannot be used, of all runs.
        seconds: duration of the run.
    """

    out: Path
    origin: Origin
    engine: str
    before: dict[str, Counts]
    done: list[Done]
    skipped: list[Skipped]
    seconds: float

    @property
    def embedded(self) -> int:
        """Pictures that got a vector in this run."""
        return sum(result.counts.pictures for result in self.done)

    @property
    def resumed(self) -> int:
        """Pictures that got a vector in earlier runs."""
        return sum(counts.pictures for counts in self.before.values())

    @property
    def shards(self) -> int:
        """Number of shards."""
        return len(self.before) + len(self.done)

    @property
    def working(self) -> float:
        """The seconds from when the first chunk was begun until the last was done."""
        if not self.done:
            return 0.0
        return max(result.ended for result in self.done) - min(result.started for result in self.done)

    @property
    def images_per_second(self) -> float:
        """Pictures embedded per second of work: reading, decoding, the network, and writing shards.

        Time before the first chunk is not counted: starting processes and loading the model take the same time for a
        thousand pictures and for a billion.
        """
        return round(self.embedded / self.working, 1) if self.working else 0.0


class LocalWorkers:
    """Workers in this process."""

    name = "local"

    def __init__(self) -> None:
        self.device: Unit = find_gpu() or "cpu"

    def embed(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Iterator[Done]:
        """Embed one chunk after the other."""
        embedder = load_embedder(task)
        for chunk in chunks:
            yield embed_chunk(chunk, lambda: embedder, task, advance=advance)


def embed(
    source: Source | Listing,
    out: str | Path,
    choice: ModelChoice,
    options: ShardOptions = DEFAULTS,
    *,
    workers: AbstractContextManager[Workers] | None = None,
    progress: OnProgress | None = None,
) -> Embedding:
    """Embed a list into shards; shards of earlier runs are kept.

    Args:
        out: the folder, made if need be.
        workers: the workers; this process unless given, see `ray.cluster`.

    Raises:
        ShardError: the folder holds something else, is in use, or cannot be written. SourceError: the list cannot be
            read, or none of it can be used. ModelError: the model cannot be loaded. ClusterError: the cluster cannot be
            used.
    """
    started, folder = time.perf_counter(), full_path(out)
    _report(progress, f"Preparing the model {choice.backbone.title}")
    with workers or nullcontext(LocalWorkers()) as at_work, holding(folder):
        origin = _origin(source.name, choice, options, at_work.device)
        if options.view == AUTO:
            origin = with_view_of(folder, origin)
        begin(folder, origin)
        chunks, skipped = _cut(source, options.size, origin)
        before = find_finished(folder, chunks, origin)
        missing = [chunk for chunk in chunks if name_of(chunk) not in before]
        done = _work(at_work, Task(folder, origin, at_work.device), missing, progress)
        counts = before | {result.name: result.counts for result in done}
        complete(folder, Shelf(origin, skipped, {name_of(chunk): counts[name_of(chunk)] for chunk in chunks}))
    skipped += [*_skipped_before(folder, before, origin), *(bad for result in done for bad in result.skipped)]
    if not any(count.pictures for count in counts.values()):
        raise SourceError(f"None of the pictures in {source.name} can be used: {skipped[0].path}: {skipped[0].reason}")
    seconds = round(time.perf_counter() - started, 3)
    return Embedding(folder, origin, at_work.name, before, done, skipped, seconds)


def _origin(source: str, choice: ModelChoice, options: ShardOptions, device: Unit) -> Origin:
    """The origin of the shards, decided once for all workers; raises ModelError if runs cannot share the model."""
    if options.precision == "int8":
        raise ModelError(
            "An int8 network is made for one gallery, from its own pictures, so that embeddings of several runs could "
            "not be compared: embed with another precision, or `index` with int8."
        )
    backbone, settled = choice.backbone, choose_precision(options.precision, device)
    view = choose_view(options.view, backbone, options.quality)
    model = identity(backbone.name, weights_sha256(choice.weights), settled, view)
    return Origin(model, backbone.dim, source, options.thumbnails, options.quality)


def _cut(source: Source | Listing, size: int, origin: Origin) -> tuple[list[Chunk], list[Skipped]]:
    """The chunks of a list, and its lines that cannot be used."""
    chunks: list[Chunk] = []
    skipped: list[Skipped] = []
    for chunk, faults in cut(source, size, {"thumbnails": origin.thumbnails} | origin.identity):
        chunks += [chunk] if chunk else []
        skipped += faults
    if not chunks:
        first = f"; {skipped[0].path}, {skipped[0].reason}" if skipped else "."
        raise SourceError(f"{source.name} has no picture that can be used{first}")
    return chunks, skipped


def _work(workers: Workers, task: Task, chunks: Sequence[Chunk], progress: OnProgress | None) -> list[Done]:
    """Have chunks embedded; raises ShardError unless all of them are done in the end."""
    if not chunks:
        return []
    report = Reporter(sum(chunk.count for chunk in chunks), progress, task="Embedding")
    done = list(workers.embed(task, chunks, report.advance))
    if len(done) != len(chunks):
        raise ShardError(f"Only {len(done):,} of {len(chunks):,} shards were made: run the same command again.")
    return done


def _skipped_before(folder: Path, shards: dict[str, Counts], origin: Origin) -> Iterator[Skipped]:
    """Pictures that earlier runs could not use."""
    for name, counts in shards.items():
        if counts.rows != counts.pictures:
            yield from read_skipped(folder / name, origin.source)


def _report(progress: OnProgress | None, task: str) -> None:
    if progress:
        progress(Progress(task))
