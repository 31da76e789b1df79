"""The way back with the browser's buttons: one step for each page, to the place that it was scrolled to."""

from similarity.app.components.loading import load

_mount = load("scroll", "<span hidden></span>", scripts=("one_step", "scroll"))


def keep() -> None:
    """Keep the place of each page, and each way to another one step; draws nothing."""
    _mount(key="scroll", data={})
