"""Inputs of a query: pictures by path, web address, bytes or as images, and words."""

import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.errors import DamagedError, ImageError, SearchError
from similarity.fetch.schemes import advice, is_data, path_of, read_data, unquoted
from similarity.fetch.web import fetch, is_url
from similarity.images.decoding import decode_scaled, read_file, to_rgb
from similarity.images.picture import Box, QueryFile
from similarity.paths import on_disk
from similarity.sources import Item
from similarity.sources.originals import read_original
from similarity.vectors.arrays import Vectors, normalise


@dataclass(frozen=True, slots=True)
class Text:
    """Words that describe results, for models that understand them."""

    words: str


@dataclass(frozen=True, slots=True)
class ItemId:
    """A picture of the gallery that is searched, by its id or its SHA-256 in hex."""

    id: str


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """An embedding to search with, made elsewhere by the model that made those of the gallery.

    Attributes:
        values: numbers, (dim,), of any length but 0; neither projected nor refined.
    """

    values: Sequence[float] | npt.NDArray[Any]

    def embedding(self, dim: int) -> Vectors:
        """Return it as float32 (dim,), of unit length; raises SearchError if it is not one of this dimension."""
        try:
            values = np.asarray(self.values, np.float64)
        except (TypeError, ValueError):
            raise SearchError("The vector has values that are not numbers.") from None
        if values.ndim != 1 or len(values) != dim:
            shape = " × ".join(f"{size:,}" for size in values.shape)
            raise SearchError(
                f"The vector has {shape or 'no'} numbers, and those of the gallery have {dim:,}: give one embedding of "
                "the model that made them."
            )
        if not np.isfinite(values).all() or not values.any():
            raise SearchError("The vector has values that are not finite, or is all zeros: give another one.")
        # By its largest value first, since the square of a small or large one has no room in a float.
        embedding: Vectors = normalise((values / np.abs(values).max())[np.newaxis])[0]
        return embedding


@dataclass(frozen=True, slots=True, eq=False)
class KnownPicture:
    """A picture of the gallery as a part of a query.

    Attributes:
        item: the picture.
        vector: as it is compared, float32 (dim,), of unit length.
        embedding: the same, neither projected nor refined.
    """

    item: Item
    vector: Vectors
    embedding: Vectors

    def read(self) -> QueryFile:
        """Read its file; raises ImageError or FetchError if it is gone or has changed."""
        return read_original(self.item)


Pixels = npt.NDArray[np.uint8]
Picture = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Pixels | QueryFile | Image.Image
UPLOADED = "The uploaded file"
SMALLEST = 1e-4  # share of a side, of a part that is enlarged
KINDS = (
    "a path, an address, bytes, an open file, a PIL image, an array of pixels, Text, ItemId, Vector, Crop or Examples"
)


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A part of a picture to search with.

    Attributes:
        picture: the whole picture, which may be one of the gallery's.
        box: the part.

    Raises:
        SearchError: the box is no part of a picture.
    """

    picture: Picture | ItemId
    box: Box

    def __post_init__(self) -> None:
        """Refuse a box that is empty, turned round, or beyond the picture."""
        left, top, right, bottom = self.box.left, self.box.top, self.box.right, self.box.bottom
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):  # NaN is none of these either
            raise SearchError("The box of a part is left, top, right and bottom from 0 to 1, left before right.")


Query = Picture | Text | ItemId | Vector | Crop | KnownPicture
# A query whose file has been read.
ReadQuery = QueryFile | Image.Image | Text | ItemId | Vector | Crop | KnownPicture


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


def needs_model(query: Query) -> bool:
    """Whether a part of a query has to be embedded, and is not a vector or a picture of the gallery."""
    return not isinstance(query, ItemId | Vector | KnownPicture)


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
            "an embedding is searched with as a Vector."
        )
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels))


def read_once(query: Query) -> ReadQuery:
    """Read the file or fetch the address of a query if necessary; raises as `read_query`."""
    if isinstance(query, np.ndarray):
        return image_of(query)
    if isinstance(query, Crop):
        return Crop(_read_picture(query.picture), query.box)
    return query if isinstance(query, ReadQuery) else read_query(query)


def _read_picture(picture: Picture | ItemId) -> QueryFile | Image.Image | ItemId:
    read = read_once(picture)
    if isinstance(read, Text | Vector | Crop | KnownPicture):
        raise SearchError("Only a part of a picture can be searched with: give a picture, and one box.")
    return read


def read_examples(query: Query | Examples) -> Examples:
    """A query as examples whose files have been read, or their addresses fetched; raises as `read_query`."""
    if isinstance(query, list | tuple):
        raise SearchError("Several pictures are searched with as Examples([...]), not as a list.")
    examples = query if isinstance(query, Examples) else Examples([query])
    like, unlike = (tuple(map(read_once, some)) for some in (examples.like, examples.unlike))
    return replace(examples, like=like, unlike=unlike)


def decode_query(query: Query, *, side: int, box: Box | None = None) -> Image.Image:
    """Decode a query as an RGB image, as the gallery's pictures were; see `images.decode_scaled` for `side`.

    Args:
        box: the part of it to use, which is decoded with as many pixels as the whole would be, if the file has them.

    Raises:
        ImageError: it is not a picture that can be read. FetchError: its address cannot be fetched.
    """
    read = read_once(query)
    if isinstance(read, Crop):
        box = read.box
        read = read_once(read.picture)
    if isinstance(read, KnownPicture):
        read = read.read()
    if isinstance(read, Vector):
        raise SearchError("A vector has no pixels: give a picture.")
    if isinstance(read, Text | ItemId | Crop):
        raise SearchError("Words have no pixels: give a picture.")
    if box:
        side = math.ceil(side / max(SMALLEST, min(box.right - box.left, box.bottom - box.top)))
    if isinstance(read, Image.Image):
        image = to_rgb(read, "The image", side=side)
    else:
        image = decode_scaled(read.data, read.name, side=side).image
    return box.cut(image) if box else image
