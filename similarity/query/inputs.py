"""Inputs of a query: pictures by path, web address, bytes or as images, and words."""

import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.errors import DamagedError, ImageError, SearchError
from similarity.fetch.http import fetch, is_url
from similarity.fetch.schemes import advice, is_data, path_of, read_data, unquoted
from similarity.images.decoding import decode_scaled, read_file, to_rgb
from similarity.images.picture import Box, QueryFile
from similarity.paths import on_disk


@dataclass(frozen=True, slots=True)
class Text:
    """Words that describe results, for models that understand them."""

    words: str


Pixels = npt.NDArray[np.uint8]
Picture = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Pixels | QueryFile | Image.Image
UPLOADED = "The uploaded file"
KINDS = "a path, an address, bytes, an open file, a PIL image, an array of pixels, Text or Examples"
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


def read_query(query: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO) -> QueryFile:
    """Read a file or fetch an address.

    Raises:
        ImageError: the file cannot be read. FetchError: the address cannot be fetched. SearchError: it is none of
            these.
    """
    if isinstance(query, str):
        return _read_text(query)
    if isinstance(query, bytes | bytearray | memoryview):
        return QueryFile(bytes(query), UPLOADED)
    if isinstance(query, os.PathLike):
        return QueryFile(read_file(on_disk(Path(os.fsdecode(query))))[0], os.fsdecode(query))
    if hasattr(query, "read"):
        return QueryFile(_read_open(query), str(getattr(query, "name", UPLOADED)))
    raise SearchError(f"A query of type {type(query).__name__} cannot be searched with: it must be {KINDS}.")


def _read_text(text: str) -> QueryFile:
    """Read what a text names: a path, a web address, a `file:` address, or a picture in a `data:` address."""
    named = unquoted(text)
    if not named:
        raise SearchError("The query is empty: give the path or the address of a picture.")
    if is_url(named):
        return QueryFile(fetch(named), named)
    if is_data(named):
        return QueryFile(read_data(named), UPLOADED)
    path = text if os.path.exists(text) else path_of(named)  # noqa: PTH110 - Path.exists raises for some texts
    try:
        return QueryFile(read_file(on_disk(Path(path)))[0], path)
    except ImageError as error:
        if isinstance(error.__cause__, FileNotFoundError) and (why := advice(named)):
            raise ImageError(named, why) from error
        raise


def _read_open(file: BinaryIO) -> bytes:
    """Read an open file from its beginning, wherever writing or an earlier reader has left it."""
    try:
        if isinstance(file, io.BytesIO):
            return file.getvalue()
        if file.seekable():
            file.seek(0)
        data = file.read()
    except (OSError, ValueError) as error:  # closed, or text in another encoding
        raise DamagedError(str(getattr(file, "name", UPLOADED)), f"cannot be read ({error}).") from error
    if not isinstance(data, bytes):
        raise SearchError("A query that is an open file must have been opened in binary mode, as by open(path, 'rb').")
    return data


def image_of(pixels: Pixels) -> Image.Image:
    """A picture of an array of pixels.

    Args:
        pixels: uint8 (height, width), (height, width, 1), or (height, width, 3 or 4), red, green, blue and opacity.

    Raises:
        SearchError: it has another type or shape.
    """
    is_picture = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4))
    if pixels.dtype != np.uint8 or not is_picture or not pixels.size:
        raise SearchError(
            f"An array of pixels must be uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}; "
            "an embedding is searched with by search_vector."
        )
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels))


def read_once(query: Query) -> QueryFile | Image.Image | Text:
    """Read the file or fetch the address of a query if necessary; raises as `read_query`."""
    if isinstance(query, np.ndarray):
        return image_of(query)
    return query if isinstance(query, QueryFile | Image.Image | Text) else read_query(query)


def read_examples(query: Query | Examples) -> Examples:
    """A query as examples whose files have been read, or their addresses fetched; raises as `read_query`."""
    if isinstance(query, list | tuple):
        raise SearchError("Several pictures are searched with as Examples([...]), not as a list.")
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
    read = read_once(query)
    if isinstance(read, Text):
        raise SearchError("Words have no pixels: give a picture.")
    if isinstance(read, Image.Image):
        image = to_rgb(read, "The image", side=side)
    else:
        image = decode_scaled(read.data, read.name, side=side).image
    return box.cut(image) if box else image
