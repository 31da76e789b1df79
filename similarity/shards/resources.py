"""The number of workers that fit on a cluster, and the resources of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from similarity.errors import ClusterError

# More cores help one network little; a large machine runs several workers instead.
CORES = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of workers on a cluster.

    Attributes:
        device: the device of the networks.
        cores: cores of each worker.
        count: the number of workers.
    """

    device: Literal["cpu", "cuda"]
    cores: int
    count: int


def lay_out(nodes: Sequence[dict[str, Any]], cores: int | None) -> Layout:
    """Lay out as many workers as fit: one per GPU if the cluster has any, otherwise one per group of cores.

    Raises:
        ClusterError: not even one fits.
    """
    rooms = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = sum(int(room.get("GPU", 0)) for room in rooms)
    most = max((int(room.get("CPU", 0)) for room in rooms), default=0)
    each = cores or min(CORES, most)
    if gpus:
        with_gpu = [int(room.get("CPU", 0)) // int(room["GPU"]) for room in rooms if room.get("GPU")]
        return Layout("cuda", max(1, cores or min(with_gpu)), gpus)
    count = sum(int(room.get("CPU", 0)) // each for room in rooms) if each else 0
    if not count:
        raise ClusterError(
            f"No computer of the Ray cluster has {each or 1} cores: choose fewer with --cpus-per-worker."
        )
    return Layout("cpu", each, count)
