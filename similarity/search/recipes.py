"""Recipes: how an index is made. A name of ours, or a FAISS factory string for one with inverted lists.

    flat          FAISS `IndexFlatIP`, the reference: exact, every vector in memory in float32
    flat-sq8      exact as well, in a quarter of the memory and a fifth of the time; see `scan.py`
    ivf           approximate: the factory string below, for the number of vectors there are
    PCA256,IVF4096,SQ8 …   a factory string: PCA, OPQ or neither; inverted lists; Flat, SQ4, SQ6, SQ8, SQfp16 or PQ
    auto          one of the first three, by `choose_recipe`

Measured on two cores of an EPYC (AVX2) with vectors as in `bench search`. 200,000 x 1280, recall@10 with 16 lists of
2,048 and 50 candidates rescored, and time: PCA256 with SQ8 0.998 in 0.58 ms, PCA128 with SQ8 0.990 in 0.51 ms, PCA256
with SQ4 0.998 in 0.65 ms, with RaBitQ 0.986 in 0.55 ms, OPQ64 with PQ64x4fs 0.981 in 0.51 ms after ten times the
training. So eight bits for each of 256 components; where memory is short, fewer components.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

import psutil

from similarity.errors import SearchError
from similarity.search.faiss_library import faiss

AUTO, FLAT, SCAN, INVERTED = "auto", "flat", "flat-sq8", "ivf"
NAMED = (AUTO, FLAT, SCAN, INVERTED)
EXACT = (FLAT, SCAN)

# Up to so many bytes of float32 a scan takes 2 ms at most, and nothing is faster.
FLAT_BYTES = 1 << 25
# Up to so many bytes of 8-bit codes the fast exact scan takes 30 ms at most on two cores.
SCAN_BYTES = 1 << 29
# Principal components that are kept in inverted lists, most first, and what a vector takes there beside them.
COMPONENTS, OVERHEAD = (256, 128, 64), 8
# Vectors for each inverted list that k-means learns from: fewer make bad lists, and with fewer than the first, none.
MIN_FOR_LIST, FOR_LIST = 20, 40
# Of more lists, finding the nearest takes longer than going through them; and what a product quantiser learns from.
MOST_LISTS, CODEBOOK = 1 << 18, 256
GRAMMAR = re.compile(
    r"(?:(?:PCA|OPQ(?P<blocks>\d{1,4})_)(?P<components>\d{1,5}),)?"
    r"IVF(?P<lists>\d{1,7}),(?:Flat|SQ4|SQ6|SQ8|SQfp16|PQ(?P<code_blocks>\d{1,4}))"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an index is to be made.

    Attributes:
        name: flat, flat-sq8, or a FAISS factory string.
        reason: why it was chosen, in a sentence.
    """

    name: str
    reason: str

    @property
    def is_exact(self) -> bool:
        """Whether it gives the answers of `IndexFlatIP`."""
        return self.name in EXACT

    @property
    def stored(self) -> Any:
        """The type in which embeddings lie on the disk: an approximate index only rescores with them."""
        return "float32" if self.is_exact else "float16"


def choose_recipe(asked: str, count: int, dim: int, *, free: int | None = None) -> Recipe:
    """The recipe for so many vectors.

    Args:
        asked: as above.
        free: bytes of memory that may be used; half of what is free now unless given.

    Raises:
        SearchError: it is none, or makes no sense for so many vectors.
    """
    if asked == AUTO:
        return _choose(count, dim, psutil.virtual_memory().available // 2 if free is None else free)
    name = _inverted(count, dim, COMPONENTS[0], fits=True) if asked == INVERTED else asked
    if name not in EXACT:
        _check(name, count, dim)
    return Recipe(name, "It was asked for.")


def make_inverted(name: str, dim: int) -> Any:
    """An index with inverted lists as FAISS makes it of a factory string, untrained.

    Distances are Euclidean there, which rank vectors of unit length as inner products do, also after principal
    components have been taken of them centred.

    Raises:
        SearchError: it is no such string, or none for such vectors.
    """
    parsed = _parse(name, dim)
    try:
        return faiss.index_factory(dim, name, faiss.METRIC_L2)
    except RuntimeError as error:
        raise SearchError(f"{name!r} makes no sense for {parsed.components} numbers a vector: {_say()}") from error


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What a factory string asks for: numbers that a vector has in the lists, lists, and vectors to learn from."""

    components: int
    lists: int
    needed: int


def _parse(name: str, dim: int) -> _Parsed:
    """Understand a factory string; FAISS knows more, but not all of that can be learned, changed and read again."""
    found = GRAMMAR.fullmatch(name)
    if not found or not 1 <= int(found["lists"]) <= MOST_LISTS:
        raise SearchError(f"{name!r} is no recipe: {_say()}")
    lists, components = int(found["lists"]), int(found["components"] or dim)
    blocks = int(found["blocks"] or 1)
    if not 1 <= components <= dim or not blocks or components % blocks:
        raise SearchError(f"{name!r} makes no sense for vectors of {dim} numbers: {_say()}")
    learned = max(components if found["components"] else 1, CODEBOOK if found["blocks"] or found["code_blocks"] else 1)
    return _Parsed(components, lists, max(MIN_FOR_LIST * lists, learned))


def _choose(count: int, dim: int, free: int) -> Recipe:
    pictures = f"{count:,} x {dim}"
    if 4 * count * dim <= min(FLAT_BYTES, free):
        return Recipe(FLAT, f"{pictures} are compared one by one in a moment.")
    if count * dim <= min(SCAN_BYTES, free):
        return Recipe(SCAN, f"{pictures} are scanned exactly in {_size(count * dim)} of memory.")
    components = next((one for one in COMPONENTS if count * (one + OVERHEAD) <= free), COMPONENTS[-1])
    name = _inverted(count, dim, components)
    if _parse(name, dim).needed > count:  # memory is so short that not even this little fits
        return Recipe(SCAN, f"{pictures} are too few for an approximate index.")
    size = _size(count * (min(dim, components) + OVERHEAD))
    why = "so many that an exact scan would take long" if count * dim <= free else "more than fit into memory"
    return Recipe(name, f"{pictures} are {why}; this takes {size} of memory.")


def _inverted(count: int, dim: int, components: int, *, fits: bool = False) -> str:
    """About four times the root of the count of lists, as FAISS's guidelines have it, and a power of two.

    Args:
        fits: fewer where that is needed, so that there are enough vectors to learn from.
    """
    lists = 2 ** max(4, round(math.log2(4 * math.sqrt(max(1, count)))))
    if fits:
        while lists > 1 and lists * FOR_LIST > count:
            lists //= 2
        components = next((one for one in COMPONENTS if one <= min(components, count // 2)), dim)
    return f"{f'PCA{components},' if dim > components else ''}IVF{lists},SQ8"


def _check(name: str, count: int, dim: int) -> None:
    needed = _parse(name, dim).needed
    if count < needed:
        raise SearchError(
            f"{name!r} needs at least {needed:,} pictures, and there are {count:,}: take 'auto' or 'flat'."
        )
    make_inverted(name, dim)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _say() -> str:
    return f"choose one of {', '.join(NAMED)}, or a FAISS factory string such as 'PCA256,IVF4096,SQ8'."
