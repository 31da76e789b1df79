"""A place to drop files or a folder of any size, which the browser sends in pieces, with a bar that shows how far."""

from collections.abc import Sequence

from similarity.app.components.loading import load

_mount = load(
    "pieces",
    '<div class="pieces" role="group" aria-label="Upload">'
    '<p class="drop">Drop pictures, a folder, a zip or a CSV here</p><p class="touch">Pictures, a zip or a CSV</p>'
    '<div><button type="button" class="files">Choose files</button>'
    '<button type="button" class="folder">Choose a folder</button></div>'
    '<input class="files" type="file" multiple hidden><input class="folder" type="file" webkitdirectory hidden>'
    '<progress max="1" value="0" aria-label="Uploaded"></progress>'
    '<p class="said" role="status"></p><button type="button" class="cancel">Cancel</button></div>',
)


def show(address: str, *, kinds: Sequence[str], lists: Sequence[str], piece: int, said: str, key: str) -> None:
    """Draw the place; the page is drawn again once all has arrived, or if the upload is not known any more.

    Args:
        address: where pieces are sent to; another one begins anew.
        kinds: suffixes of files that are taken, in lower case; others are left out.
        lists: those of them of which one is taken, on its own.
        piece: bytes of a piece.
        said: what is said at first, such as what has arrived before the page was loaded again.
    """
    data = {"address": address, "kinds": list(kinds), "lists": list(lists), "piece": piece, "said": said}
    _mount(key=key, data=data, on_done_change=lambda: None, on_ended_change=lambda: None)
