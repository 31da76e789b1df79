"""Groups of pictures that lie near each other on a map, with a name for each.

The points are divided by k-means (S. Lloyd, "Least squares quantization in PCM", 1982); neighbouring groups that would
have the same name are one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similarity.app.map.layout import GalleryMap, Points
from similarity.gallery import Gallery

# uint16 (n,): for each picture of a map the number of its group.
Assignment = npt.NDArray[np.uint16]

MAX_CLUSTERS, LEAST_IN_CLUSTER = 40, 5
# A label names a group if at least this share of its pictures has it.
CONCENTRATED = 0.5
# Groups of one label are one if their middles are nearer than this many times the sum of their radii.
TOUCHING = 2.2


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of pictures on a map.

    Attributes:
        label: the label that most of its pictures have; empty if there is none.
        typical: the medoid, which is most similar to all others: its place among the map's pictures.
        members: places of its pictures, int64 (m,), sorted.
        middle: the median of their points, float32 (2,).
    """

    label: str
    typical: int
    members: npt.NDArray[np.int64]
    middle: Points


def find_clusters(gallery: Gallery, on: GalleryMap) -> list[Cluster]:
    """Find the groups of a map, the largest first."""
    if not len(on):
        return []
    every = gallery.items.labels()
    labels = [every[row] or "" for row in on.rows.tolist()]
    divided = divide(on.points)
    groups = [np.flatnonzero(divided == number) for number in range(int(divided.max()) + 1)]
    named = [(_concentrated([labels[place] for place in members]), members) for members in groups if len(members)]
    vectors = gallery.vectors[on.rows]
    clusters = []
    for label, members in _joined(named, on.points):
        own = vectors[members]
        typical = int(members[np.argmax(own @ own.mean(axis=0))])
        clusters.append(Cluster(label, typical, members, np.median(on.points[members], axis=0).astype(np.float32)))
    return sorted(clusters, key=lambda cluster: -len(cluster.members))


def divide(points: Points) -> Assignment:
    """Divide points into groups by k-means, about as many as half of them have a square root.

    Args:
        points: float32 (n, 2), n at least 1.
    """
    distinct = len(np.unique(points, axis=0))
    count = min(MAX_CLUSTERS, round((len(points) / 2) ** 0.5), len(points) // LEAST_IN_CLUSTER, distinct)
    if count < 2:
        return np.zeros(len(points), np.uint16)
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # as in `layout`
        means = KMeans(count, n_init=2, random_state=0).fit(points)
    return np.asarray(means.labels_, np.uint16)


def assign(clusters: Sequence[Cluster], count: int) -> Assignment:
    """Return for each of `count` pictures the number of its group in a list."""
    numbers = np.zeros(count, np.uint16)
    for number, cluster in enumerate(clusters):
        numbers[cluster.members] = number
    return numbers


def _concentrated(labels: Sequence[str]) -> str:
    """Return the most common label if most pictures have it; else an empty text."""
    label, count = Counter(labels).most_common(1)[0]
    return label if count >= CONCENTRATED * len(labels) else ""


def _joined(
    named: Sequence[tuple[str, npt.NDArray[np.int64]]], points: Points
) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """Join groups that have the same label and touch each other, those with no label excepted."""
    joined: list[tuple[str, npt.NDArray[np.int64]]] = []
    for label, members in named:
        own = members
        for other in [pair for pair in joined if label and pair[0] == label]:
            if _touch(points[own], points[other[1]]):
                joined = [pair for pair in joined if pair is not other]
                own = np.union1d(own, other[1])
        joined.append((label, own))
    return joined


def _touch(first: Points, second: Points) -> bool:
    """Whether the middles of two groups are near, measured by the distances of their own points from these."""
    middles = [np.median(group, axis=0) for group in (first, second)]
    spreads = [
        np.median(np.linalg.norm(group - middle, axis=1))
        for group, middle in zip((first, second), middles, strict=True)
    ]
    return bool(np.linalg.norm(middles[0] - middles[1]) <= TOUCHING * sum(spreads) + 0.02)
