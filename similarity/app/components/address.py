"""The gallery in the address of a page that was opened without one, so that a reload or a colleague sees the same."""

from similarity.app.components.loading import load

KEY = "address"

_mount = load("address", "<span hidden></span>")


def name_gallery(name: str) -> None:
    """Put a gallery's name into the address if it names none; draws nothing.

    The browser does it, in place of the present entry of its history: one that is written by the page is an entry more,
    from which a step back leads to the same page again.

    Args:
        name: empty if the address is to stay as it is.
    """
    _mount(key=KEY, data={"gallery": name})
