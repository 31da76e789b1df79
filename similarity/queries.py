"""What a person points at, to a picture: a path, a web address, a file's bytes, or an image."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from similarity.fetch import fetch, is_url
from similarity.images import decode_scaled, read_file, to_rgb

# How many pixels the shorter side of a picture needs on a page or a sheet.
SHOWN_SIDE = 640


@dataclass(frozen=True, slots=True)
class QueryFile:
    """A picture file that somebody shows.

    Attributes:
        data: its bytes.
        name: what they know it as.
    """

    data: bytes
    name: str

    def decode(self, side: int = SHOWN_SIDE) -> Image.Image:
        """The picture, not much larger than to be looked at; raises ImageError if it is none."""
        return decode_scaled(self.data, self.name, side=side).image


Query = str | Path | bytes | QueryFile | Image.Image


def read_query(query: str | Path | bytes) -> QueryFile:
    """Read a file or fetch an address.

    Raises:
        ImageError: the file cannot be read. FetchError: the address cannot be fetched.
    """
    if isinstance(query, bytes):
        return QueryFile(query, "The uploaded file")
    if isinstance(query, str) and is_url(query):
        return QueryFile(fetch(query), query)
    return QueryFile(read_file(query)[0], str(query))


def decode_query(query: Query, *, side: int) -> Image.Image:
    """A query as an RGB image, decoded as the gallery's pictures were; see `images.decode_scaled` for `side`.

    Raises:
        ImageError: it is not a picture that can be read. FetchError: its address cannot be fetched.
    """
    if isinstance(query, Image.Image):
        return to_rgb(query, "The image", side=side)
    file = query if isinstance(query, QueryFile) else read_query(query)
    return decode_scaled(file.data, file.name, side=side).image
