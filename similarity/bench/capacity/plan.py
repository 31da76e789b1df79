"""A capacity plan for a number of pictures and queries a second: recipe, machines, hours, bytes and cost."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from similarity.bench.capacity import sizes
from similarity.bench.capacity.assumptions import Assumption, list_assumptions, list_limits
from similarity.bench.capacity.rates import REFERENCE, Rates, neighbours_limit
from similarity.bench.capacity.wish import CORE_SHARE, MEMORY_SHARE, Machine, Wish
from similarity.errors import SearchError
from similarity.search import AUTO, Recipe, choose_recipe
from similarity.search.stores import Kind

# Share of a machine's memory that an index may take, as in `choose_recipe`.
INDEX_SHARE = 0.5
GB = 1e9
# Bytes of a row of keys.npy.
ROW_BYTES = 8
# With more pictures in one gallery, four times their root is more lists than a recipe may have.
MOST = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """A capacity plan.

    Attributes:
        galleries: number of galleries that the pictures are split into, of `pictures_each` pictures.
        recipe, reason: recipe of each gallery's index, and the reason for it.
        recall: recall@10 of the index.
        embed_core_hours, embed_machines, embed_hours: core hours, machines and hours to embed all pictures.
        build_hours: hours to index a gallery.
        gallery_gb, thumbnails_gb, shards_gb, milvus_gb: on disks, in all; shards are needed until they are indexed.
        app_memory_gb: memory of the process that searches a gallery.
        store_memory_gb: memory of all nodes of Milvus together.
        app_machines, store_machines: machines that answer queries.
        query_ms: median from a picture's bytes to its hits; search_ms is the search's part of it.
        cost_embed, cost_hour, cost_thousand: costs of embedding, of answering for an hour, and of 1,000 answers.
        limits: parts that are not implemented or were never measured.
    """

    wish: Wish
    store: Kind
    galleries: int
    pictures_each: int
    recipe: str
    reason: str
    recall: float
    embed_core_hours: float
    embed_machines: int
    embed_hours: float
    build_hours: float
    gallery_gb: float
    thumbnails_gb: float
    shards_gb: float
    milvus_gb: float
    app_memory_gb: float
    store_memory_gb: float
    app_machines: int
    store_machines: int
    search_ms: float
    query_ms: float
    cost_embed: float
    cost_hour: float
    cost_thousand: float
    assumptions: list[Assumption]
    limits: list[str]

    def to_json(self) -> dict[str, Any]:
        """The plan in JSON's own types."""
        return asdict(self)


def make_plan(wish: Wish, rates: Rates = REFERENCE) -> Plan:
    """Compute the plan for a workload.

    Raises:
        SearchError: it has no pictures or queries, or its model or machine cannot be planned for.
    """
    _check(wish, rates)
    split = _split(wish, rates)
    recipe, each, dim = split.recipe.name, split.pictures_each, wish.dim
    rate = rates.images_per_s[wish.model] / rates.cores
    return Plan(
        wish=wish,
        store=split.store,
        galleries=split.galleries,
        pictures_each=each,
        recipe=recipe,
        reason=split.recipe.reason,
        recall=1.0 if split.recipe.is_exact else rates.milvus.recall if split.milvus else rates.recall,
        build_hours=_build_s(wish, split, rates) / 3600,
        thumbnails_gb=wish.images * sizes.THUMBNAIL / GB,
        shards_gb=sizes.shards(wish.images, dim) / GB,
        **_embedding(wish, wish.images / rate / 3600),
        **_storage(wish, split, rates),
        **_answering(wish, split, rates),
        assumptions=list_assumptions(wish, rates, rate, split.store, recipe),
        limits=list_limits(split.galleries, split.store, recipe, sizes.embeddings_file(recipe, each, dim) / GB, wish)
        + sizes.items_limit(each)
        + neighbours_limit(each, dim, rates.cores),
    )


@dataclass(frozen=True, slots=True)
class _Split:
    """The galleries that pictures are split into, the store and recipe of each, and the bytes they take in Milvus."""

    store: Kind
    galleries: int
    pictures_each: int
    recipe: Recipe
    milvus: int


def _split(wish: Wish, rates: Rates) -> _Split:
    """Split pictures into as few galleries as fit on a machine each."""
    machine, dim = wish.machine, wish.dim
    most = most_pictures("faiss", dim, machine, rates)
    store: Kind = wish.store or ("faiss" if wish.images <= most else "milvus")
    galleries = math.ceil(wish.images / most_pictures(store, dim, machine, rates))
    each = math.ceil(wish.images / galleries)
    recipe = _recipe(each, dim, machine)
    milvus = galleries * sizes.store_memory(recipe.name, each, dim) if store == "milvus" else 0
    return _Split(store, galleries, each, recipe, milvus)


def _embedding(wish: Wish, core_hours: float) -> dict[str, Any]:
    """Fields of a plan: hours, machines and cost of embedding all pictures."""
    machine_hours = core_hours / wish.machine.cores
    machines = math.ceil(machine_hours / wish.hours)
    return {
        "embed_core_hours": core_hours,
        "embed_machines": machines,
        "embed_hours": machine_hours / machines,
        "cost_embed": machine_hours * wish.machine.price,
    }


