"""The hits of a search in several galleries, as those of one show themselves."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex, cast, overload

from similarity.exports.results import to_rows
from similarity.query.encoder import EncodedQuery
from similarity.query.fusion import GalleryHit
from similarity.query.hits import Hits, to_frame
from similarity.search import Hit
from similarity.storage.thumbnails import read_or_make_thumbnail

if TYPE_CHECKING:
    import pandas as pd


class FusedHits(Hits):
    """The hits of a search in several galleries, best first; each is a `GalleryHit`, which says where it is.

    Attributes:
        directories: of the galleries, by name.
        left_out: by name, galleries that did not answer, each with a sentence that says why.
        query: as the first gallery that answered was searched with it.
    """

    def __init__(
        self,
        hits: Iterable[Hit],
        directories: Mapping[str, Path],
        query: EncodedQuery | None = None,
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(hits, next(iter(directories.values())), query)
        self.directories, self.left_out = dict(directories), dict(left_out or {})

    @overload
    def __getitem__(self, place: SupportsIndex) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> "FusedHits": ...
    def __getitem__(self, place: SupportsIndex | slice) -> "Hit | FusedHits":
        """Return a hit, or hits that show themselves likewise."""
        found = list(self)[place]
        return FusedHits(found, self.directories, self.query, self.left_out) if isinstance(found, list) else found

    @property
    def located(self) -> Sequence[GalleryHit]:
        """The hits, each with the gallery that has it."""
        return cast("Sequence[GalleryHit]", list(self))

    def to_pandas(self) -> "pd.DataFrame":
        """Return a table with a row for each hit, as `Hits.to_pandas`, with its gallery."""
        rows = to_rows(self, [hit.item.path for hit in self])
        named = [row | {"gallery": hit.gallery} for row, hit in zip(rows, self.located, strict=True)]
        return to_frame(named, ["rank", "score", "gallery", "label", "id", "path"])

    def _thumbnails(self, hits: Sequence[Hit]) -> list[bytes]:
        located = cast("Sequence[GalleryHit]", hits)
        return [read_or_make_thumbnail(self.directories[hit.gallery], hit.item) for hit in located]
