"""A shard: a Parquet file with a row for each picture of a chunk, including those that could not be used.

Its footer names the model, and each page has a checksum, so that damage anywhere is detected.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from similarity.errors import ShardError
from similarity.files import write_atomically
from similarity.shards.metadata import FORMAT, Counts, Origin, describe_model
from similarity.sources import Item, Skipped
from similarity.vectors.arrays import Vectors

# Key of the shard's facts in the footer.
KEY = b"similarity"
# Rows that are read at a time.
BLOCK = 1024
# Largest deviation of a vector's length from 1.
TOLERANCE = 1e-3
ITEM = ("id", "path", "label", "width", "height", "size", "mtime", "sha256", "metadata", "exif")
OBJECTS = ("metadata", "exif")  # as JSON; shards of older versions lack the second


@dataclass(frozen=True, slots=True)
class Row:
    """One picture of a shard.

    Attributes:
        item: the item, with width, height, size, mtime and sha256 if it could be used.
        vector: float32 (dim,), of unit length; None if it could not.
        thumbnail: a small JPEG, or nothing.
        error: why it could not be used, if so.
        whereabouts: location of an item that could not be used, for people.
    """

    item: Item
    vector: Vectors | None = None
    thumbnail: bytes = b""
    error: str | None = None
    whereabouts: str | None = None


def write_shard(path: Path, rows: Sequence[Row], origin: Origin) -> None:
    """Write a shard; it appears whole or not at all, and is flushed to the disk.

    Raises:
        ShardError: it cannot be written.
    """
    try:
        write_atomically(path, lambda file: _write(file, rows, origin), durable=True)
    except OSError as error:
        raise ShardError(f"{path} cannot be written ({error.strerror or error}).") from error


def check_shard(path: Path, origin: Origin) -> Counts:
    """Check that a shard is whole and of the same origin; reads its footer only.

    Raises:
        ShardError: it is missing, cut short, damaged, not a shard, or of another model.
    """
    with _open(path) as file:
        facts = json.loads((file.schema_arrow.metadata or {})[KEY])
        counts = Counts(file.metadata.num_rows, facts["pictures"])
        if facts["format"] != FORMAT:
            raise ShardError(f"{path} was made by another version of this program: embed again.")
        if facts["identity"] != origin.identity or facts["dim"] != origin.dim:
            raise ShardError(
                f"{path} has embeddings of another model than its folder ({describe_model(facts['identity'])}, and not "
                f"{describe_model(origin.identity)}): delete it and embed again."
            )
        if facts["rows"] != counts.rows:
            raise ValueError("the number of rows has changed")
    return counts


def read_rows(path: Path) -> Iterator[Row]:
    """Read the rows of a shard, without vectors and thumbnails.

    Raises:
        ShardError: it is missing or damaged.
    """
    for batch in _read(path, [*ITEM, "error", "whereabouts"]):
        for line in batch.to_pylist():
            error, whereabouts = line.pop("error"), line.pop("whereabouts")
            facts = {name: json.loads(line[name]) for name in OBJECTS if name in line}
            yield Row(Item(**line | facts), None, b"", error, whereabouts)


def read_skipped(path: Path, source: str) -> list[Skipped]:
    """Read the pictures of a shard that could not be used.

    Args:
        source: the name of the list.

    Raises:
        ShardError: it is missing or damaged.
    """
    lines = (line for batch in _read(path, ["error", "whereabouts"]) for line in batch.to_pylist())
    return [Skipped(line["whereabouts"], line["error"], source) for line in lines if line["error"] is not None]


def read_vectors(path: Path, dim: int) -> Iterator[Vectors]:
    """Read the vectors of a shard in order, float32 (up to BLOCK, dim) at a time; a missing one is a row of NaN.

    Raises:
        ShardError: it is missing or damaged, or has vectors that are not of unit length.
    """
    for batch in _read(path, ["vector"]):
        column = batch.column(0)
        block = np.full((len(batch), dim), np.nan, np.float32)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        # `flatten` leaves out null values.
        block[there] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
        if not np.all(np.abs(np.linalg.norm(block[there], axis=1) - 1) < TOLERANCE):  # nor NaN
            raise _damaged_error(path)
        yield block


def read_thumbnails(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read the thumbnails of a shard, each with the SHA-256 of its picture.

    Raises:
        ShardError: it is missing or damaged.
    """
    for batch in _read(path, ["sha256", "thumbnail"]):
        for line in batch.to_pylist():
            if line["thumbnail"]:
                yield line["sha256"], line["thumbnail"]


def _schema(origin: Origin, counts: Counts) -> pa.Schema:
    facts = {"format": FORMAT, "identity": origin.identity, "dim": origin.dim}
    facts |= {"rows": counts.rows, "pictures": counts.pictures}
    fields = [
        ("id", pa.string()),
        ("path", pa.string()),
        ("label", pa.string()),
        ("vector", pa.list_(pa.float32(), origin.dim)),
        ("error", pa.string()),
        ("whereabouts", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("size", pa.int64()),
        ("mtime", pa.float64()),
        ("sha256", pa.string()),
        *((name, pa.string()) for name in OBJECTS),
    ]
    if origin.thumbnails:
        fields.append(("thumbnail", pa.binary()))
    return pa.schema(fields, {KEY: json.dumps(facts).encode()})


def _write(file: BinaryIO, rows: Sequence[Row], origin: Origin) -> None:
    schema = _schema(origin, Counts(len(rows), sum(row.vector is not None for row in rows)))
    items = [row.item for row in rows]
    columns: dict[str, Any] = {name: [getattr(item, name) for item in items] for name in ITEM}
    columns |= {name: [json.dumps(dict(facts), ensure_ascii=False) for facts in columns[name]] for name in OBJECTS}
    columns["error"] = [row.error for row in rows]
    columns["whereabouts"] = [row.whereabouts for row in rows]
    columns["thumbnail"] = [row.thumbnail or None for row in rows]
    arrays = [
        _as_lists(rows, origin.dim) if field.name == "vector" else pa.array(columns[field.name], field.type)
        for field in schema
    ]
    # Vectors and JPEGs cannot be compressed further.
    packed = {field.name: "none" if field.name in ("vector", "thumbnail") else "zstd" for field in schema}
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        file,
        compression={"vector.list.element" if name == "vector" else name: how for name, how in packed.items()},
        use_dictionary=["label"],
        write_page_checksum=True,
    )


def _as_lists(rows: Sequence[Row], dim: int) -> pa.Array:
    values = np.zeros((len(rows), dim), np.float32)
    for number, row in enumerate(rows):
        if row.vector is not None:
            values[number] = row.vector
    missing = pa.array([row.vector is None for row in rows], pa.bool_())
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), dim, mask=missing)


@contextmanager
def _open(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a shard; errors of reading it within become ShardError."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except FileNotFoundError as error:
        raise ShardError(f"{path} is missing: run the same `embed` again, which makes it again.") from error
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise _damaged_error(path) from error


def _read(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with _open(path) as file:
        there = [name for name in names if name in file.schema_arrow.names]
        yield from file.iter_batches(BLOCK, columns=there)


def _damaged_error(path: Path) -> ShardError:
    return ShardError(f"{path} is damaged or cut short: run the same `embed` again, which makes it again.")


def remove(path: Path) -> None:
    """Take away a file of a folder of shards, if it can be."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
