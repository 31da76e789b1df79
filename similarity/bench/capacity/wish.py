"""What a plan is for: pictures, queries a second, and the kind of machine."""

from dataclasses import dataclass, field

from similarity.search.stores import Kind

# Shares of a machine's memory and cores that a plan uses; the rest is for peaks and the system.
MEMORY_SHARE, CORE_SHARE = 0.8, 0.6


@dataclass(frozen=True, slots=True)
class Machine:
    """The kind of machine that a plan counts.

    Attributes:
        price: per hour, in any currency.
    """

    cores: int = 16
    memory_gb: float = 64.0
    price: float = 0.80


@dataclass(frozen=True, slots=True)
class Wish:
    """The workload that a plan is for.

    Attributes:
        qps: queries a second.
        model: a backbone's name.
        dim: the length of its embeddings.
        store: the store of the index; by default the embedded one, if a gallery fits on one machine.
        hours: the time in which all pictures are to be embedded.
    """

    images: int
    qps: float
    model: str
    dim: int
    store: Kind | None = None
    machine: Machine = field(default_factory=Machine)
    hours: float = 24.0
