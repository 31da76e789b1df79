"""A plan for so many pictures and questions a second: recipe, machines, hours, bytes, and what they cost."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from similarity.bench.capacity import sizes
from similarity.bench.capacity.rates import REFERENCE, Rates, lists_of
from similarity.errors import SearchError
from similarity.search import AUTO, Recipe, choose_recipe
from similarity.search.stores import Kind

# Of a machine's memory what a plan fills, and of its cores what it keeps busy: the rest is for peaks and the system.
MEMORY_SHARE, CORE_SHARE = 0.8, 0.6
# What an index may take of a machine's memory, as `choose_recipe` has it.
INDEX_SHARE = 0.5
GB = 1e9
# Of keys.npy.
ROW_BYTES = 8
# Of more pictures in one gallery, four times their root is more lists than a recipe may have.
MOST = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What there are to be several of.

    Attributes:
        price: of an hour, in whatever currency.
    """

    cores: int = 16
    memory_gb: float = 64.0
    price: float = 0.80


@dataclass(frozen=True, slots=True)
class Wish:
    """What a plan is for.

    Attributes:
        qps: questions a second.
        model: a backbone's name, dim: and the length of its embeddings.
        store: whose index; the embedded one as long as a gallery fits on one machine, unless given.
        hours: in which all pictures are to be embedded.
    """

    images: int
    qps: float
    model: str
    dim: int
    store: Kind | None = None
    machine: Machine = field(default_factory=Machine)
    hours: float = 24.0


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that a plan rests on, and where it is from."""

    name: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes out.

    Attributes:
        galleries: that the pictures are split into, each of pictures_each.
        recipe, reason: of each gallery's index.
        recall: recall@10 of it.
        embed_core_hours, embed_machines, embed_hours: to embed all,
        build_hours: and to index a gallery.
        gallery_gb, thumbnails_gb, shards_gb, milvus_gb: on disks, in all; shards are needed until they are indexed.
        app_memory_gb: of the process that searches a gallery,
        store_memory_gb: and of the nodes of Milvus, in all.
        app_machines, store_machines: that answer.
        query_ms: median from a picture's bytes to its hits, search_ms: of which the search takes so much.
        cost_embed, cost_hour, cost_thousand: of embedding, of answering for an hour, and of 1,000 answers.
        limits: what is not built, or was not run.
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
        """In JSON's own types."""
        return asdict(self)


def make_plan(wish: Wish, rates: Rates = REFERENCE) -> Plan:
    """Work it out.

    Raises:
        SearchError: it is for nothing, or for a model or a machine that nothing can be said of.
    """
    _check(wish, rates)
    machine, dim = wish.machine, wish.dim
    most = most_pictures("faiss", dim, machine, rates)
    store: Kind = wish.store or ("faiss" if wish.images <= most else "milvus")
    most = most_pictures(store, dim, machine, rates)
    galleries = math.ceil(wish.images / most)
    each = math.ceil(wish.images / galleries)
    chosen = _recipe(each, dim, machine)
    is_exact = Recipe(chosen.name, "").is_exact

    rate = rates.images_per_s[wish.model] / rates.cores
    core_hours = wish.images / rate / 3600
    embed_machines = math.ceil(core_hours / machine.cores / wish.hours)
    search_ms = rates.search_ms(chosen.name, each, dim)
    # An exact scan takes all cores for so long, an approximate search one.
    search_cores = rates.cores if is_exact else 1
    core_seconds = rates.cores / rates.queries_per_s[wish.model] + galleries * search_cores * search_ms / 1000
    busy = math.ceil(wish.qps * core_seconds / (machine.cores * CORE_SHARE))
    milvus = galleries * sizes.milvus_memory(chosen.name, each, dim) if store == "milvus" else 0
    app_machines = max(galleries, busy)  # whichever store it is: each has its gallery's items in memory
    store_machines = math.ceil(milvus / (MEMORY_SHARE * machine.memory_gb * GB))
    per_hour = (app_machines + store_machines) * machine.price
    return Plan(
        wish=wish,
        store=store,
        galleries=galleries,
        pictures_each=each,
        recipe=chosen.name,
        reason=chosen.reason,
        recall=1.0 if is_exact else rates.recall,
        embed_core_hours=core_hours,
        embed_machines=embed_machines,
        embed_hours=core_hours / machine.cores / embed_machines,
        build_hours=rates.build_s(chosen.name, each, dim) / 3600,
        gallery_gb=galleries * sizes.STATES * _gallery_bytes(chosen.name, each, dim, store) / GB,
        thumbnails_gb=wish.images * sizes.THUMBNAIL / GB,
        shards_gb=sizes.shards(wish.images, dim) / GB,
        milvus_gb=(milvus + 4 * dim * wish.images) / GB if milvus else 0.0,
        app_memory_gb=_app_memory(store, each, dim, machine, rates) / GB,
        store_memory_gb=milvus / GB,
        app_machines=app_machines,
        store_machines=store_machines,
        search_ms=search_ms,
        query_ms=rates.query_ms[wish.model] + search_ms,
        cost_embed=core_hours / machine.cores * machine.price,
        cost_hour=per_hour,
        cost_thousand=1000 * per_hour / (3600 * wish.qps),
        assumptions=_assumptions(wish, rates, rate, chosen.name),
        limits=_limits(galleries, store, chosen.name, sizes.embeddings_file(chosen.name, each, dim) / GB, wish),
    )


