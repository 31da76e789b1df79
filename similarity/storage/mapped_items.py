"""The items of a large gallery: their lines are checked and composed once, and then mapped into memory.

Beside the lines, as an Arrow file without compression, lie their rows and what finds a line by its id or its content.
Opening them reads next to nothing, and they take no memory of the process: what is read stays in the system's disk
cache. They are made of items.parquet when it is first opened, see `prepared.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from similarity.paths import ITEMS
from similarity.storage.item_table import (
    CHUNK,
    LINE_NAMES,
    LINES,
    OLDER_SCHEMA,
    SCHEMA,
    check_values,
    composed,
    with_exif,
)
from similarity.storage.items import Items, read_items
from similarity.storage.lines import Grouping, Lines, Numbers
from similarity.storage.lookup import Keys, Lookup, key_of_content, key_of_text, keys_of_texts, words_of_contents
from similarity.storage.manifest import Manifest
from similarity.storage.mapped_arrays import map_array
from similarity.storage.parquet import read_groups
from similarity.storage.prepared import Prepared

# Pictures from which a gallery is mapped: a smaller one is read in a second, and takes less than 200 MB.
LARGE = 200_000
# Minimum lines of each batch but the last: when they are opened, the system reads up to 2 MB of each from the disk.
BATCH = 32 * CHUNK
# Room for lines and columns, for each byte of items.parquet, which is compressed; made-up items took 2.8 and 0.7.
LINES_SIZE, COLUMNS_SIZE = 4, 2
COMPOSED = ("id", "label", "metadata")
ARROW = "lines.arrow"
ROW_OF_LINE, ORDER, STARTS = "row_of_line.npy", "order.npy", "starts.npy"
# Column -> the files of its lookup, and the function that gives keys.
LOOKUPS = {
    "id": ("id_keys.npy", "id_lines.npy", key_of_text),
    "sha256": ("content_keys.npy", "content_lines.npy", key_of_content),
}


def open_items(folder: Path, manifest: Manifest) -> Items:
    """Open the items of a generation, whose files have been checked; raises as `read_items`."""
    path = folder / ITEMS
    if manifest.count < LARGE:
        return read_items(path)
    directory, key, size = folder.parents[1], manifest.files[ITEMS]["sha256"], manifest.files[ITEMS]["size"]
    prepared = Prepared(directory, "lines", key, LINES_SIZE * size)
    lines = prepared.read_or_make(lambda made: write_lines(path, made), read_lines)
    if lines is None:
        return read_items(path)
    return Items.of(lines, Prepared(directory, "columns", key, COLUMNS_SIZE * size))


def write_lines(path: Path, folder: Path) -> None:
    """Check and compose the lines of a file, and write them and what finds them, in the memory of some numbers a line.

    Raises:
        OSError, ValueError, LookupError: the file is damaged, or cannot be read or written.
    """
    try:
        ids, contents = _write_batches(path, folder / ARROW, composes_ids=True)
    except _SameIdsError:
        ids, contents = _write_batches(path, folder / ARROW, composes_ids=False)
    _write_lookup(folder, "id", ids, np.argsort(ids, kind="stable"))
    lines = Lines(_map_batches(folder / ARROW), Grouping.of(np.zeros(len(ids), np.int64)))
    order, is_new = _by_content(contents, lines)
    _write_lookup(folder, "sha256", contents, order)
    grouping = Grouping.of(_numbered(order, is_new))
    np.save(folder / ROW_OF_LINE, grouping.row_of_line)
    np.save(folder / ORDER, grouping.order)
    np.save(folder / STARTS, grouping.starts)
    pa.default_memory_pool().release_unused()


def read_lines(folder: Path) -> Lines:
    """Map the lines that `write_lines` wrote; raises OSError or ValueError if they are not there."""
    batches = _map_batches(folder / ARROW)
    grouping = Grouping(*(map_array(folder / name) for name in (ROW_OF_LINE, ORDER, STARTS)))
    lookups = {
        column: Lookup(map_array(folder / keys), map_array(folder / lines), key_of)
        for column, (keys, lines, key_of) in LOOKUPS.items()
    }
    return Lines(batches, grouping, lookups)


class _SameIdsError(Exception):
    """Raised if ids would become the same by being composed."""


def _write_batches(path: Path, target: Path, *, composes_ids: bool) -> tuple[Keys, Keys]:
    """Write the lines; returns the keys of their ids and of their contents, uint64 (lines,)."""
    keys: dict[str, list[Keys]] = {"id": [], "id as it was": [], "sha256": []}
    with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, LINES) as writer:
        for table in _tables(path):
            lines = table
            for name in COMPOSED if composes_ids else COMPOSED[1:]:
                field = LINES.get_field_index(name)
                lines = lines.set_column(field, LINES.field(field), composed(lines.column(field)))
            keys["id"].append(keys_of_texts(lines.column("id").to_pylist()))
            is_same = lines.column("id").equals(table.column("id"))
            keys["id as it was"].append(keys["id"][-1] if is_same else keys_of_texts(table.column("id").to_pylist()))
            keys["sha256"].append(words_of_contents(lines.column("sha256").to_pylist())[:, 0])
            writer.write_table(lines.combine_chunks(), max_chunksize=len(lines))
    if any(new is not old for new, old in zip(keys["id"], keys["id as it was"], strict=True)):
        new, old = (len(np.unique(np.concatenate(keys[name]))) for name in ("id", "id as it was"))
        if new != old:
            raise _SameIdsError
    return np.concatenate(keys["id"]), np.concatenate(keys["sha256"])


def _tables(path: Path) -> Iterator[pa.Table]:
    """Yield the lines of a file as tables of at least BATCH lines, but for the last."""
    waiting: list[pa.Table] = []
    for group in read_groups(path, SCHEMA, CHUNK, older=OLDER_SCHEMA):
        check_values(group, path.name)
        waiting.append(with_exif(group).select(LINE_NAMES))
        if sum(map(len, waiting)) >= BATCH:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _by_content(keys: Keys, lines: Lines) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Sort lines by their contents, those of the same in order.

    Args:
        keys: the first number of each content; only lines of which that is the same are read.

    Returns:
        The lines, int64, and for each of them whether its content is another one than that of the line before.
    """
    order = np.argsort(keys, kind="stable")
    is_new = np.concatenate([[True], np.diff(keys[order]) != 0])
    tied = np.flatnonzero(~is_new | np.concatenate([~is_new[1:], [False]]))
    if len(tied):
        words = np.concatenate([_words(lines, order[tied[at : at + BATCH]]) for at in range(0, len(tied), BATCH)])
        sort = np.lexsort(words.T[::-1])  # which is stable
        order[tied], words = order[tied][sort], words[sort]
        is_new[tied[1:]] = (words[1:] != words[:-1]).any(axis=1)
    return order, is_new


def _words(lines: Lines, some: Numbers) -> Keys:
    return words_of_contents(lines.take(some, ["sha256"]).column(0).to_pylist())


def _numbered(order: Numbers, is_new: npt.NDArray[np.bool_]) -> Numbers:
    """Number contents by first appearance: the row of each line."""
    firsts = order[is_new]
    row_of_content = np.empty(len(firsts), np.int64)
    row_of_content[np.argsort(firsts)] = np.arange(len(firsts))
    row_of_line = np.empty(len(order), np.int64)
    row_of_line[order] = np.repeat(row_of_content, np.diff(np.append(np.flatnonzero(is_new), len(order))))
    return row_of_line


def _write_lookup(folder: Path, column: str, keys: Keys, order: Numbers) -> None:
    key_file, line_file, _ = LOOKUPS[column]
    np.save(folder / key_file, keys[order])
    np.save(folder / line_file, order)


def _map_batches(path: Path) -> list[pa.RecordBatch]:
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    return [reader.get_batch(number) for number in range(reader.num_record_batches)]
