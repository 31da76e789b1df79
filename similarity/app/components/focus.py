"""A watch over the keyboard's focus: when the element that has it goes, it gets a place in what has come."""

from similarity.app.components.loading import load

KEY = "focus"
# The key of the container around the field that a dialog begins with.
BEGIN = "begin-here"

_mount = load("focus", "<span hidden></span>")


def keep() -> None:
    """Keep the focus on the page; draws nothing."""
    _mount(key=KEY, data={})
