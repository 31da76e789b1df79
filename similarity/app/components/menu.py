"""The menus of a narrow screen: that of pages has a name and closes after a choice, those of a page can be left."""

from similarity.app.components.loading import load

_mount = load("menu", "<span hidden></span>", scripts=("sheets", "menu"))


def mend() -> None:
    """Mend Streamlit's menus, on each page."""
    _mount(key="menu", data={"open": "Open the menu", "close": "Close the menu", "done": "Done"})