def _storage(wish: Wish, split: _Split, rates: Rates) -> dict[str, Any]:
    """Fields of a plan: bytes on disks and in memory."""
    recipe, each, dim = split.recipe.name, split.pictures_each, wish.dim
    state = _gallery_bytes(recipe, each, dim, split.store)
    return {
        "gallery_gb": split.galleries * (sizes.STATES * state + sizes.prepared_files(each)) / GB,
        "milvus_gb": (split.milvus + 4 * dim * wish.images) / GB if split.milvus else 0.0,
        "app_memory_gb": _app_memory(split.store, each, dim, wish.machine, rates) / GB,
        "store_memory_gb": split.milvus / GB,
    }


def _answering(wish: Wish, split: _Split, rates: Rates) -> dict[str, Any]:
    """Fields of a plan: machines, milliseconds and cost of answering queries."""
    machine, store = wish.machine, _store_machines(wish, split, rates)
    if store:
        app_search, search_ms = 0.0, rates.milvus.search_ms(split.pictures_each, wish.dim, store * machine.cores)
    else:
        search_ms = rates.search_ms(split.recipe.name, split.pictures_each, wish.dim)
        # An exact scan takes all cores for so long, an approximate search one.
        app_search = split.galleries * (rates.cores if split.recipe.is_exact else 1) * search_ms / 1000
    core_seconds = rates.cores / rates.queries_per_s[wish.model] + app_search
    busy = math.ceil(wish.qps * core_seconds / (machine.cores * CORE_SHARE))
    app_machines = max(split.galleries, busy)  # in any store: each has its gallery's items in memory
    per_hour = (app_machines + store) * machine.price
    return {
        "app_machines": app_machines,
        "store_machines": store,
        "search_ms": search_ms,
        "query_ms": rates.query_ms[wish.model] + search_ms,
        "cost_hour": per_hour,
        "cost_thousand": 1000 * per_hour / (3600 * wish.qps),
    }


def _store_machines(wish: Wish, split: _Split, rates: Rates) -> int:
    """Number of machines of Milvus, for its memory and for the work of queries, each of which asks all galleries.

    Raises SearchError if they have no memory for vectors.
    """
    if not split.milvus:
        return 0
    machine = wish.machine
    room = MEMORY_SHARE * machine.memory_gb * GB - rates.milvus.base_mb * 1e6
    if room <= 0:
        raise SearchError(
            f"Such a machine is of no use for Milvus, which takes {rates.milvus.base_mb:,.0f} MB with no vectors: give "
            "it more memory."
        )
    memory = split.milvus / room
    core_seconds = split.galleries * rates.milvus.search_core_ms(split.pictures_each, wish.dim) / 1000
    return math.ceil(max(memory, wish.qps * core_seconds / (machine.cores * CORE_SHARE)))


def _build_s(wish: Wish, split: _Split, rates: Rates) -> float:
    """Seconds to index a gallery, in Milvus by all of its machines."""
    if not split.milvus:
        return rates.build_s(split.recipe.name, split.pictures_each, wish.dim)
    cores = wish.machine.cores * _store_machines(wish, split, rates)
    each = split.pictures_each
    return rates.milvus.send(each, wish.dim) + rates.milvus.build(each, wish.dim, cores)


def most_pictures(store: Kind, dim: int, machine: Machine, rates: Rates) -> int:
    """Largest number of pictures in a gallery that one machine can search."""
    room = MEMORY_SHARE * machine.memory_gb * GB
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        if _app_memory(store, middle, dim, machine, rates) <= room:
            low = middle
        else:
            high = middle
    return low


def _app_memory(store: Kind, count: int, dim: int, machine: Machine, rates: Rates) -> float:
    """Memory in bytes of the process that searches a gallery, with the items, and the index if it is embedded."""
    index = sizes.index_memory(_recipe(count, dim, machine).name, count, dim) if store == "faiss" else ROW_BYTES * count
    return rates.base_mb * 1e6 + sizes.items_memory(count) + index


def _recipe(count: int, dim: int, machine: Machine) -> Recipe:
    # Beyond MOST a recipe would have more lists than allowed; no machine has room for that many pictures, either.
    return choose_recipe(AUTO, min(max(1, count), MOST), dim, free=int(INDEX_SHARE * machine.memory_gb * GB))


def _gallery_bytes(recipe: str, count: int, dim: int, store: Kind) -> int:
    """Bytes of one state of a gallery without thumbnails."""
    index = sizes.index_file(recipe, count, dim) if store == "faiss" else ROW_BYTES * count
    return sizes.embeddings_file(recipe, count, dim) + index + sizes.ITEM_FILE * count


def _check(wish: Wish, rates: Rates) -> None:
    rates.check_model(wish.model)
    if wish.images < 1 or wish.qps <= 0 or wish.hours <= 0:
        raise SearchError(
            "A plan needs at least one picture, and more than 0 queries a second and hours to embed the pictures."
        )
    machine = wish.machine
    if machine.cores < 1 or machine.price < 0 or machine.memory_gb * GB * INDEX_SHARE <= rates.base_mb * 1e6:
        raise SearchError("Such a machine is of no use: give it cores, and more memory than the app itself takes.")
