"""A button that copies the address of the page."""

from similarity.app.components.loading import load

_mount = load("copy_link", '<div class="copy-link"></div>', scripts=("clipboard", "copy_link"))
COPIED = "Link copied"
# Of an address that other computers do not have.
HERE = "Link copied. It opens on this computer only."
WITHOUT_UPLOAD = "Link copied. It leads to your upload, which only this browser can open, for an hour."
REFUSED = "Your browser does not allow this: copy the address of this page instead."


def show(*, has_upload: bool, key: str, has_word: bool = False) -> None:
    """Draw the button.

    Args:
        has_upload: whether an uploaded picture is part of the search, which its address cannot have.
        has_word: whether its name stands beside the symbol where there is room, as in a row of tools.
    """
    copied = WITHOUT_UPLOAD if has_upload else COPIED
    here = WITHOUT_UPLOAD if has_upload else HERE
    data = {"label": "Copy link", "copied": copied, "here": here, "refused": REFUSED, "has_word": has_word}
    _mount(key=key, data=data, width="content")
