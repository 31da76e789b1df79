"""The hits of a search as a list that shows itself in a notebook, and turns into a table or a sheet."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex, overload

from similarity.errors import FetchError, ImageError, SearchError
from similarity.exports.results import to_rows
from similarity.paths import split_name, without_end
from similarity.query.encoder import EncodedQuery
from similarity.query.inputs import KnownPicture
from similarity.search import Hit
from similarity.sources.originals import file_name
from similarity.storage.thumbnails import read_or_make_thumbnail

if TYPE_CHECKING:
    import pandas as pd

    from similarity.exports.notebook import Tile

# Hits whose thumbnails a notebook shows; a grid of all would make its file very large.
SHOWN = 50


class Hits(list[Hit]):
    """The hits of a search, best first.

    Attributes:
        directory: the gallery's.
        query: that was searched with; None for a vector.
    """

    def __init__(self, hits: Iterable[Hit], directory: Path, query: EncodedQuery | None = None) -> None:
        super().__init__(hits)
        self.directory, self.query = directory, query

    @overload
    def __getitem__(self, place: SupportsIndex) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> "Hits": ...
    def __getitem__(self, place: SupportsIndex | slice) -> "Hit | Hits":
        """Return a hit, or hits that show themselves likewise."""
        found = super().__getitem__(place)
        return Hits(found, self.directory, self.query) if isinstance(found, list) else found

    def to_pandas(self) -> "pd.DataFrame":
        """Return a table with a row for each hit: rank, score, label, id, path, then its metadata and facts."""
        return to_frame(to_rows(self, [hit.item.path for hit in self]), ["rank", "score", "label", "id", "path"])

    def sheet(self, path: str | Path | None = None) -> bytes:
        """Draw the query beside the hits.

        Args:
            path: where the sheet is written, too, as a PNG file.

        Returns:
            A PNG file.

        Raises:
            SearchError: the hits are of a vector, which has no picture, or the file cannot be written.
        """
        from similarity.exports.sheet import draw_sheet, draw_words, save_sheet
        from similarity.images.picture import SHOWN_SIDE

        if self.query is None:
            raise SearchError("A vector has no picture that could be drawn beside its results.")
        title = self.query.title
        is_words = not self.query.has_picture
        picture = draw_words(title) if is_words else self.query.decode_first(side=SHOWN_SIDE)
        heading = "Words" if is_words and self.query.has_words else "Query"
        # The name of a file or an address without its folders, which are too long for the sheet.
        below = "" if is_words else split_name(without_end(title))[1]
        drawn = draw_sheet(picture, below, self, self._thumbnails(self), heading=heading)
        if path is not None:
            save_sheet(Path(path), drawn)
        return drawn

    def _repr_html_(self) -> str:
        """Return the grid of thumbnails that a notebook shows, the query first."""
        from similarity.exports.notebook import NOTHING, Part, draw_grid

        tiles = self.tiles(SHOWN)
        is_words = self.query is not None and not self.query.has_picture
        title = f"“{self.query.title}”" if self.query is not None and is_words else ""
        return draw_grid([Part([*self._query_tile(), *tiles], title, "" if tiles else NOTHING)], len(self) - len(tiles))

    def tiles(self, most: int) -> "list[Tile]":
        """Return the first hits as a notebook shows them."""
        from similarity.exports.notebook import Tile

        shown = list(self)[:most]
        return [
            Tile(
                picture,
                f"{hit.rank}",
                hit.item.label or file_name(hit.item),
                f"{hit.score:.3f}",
                f"{file_name(hit.item)}: similarity {hit.score:.3f}",
            )
            for hit, picture in zip(shown, self._thumbnails(shown), strict=True)
        ]

    def _query_tile(self) -> "list[Tile]":
        """Return what was searched with as a notebook shows it; nothing for words, and a picture that is gone."""
        from similarity.exports.notebook import Tile
        from similarity.images.decoding import THUMBNAIL_SIDE, thumbnail

        if self.query is None or not self.query.has_picture:
            return []
        first = self.query.examples.like[0]
        try:
            if isinstance(first, KnownPicture):
                picture = read_or_make_thumbnail(self.directory, first.item)
            else:
                picture = thumbnail(self.query.decode_first(side=THUMBNAIL_SIDE))
        except (ImageError, FetchError):
            return []
        return [Tile(picture, "Query", "", hint=self.query.first_name, is_query=True)]

    def _thumbnails(self, hits: Sequence[Hit]) -> list[bytes]:
        return [read_or_make_thumbnail(self.directory, hit.item) for hit in hits]


def to_frame(rows: Sequence[dict[str, object]], first: Sequence[str]) -> "pd.DataFrame":
    """Return rows as a table.

    Args:
        first: the names of the first columns, which are there even without rows; those of metadata follow.
    """
    import pandas as pd

    names = dict.fromkeys([*first, *(name for row in rows for name in row)])
    return pd.DataFrame(list(rows), columns=list(names))
