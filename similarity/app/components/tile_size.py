"""How a grid is looked at: the size of its pictures, which a browser keeps, and whether a tap selects them.

Its grids follow without asking the server.
"""

from similarity.app.components.loading import load

_mount = load(
    "tile_size",
    '<div class="view"><label class="sized" title="Picture size">Size<input class="size" type="range" min="70" '
    'max="330" step="10" aria-label="Picture size"></label><button class="select" type="button" aria-pressed="false" '
    "hidden></button></div>",
)


def show() -> None:
    """Draw the slider, and on a screen that is touched the switch for selecting, if a grid can be selected in."""
    _mount(key="tile-size", width="content", data={})
