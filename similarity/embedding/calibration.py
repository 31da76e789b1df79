"""The pictures that an int8 network is calibrated with."""

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

    def read(item: Item) -> Pixels | None:
        try:
            return prepare_views(decode_scaled(source.read(item).data, item.path, side=how.resize).image, how, view)
        except (ImageError, FetchError):
            return None  # it is reported when it is indexed

    with reader_pool(source) as pool:
        pictures = [pixels for pixels in ahead(pool, source.items[::step], read) if pixels is not None]
    return np.concatenate(pictures) if pictures else np.empty((0, how.crop, how.crop, 3), np.uint8)
