"""The run that embeds a list into a folder of shards, in this process or in those of a cluster."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from similarity.embedding.backbones.weights import ModelChoice, weights_sha256
from similarity.embedding.engines import choose_precision, has_cuda
from similarity.embedding.precision import Precision
from similarity.errors import ModelError, ShardError, SourceError
from similarity.paths import full_path
from similarity.progress import OnProgress, Progress, Reporter
from similarity.shards.chunks import CHUNK, Chunk, cut
from similarity.shards.folder import Shelf, begin, complete, finished, holding, name_of
from similarity.shards.metadata import Counts, Origin
from similarity.shards.shard_file import read_skipped
from similarity.shards.worker import Done, Task, embed_chunk, identity, load_embedder
from similarity.sources import Skipped, Source
from similarity.sources.parquet_table import Listing

Advance = Callable[[int], object]


class Workers(Protocol):
    """Whatever embeds chunks.

    Attributes:
        name: of the engine.
        device: what it runs on.
    """

    name: str
    device: Literal["cpu", "cuda"]

    def embed(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Iterator[Done]:
        """Embed chunks, in any order; `advance` is told how many more pictures are dealt with."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What a run did.

    Attributes:
        out: the folder of shards.
        origin: of all of them.
        engine: what embedded them.
        before: the shards that earlier runs had made,
        done: and those of this one.
        skipped: pictures that cannot be used, of all runs, and what is wrong with the list.
        seconds: that the run took.
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
        return sum(one.counts.pictures for one in self.done)

    @property
    def resumed(self) -> int:
        """Pictures that got theirs in earlier ones."""
        return sum(counts.pictures for counts in self.before.values())

    @property
    def shards(self) -> int:
        """How many there are."""
        return len(self.before) + len(self.done)

    @property
    def working(self) -> float:
        """The seconds from when the first chunk was begun until the last was done."""
        if not self.done:
            return 0.0
        return max(one.ended for one in self.done) - min(one.started for one in self.done)

    @property
    def images_per_second(self) -> float:
        """Pictures embedded in a second of the work itself: reading, decoding, the network, and writing shards.

        What comes before the first chunk is left out: starting processes and loading the model, which is the same for
        a thousand pictures and for a billion.
        """
        return round(self.embedded / self.working, 1) if self.working else 0.0


class Here:
    """This process."""

    name = "local"

    def __init__(self) -> None:
        self.device: Literal["cpu", "cuda"] = "cuda" if has_cuda() else "cpu"

    def embed(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Iterator[Done]:
        """One chunk after the other."""
        embedder = load_embedder(task)
        for chunk in chunks:
            yield embed_chunk(chunk, embedder, task, advance=advance)


def embed(
    source: Source | Listing,
    out: str | Path,
    choice: ModelChoice,
    *,
    workers: AbstractContextManager[Workers] | None = None,
    precision: Precision = "auto",
    size: int = CHUNK,
    thumbnails: bool = True,
    progress: OnProgress | None = None,
) -> Embedding:
    """Embed a list into shards; what earlier runs did of it is not done again.

    Args:
        out: the folder, made if need be.
        workers: what embeds; this process unless given, see `distributed.cluster`.
        size: how many pictures make a shard; another size makes other shards.
        thumbnails: whether to keep one of each picture, for the galleries that are made of the shards.

    Raises:
        ShardError: the folder holds something else, is in use, or cannot be written. SourceError: the list cannot be
            read, or none of it can be used. ModelError: the model cannot be had. ClusterError: the cluster cannot.
    """
    started, folder = time.perf_counter(), full_path(out)
    _tell(progress, f"Preparing {choice.backbone.title}")
    with workers or nullcontext(Here()) as at_work, holding(folder):
        origin = _origin(source.name, choice, precision, at_work.device, thumbnails=thumbnails)
        begin(folder, origin)
        chunks, skipped = _cut(source, size, origin)
        before = finished(folder, chunks, origin)
        missing = [chunk for chunk in chunks if name_of(chunk) not in before]
        done = _work(at_work, Task(folder, origin, at_work.device), missing, progress)
        counts = before | {one.name: one.counts for one in done}
        complete(folder, Shelf(origin, skipped, {name_of(chunk): counts[name_of(chunk)] for chunk in chunks}))
    skipped += [*_skipped_before(folder, before, origin), *(bad for one in done for bad in one.skipped)]
    if not any(one.pictures for one in counts.values()):
        raise SourceError(f"None of the pictures in {source.name} can be used: {skipped[0].path}: {skipped[0].reason}")
    seconds = round(time.perf_counter() - started, 3)
    return Embedding(folder, origin, at_work.name, before, done, skipped, seconds)


def _origin(
    source: str, choice: ModelChoice, precision: Precision, device: Literal["cpu", "cuda"], *, thumbnails: bool
) -> Origin:
    """What is to embed, decided once for all workers; raises ModelError if that cannot be shared by several runs."""
    if precision == "int8":
        raise ModelError(
            "An int8 network is made for one gallery, from its own pictures, so that embeddings of several runs could "
            "not be compared: embed with another precision, or `index` with int8."
        )
    backbone, settled = choice.backbone, choose_precision(precision, device)
    return Origin(identity(backbone.name, weights_sha256(choice.weights), settled), backbone.dim, source, thumbnails)


def _cut(source: Source | Listing, size: int, origin: Origin) -> tuple[list[Chunk], list[Skipped]]:
    """The chunks of a list, and what is wrong with it."""
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
    """Have chunks embedded; each has been asked for once, and has to be done at the end."""
    if not chunks:
        return []
    report = Reporter(sum(chunk.count for chunk in chunks), progress, task="Embedding")
    done = list(workers.embed(task, chunks, report.advance))
    if len(done) != len(chunks):
        raise ShardError(f"Only {len(done):,} of {len(chunks):,} shards were made: run the same command again.")
    return done


def _skipped_before(folder: Path, shards: dict[str, Counts], origin: Origin) -> Iterator[Skipped]:
    """What earlier runs could not use."""
    for name, counts in shards.items():
        if counts.rows != counts.pictures:
            yield from read_skipped(folder / name, origin.source)


def _tell(progress: OnProgress | None, task: str) -> None:
    if progress:
        progress(Progress(task))
