"""Addresses of the map's sheets, beside those of pictures.

A sheet's address has the SHA-256 of its bytes. It is served only as part of the map of the gallery as it is now, so
that a picture that was taken out cannot be fetched any more.
"""

from pathlib import Path

from similarity.app.map import background
from similarity.app.serving import resources
from similarity.app.serving.hashed_files import HashedFiles
from similarity.service.visitor import Visitor


def _read(directory: Path, sha256: str, _visitor: Visitor) -> bytes | None:
    """Return a sheet that the map page has made."""
    name = background.sheets_name(resources.load_gallery(directory))
    computation = background.shared_sheet_maker().find(name)
    is_drawn = computation and computation.result.done() and not computation.has_failed
    return computation.result.result().find(sha256) if computation and is_drawn else None


SHEETS = HashedFiles("sheets", ".webp", "image/webp", _read)
address, routes, find = SHEETS.address, SHEETS.routes, SHEETS.find
