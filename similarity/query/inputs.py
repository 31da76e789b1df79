"""Inputs of a query: pictures by path, web address, bytes or as images, and words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from similarity.fetch.http import fetch, is_url
from similarity.images.decoding import decode_scaled, read_file, to_rgb
from similarity.images.picture import Box, QueryFile
from similarity.paths import on_disk


@dataclass(frozen=True, slots=True)
class Text:
    """Words that describe results, for models that understand them."""

    words: str


Picture = str | Path | bytes | QueryFile | Image.Image
Query = Picture | Text


@dataclass(frozen=True, slots=True)
class Examples:
    """A query of several pictures or words; see `vectors.combine`.

    Attributes:
        like: examples, at least one.
        unlike: counter-examples.
        weights: a weight for each example; by default all are equal.
    """

    like: Sequence[Query]
    unlike: Sequence[Query] = ()
    weights: Sequence[float] = ()


def read_query(query: str | Path | bytes) -> QueryFile:
    """Read a file or fetch an address.

    Raises:
        ImageError: the file cannot be read. FetchError: the address cannot be fetched.
    """
    if isinstance(query, bytes):
        return QueryFile(query, "The uploaded file")
    if isinstance(query, str) and is_url(query):
        return QueryFile(fetch(query), query)
    return QueryFile(read_file(on_disk(Path(query)))[0], str(query))


def read_once(query: Query) -> QueryFile | Image.Image | Text:
    """Read the file or fetch the address of a query if necessary; raises as `read_query`."""
    return query if isinstance(query, QueryFile | Image.Image | Text) else read_query(query)


def read_examples(query: Query | Examples) -> Examples:
    """A query as examples whose files have been read, or their addresses fetched; raises as `read_query`."""
    examples = query if isinstance(query, Examples) else Examples([query])
    like, unlike = (tuple(map(read_once, some)) for some in (examples.like, examples.unlike))
    return replace(examples, like=like, unlike=unlike)


def decode_query(query: Picture, *, side: int, box: Box | None = None) -> Image.Image:
    """Decode a query as an RGB image, as the gallery's pictures were; see `images.decode_scaled` for `side`.

    Args:
        box: the part of it to use, which is decoded with as many pixels as the whole would be, if the file has them.

    Raises:
        ImageError: it is not a picture that can be read. FetchError: its address cannot be fetched.
    """
    if box:
        side = math.ceil(side / min(box.right - box.left, box.bottom - box.top))
    if isinstance(query, Image.Image):
        image = to_rgb(query, "The image", side=side)
    else:
        file = query if isinstance(query, QueryFile) else read_query(query)
        image = decode_scaled(file.data, file.name, side=side).image
    return box.cut(image) if box else image
