"""The belonging of a gallery: measured once for each of its states, on the backbone's embeddings, and cached.

A head is not asked: it was taught to bring the gallery's own pictures together, and puts strangers among them.

cache/belonging/
  nearest2-5c1e….json    named by the method and the gallery's state
"""

from typing import Protocol

from similarity.cache import StateCache
from similarity.progress import OnProgress
from similarity.query.belonging import Belonging, Rows, find_things, measure_belonging
from similarity.query.filters import Facets
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# Another one whenever the same gallery would get other cosines. A file has 8 kB.
CACHE = StateCache("belonging", "nearest2", most_bytes=100_000)
# Results of a search, among which the picture that is nearest before refinement is looked for. Measured on two
# galleries, it was among 30 for every query of their kinds; for strangers, the nearest of 30 was farther by 0.001 on
# average.
CANDIDATES = 30


class Searchable(Protocol):
    """A gallery that can be searched; see the methods of `Searcher`."""

    @property
    def embeddings(self) -> StoredVectors:
        """Neither projected nor refined."""

    @property
    def facets(self) -> Facets:
        """The columns of labels and metadata."""

    def __len__(self) -> int:
        """Number of pictures."""

    def refine(self, embeddings: Vectors) -> Vectors:
        """Embeddings as the gallery compares them."""

    def nearest_rows(self, vector: Vectors, k: int) -> Rows:
        """The rows of the pictures nearest to a refined embedding."""


def find_belonging(searcher: Searchable, state: str, progress: OnProgress | None = None) -> Belonging | None:
    """The belonging of a gallery, from the cache, or measured and stored there; None if it has too few pictures."""
    if (known := read_belonging(state)) is not None:
        return known
    facets = searcher.facets
    columns = {name: facets.value_rows(name) for name in facets.columns}
    measured = measure_belonging(searcher.embeddings, find_things(len(searcher), columns), progress=progress)
    if measured is not None:
        CACHE.write(state, measured.to_json())
    return measured


def read_belonging(state: str) -> Belonging | None:
    """The belonging of a gallery that is in the cache."""
    return CACHE.read(state, Belonging.from_json)


def find_nearest(searcher: Searchable, embeddings: Vectors) -> float:
    """Return the cosine of the embeddings of a query and of the gallery's picture nearest to it.

    Args:
        searcher: of the gallery.
        embeddings: of the query's pictures, at least one, float32 (m, dim), neither projected nor refined; the nearest
            of them counts.
    """
    nearest = []
    for embedding, refined in zip(embeddings, searcher.refine(embeddings), strict=True):
        rows = searcher.nearest_rows(refined, CANDIDATES)
        nearest.append(float((searcher.embeddings[rows] @ embedding).max(initial=-1.0)))  # an index may find none
    return max(nearest)
