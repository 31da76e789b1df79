"""Zips and CSVs that people uploaded to make galleries of: kept, because their pictures are read in place later.

SIMILARITY_HOME/uploads/shoes/summer.zip     belongs to the gallery `shoes`, and is deleted with it
"""

import re
import shutil
import uuid
from contextlib import suppress
from pathlib import Path, PurePosixPath

from similarity.errors import SourceError
from similarity.paths import galleries_folder, home
from similarity.sources import open_source

SUFFIXES = (".zip", ".csv", ".tsv")
LONGEST_NAME = 100


def keep_upload(gallery: str, name: str, data: bytes | memoryview) -> Path:
    """Store an uploaded file for a gallery if it contains pictures; never replaces another one.

    Args:
        gallery: its name.
        name: the name of the uploaded file; only letters, digits, dots, dashes and underscores of it are kept.

    Raises:
        SourceError: it is not a zip or CSV of pictures, or there is no room.
    """
    folder, clean = _folder(gallery), _clean(name)
    incoming = folder / f".{uuid.uuid4().hex}{Path(clean).suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        incoming.write_bytes(data)
        open_source(incoming)
        return incoming.rename(_free_path(folder / clean))
    except SourceError as error:
        raise SourceError(str(error).replace(str(incoming), name)) from error
    except OSError as error:
        raise SourceError(f"{name} could not be stored ({error.strerror or error}).") from error
    finally:
        with suppress(OSError):
            incoming.unlink(missing_ok=True)
            folder.rmdir()  # unless something is in it


def drop_uploads(gallery: str) -> None:
    """Delete the uploads of a gallery; never fails."""
    shutil.rmtree(_folder(gallery), ignore_errors=True)


def drop_unused(gallery: str) -> None:
    """Delete the uploads of a gallery that was never made, not even in parts."""
    if not (galleries_folder() / gallery).exists():
        drop_uploads(gallery)


def _folder(gallery: str) -> Path:
    return home() / "uploads" / gallery


def _clean(name: str) -> str:
    """A file name that is safe on every system."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.suffix.lower() not in SUFFIXES:
        raise SourceError(f"{name} is not a zip or a CSV.")
    stem = re.sub(r"[^\w-]+", "_", pure.stem)[:LONGEST_NAME].strip("_")
    return f"{stem or 'upload'}{pure.suffix.lower()}"


def _free_path(path: Path) -> Path:
    """The path itself, or one with a number if the file exists."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in range(2, 10_000))
    return path if not path.exists() else next(other for other in numbered if not other.exists())
