"""Searching the parts of a gallery's pictures: a picture counts as much as it does whole, or as its best part does.

A thing that is one of several in a picture hardly shows in the picture's embedding, but in that of a region it does.
Parts are compared one by one. Before they are first searched, they are refined as a query is, see
`storage/part_files.py`.
"""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from similarity.embedding.backbones import get_backbone
from similarity.embedding.regions import REGIONS
from similarity.embedding.views import seen_box
from similarity.errors import SearchError
from similarity.images.picture import Box
from similarity.paths import CENTRE, EMBEDDINGS, HEAD, NEIGHBOURS, PARTS
from similarity.progress import OnProgress, Reporter
from similarity.search import Accuracy, Rows, Selection
from similarity.search.contract import candidate_count, validate_queries
from similarity.sources import Item
from similarity.storage.generations import Generation
from similarity.storage.part_files import check_can_be_searched, read_or_write_refined_parts
from similarity.vectors.arrays import Vectors
from similarity.vectors.mapped import MappedRows
from similarity.vectors.memmap import write_vectors

REFINED_BY = (PARTS, EMBEDDINGS, HEAD, CENTRE, NEIGHBOURS)
# Pictures whose parts are in memory at once: 8 MB.
BLOCK = 128
# A part in half precision is not better than the whole picture by less.
SLIGHT = 1e-3


class PartSearch:
    """Searches one generation by its pictures and by their parts. Safe to share between threads."""

    def __init__(self, directory: Path, generation: Generation) -> None:
        """Search a generation of the gallery in a folder; nothing is read yet.

        Raises:
            SearchError: it has no parts, or they cannot be searched.
        """
        check_has_parts(directory.name, generation)
        self._directory, self._generation = directory, generation
        self._lock = threading.Lock()
        self._rows: MappedRows | None = None

    def search(
        self, queries: Vectors, k: int, *, among: Selection | None = None, accuracy: Accuracy = "balanced"
    ) -> tuple[Vectors, Rows]:
        """Find the k pictures with the highest score, whole or in a part; see `VectorIndex.search`.

        Args:
            queries: one alone, float32 (1, dim).
        """
        generation, query = self._generation, validate_queries(queries, k, self._generation.vectors.dim)[0]
        count = candidate_count(among, len(generation.items))
        scores = np.full(len(generation.items), -np.inf, np.float32)
        whole = generation.index.search(queries, max(1, count), among=among, accuracy=accuracy)
        is_found = whole[1][0] >= 0
        scores[whole[1][0][is_found]] = whole[0][0][is_found]
        chosen = np.arange(len(scores)) if among is None else among.rows
        for rows, parts in self._blocks(chosen):
            scores[rows] = np.maximum(scores[rows], (parts @ query).max(axis=1))
        best = chosen[np.argsort(-scores[chosen], kind="stable")[:k]]
        return scores[best][np.newaxis], best[np.newaxis]

    def find_parts(self, query: Vectors, rows: Rows) -> list[Box | None]:
        """Find for each of some pictures the part that is more similar to a query than the whole; None if none is."""
        if not len(rows):
            return []
        scores = np.concatenate([parts @ np.asarray(query, np.float32) for _, parts in self._blocks(rows)])
        is_part = scores.max(axis=1) > self._generation.vectors[rows] @ query + SLIGHT
        places = zip(self._generation.items.at(rows), scores.argmax(axis=1).tolist(), is_part, strict=True)
        return [self._place(item, REGIONS[number]) if better else None for item, number, better in places]

    def _place(self, item: Item, region: Box) -> Box:
        """Return the part of a picture that a region of its map is."""
        manifest = self._generation.manifest
        how = get_backbone(manifest.model).preprocessing
        seen = seen_box((max(1, item.width), max(1, item.height)), how, manifest.view)
        width, height = seen.right - seen.left, seen.bottom - seen.top
        return Box(
            seen.left + region.left * width,
            seen.top + region.top * height,
            seen.left + region.right * width,
            seen.top + region.bottom * height,
        )

    def _blocks(self, rows: Rows) -> Iterator[tuple[Rows, Vectors]]:
        """Yield rows with their refined parts, float32 (few, regions, dim)."""
        refined = self._refined()
        for start in range(0, len(rows), BLOCK):
            few = rows[start : start + BLOCK]
            in_file = slice(int(few[0]), int(few[0]) + len(few))
            are_beside = np.array_equal(few, np.arange(in_file.start, in_file.stop))
            read = refined[in_file] if are_beside else refined.gather(few)  # a slice is not copied twice
            yield few, read.reshape(len(few), len(REGIONS), -1)

    def prepare(self, progress: OnProgress | None = None) -> None:
        """Refine the parts of all pictures, unless that was done."""
        self._refined(progress)

    def _refined(self, progress: OnProgress | None = None) -> MappedRows:
        """Return the refined parts, prepared first if they were not."""
        with self._lock:
            if self._rows is None:
                generation = self._generation
                shape = (len(generation.items), len(REGIONS) * generation.vectors.dim)
                write = partial(self._write, progress)
                self._rows = read_or_write_refined_parts(self._directory, _key(generation), shape, write)
            return self._rows

    def _write(self, progress: OnProgress | None, path: Path) -> None:
        """Write the parts of all pictures as they are compared."""
        generation = self._generation
        if generation.parts is None:
            raise SearchError("There are no parts to prepare.")
        shape = (len(generation.items), len(REGIONS) * generation.vectors.dim)
        report = Reporter(shape[0], progress, task="Preparing parts of pictures")
        write_vectors(
            path, shape, (self._refine(block, report) for _, block in generation.parts.blocks(BLOCK)), "float16"
        )

    def _refine(self, stored: Vectors, report: Reporter) -> Vectors:
        """Refine parts as queries are, float32 (few, regions * dim)."""
        head, parts = self._generation.head, stored.reshape(len(stored) * len(REGIONS), -1)
        projected = parts if head is None else head.project(parts)
        refined = self._generation.vectors.refine(projected).reshape(len(stored), -1)
        report.advance(len(stored))
        return refined


def _key(generation: Generation) -> str:
    """Return what refined parts depend on: those of a gallery of which only labels or paths changed are the same."""
    manifest = generation.manifest
    files = {name: manifest.files[name]["sha256"] for name in REFINED_BY if name in manifest.files}
    return f"{manifest.refinement} {manifest.neighbour_power} {sorted(files.items())}"


def check_has_parts(name: str, generation: Generation) -> None:
    """Raise SearchError unless the parts of a gallery's pictures can be searched."""
    if generation.parts is None:
        raise SearchError(
            f"The pictures of {name} were indexed without their parts: index them again with "
            f"`python -m similarity index PICTURES --gallery {name} --parts`."
        )
    check_can_be_searched(len(generation.items), generation.manifest.store)
