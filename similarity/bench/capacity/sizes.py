"""Bytes on disk and in memory, computed from the formats, or marked as measured."""

from similarity.bench.capacity.milvus_rates import milvus_memory
from similarity.bench.capacity.rates import lists_of
from similarity.search import Recipe
from similarity.search.faiss.head import longest
from similarity.search.milvus.index_types import lists_for
from similarity.search.recipes import FLAT

# Of a line of items.parquet with a path of 75 letters, a label and no other metadata; and of an item in memory, with
# the filters ready. 300,000 made-up items, read and counted in a process of their own.
ITEM_FILE, ITEM_MEMORY = 177, 640
# Pictures from which items are mapped into memory, as `storage.mapped_items` has it, and what each of them takes then:
# in memory, of which the system can take back 90, and in prepared files on disk. 10 million made-up items with three
# keys of metadata, opened, searched under five conditions, and all filters shown.
MAPPED_FROM, MAPPED_ITEM_MEMORY, PREPARED_ITEM = 200_000, 105, 480
MOST_MEASURED = 10_000_000
# A thumbnail: 1,192 photographs of clothing, mean.
THUMBNAIL = 16_600
# FAISS keeps a number beside each code; a list is a centre in float32.
ROW_NUMBER = 8
# Embeddings mapped at most while they rescore, see `vectors/memmap.py`: memory of the process that the system can take
# back. `bench search` from 100,000 to a million.
MAPPED = 380_000_000
# A gallery keeps the state before the live one, to go back to.
STATES = 2
# Name, bytes and source of each.
ITEM_SIZES = (
    ("an item in memory, with filters", ITEM_MEMORY, "300,000 made-up items"),
    (f"likewise, of those beyond {MAPPED_FROM:,}", MAPPED_ITEM_MEMORY, "10 million made-up items"),
    (f"an item of {MAPPED_FROM:,} or more in the cache", PREPARED_ITEM, "10 million made-up items"),
    ("an item on the disk", ITEM_FILE, "300,000 made-up items"),
)


def items_memory(count: int) -> int:
    """Memory of a gallery's items with the filters ready; never less for more of them."""
    return ITEM_MEMORY * min(count, MAPPED_FROM) + MAPPED_ITEM_MEMORY * max(0, count - MAPPED_FROM)


def prepared_files(count: int) -> int:
    """Bytes in the cache of what is prepared of a gallery's items, once for all its states."""
    return PREPARED_ITEM * count if count >= MAPPED_FROM else 0


def items_limit(count: int) -> list[str]:
    """What was never measured of the items of a gallery, as sentences."""
    if count <= MOST_MEASURED:
        return []
    return [f"What is known of pictures was opened and searched with up to {MOST_MEASURED:,} of them in a gallery."]


def embeddings_file(recipe: str, count: int, dim: int) -> int:
    """embeddings.npy: float32 for an exact index, float16 for an approximate one."""
    return count * dim * (4 if Recipe(recipe, "").is_exact else 2)


def components_of(recipe: str, dim: int) -> int:
    """Components of a vector in the lists."""
    part = next((part for part in recipe.split(",") if part.startswith("PCA")), "")
    return int(part.removeprefix("PCA") or dim)


def index_file(recipe: str, count: int, dim: int) -> int:
    """Bytes of index.faiss; the index takes as much memory."""
    if not lists_of(recipe):
        return 4 * count * dim if recipe == FLAT else count * (dim + longest(count, dim))
    components = components_of(recipe, dim)
    # FAISS keeps all principal components beside those that it uses.
    transform = 4 * dim * (components + dim) if components < dim else 0
    return count * (components + ROW_NUMBER) + 4 * lists_of(recipe) * components + transform


def index_memory(recipe: str, count: int, dim: int) -> int:
    """Memory of a searching process: the index, and the mapped embeddings if it rescores with them."""
    mapped = 0 if recipe == FLAT else min(MAPPED, embeddings_file(recipe, count, dim))
    return index_file(recipe, count, dim) + mapped


def store_memory(recipe: str, count: int, dim: int) -> int:
    """Memory of a gallery's vectors in Milvus: in 8 bits if its index is approximate, otherwise in float32."""
    lists = lists_of(recipe)
    return milvus_memory(lists_for(count, dim) if lists else 0, count, dim, exact=not lists)


def shards(count: int, dim: int) -> int:
    """Bytes of shards from `embed`: float32 vectors, thumbnails, and a line of facts."""
    return count * (4 * dim + THUMBNAIL + ITEM_FILE)
