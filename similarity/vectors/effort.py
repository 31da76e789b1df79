"""The effort to find the neighbours of all pictures of a large gallery: time, memory and bytes on disk.

Measured by `bench neighbours` with n vectors of 1280 on two cores: START + n (EACH + ROOT root(n)) seconds, since the
lists that they are sorted into grow in number with root(n). The work is shared by all cores, and takes longer in
proportion to the length of a vector.
"""

import math
from dataclasses import dataclass

from similarity.threads import cores

# Seconds on MEASURED_CORES cores with vectors of MEASURED_DIM: at first, for each picture, and for its comparisons.
START, EACH, ROOT = 10.0, 0.62e-3, 0.25e-6
MEASURED_CORES, MEASURED_DIM = 2, 1280
# Bytes of memory: learning from a sample, for each picture, and those of the file, of which up to MAPPED are mapped.
SAMPLE, A_PICTURE, A_NUMBER, MAPPED = 500e6, 300, 4, 500e6
# Pictures a second and core that are embedded by the default model, from files on two cores: see `bench embedding`.
USUAL_RATE = 25.0
# Bytes of a picture's neighbours on disk: five numbers of four bytes.
ON_DISK = 20


@dataclass(frozen=True, slots=True)
class Effort:
    """What it takes to find all neighbours.

    Attributes:
        seconds: on the cores that this process may use.
        memory, disk: in bytes.
    """

    seconds: float
    memory: float
    disk: int

    @classmethod
    def of(cls, count: int, dim: int, on: int | None = None) -> "Effort":
        """Estimate that of `count` pictures with embeddings of `dim` numbers, on some cores, or those there are."""
        seconds = START + count * (EACH + ROOT * math.sqrt(count)) * dim / MEASURED_DIM
        memory = SAMPLE + A_PICTURE * count + min(MAPPED, A_NUMBER * count * dim)
        return cls(seconds * MEASURED_CORES / (on or cores()), memory, ON_DISK * count)

    def __str__(self) -> str:
        return f"about {_duration(self.seconds)}, {_size(self.memory)} of memory and {_size(self.disk)} on disk"


def usual_seconds(count: int) -> float:
    """Seconds that embedding so many pictures usually takes."""
    return count / (USUAL_RATE * cores())


def free_memory() -> float:
    """Bytes of memory that finding neighbours may take: half of what is free now."""
    import psutil  # which a search does without

    return psutil.virtual_memory().available / 2


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{max(1, round(size / 1e6))} MB"
