"""Known embeddings, which are used again: those of the live generation and of an interrupted run."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from similarity.embedding.regions import REGIONS
from similarity.search import Rows
from similarity.sources import Item
from similarity.storage.generations import Generation
from similarity.storage.journal import Journal
from similarity.vectors.arrays import Vectors, normalise

# Embeddings that are read at a time, and pictures with those of their regions.
BLOCK, FEW = 1024, 128


class Embeddings(Protocol):
    """A source of embeddings for the items of a new generation."""

    def origins(self, items: Sequence[Item]) -> Rows:
        """Return for each item its row in the live generation, or -1."""

    def vectors(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:
        """Yield the embeddings of items in order, in blocks of float32 (any, dim)."""

    def parts(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:
        """Yield those of their regions, if they have any, in blocks of float32 (any, regions * dim)."""


class Known:
    """Embeddings by the SHA-256 of the picture's file. Threads can look them up while more are added."""

    def __init__(self, generation: Generation | None, journal: Journal | None) -> None:
        """Combine both; embeddings that are added to the journal later are known from then on."""
        self._generation = generation
        self._journal = journal
        self._rows = {sha256: row for row, sha256 in enumerate(generation.items.contents())} if generation else {}

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self._rows or (self._journal is not None and sha256 in self._journal.finished)

    def is_resumed(self, sha256: str) -> bool:
        """Whether the embedding comes from an interrupted run."""
        return sha256 not in self._rows

    def size(self, sha256: str) -> tuple[int, int]:
        """Return width and height of the picture, in pixels, as seen upright."""
        if self._generation and sha256 in self._rows:
            item = self._generation.items[self._rows[sha256]]
            return item.width, item.height
        if self._journal is None:
            raise KeyError(sha256)
        finished = self._journal.finished[sha256]
        return finished.width, finished.height

    def origins(self, items: Sequence[Item]) -> Rows:
        """Return for each item its row in the live generation, or -1."""
        return np.fromiter((self._rows.get(item.sha256, -1) for item in items), np.int64, len(items))

    def vectors(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:
        """Yield the embeddings of items, all of which must be known, in blocks of float32 (up to BLOCK, dim)."""
        for start in range(0, len(items), BLOCK):
            contents = [item.sha256 for item in items[start : start + BLOCK]]
            block = np.full((len(contents), dim), np.nan, np.float32)  # NaN would be refused by any index
            old = [place for place, sha256 in enumerate(contents) if sha256 in self._rows]
            if self._generation and old:
                block[old] = self._of_generation([self._rows[contents[place]] for place in old])
            new = {sha256: place for place, sha256 in enumerate(contents) if sha256 not in self._rows}
            if self._journal and new:
                for sha256, vector in self._journal.vectors(list(new)):
                    block[new[sha256]] = vector[:dim]
            yield block

    def parts(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:
        """Yield the embeddings of the regions of items, which must be known, in blocks of float32 (few, regions * dim).

        The journal has them behind the picture's own, see `operations.py`.
        """
        for start in range(0, len(items), FEW):
            block = np.full((len(items[start : start + FEW]), len(REGIONS) * dim), np.nan, np.float32)
            new: dict[str, int] = {}
            for place, item in enumerate(items[start : start + FEW]):
                row = self._rows.get(item.sha256)
                if row is None:
                    new[item.sha256] = place
                elif self._generation and self._generation.parts is not None:
                    block[place] = self._generation.parts[row]
            if self._journal and new:
                for sha256, vector in self._journal.vectors(list(new)):
                    block[new[sha256]] = vector[dim:]
            yield block

    def _of_generation(self, rows: Sequence[int]) -> Vectors:
        """Return embeddings of the live generation; half precision is normalised again."""
        if not self._generation:
            raise KeyError(rows)
        stored = self._generation.embeddings
        return normalise(stored[rows]) if stored.dtype == np.float16 else stored[rows]
