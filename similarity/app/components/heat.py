"""Two pictures with heat maps of their similarity; pointing at a region shows where it matches."""

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.app.components.loading import load
from similarity.exports.heat import relative_heat
from similarity.images.picture import Box
from similarity.query.explain import Explanation, Heat

_mount = load(
    "heat",
    '<div class="why"><div class="pair"></div><div class="below">'
    '<label class="opacity">Heat <input type="range" min="0" max="100" value="75"></label>'
    '<span class="scale">adds nothing <i></i> adds most</span>'
    '<p class="hint" aria-live="polite"></p></div></div>',
)


def picture(jpeg: bytes, heat: Heat, *, alt: str, caption: str) -> dict[str, Any]:
    """Prepare one of the two pictures.

    Args:
        alt: the alternative text.
        caption: the text below it.
    """
    with Image.open(io.BytesIO(jpeg)) as image:
        size = image.size
    rows, columns = heat.cells.shape
    return {
        "src": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}",
        "size": size,
        "alt": alt,
        "caption": caption,
        "box": edges(heat.box),
        "rows": rows,
        "columns": columns,
        "heat": _encode(relative_heat(heat.cells)),
    }


def show(query: dict[str, Any], result: dict[str, Any], explanation: Explanation, *, key: str) -> None:
    """Draw two pictures that `picture` has prepared."""
    _mount(key=key, data={"query": query, "result": result, "pairs": _encode(relative_heat(explanation.pairs))})


def edges(box: Box) -> list[float]:
    """Return the left, top, right and bottom of a box, as shares of a picture; as `match`, its outline is drawn."""
    return [box.left, box.top, box.right, box.bottom]


def _encode(shares: npt.NDArray[np.float32]) -> str:
    """Encode numbers in 0..1 as bytes in base64, by their square roots, which keeps small ones apart."""
    return base64.b64encode(np.asarray(np.rint(255 * np.sqrt(shares)), np.uint8).tobytes()).decode()
