"""Vectors in NumPy files, one or several, beside lists of their pictures."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import SourceError
from similarity.shards.vector_files.lists import list_rows
from similarity.shards.vector_files.vector_file import MOST_NUMBERS, Floats, Texts, VectorFile, rows_at_once
from similarity.vectors.npy_files import map_array

IMAGES, METADATA = "img_emb", "metadata"


def open_npy(path: Path, items: Path) -> VectorFile:
    """Open a NumPy file with a list of its pictures; raises SourceError."""
    array = _map_rows(path)
    count, dim = array.shape
    return VectorFile(str(path), items.parent, dim, count, lambda: _blocks([path], dim), lambda: list_rows(items))


def is_clip_retrieval(folder: Path) -> bool:
    """Whether a folder is laid out as clip-retrieval writes embeddings of pictures."""
    return (folder / IMAGES).is_dir() and (folder / METADATA).is_dir()


def open_clip_retrieval(folder: Path) -> VectorFile:
    """Open the folder that `clip-retrieval inference` writes.

        img_emb/img_emb_0.npy          vectors of pictures, often float16
        metadata/metadata_0.parquet    image_path, caption, url ..., in the same order

    Raises:
        SourceError: a file is missing or damaged, or vectors have several lengths.
    """
    arrays = sorted((folder / IMAGES).glob("*.npy"))
    lists = [folder / METADATA / f"{path.stem.replace(IMAGES, METADATA)}.parquet" for path in arrays]
    if missing := next((path for path in lists if not path.is_file()), None):
        raise SourceError(f"{missing} is missing: its vectors have no pictures without it.")
    if not arrays:
        raise SourceError(f"{folder / IMAGES} has no vectors: run `clip-retrieval inference` again.")
    shapes = [_map_rows(path).shape for path in arrays]
    dim = shapes[0][1]
    if any(shape[1] != dim for shape in shapes):
        raise SourceError(f"{folder / IMAGES} has vectors of several lengths: index those of one model at a time.")

    def rows() -> Iterator[Texts]:
        return map(_with_place, chain.from_iterable(map(list_rows, lists)))

    count = sum(shape[0] for shape in shapes)
    # Paths are relative to where its program ran, and ours are likewise.
    return VectorFile(str(folder), Path.cwd(), dim, count, lambda: _blocks(arrays, dim), rows)


def _with_place(row: Texts) -> Texts:
    """Return a row of clip-retrieval as one of a list; where there is an address, its `image_path` is a mere key."""
    others = {name: value for name, value in row.items() if name != "image_path"}
    key = row.get("image_path", "")
    return others | ({"id": key} if row.get("url") else {"path": key})


def _map_rows(path: Path) -> np.ndarray[tuple[int, int], np.dtype[Any]]:
    array = map_array(path)
    if array.ndim != 2 or array.shape[1] > MOST_NUMBERS:
        raise SourceError(f"{path} has an array of the shape {array.shape}: a row for each picture is needed.")
    return array


def _blocks(paths: Sequence[Path], dim: int) -> Iterator[Floats]:
    for path in paths:
        array, step = _map_rows(path), rows_at_once(dim)
        if array.shape[1] != dim:
            raise SourceError(f"{path} was changed while it was read: index it again.")
        for start in range(0, len(array), step):
            yield np.asarray(array[start : start + step])
