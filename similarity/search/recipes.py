"""Recipes of indexes: a name of this package, or a FAISS factory string for one with inverted lists.

    flat          FAISS `IndexFlatIP`, the reference: exact, every vector in memory in float32
    flat-sq8      exact as well, in a third of the memory and a tenth of the time or less; see `scan.py`
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

from similarity.errors import SearchError
from similarity.search.faiss.head import longest
from similarity.search.faiss_library import faiss

AUTO, FLAT, SCAN, INVERTED = "auto", "flat", "flat-sq8", "ivf"
NAMED = (AUTO, FLAT, SCAN, INVERTED)
EXACT = (FLAT, SCAN)

# Bytes of float32 up to which a scan takes at most 2 ms, and nothing is faster.
FLAT_BYTES = 1 << 25
# Bytes of 8-bit codes up to which the fast exact scan takes at most 30 ms on two cores.
SCAN_BYTES = 1 << 29
# Choices of principal components in inverted lists, and bytes that a vector takes there beside them.
COMPONENTS, OVERHEAD = (256, 128, 64), 8
# Training vectors of k-means for each inverted list: the minimum, and the number from which lists are good.
MIN_FOR_LIST, FOR_LIST = 20, 40
# Maximum number of lists: with more, finding the nearest takes longer than scanning them. And training vectors of a
# product quantiser.
MOST_LISTS, CODEBOOK = 1 << 18, 256
GRAMMAR = re.compile(
    r"(?:(?:PCA|OPQ(?P<blocks>\d{1,4})_)(?P<components>\d{1,5}),)?"
    r"IVF(?P<lists>\d{1,7}),(?:Flat|SQ4|SQ6|SQ8|SQfp16|PQ(?P<code_blocks>\d{1,4}))"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The recipe of an index.

    Attributes:
        name: flat, flat-sq8, or a FAISS factory string.
        reason: why it was chosen, in a sentence.
    """

    name: str
    reason: str

    @property
    def is_exact(self) -> bool:
        """Whether its results are those of `IndexFlatIP`."""
        return self.name in EXACT

    @property
    def stored(self) -> Any:
        """The type of the stored embeddings: an approximate index needs them for rescoring only."""
        return "float32" if self.is_exact else "float16"


def choose_recipe(name: str, count: int, dim: int, *, free: int | None = None) -> Recipe:
    """Choose the recipe for a number of vectors.

    Args:
        name: a recipe as listed above.
        free: bytes of memory that may be used; by default half of the memory that is free now.

    Raises:
        SearchError: there is no such recipe, or it does not suit the number of vectors.
    """
    if name == AUTO:
        return _choose(count, dim, _free_memory() // 2 if free is None else free)
    chosen = _inverted_recipe(count, dim, COMPONENTS[0], fits=True) if name == INVERTED else name
    if chosen not in EXACT:
        _check(chosen, count, dim)
    return Recipe(chosen, "It was requested.")


def _free_memory() -> int:
    import psutil  # which a search does without

    return int(psutil.virtual_memory().available)


def make_inverted(name: str, dim: int) -> Any:
    """Make an untrained FAISS index with inverted lists from a factory string.

    Its distances are Euclidean, which rank vectors of unit length as inner products do, also after PCA with centring.

    Raises:
        SearchError: the string is invalid, or does not suit such vectors.
    """
    parsed = _parse(name, dim)
    try:
        return faiss.index_factory(dim, name, faiss.METRIC_L2)
    except RuntimeError as error:
        raise SearchError(f"{name!r} does not suit vectors of {parsed.components} numbers: {_choices()}") from error


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A parsed factory string: components of a vector, number of lists, and vectors needed for training."""

    components: int
    lists: int
    needed: int


def _parse(name: str, dim: int) -> _Parsed:
    """Parse a factory string; FAISS knows more of them, but not all can be trained, updated and read again."""
    match = GRAMMAR.fullmatch(name)
    if not match or not 1 <= int(match["lists"]) <= MOST_LISTS:
        raise SearchError(f"{name!r} is not a recipe: {_choices()}")
    lists, components = int(match["lists"]), int(match["components"] or dim)
    blocks = int(match["blocks"] or 1)
    if not 1 <= components <= dim or not blocks or components % blocks:
        raise SearchError(f"{name!r} does not suit vectors of {dim} numbers: {_choices()}")
    learned = max(components if match["components"] else 1, CODEBOOK if match["blocks"] or match["code_blocks"] else 1)
    return _Parsed(components, lists, max(MIN_FOR_LIST * lists, learned))


def _choose(count: int, dim: int, free: int) -> Recipe:
    pictures = f"{count:,} x {dim}"
    if 4 * count * dim <= min(FLAT_BYTES, free):
        return Recipe(FLAT, f"{pictures} are compared one by one in a moment.")
    scanned = count * (dim + longest(count, dim))
    if count * dim <= SCAN_BYTES and scanned <= free:
        return Recipe(SCAN, f"{pictures} are scanned exactly in {_size(scanned)} of memory.")
    components = next((size for size in COMPONENTS if count * (size + OVERHEAD) <= free), COMPONENTS[-1])
    name = _inverted_recipe(count, dim, components)
    if _parse(name, dim).needed > count:  # there is memory for less than even this index
        return Recipe(SCAN, f"{pictures} are too few for an approximate index.")
    size = _size(count * (min(dim, components) + OVERHEAD))
    why = "too many for a fast exact scan" if count * dim <= free else "more than fit into memory"
    return Recipe(name, f"{pictures} are {why}; this takes {size} of memory.")


def _inverted_recipe(count: int, dim: int, components: int, *, fits: bool = False) -> str:
    """Return a factory string with about 4 sqrt(count) lists, as FAISS's guidelines suggest, rounded to a power of two.

    Args:
        fits: take fewer lists if there are too few vectors for training.
    """
    lists = 2 ** max(4, round(math.log2(4 * math.sqrt(max(1, count)))))
    if fits:
        while lists > 1 and lists * FOR_LIST > count:
            lists //= 2
        components = next((size for size in COMPONENTS if size <= min(components, count // 2)), dim)
    return f"{f'PCA{components},' if dim > components else ''}IVF{lists},SQ8"


def _check(name: str, count: int, dim: int) -> None:
    needed = _parse(name, dim).needed
    if count < needed:
        raise SearchError(
            f"{name!r} needs at least {needed:,} pictures, and there are {count:,}: choose 'auto' or 'flat'."
        )
    make_inverted(name, dim)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _choices() -> str:
    return f"choose one of {', '.join(NAMED)}, or a FAISS factory string such as 'PCA256,IVF4096,SQ8'."
