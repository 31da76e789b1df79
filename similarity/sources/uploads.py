"""Zips, CSVs and folders that people uploaded to make galleries of: kept, since their pictures are read in place.

SIMILARITY_HOME/uploads/shoes/summer.zip     belongs to the gallery `shoes`, and is deleted with it
"""

import re
import shutil
import uuid
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePosixPath

from similarity.errors import SourceError
from similarity.paths import full_path, galleries_folder, home
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
    folder, clean = uploads_of(gallery), _clean(name)
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


def keep_arrived(gallery: str, folder: Path, *, as_sent: bool = False) -> Path:
    """Move uploaded files, which are one zip or CSV, or pictures in folders, to a gallery; returns their place there.

    A folder that all pictures are in is the one whose pictures these are, as if its path had been given, unless they
    stay `as_sent`: then its name is their label.

    Raises:
        SourceError: it is neither, the zip or CSV has no pictures, or it cannot be moved.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lists = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not files or (lists and len(files) > 1):
        raise SourceError("Upload one zip or one CSV, or pictures without either.")
    try:
        uploads_of(gallery).mkdir(parents=True, exist_ok=True)
        if lists:
            return _keep_list(gallery, lists[0])
        root, name = folder, "pictures"
        while not as_sent and len(inner := list(root.iterdir())) == 1 and inner[0].is_dir():
            root, name = inner[0], inner[0].name
        stem = re.sub(r"[^\w-]+", "_", name)[:LONGEST_NAME].strip("_")
        return root.rename(_free_path(uploads_of(gallery) / (stem or "pictures")))
    except OSError as error:
        raise SourceError(f"The upload could not be stored ({error.strerror or error}).") from error
    finally:
        with suppress(OSError):
            uploads_of(gallery).rmdir()  # unless something is in it


def _keep_list(gallery: str, file: Path) -> Path:
    """Move a zip or a CSV that has pictures; raises SourceError if it has none, OSError."""
    try:
        open_source(file)
    except SourceError as error:
        raise SourceError(str(error).replace(str(file), file.name)) from error
    return file.rename(_free_path(uploads_of(gallery) / _clean(file.name)))


def uploads_of(gallery: str) -> Path:
    """Return the folder of a gallery's uploads, whether it exists or not."""
    return home() / "uploads" / gallery


def share_uploads(old: Path, new: Path, *, only: Collection[str] | None = None) -> None:
    """Put the files of one folder of uploads into another, too: as links to the same content where the disk has them.

    The other folder is there once it has all of them, so that no gallery looks for its pictures in a part of it. Files
    that are there already, from an earlier try, are replaced.

    Args:
        only: the paths of the files that are meant; all of them unless given.

    Raises:
        SourceError: there is no room, or the folder cannot be written.
    """
    old = full_path(old)  # as galleries know it
    unfinished = new.with_name(f".{new.name}.new")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        for path in sorted(old.rglob("*")):
            if path.is_dir() or (only is not None and str(path) not in only):
                continue
            _link(path, unfinished / path.relative_to(old))
        if new.exists():  # what is there stays, and is not renamed over
            for path in sorted(unfinished.rglob("*")):
                if not path.is_dir():
                    _link(path, new / path.relative_to(unfinished))
            shutil.rmtree(unfinished)
        elif unfinished.exists():
            unfinished.rename(new)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise SourceError(f"The uploads in {old} could not be moved ({error.strerror or error}).") from error


def _link(path: Path, target: Path) -> None:
    """Make a file another name of one that is there, or a copy of it on a disk without links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copy2(path, target)


def drop_uploads(gallery: str) -> None:
    """Delete the uploads of a gallery; never fails."""
    shutil.rmtree(uploads_of(gallery), ignore_errors=True)


def drop_upload(place: Path) -> None:
    """Delete one upload that `keep_arrived` has moved, which no gallery reads; never fails."""
    with suppress(OSError):
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        place.parent.rmdir()  # unless something is in it


def drop_unused(gallery: str) -> None:
    """Delete the uploads of a gallery that was never made, not even in parts."""
    if not (galleries_folder() / gallery).exists():
        drop_uploads(gallery)


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
