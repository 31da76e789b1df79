"""A generation that is still to be written."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from similarity.search import Rows
from similarity.search.stores import Before
from similarity.sources import Item
from similarity.storage.generations import Generation
from similarity.storage.given_labels import NONE_GIVEN, GivenLabels
from similarity.storage.manifest import Manifest
from similarity.vectors.arrays import Vectors
from similarity.vectors.heads import Head


@dataclass(frozen=True, slots=True)
class Change:
    """The generation that an index continues.

    Attributes:
        before: the generation that is changed; its index has the same recipe and store.
        origins: for each new item its row in `before`, or -1.
    """

    before: Generation
    origins: Rows

    def for_index(self) -> Before:
        """Return the parts that an index needs."""
        return Before(self.before.index, self.before.vectors, self.before.items, self.origins)


@dataclass(frozen=True, slots=True)
class Draft:
    """A generation that is still to be written.

    Attributes:
        manifest: the manifest of the generation, with recipe and refinement; its number, files and index facts are
            added when it is written.
        items: its pictures, in the order of their rows.
        vectors: the backbone's embeddings in blocks of float32 (any, dim), a row for each item.
        quantised: the folder of the int8 network, which is copied, since another may give other embeddings.
        head: the head that transforms embeddings before they are compared.
        change: the generation whose index is continued; by default a new index is built.
        given: the labels that the owner gave; those of the items are these already.
        parts: the embeddings of their regions in blocks of float32 (any, regions * dim), if the manifest says so.
        vectors_of: returns the embeddings of some of its pictures as `vectors` has them, for a set's shards.
    """

    manifest: Manifest
    items: Sequence[Item]
    vectors: Iterable[Vectors]
    quantised: Path | None = None
    head: Head | None = None
    change: Change | None = None
    given: GivenLabels = NONE_GIVEN
    parts: Iterable[Vectors] = ()
    vectors_of: Callable[[Sequence[Item]], Iterable[Vectors]] | None = None
