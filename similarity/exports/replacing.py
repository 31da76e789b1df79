"""Which files an export may replace: regular ones, and of pictures those alone that this program has drawn."""

import errno
from pathlib import Path

from PIL import PngImagePlugin

from similarity.images.formats import picture_format

# What a drawn PNG says of itself; sheets were drawn by Matplotlib in earlier versions.
DRAWN_BY, EARLIER = "similarity", b"Software\0Matplotlib"
HEAD = 4096


def own_info() -> PngImagePlugin.PngInfo:
    """Return what a PNG that is drawn has to say of itself, so that it may be drawn again."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", DRAWN_BY)
    return info


def check_replaceable(path: Path) -> None:
    """Raise OSError if something lies there that must not be replaced: a device, a folder, or somebody's picture."""
    if not path.exists():
        return
    if not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")
    with path.open("rb") as file:
        head = file.read(HEAD)
    if picture_format(head) and f"Software\0{DRAWN_BY}".encode() not in head and EARLIER not in head:
        raise OSError(errno.EEXIST, "a picture lies there: choose another name")
