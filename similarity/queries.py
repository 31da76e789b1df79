"""What a person points at, to a picture: a path, a web address, a file's bytes, or an image."""

from pathlib import Path

from PIL import Image

from similarity.fetch import fetch, is_url
from similarity.images import decode, read_image, to_rgb

Query = str | Path | bytes | Image.Image


def read_query(query: Query) -> Image.Image:
    """Read a query into an RGB image.

    Raises:
        ImageError: it is not a picture that can be read. FetchError: its address cannot be fetched.
    """
    if isinstance(query, Image.Image):
        return to_rgb(query, "The image")
    if isinstance(query, bytes):
        return decode(query, "The uploaded file")
    if isinstance(query, str) and is_url(query):
        return decode(fetch(query), query)
    return read_image(query)
