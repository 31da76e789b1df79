"""The pictures that an int8 network is calibrated with."""

from collections.abc import Sequence

import numpy as np

from similarity.embedding.backbones import Preprocessing
from similarity.embedding.engines import Pixels
from similarity.embedding.pipeline import ahead, reader_pool
from similarity.embedding.view_names import View
from similarity.embedding.views import prepare_views
from similarity.errors import FetchError, ImageError
from similarity.images.decoding import decode_scaled
from similarity.sources import Item, Source

# How many there are.
CALIBRATION_PICTURES = 300


def read_pixels(source: Source, how: Preprocessing, count: int, view: View = "crop") -> Pixels:
    """Read an even sample of a source's pictures as network input: uint8 (0..count or twice that, crop, crop, 3)."""
    step = max(1, -(-len(source.items) // count))
    return read_windows(source, source.items[::step], how, view)[1]


def read_windows(
    source: Source, items: Sequence[Item], how: Preprocessing, view: View = "crop"
) -> tuple[list[Item], Pixels]:
    """Read some of a source's pictures as network input.

    Returns:
        Those that can be read, and their windows, one or two each: uint8 (n or 2 n, crop, crop, 3).
    """

    def read(item: Item) -> tuple[Item, Pixels] | None:
        try:
            image = decode_scaled(source.read(item).data, item.path, side=how.resize).image
            return item, prepare_views(image, how, view)
        except (ImageError, FetchError):
            return None  # it is reported when it is indexed

    with reader_pool(source) as pool:
        pictures = [picture for picture in ahead(pool, items, read) if picture is not None]
    if not pictures:
        return [], np.empty((0, how.crop, how.crop, 3), np.uint8)
    return [item for item, _ in pictures], np.concatenate([pixels for _, pixels in pictures])
