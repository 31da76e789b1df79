"""Time to find duplicates among synthetic vectors, and whether planted groups are found and planted chains stay apart.

Groups of 2 to 5 are copies of a vector with a little noise: two of a group have a similarity from about 0.97 to 0.995.
In a chain of CHAIN each is near to the one before and the one after it, and to no other of them. The rest is as
`synthetic.py` draws it.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similarity.bench.machine import describe_machine, peak_rss_mb
from similarity.bench.synthetic import World
from similarity.errors import SearchError
from similarity.paths import EMBEDDINGS
from similarity.progress import OnProgress, Reporter
from similarity.query.complete_links import link_completely
from similarity.query.near_pairs import MOST_COMPARED, Candidates, near_pairs
from similarity.query.thresholds import THRESHOLD
from similarity.search import Rows
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.memmap import StoredVectors, write_vectors

# Fewer vectors have groups and chains in proportion to these.
MOST, GROUPS, CHAINS = 100_000, 1_000, 200
LEAST, CHAIN = 1_000, 8
# Similarities of two of a group, and of neighbours in a chain: 0.96² is less than the threshold.
NEAREST, NEAR, STEP = 0.995, 0.97, 0.96
BLOCK = 4_000


@dataclass(frozen=True, slots=True)
class Planted:
    """Vectors with groups and chains among them.

    Attributes:
        vectors: float32 (n, dim), rows of unit length.
        groups, chains: the rows of each; those of a chain in its order.
    """

    vectors: Vectors
    groups: list[Rows]
    chains: list[Rows]


def bench_duplicates(count: int = MOST, dim: int = 256, *, progress: OnProgress | None = None) -> dict[str, Any]:
    """Find duplicates among synthetic vectors, as `duplicates` does, and count the planted ones that were found.

    Args:
        count: number of vectors.
        dim: their length.

    Raises:
        SearchError: there are too few vectors.
    """
    if count < LEAST:
        raise SearchError(f"{count} vectors are too few to measure: take at least {LEAST:,}.")
    planted = plant(count, dim, progress)
    with tempfile.TemporaryDirectory(prefix="similarity-bench-") as place:
        path = Path(place, EMBEDDINGS)
        write_vectors(path, planted.vectors.shape, [planted.vectors])
        stored = StoredVectors(path)
        started = time.perf_counter()
        candidates = Candidates.of_lists(stored, progress) if count > MOST_COMPARED else None
        lists_s = time.perf_counter() - started
        pairs = near_pairs(stored, THRESHOLD, candidates=candidates, progress=progress)
        pairs_s = time.perf_counter() - started
        linked = link_completely(stored, pairs, THRESHOLD)
        seconds = time.perf_counter() - started
    return {
        "n": count,
        "dim": dim,
        "threshold": THRESHOLD,
        "compared": "with candidates of inverted lists" if candidates else "all with all",
        "seconds": round(seconds, 2),
        "lists_s": round(lists_s, 2),
        "pairs_s": round(pairs_s - lists_s, 2),
        "groups_s": round(seconds - pairs_s, 2),
        "pairs": len(pairs),
        "groups": len(linked),
        **score([group.rows for group in linked], planted),
        "peak_rss_mb": peak_rss_mb(),
        "machine": describe_machine(),
    }


def plant(count: int, dim: int, progress: OnProgress | None = None) -> Planted:
    """Draw vectors with groups and chains among them, in random order, the same for the same count and dimension."""
    random, world = np.random.default_rng(0), World(dim)
    share = min(1.0, count / MOST)
    sizes = random.integers(2, 6, round(GROUPS * share))
    starts = world.block(len(sizes) + round(CHAINS * share), 0)
    parts = [_group(start, size, random) for start, size in zip(starts, sizes, strict=False)]
    parts += [_chain(start, random) for start in starts[len(sizes) :]]
    drawn = sum(map(len, parts))
    report = Reporter(count - drawn, progress, task="Making vectors")
    vectors = np.empty((count, dim), np.float32)
    places = random.permutation(count)
    vectors[places[:drawn]] = np.concatenate(parts)
    for number, first in enumerate(range(drawn, count, BLOCK), start=1):
        block = world.block(min(BLOCK, count - first), number)
        vectors[places[first : first + len(block)]] = block
        report.advance(len(block))
    rows = np.split(places, np.cumsum(list(map(len, parts))))[:-1]
    return Planted(vectors, rows[: len(sizes)], rows[len(sizes) :])


def score(found: list[list[int]], planted: Planted) -> dict[str, int]:
    """Count the planted groups that are in one group, and the chains of which more than neighbours are in one."""
    group_of = {row: number for number, rows in enumerate(found) for row in rows}

    def numbers(rows: Rows) -> list[int]:
        """Return the group of each row, or another number each for those in none."""
        return [group_of.get(row, -1 - row) for row in rows.tolist()]

    chains = [numbers(rows) for rows in planted.chains]
    joined = [any(set(chain[: place - 1]) & {chain[place]} for place in range(2, len(chain))) for chain in chains]
    return {
        "planted": len(planted.groups),
        "found": sum(len(set(numbers(rows))) == 1 for rows in planted.groups),
        "chains": len(chains),
        "chains_joined": sum(joined),
    }


def _group(start: Vectors, size: int, random: np.random.Generator) -> Vectors:
    """Return copies of a vector with noise: float32 (size, dim)."""
    noise = 1 / random.uniform(NEAR, NEAREST) - 1  # its square length, so that 1 / (1 + noise) is their similarity
    drawn = normalise(random.standard_normal((size, len(start))).astype(np.float32))
    return normalise(start + np.float32(np.sqrt(noise)) * _without(drawn, start))


def _chain(start: Vectors, random: np.random.Generator) -> Vectors:
    """Return vectors each of which is a step away from the last, in a direction of its own: float32 (CHAIN, dim)."""
    # Directions at right angles to all others, so that two that are k steps apart have the similarity STEP^k.
    directions = np.linalg.qr(np.column_stack([start, random.standard_normal((len(start), CHAIN - 1))]))[0].T[1:]
    chain = [start]
    for direction in directions:
        chain.append(STEP * chain[-1] + np.sqrt(1 - STEP**2) * direction)
    return normalise(np.array(chain))


def _without(rows: Vectors, axis: Vectors) -> Vectors:
    """Return unit rows without their part along an axis of unit length."""
    return normalise(rows - np.outer(rows @ axis, axis))
