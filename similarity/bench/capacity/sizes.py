"""Bytes on disk and in memory, computed from the formats, or marked as measured."""

from similarity.bench.capacity.rates import lists_of
from similarity.search import Recipe
from similarity.search.recipes import FLAT

# Of a line of items.parquet with a path of 75 letters, a label and no other metadata; and of an item in memory, with
# the filters ready. 300,000 made-up items, read and counted in a process of their own.
ITEM_FILE, ITEM_MEMORY = 177, 640
# A thumbnail: 1,192 photographs of clothing, mean.
THUMBNAIL = 16_600
# FAISS keeps a number beside each code; a list is a centre in float32.
ROW_NUMBER = 8
# Embeddings mapped at most while they rescore, see `vectors/memmap.py`: memory of the process that the system can take
# back. `bench search` from 100,000 to a million.
MAPPED = 380_000_000
# A gallery keeps the state before the live one, to go back to.
STATES = 2
ITEMS_MEASURED = "300,000 made-up items"


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
        return count * dim * (4 if recipe == FLAT else 1)
    components = components_of(recipe, dim)
    # FAISS keeps all principal components beside those that it uses.
    transform = 4 * dim * (components + dim) if components < dim else 0
    return count * (components + ROW_NUMBER) + 4 * lists_of(recipe) * components + transform


def index_memory(recipe: str, count: int, dim: int) -> int:
    """Memory of a searching process: the index, and the mapped embeddings if it rescores with them."""
    mapped = 0 if recipe == FLAT else min(MAPPED, embeddings_file(recipe, count, dim))
    return index_file(recipe, count, dim) + mapped


def milvus_memory(recipe: str, count: int, dim: int) -> int:
    """Memory of an index in Milvus: vectors in full length, in 8 bits if approximate, otherwise in float32."""
    return count * (dim * (4 if Recipe(recipe, "").is_exact else 1) + ROW_NUMBER) + 4 * lists_of(recipe) * dim


def shards(count: int, dim: int) -> int:
    """Bytes of shards from `embed`: float32 vectors, thumbnails, and a line of facts."""
    return count * (4 * dim + THUMBNAIL + ITEM_FILE)
