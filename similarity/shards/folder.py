"""A folder of shards: its origin, its finished chunks, and whether it is complete."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import filelock

from similarity.errors import ShardError
from similarity.files import UNFINISHED_SUFFIX, WRITER_SUFFIX, write_atomically
from similarity.shards.attempts import SUFFIX as ATTEMPTS_SUFFIX
from similarity.shards.chunks import Chunk
from similarity.shards.metadata import FORMAT, Counts, Origin, describe_model
from similarity.shards.shard_file import check_shard, remove
from similarity.sources import Skipped

FACTS, LOCK = "embeddings.json", ".lock"
AGAIN = "run the same `embed` again, which resumes"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The contents of `embeddings.json`.

    Attributes:
        origin: the origin of all shards.
        skipped: lines of the list that cannot be used.
        shards: all shards, in the order of the list, by name; None until the folder is complete.
    """

    origin: Origin
    skipped: list[Skipped] = field(default_factory=list)
    shards: dict[str, Counts] | None = None


def name_of(chunk: Chunk) -> str:
    """The file name of a chunk's shard."""
    return f"shard-{chunk.number:06d}-{chunk.digest}.parquet"


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Make a folder of shards, and lock it for writing.

    Raises:
        ShardError: another process writes it, it cannot be written, or it has other contents.
    """
    try:
        if folder.exists() and not _is_ours(folder):
            raise ShardError(f"{folder} contains other files: choose a new or empty folder for the embeddings.")
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


def with_view_of(folder: Path, origin: Origin) -> Origin:
    """Return an origin with the view of the embeddings that a folder has already, if only that differs."""
    if not (folder / FACTS).exists():
        return origin
    existing = read_shelf(folder).origin.identity
    own, there = origin.identity["preprocessing"], existing["preprocessing"]
    is_alike = {**own, "view": ""} == {**there, "view": ""}
    same = replace(origin, identity=origin.identity | {"preprocessing": there})
    return same if is_alike and same.identity == existing else origin


def begin(folder: Path, origin: Origin) -> None:
    """Record the origin of a folder, not complete yet.

    Raises:
        ShardError: it contains embeddings of another model or another list.
    """
    if (folder / FACTS).exists():
        existing = read_shelf(folder).origin
        if existing.identity != origin.identity:
            raise ShardError(
                f"{folder} contains embeddings of another model ({describe_model(existing.identity)}, not "
                f"{describe_model(origin.identity)}): choose another folder, or delete that one."
            )
        if existing.source != origin.source:
            raise ShardError(
                f"{folder} contains embeddings of {existing.source}, not of {origin.source}: choose another folder, "
                "or delete that one."
            )
    write_shelf(folder, Shelf(origin))


def find_finished(folder: Path, chunks: Iterable[Chunk], origin: Origin) -> dict[str, Counts]:
    """The sound shards of chunks, by name; damaged ones are deleted."""
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
    """Record that all shards are there, and delete those of an earlier list, and what was begun."""
    write_shelf(folder, shelf)
    wanted = shelf.shards or {}
    for pattern in ("shard-*.parquet", f"shard-*.parquet{UNFINISHED_SUFFIX}", f"shard-*{ATTEMPTS_SUFFIX}", ".*.new"):
        for path in folder.glob(pattern):
            if path.name not in wanted:
                remove(path)


def read_shelf(folder: Path) -> Shelf:
    """Read `embeddings.json` of a folder.

    Raises:
        ShardError: the folder contains no embeddings, or the file cannot be read.
    """
    path = folder / FACTS
    if not path.is_file():
        raise ShardError(f"{folder} contains no embeddings: make some with `embed SOURCE --out {folder}`.")
    try:
        facts = json.loads(path.read_bytes())
        if facts["format"] != FORMAT:
            raise ShardError(f"{path} was written by another version of this program: embed again.")
        shards = facts["shards"]
        if shards is not None:
            shards = {entry["file"]: Counts(entry["rows"], entry["pictures"]) for entry in shards}
            if any("/" in name or name.startswith(".") for name in shards):
                raise ValueError("a shard in another folder")
        return Shelf(Origin(**facts["origin"]), [Skipped(**entry) for entry in facts["skipped"]], shards)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ShardError(f"{path} is damaged: {AGAIN}.") from error


def sound_shards(folder: Path) -> tuple[Shelf, dict[Path, Counts]]:
    """Read a complete folder and check its shards, in order: all must exist and be of the same model.

    Raises:
        ShardError: the folder is not complete, or a shard is missing, cut short, or has changed since it was written.
    """
    shelf = read_shelf(folder)
    if shelf.shards is None:
        raise ShardError(f"The embeddings in {folder} are not complete: {AGAIN}.")
    for name, counts in shelf.shards.items():
        if check_shard(folder / name, shelf.origin) != counts:
            raise ShardError(f"{folder / name} has changed since it was written: {AGAIN}.")
    return shelf, {folder / name: counts for name, counts in shelf.shards.items()}


def write_shelf(folder: Path, shelf: Shelf) -> None:
    """Write `embeddings.json`, whole or not at all.

    Raises:
        ShardError: it cannot be written.
    """
    shards = None if shelf.shards is None else [{"file": name} | asdict(entry) for name, entry in shelf.shards.items()]
    facts: dict[str, Any] = {"format": FORMAT, "complete": shards is not None, "origin": shelf.origin.to_json()}
    facts |= {"skipped": [asdict(entry) for entry in shelf.skipped], "shards": shards}
    try:
        write_atomically(folder / FACTS, json.dumps(facts, indent=2, ensure_ascii=False) + "\n", durable=True)
    except OSError as error:
        raise ShardError(f"{folder / FACTS} cannot be written ({error.strerror or error}).") from error


def _is_ours(folder: Path) -> bool:
    """Whether a folder has embeddings, or nothing but the lock and a file that was begun."""
    return (folder / FACTS).exists() or (folder.is_dir() and not _others(list(folder.iterdir())))


def _others(entries: Sequence[Path]) -> bool:
    # The last as earlier versions named it.
    own = (LOCK, f"{FACTS}{UNFINISHED_SUFFIX}", f"{FACTS}{WRITER_SUFFIX}", f".{FACTS}{UNFINISHED_SUFFIX}")
    return any(entry.name not in own for entry in entries)
