"""Vectors in a FAISS index that stores them whole, beside a list of their pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from similarity.errors import SourceError
from similarity.files import read_json
from similarity.search.faiss.flat import FlatIndex
from similarity.shards.vector_files.lists import list_rows
from similarity.shards.vector_files.vector_file import MOST_NUMBERS, Texts, VectorFile, rows_at_once

INDEX, METADATA = "index.faiss", "metadata.json"
MOST_BYTES = 1 << 32  # of DeepImageSearch's metadata


def open_faiss(path: Path, items: Path) -> VectorFile:
    """Open a FAISS file with a list of its pictures; raises SourceError."""
    index = _open(path)
    return _vector_file(str(path), items.parent, index, lambda: list_rows(items))


def is_deep_image_search(folder: Path) -> bool:
    """Whether a folder is laid out as DeepImageSearch 3 writes its index."""
    return (folder / INDEX).is_file() and (folder / METADATA).is_file()


def open_deep_image_search(folder: Path) -> VectorFile:
    """Open the folder that DeepImageSearch 3 writes: index.faiss, and metadata.json with `ids` and `metadata`.

    Raises:
        SourceError: a file is damaged, or the index is not of its type `flat`.
    """
    index, path = _open(folder / INDEX), folder / METADATA
    try:
        read = read_json(path.resolve(), MOST_BYTES)
        ids, metadata = read["ids"], read["metadata"]
        rows = [_row(own, facts) for own, facts in zip(ids, metadata, strict=True)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise SourceError(f"{path} is damaged, or not of DeepImageSearch 3: save the index there again.") from error
    return _vector_file(str(folder), Path.cwd(), index, lambda: iter(rows))


def _row(own: Any, facts: Any) -> Texts:
    """Return an entry as a row of a list; paths are relative to where its program ran, and ours are likewise."""
    texts = {str(name).lower(): str(value) for name, value in facts.items() if isinstance(value, str | int | float)}
    place = texts.pop("image_path", "")
    for name in ("image_id", "image_index"):
        texts.pop(name, None)
    return texts | {"id": str(own), "path": place}


def _open(path: Path) -> FlatIndex:
    try:
        index = FlatIndex.load_any(path.resolve())
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{path} is damaged, or not a FAISS index that stores vectors whole: write it from an IndexFlatIP "
            "(DeepImageSearch: index_type='flat'), or write its vectors with numpy.save."
        ) from error
    if not 0 < index.dim <= MOST_NUMBERS or not len(index):
        raise SourceError(f"{path} has no vectors: write it again.")
    return index


def _vector_file(name: str, folder: Path, index: FlatIndex, rows: Any) -> VectorFile:
    def blocks() -> Iterator[Any]:
        return index.blocks(rows_at_once(index.dim))

    return VectorFile(name, folder, index.dim, len(index), blocks, rows)
