"""Indexes of other libraries that ours are compared with, made with their defaults; nothing else needs any."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similarity.search import Rows
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# Queries float32 (m, dim), k, and how much is searched, or None for a library's default -> rows, int64 (m, k).
FindMore = Callable[[Vectors, int, int | None], Rows]


@dataclass(frozen=True, slots=True)
class Library:
    """A library of graphs.

    Attributes:
        build: makes an index of all vectors, and saves it under a path, as a file or a folder.
        load: returns the search of a saved index; takes its path and the length of a vector.
    """

    build: Callable[[StoredVectors, Path], None]
    load: Callable[[Path, int], FindMore]


def installed() -> list[str]:
    """The names of the libraries that are installed here; each is the name of its module."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name)]


def _build_hnswlib(vectors: StoredVectors, path: Path) -> None:
    import hnswlib

    index: Any = hnswlib.Index("ip", vectors.dim)
    index.init_index(len(vectors))
    for start, block in vectors.blocks():
        index.add_items(block, np.arange(start, start + len(block)))
    index.save_index(str(path))


def _load_hnswlib(path: Path, dim: int) -> FindMore:
    import hnswlib

    index: Any = hnswlib.Index("ip", dim)
    index.load_index(str(path))

    def find(queries: Vectors, k: int, effort: int | None) -> Rows:
        if effort or k > index.ef:
            index.set_ef(max(effort or 0, k))
        return np.asarray(index.knn_query(queries, k)[0], np.int64)

    return find


def _build_usearch(vectors: StoredVectors, path: Path) -> None:
    from usearch.index import Index

    index: Any = Index(ndim=vectors.dim, metric="ip")
    for start, block in vectors.blocks():
        index.add(np.arange(start, start + len(block)), block)
    index.save(str(path))


def _load_usearch(path: Path, dim: int) -> FindMore:  # noqa: ARG001 - the file says it
    from usearch.index import Index

    index: Any = Index.restore(str(path))

    def find(queries: Vectors, k: int, effort: int | None) -> Rows:
        if effort:
            index.expansion_search = effort
        return np.asarray(index.search(queries, k).keys, np.int64).reshape(len(queries), k)

    return find


def _build_voyager(vectors: StoredVectors, path: Path) -> None:
    import voyager

    index: Any = voyager.Index(voyager.Space.InnerProduct, vectors.dim, max_elements=len(vectors))
    for start, block in vectors.blocks():
        index.add_items(block, list(range(start, start + len(block))))
    index.save(str(path))


def _load_voyager(path: Path, dim: int) -> FindMore:  # noqa: ARG001 - the file says it
    import voyager

    index: Any = voyager.Index.load(str(path))

    def find(queries: Vectors, k: int, effort: int | None) -> Rows:
        ef = max(effort, k) if effort else -1
        return np.asarray(index.query(queries, k, query_ef=ef)[0], np.int64)

    return find


def _build_svs(vectors: StoredVectors, path: Path) -> None:
    import svs

    from similarity.threads import cores

    index: Any = svs.Vamana.build(svs.VamanaBuildParameters(), vectors[:], svs.MIP, num_threads=cores())
    path.mkdir()
    index.save(*(str(path / part) for part in ("config", "graph", "data")))


def _load_svs(path: Path, dim: int) -> FindMore:
    import svs

    config, graph, data = (str(path / part) for part in ("config", "graph", "data"))
    loader: Any = svs.VectorDataLoader(data, svs.DataType.float32, dims=dim)
    index: Any = svs.Vamana(config, svs.GraphLoader(graph), loader, svs.MIP)

    def find(queries: Vectors, k: int, effort: int | None) -> Rows:
        if effort or k > index.search_window_size:
            index.search_window_size = max(effort or 0, k)
        return np.asarray(index.search(queries, k)[0], np.int64)

    return find


LIBRARIES = {
    "hnswlib": Library(_build_hnswlib, _load_hnswlib),
    "usearch": Library(_build_usearch, _load_usearch),
    "voyager": Library(_build_voyager, _load_voyager),
    "svs": Library(_build_svs, _load_svs),
}
