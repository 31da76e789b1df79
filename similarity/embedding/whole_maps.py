"""The feature map of a whole picture, up to its edges, which the views that are embedded do not reach."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.embedding.embedder import Embedder
from similarity.embedding.views import FILTERS

# The most windows that a long picture is seen in; each takes as long as embedding it.
MOST_WINDOWS = 3


def whole_map(embedder: Embedder, image: Image.Image) -> npt.NDArray[np.float32]:
    """Return the last feature map of an RGB image, of which nothing is cut off.

    A window is squeezed into the network's square. A long picture has several beside each other, so that none is
    squeezed much.

    Returns:
        float32 (rows, columns, channels).

    Raises:
        ModelError: this network has no feature map, or its network for the CPU cannot be loaded.
    """
    maps, how = embedder.load_feature_maps(), embedder.backbone.preprocessing
    longer, is_wide = max(image.size), image.width > image.height
    count = min(MOST_WINDOWS, max(1, round(longer / min(image.size))))
    edges = np.linspace(0, longer, count + 1)
    cells = []
    for first, last in pairwise(edges):
        box = (first, 0, last, image.height) if is_wide else (0, first, image.width, last)
        pixels = np.asarray(image.resize((how.crop, how.crop), FILTERS[how.interpolation], box=box))
        cells.append(maps.run(pixels).cells)
    return np.concatenate(cells, axis=1 if is_wide else 0)