def most_pictures(store: Kind, dim: int, machine: Machine, rates: Rates) -> int:
    """How many pictures a gallery may have, so that whoever searches it has room on one machine."""
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
    """Bytes of the process that searches a gallery: itself, the items, and the index if that is embedded."""
    index = sizes.index_memory(_recipe(count, dim, machine).name, count, dim) if store == "faiss" else ROW_BYTES * count
    return rates.base_mb * 1e6 + sizes.ITEM_MEMORY * count + index


def _recipe(count: int, dim: int, machine: Machine) -> Recipe:
    # Of more than so many, the recipe has more lists than there may be; no machine has room for them either.
    return choose_recipe(AUTO, min(max(1, count), MOST), dim, free=int(INDEX_SHARE * machine.memory_gb * GB))


def _gallery_bytes(recipe: str, count: int, dim: int, store: Kind) -> int:
    """Of one state, thumbnails not counted."""
    index = sizes.index_file(recipe, count, dim) if store == "faiss" else ROW_BYTES * count
    return sizes.embeddings_file(recipe, count, dim) + index + sizes.ITEM_FILE * count


def _check(wish: Wish, rates: Rates) -> None:
    rates.check_model(wish.model)
    if wish.images < 1 or wish.qps <= 0 or wish.hours <= 0:
        raise SearchError("A plan needs at least one picture, some questions a second, and some hours to embed them.")
    machine = wish.machine
    if machine.cores < 1 or machine.price < 0 or machine.memory_gb * GB * INDEX_SHARE <= rates.base_mb * 1e6:
        raise SearchError("Such a machine does nothing: give it cores, and more memory than the app takes by itself.")


def _assumptions(wish: Wish, rates: Rates, per_core: float, recipe: str) -> list[Assumption]:
    machine, measured = wish.machine, rates.source
    scan = Assumption("a query goes through", rates.scan_bytes_per_ms / 1e6, "GB/s of codes", measured)
    if lists_of(recipe):
        a, b = rates.inverted_ms
        scan = Assumption(f"a query among n pictures takes {a:.2f} ms and root(n) times", 1e6 * b, "ns", measured)
    return [
        Assumption("pictures a second and core, thumbnails made", round(per_core, 1), "1/s", measured),
        Assumption("a query's picture, from bytes to hits of few", rates.query_ms[wish.model], "ms", measured),
        scan,
        Assumption("recall@10 of inverted lists", rates.recall, "", measured),
        Assumption("the app's process, with no index", rates.base_mb, "MB", measured),
        Assumption("an item in memory, with filters", sizes.ITEM_MEMORY, "bytes", sizes.ITEMS_MEASURED),
        Assumption("an item on the disk", sizes.ITEM_FILE, "bytes", sizes.ITEMS_MEASURED),
        Assumption("a thumbnail", sizes.THUMBNAIL, "bytes", "mean of 1,192 photographs"),
        Assumption("states that a gallery keeps", sizes.STATES, "", "one to go back to"),
        Assumption("of a machine's memory in use", MEMORY_SHARE, "", "choice"),
        Assumption("of a machine's cores busy", CORE_SHARE, "", "choice, for peaks"),
        Assumption("cores of a machine", machine.cores, "", "asked for"),
        Assumption("memory of a machine", machine.memory_gb, "GB", "asked for"),
        Assumption("an hour of a machine", machine.price, "", "an example, unless asked for"),
    ]


def _limits(galleries: int, store: Kind, recipe: str, embeddings_gb: float, wish: Wish) -> list[str]:
    found = ["Cores are taken to be as fast as those that were measured, and to share the work evenly."]
    if lists_of(recipe):
        found.append("Recall and time are those of at most a million; how many lists a query visits is measured anew.")
    if embeddings_gb > MEMORY_SHARE * wish.machine.memory_gb:
        found.append(
            f"{embeddings_gb:,.0f} GB of embeddings do not stay in memory: to rescore, a query reads 50 places of them "
            "from the disk, which was never measured."
        )
    if store == "milvus":
        found.append("Times of Milvus are those of FAISS: a Milvus server was never measured.")
    if galleries > 1:
        found.append(
            f"{galleries} galleries: asking all of them at once and putting their results together is not built."
        )
    return found
