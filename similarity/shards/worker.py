"""Embedding a chunk into a shard, in this process as in the actors of a cluster."""

import time
from collections.abc import Callable, Container, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from similarity.embedding.backbones import get_backbone
from similarity.embedding.backbones.tuned import find_choice
from similarity.embedding.devices import Unit
from similarity.embedding.embedder import Embedder
from similarity.embedding.pipeline import Embedded, Recognised, Result, embed_source
from similarity.embedding.precision import Precision
from similarity.embedding.view_names import View
from similarity.embedding.views import preprocessing_facts
from similarity.errors import ShardError
from similarity.shards.attempts import GIVEN_UP, Attempts
from similarity.shards.chunks import Chunk
from similarity.shards.folder import FACTS, name_of
from similarity.shards.metadata import Counts, Origin
from similarity.shards.shard_file import Row, check_shard, read_skipped, write_shard
from similarity.sources import Skipped, Source
from similarity.sources.locations import is_remote
from similarity.storage.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Task:
    """The task of a worker, the same for each chunk.

    Attributes:
        folder: the folder for the shards; several computers must share it, under the same path.
        origin: the model, and whether to make thumbnails.
        device: the device of the network.
        threads: maximum number of cores to use; by default all.
    """

    folder: Path
    origin: Origin
    device: Unit = "cpu"
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The result of embedding a chunk.

    Attributes:
        name: the name of the shard.
        skipped: pictures that could not be used.
        started, ended: times in seconds since 1970.
    """

    name: str
    counts: Counts
    skipped: list[Skipped]
    started: float
    ended: float

    def to_json(self) -> dict[str, Any]:
        """The result in JSON's own types, to send back."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Done":
        """Read the value of `to_json`."""
        skipped = [Skipped(**picture) for picture in facts["skipped"]]
        return cls(**facts | {"counts": Counts(**facts["counts"]), "skipped": skipped})


def load_embedder(task: Task) -> Embedder:
    """Load the model of a task.

    Raises:
        ModelError: it cannot be loaded on this computer. ShardError: its weights here are different, or the folder is
            not the one of the run.
    """
    if not (task.folder / FACTS).is_file():
        raise ShardError(f"{task.folder} does not exist for all workers: give a folder that all computers share.")
    expected = task.origin.identity
    precision: Precision = expected["precision"]
    choice = find_choice(get_backbone(expected["model"]), expected["weights_sha256"])
    view: View = expected["preprocessing"].get("view", "crop")
    embedder = Embedder.load(choice, precision=precision, device=task.device, threads=task.threads, view=view)
    if identity_of(embedder) != expected:
        raise ShardError(
            f"The weights of {expected['model']} differ between a worker's computer and this one: copy them."
        )
    return embedder


def identity_of(embedder: Embedder) -> dict[str, Any]:
    """The model and preprocessing of an embedder, as in `Manifest.identity`."""
    return identity(embedder.backbone.name, embedder.weights_sha256, embedder.precision, embedder.view)


def identity(model: str, weights_sha256: str, precision: str, view: View) -> dict[str, Any]:
    """The same for an embedder that is not loaded yet; never int8, which each gallery has of its own."""
    backbone = get_backbone(model)
    facts = preprocessing_facts(backbone.preprocessing, view)
    return Manifest(model, weights_sha256, facts, precision, backbone.dim, "").identity


def embed_chunk(
    chunk: Chunk, load: Callable[[], Embedder], task: Task, *, advance: Callable[[int], object] | None = None
) -> Done:
    """Embed a chunk and write its shard.

    A shard that is there already is left as it is.
    A picture that has ended three workers is a row with that as its error, see `attempts`.

    Reading and decoding run in threads of this process, beside the network: pixels from another process would be copied
    twice, and are fifty times as many bytes as the file.

    Args:
        load: returns the embedder; a worker that dies in it has died at this chunk.
        advance: called with the number of further pictures processed.

    Raises:
        SourceError: the chunk's list cannot be read. ShardError: the shard cannot be written, or workers die again and
            again. What `load` raises.
    """
    started = time.time()
    if done := _done_before(chunk, task, started):
        return done
    source = chunk.open()
    if task.threads:
        source.readers = _readers(source, task.threads)
    rows, shard = [], task.folder / name_of(chunk)
    with Attempts(shard, source.items) as attempts:
        sound = [item for item in source.items if item.id not in attempts.given_up]
        thumbnails = task.origin.thumbnails
        embedded = embed_source(source, load(), items=sound, thumbnails=thumbnails, around=attempts.decoding)
        with closing(embedded) as results:  # or its threads would go on decoding after the record is closed
            for row in _rows(source, _with_given_up(source, results, attempts.given_up)):
                rows.append(row)
                if advance:
                    advance(1)
        write_shard(shard, rows, task.origin)
    skipped = [Skipped(row.whereabouts or "", row.error, source.name) for row in rows if row.error is not None]
    return Done(name_of(chunk), Counts(len(rows), len(rows) - len(skipped)), skipped, started, time.time())


def _done_before(chunk: Chunk, task: Task, started: float) -> Done | None:
    """The result of a shard that is there: its worker died before it could return the result, and Ray asks again."""
    shard = task.folder / name_of(chunk)
    if not shard.exists():
        return None
    try:
        counts = check_shard(shard, task.origin)
        skipped = read_skipped(shard, task.origin.source)
    except ShardError:
        return None
    return Done(shard.name, counts, skipped, started, time.time())


def _readers(source: Source, threads: int) -> int:
    """Number of reader threads: decoding a file takes a core, waiting for a download takes none."""
    waits = any(is_remote(item.path) for item in source.items)
    return source.readers if waits else min(source.readers, threads)


def _with_given_up(source: Source, results: Iterator[Result], given_up: Container[str]) -> Iterator[Result]:
    """The results of all items of a source, in order, from those of the items that were not given up."""
    for item in source.items:
        yield Skipped(source.whereabouts(item), GIVEN_UP, source.name) if item.id in given_up else next(results)
    yield from results  # none


def _rows(source: Source, results: Iterator[Result]) -> Iterator[Row]:
    """A row for each result, in order; a file with the content of an earlier one has its vector."""
    first: dict[str, Embedded] = {}
    for item, result in zip(source.items, results, strict=True):
        if isinstance(result, Skipped):
            yield Row(item, error=result.reason, whereabouts=result.path)
            continue
        if isinstance(result, Recognised):
            earlier = first[result.item.sha256]
            same = replace(result.item, width=earlier.item.width, height=earlier.item.height)
            result = Embedded(same, earlier.vector, earlier.thumbnail)
        else:
            first[result.item.sha256] = result
        yield Row(result.item, result.vector, result.thumbnail)
