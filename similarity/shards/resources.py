"""How many workers a cluster has room for, and what each of them gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from similarity.errors import ClusterError

# More cores than these for one network bring little; the rest of a large machine is for further workers.
CORES = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """How actors are laid out on a cluster.

    Attributes:
        device: what their networks run on.
        cores: that each may use.
        count: how many there is room for.
    """

    device: Literal["cpu", "cuda"]
    cores: int
    count: int


def lay_out(nodes: Sequence[dict[str, Any]], cores: int | None) -> Layout:
    """As many workers as there is room for: one for each GPU if the cluster has some, else one for each group of cores.

    Raises:
        ClusterError: there is no room for one.
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
            f"No computer of the Ray cluster has {each or 1} cores: ask for fewer with --cpus-per-worker."
        )
    return Layout("cpu", each, count)
