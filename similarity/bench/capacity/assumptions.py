"""What a plan rests on, and what of it was never measured."""

from dataclasses import dataclass

from similarity.bench.capacity import sizes
from similarity.bench.capacity.rates import Rates, lists_of
from similarity.bench.capacity.wish import CORE_SHARE, MEMORY_SHARE, Wish
from similarity.search.stores import Kind


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that a plan rests on, and its source."""

    name: str
    value: float
    unit: str
    source: str


def list_assumptions(wish: Wish, rates: Rates, per_core: float, store: Kind, recipe: str) -> list[Assumption]:
    """Return the numbers that a plan for this store and recipe rests on.

    Args:
        per_core: pictures that a core embeds in a second.
    """
    machine, measured = wish.machine, rates.source
    return [
        Assumption("pictures a second and core, thumbnails made", round(per_core, 1), "1/s", measured),
        Assumption("a query's picture, from bytes to hits of few", rates.query_ms[wish.model], "ms", measured),
        *(_of_milvus(wish.dim, rates) if store == "milvus" else _of_faiss(recipe, rates)),
        Assumption("the app's process, with no index", rates.base_mb, "MB", measured),
        *(Assumption(name, size, "bytes", source) for name, size, source in sizes.ITEM_SIZES),
        Assumption("a thumbnail", sizes.THUMBNAIL, "bytes", "mean of 1,192 photographs"),
        Assumption("states that a gallery keeps", sizes.STATES, "", "one to go back to"),
        Assumption("of a machine's memory in use", MEMORY_SHARE, "", "choice"),
        Assumption("of a machine's cores busy", CORE_SHARE, "", "choice, for peaks"),
        Assumption("cores of a machine", machine.cores, "", "as requested"),
        Assumption("memory of a machine", machine.memory_gb, "GB", "as requested"),
        Assumption("an hour of a machine", machine.price, "", "an example, unless given"),
    ]


def _of_faiss(recipe: str, rates: Rates) -> list[Assumption]:
    scan = Assumption("a query goes through", rates.scan_bytes_per_ms / 1e6, "GB/s of codes", rates.source)
    if lists_of(recipe):
        a, b = rates.inverted_ms
        scan = Assumption(f"a query among n pictures takes {a:.2f} ms and root(n) times", 1e6 * b, "ns", rates.source)
    return [scan, Assumption("recall@10 of inverted lists", rates.recall, "", rates.source)]


def _of_milvus(dim: int, rates: Rates) -> list[Assumption]:
    milvus, source = rates.milvus, rates.milvus.source
    (a, b), (c, d) = milvus.query_ms, milvus.query_core_ms
    return [
        Assumption(f"a query of Milvus takes {a:.1f} ms and, a million pictures", round(b * dim, 2), "ms", source),
        Assumption("those with so many cores", milvus.cores, "", source),
        Assumption(f"of a core {c:.1f} ms and, a million pictures", round(d * dim, 2), "ms", source),
        Assumption("to send a million pictures to Milvus", round(milvus.send_s * dim), "s", source),
        Assumption("to index them, of a core", round(milvus.build_core_s * dim), "s", source),
        Assumption("recall@10 in Milvus", milvus.recall, "", source),
        Assumption("a machine of Milvus, with no vectors", round(milvus.base_mb), "MB", source),
    ]


def list_limits(galleries: int, store: Kind, recipe: str, embeddings_gb: float, wish: Wish) -> list[str]:
    """Return what of a plan was never measured, as sentences."""
    limits = ["Cores are assumed to be as fast as the measured ones, and to share the work evenly."]
    if lists_of(recipe):
        limits.append(
            "Recall and time were measured with up to a million pictures; galleries measure how many lists to visit."
        )
    if embeddings_gb > MEMORY_SHARE * wish.machine.memory_gb:
        limits.append(
            f"{embeddings_gb:,.0f} GB of embeddings do not fit into memory: to rescore, a query reads 50 of them "
            "from the disk, which was never measured."
        )
    if store == "milvus":
        limits.append(
            "Milvus was measured with up to a million pictures on one computer: its machines are assumed to share the "
            "work evenly."
        )
    if galleries > 1:
        limits.append(
            f"{galleries} galleries: searching all of them at once and merging their results is not implemented."
        )
    return limits
