"""What embeds a chunk into a shard: the same code in this process as in the actors of a cluster."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from similarity.embedding.backbones import get_backbone
from similarity.embedding.backbones.tuned import find_choice
from similarity.embedding.embedder import Embedder
from similarity.embedding.pipeline import Embedded, Recognised, Result, embed_source
from similarity.embedding.precision import Precision
from similarity.errors import ShardError
from similarity.shards.chunks import Chunk
from similarity.shards.folder import FACTS, name_of
from similarity.shards.metadata import Counts, Origin
from similarity.shards.shard_file import Row, write_shard
from similarity.sources import Skipped, Source
from similarity.sources.locations import is_remote
from similarity.storage.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to do with each chunk, as it is sent to it.

    Attributes:
        folder: for the shards; on several computers it must be one that they share, under the same path.
        origin: what is to embed, and whether thumbnails are wanted.
        device: what it is to run on.
        threads: how many cores it may use; all of them unless given.
    """

    folder: Path
    origin: Origin
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk that is a shard now.

    Attributes:
        name: of the shard.
        skipped: pictures that could not be used.
        started, ended: when it was worked on, in seconds since 1970.
    """

    name: str
    counts: Counts
    skipped: list[Skipped]
    started: float
    ended: float

    def to_json(self) -> dict[str, Any]:
        """In JSON's own types, to be sent back."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Done":
        """What `to_json` made."""
        skipped = [Skipped(**one) for one in told["skipped"]]
        return cls(**told | {"counts": Counts(**told["counts"]), "skipped": skipped})


def load_embedder(task: Task) -> Embedder:
    """The model of a task.

    Raises:
        ModelError: it cannot be had on this computer. ShardError: its weights here are others, or the folder is not
            the one that the run was begun in.
    """
    if not (task.folder / FACTS).is_file():
        raise ShardError(f"{task.folder} is not there for every worker: give a folder that all computers share.")
    made = task.origin.identity
    precision: Precision = made["precision"]
    choice = find_choice(get_backbone(made["model"]), made["weights_sha256"])
    embedder = Embedder.load(choice, precision=precision, device=task.device, threads=task.threads)
    if identity_of(embedder) != made:
        raise ShardError(f"The weights of {made['model']} are others on one computer than where the run was begun.")
    return embedder


def identity_of(embedder: Embedder) -> dict[str, Any]:
    """All that an embedding depends on beside the picture."""
    return identity(embedder.backbone.name, embedder.weights_sha256, embedder.precision)


def identity(model: str, weights_sha256: str, precision: str) -> dict[str, Any]:
    """The same, of an embedder that is yet to be loaded; it is never one in int8, which each gallery has of its own."""
    backbone = get_backbone(model)
    facts = backbone.preprocessing.facts()
    return Manifest(model, weights_sha256, facts, precision, backbone.dim, "").identity


def embed_chunk(
    chunk: Chunk, embedder: Embedder, task: Task, *, advance: Callable[[int], object] | None = None
) -> Done:
    """Embed a chunk and write its shard.

    Reading and decoding go on in threads of this very process, beside the network: pixels that came from another one
    would be copied twice, and are fifty times as many bytes as the file that they are decoded from.

    Args:
        advance: told how many more pictures are dealt with.

    Raises:
        SourceError: the chunk's list cannot be read. ShardError: the shard cannot be written.
    """
    started = time.time()
    source = chunk.open()
    if task.threads:
        source.readers = _readers(source, task.threads)
    rows = []
    for row in _rows(source, embed_source(source, embedder, thumbnails=task.origin.thumbnails)):
        rows.append(row)
        if advance:
            advance(1)
    write_shard(task.folder / name_of(chunk), rows, task.origin)
    skipped = [Skipped(row.whereabouts or "", row.error, source.name) for row in rows if row.error is not None]
    return Done(name_of(chunk), Counts(len(rows), len(rows) - len(skipped)), skipped, started, time.time())


def _readers(source: Source, threads: int) -> int:
    """Files take a core each to decode; what is downloaded takes none while it is waited for."""
    waits = any(is_remote(item.path) for item in source.items)
    return source.readers if waits else min(source.readers, threads)


def _rows(source: Source, results: Iterator[Result]) -> Iterator[Row]:
    """A row for each result, in order; a file with the content of an earlier one has its vector."""
    first: dict[str, Embedded] = {}
    for item, result in zip(source.items, results, strict=True):
        if isinstance(result, Skipped):
            yield Row(item, error=result.reason, whereabouts=result.path)
            continue
        if isinstance(result, Recognised):
            known = first[result.item.sha256]
            same = replace(result.item, width=known.item.width, height=known.item.height)
            result = Embedded(same, known.vector, known.thumbnail)
        else:
            first[result.item.sha256] = result
        yield Row(result.item, result.vector, result.thumbnail)
