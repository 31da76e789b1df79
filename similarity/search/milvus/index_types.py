"""Index types of Milvus for recipes."""

import math
import re

from similarity.errors import SearchError
from similarity.fetch.web import is_url
from similarity.search import Recipe
from similarity.search.stores import Store

LISTS = re.compile(r"IVF(\d+),(Flat|SQ8)$")
# Milvus Lite always makes this many lists (milvus-lite 3.2, with pymilvus 3.0).
LITE_LISTS = 128
# Bytes of float32 in a segment of a server (`dataCoord.segment.maxSize`, from 2.3 on).
SEGMENT = 512 << 20


def index_type(recipe: str) -> tuple[str, dict[str, int]]:
    """Return type and parameters of a collection's index for a recipe; raises SearchError if Milvus has none."""
    if Recipe(recipe, "").is_exact:
        return "FLAT", {}
    if not (match := LISTS.search(recipe)):
        raise SearchError(
            f"Milvus does not have the index {recipe!r}: choose auto, flat, ivf, or IVF… with Flat or SQ8."
        )
    return f"IVF_{match[2].upper()}", {"nlist": int(match[1])}


def visitable_lists(recipe: str, store: Store) -> int:
    """Return the number of lists that a search can visit; 0 for an exact index."""
    lists = index_type(recipe)[1].get("nlist", 0)
    return lists if is_url(store.uri) or not lists else max(lists, LITE_LISTS)


def lists_for(count: int, dim: int) -> int:
    """Return a good number of lists for a server, where each segment has lists of its own."""
    rows = max(1, min(count, SEGMENT // (4 * dim)))
    return int(2 ** max(4, round(math.log2(4 * math.sqrt(rows)))))
