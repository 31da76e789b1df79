"""A zip of pictures, read in place: nothing is unpacked, and entries that look like an attack are never opened."""

import lzma
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from similarity.errors import ImageError, SourceError
from similarity.images.formats import SUFFIXES
from similarity.sources.base import FileBytes, Item, Skipped, Stamp
from similarity.sources.passed_over import passed_over_part

MAX_ENTRIES = 50_000
MAX_TOTAL_BYTES = 20_000_000_000
MAX_ENTRY_BYTES = 100_000_000
# Pictures are compressed already; a higher compression ratio is a decompression bomb. Small entries are harmless.
MAX_RATIO = 100
SMALL_BYTES = 1_000_000


class Archive:
    """The pictures in a zip file; make one with `open_archive`."""

    def __init__(self, path: Path, file: zipfile.ZipFile, items: list[Item], skipped: list[Skipped]) -> None:
        self.name = str(path)
        self.items = items
        self.skipped = skipped
        self.readers = os.cpu_count() or 1
        self._file = file
        self._changed = path.stat().st_mtime
        self.passed_over: dict[str, int] = {}

    def read(self, item: Item) -> FileBytes:
        """The bytes of an entry, checked against its CRC; zipfile reads no more than the size it announced."""
        try:
            entry = self._file.getinfo(item.id)
            return FileBytes(self._file.read(entry), self._changed)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError) as error:
            raise ImageError(item.path, "cannot be unpacked: it is damaged, or encrypted.") from error

    def stamp(self, item: Item) -> Stamp | None:
        """An entry's size, and when the zip was last changed: the entries' own times are local and often made up."""
        return Stamp(self._file.getinfo(item.id).file_size, self._changed)

    def whereabouts(self, item: Item) -> str:
        """The path of the zip, with the entry's behind it."""
        return item.path

    def part(self, items: Sequence[Item]) -> "Archive":
        """The source with a subset of its items."""
        part = copy(self)
        part.items, part.skipped = list(items), []
        return part

    @cached_property
    def _file(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.name)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the open zip: another process opens it itself."""
        return {name: value for name, value in vars(self).items() if name != "_file"}


def open_archive(path: Path) -> Archive:
    """List a zip's pictures; the label of a picture is the name of its folder.

    Raises:
        SourceError: it is not a zip, has no pictures, or has entries that no honest zip of pictures has: paths that
            lead out of it, links, too many of them, too large ones, or ones that grow a hundredfold.
    """
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise SourceError(f"{path} is not a readable zip file.") from error
    entries = [entry for entry in file.infolist() if not entry.is_dir()]
    try:
        _refuse_attacks(path, entries)
    except SourceError:
        file.close()
        raise
    items, skipped = {}, []
    for entry in filter(_is_picture, entries):
        if entry.filename in items:
            skipped.append(Skipped(f"{path}/{entry.filename}", "is in the zip twice; the last one counts."))
        items[entry.filename] = _item(path, entry)
    if not items:
        raise SourceError(f"There are no pictures in {path} (JPEG, PNG, WebP, GIF, AVIF and BMP are looked for).")
    archive = Archive(path, file, sorted(items.values(), key=lambda item: item.id), skipped)
    reasons = Counter(passed_over_part(PurePosixPath(entry.filename).parts) for entry in entries)
    archive.passed_over = {reason: count for reason, count in reasons.items() if reason}
    return archive


def _refuse_attacks(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise SourceError(
            f"{path} has {len(entries):,} files; more than {MAX_ENTRIES:,} are not read from a zip: "
            "unpack it and index the folder."
        )
    for entry in entries:
        if fault := _fault(entry):
            raise SourceError(f"{path} is refused: its entry {entry.filename!r} {fault}.")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL_BYTES:
        raise SourceError(f"{path} unpacks to {total / 1e9:.0f} GB; the limit is 20 GB: index the unpacked folder.")
    packed = sum(entry.compress_size for entry in entries)
    if total > 10 * SMALL_BYTES and total > MAX_RATIO * max(packed, 1):
        raise SourceError(f"{path} is refused: it grows {total // max(packed, 1)} times when it is unpacked.")


def _fault(entry: zipfile.ZipInfo) -> str:
    """The fault of an entry; empty if it has none."""
    pure = PurePosixPath(entry.filename.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or (pure.parts and pure.parts[0].endswith(":")):
        return "leads out of the zip"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    if entry.file_size > MAX_ENTRY_BYTES:
        return f"unpacks to {entry.file_size / 1e6:.0f} MB"
    if entry.file_size > SMALL_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return f"grows {entry.file_size // max(entry.compress_size, 1)} times"
    return ""


def _is_picture(entry: zipfile.ZipInfo) -> bool:
    pure = PurePosixPath(entry.filename)
    return not passed_over_part(pure.parts) and pure.suffix.lower() in SUFFIXES


def _item(path: Path, entry: zipfile.ZipInfo) -> Item:
    label = PurePosixPath(entry.filename).parent.name or None
    return Item(id=entry.filename, path=f"{path}/{entry.filename}", label=label)
