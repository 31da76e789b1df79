"""A folder of shards: whose it is, which chunks are done, and whether all of them are."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import filelock

from similarity.errors import ShardError
from similarity.files import UNFINISHED_SUFFIX, write_atomically
from similarity.shards.chunks import Chunk
from similarity.shards.metadata import FORMAT, Counts, Origin, described
from similarity.shards.shard_file import check_shard, remove
from similarity.sources import Skipped

FACTS, LOCK = "embeddings.json", ".lock"
AGAIN = "run the same `embed` again, which goes on where it stopped"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What `embeddings.json` says.

    Attributes:
        origin: of all shards.
        skipped: what was wrong with the list itself.
        shards: all of them, in the order of the list, by name; None as long as they are not all there.
    """

    origin: Origin
    skipped: list[Skipped] = field(default_factory=list)
    shards: dict[str, Counts] | None = None


def name_of(chunk: Chunk) -> str:
    """What the shard of a chunk is called."""
    return f"shard-{chunk.number:06d}-{chunk.digest}.parquet"


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Make a folder of shards, and hold it as the only one that writes it.

    Raises:
        ShardError: somebody else writes it, it cannot be written, or is a folder of something else.
    """
    try:
        if folder.exists() and not _is_ours(folder):
            raise ShardError(f"{folder} holds other files: choose a new or empty folder for the embeddings.")
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise ShardError(f"Another process is embedding into {folder}: wait for it, or stop it.") from None
    except OSError as error:
        raise ShardError(f"{folder} cannot be written ({error.strerror or error}).") from error
    try:
        yield
    finally:
        lock.release()


def begin(folder: Path, origin: Origin) -> None:
    """Note what a folder is to hold, and that it is not complete.

    Raises:
        ShardError: it holds embeddings of another model or another list.
    """
    if (folder / FACTS).exists():
        made = read_shelf(folder).origin
        if made.identity != origin.identity:
            raise ShardError(
                f"{folder} holds embeddings of another model ({described(made.identity)}, and not "
                f"{described(origin.identity)}): choose another folder, or delete that one."
            )
        if made.source != origin.source:
            raise ShardError(
                f"{folder} holds embeddings of {made.source}, and not of {origin.source}: choose another folder, or "
                f"delete that one."
            )
    write_shelf(folder, Shelf(origin))


def finished(folder: Path, chunks: Iterable[Chunk], origin: Origin) -> dict[str, Counts]:
    """The chunks whose shards are there and sound, by name; what is damaged is taken away."""
    there = {path.name for path in folder.glob("shard-*.parquet")}
    done: dict[str, Counts] = {}
    for chunk in chunks:
        if (name := name_of(chunk)) not in there:
            continue
        try:
            done[name] = check_shard(folder / name, origin)
        except ShardError:
            remove(folder / name)
    return done


def complete(folder: Path, shelf: Shelf) -> None:
    """Note that all shards are there, and take away those that belong to what the list was before."""
    write_shelf(folder, shelf)
    wanted = shelf.shards or {}
    for path in [*folder.glob("shard-*.parquet"), *folder.glob("shard-*.parquet.new"), *folder.glob(".*.new")]:
        if path.name not in wanted:
            remove(path)


def read_shelf(folder: Path) -> Shelf:
    """What a folder holds.

    Raises:
        ShardError: it holds no embeddings, or what it says of them cannot be read.
    """
    path = folder / FACTS
    if not path.is_file():
        raise ShardError(f"{folder} holds no embeddings: make some with `embed SOURCE --out {folder}`.")
    try:
        told = json.loads(path.read_bytes())
        if told["format"] != FORMAT:
            raise ShardError(f"{path} was written by another version of this program: embed again.")
        shards = told["shards"]
        if shards is not None:
            shards = {one["file"]: Counts(one["rows"], one["pictures"]) for one in shards}
            if any("/" in name or name.startswith(".") for name in shards):
                raise ValueError("a shard in another folder")
        return Shelf(Origin(**told["origin"]), [Skipped(**one) for one in told["skipped"]], shards)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ShardError(f"{path} is damaged: {AGAIN}.") from error


def sound_shards(folder: Path) -> tuple[Shelf, dict[Path, Counts]]:
    """What a complete folder holds, with its shards in order, each of which is there and of the same model.

    Raises:
        ShardError: it is not complete, or one is missing, cut short, or not the one that was written.
    """
    shelf = read_shelf(folder)
    if shelf.shards is None:
        raise ShardError(f"The embeddings in {folder} are not complete: {AGAIN}.")
    for name, counts in shelf.shards.items():
        if check_shard(folder / name, shelf.origin) != counts:
            raise ShardError(f"{folder / name} is not the shard that was written: {AGAIN}.")
    return shelf, {folder / name: counts for name, counts in shelf.shards.items()}


def write_shelf(folder: Path, shelf: Shelf) -> None:
    """Write `embeddings.json`, whole or not at all.

    Raises:
        ShardError: it cannot be written.
    """
    shards = None if shelf.shards is None else [{"file": name} | asdict(one) for name, one in shelf.shards.items()]
    told: dict[str, Any] = {"format": FORMAT, "complete": shards is not None, "origin": asdict(shelf.origin)}
    told |= {"skipped": [asdict(one) for one in shelf.skipped], "shards": shards}
    try:
        write_atomically(folder / FACTS, json.dumps(told, indent=2, ensure_ascii=False) + "\n", durable=True)
    except OSError as error:
        raise ShardError(f"{folder / FACTS} cannot be written ({error.strerror or error}).") from error


def _is_ours(folder: Path) -> bool:
    """Whether a folder has embeddings, or is empty but for some that were begun."""
    return (folder / FACTS).exists() or (folder.is_dir() and not _others(list(folder.iterdir())))


def _others(entries: Sequence[Path]) -> bool:
    own = (LOCK, f"{FACTS}{UNFINISHED_SUFFIX}", f".{FACTS}{UNFINISHED_SUFFIX}")  # the last as earlier versions named it
    return any(entry.name not in own for entry in entries)
