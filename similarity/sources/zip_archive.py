"""A zip of pictures, read in place: nothing is unpacked, and entries that look like an attack are never opened."""

import lzma
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from similarity.errors import ImageError, SourceError
from similarity.images.formats import START_BYTES, SUFFIXES, reason_by_name, unread_reason
from similarity.sources.base import FileBytes, Item, Skipped, Stamp
from similarity.sources.passed_over import passed_over_part
from similarity.sources.unread import bounded, nothing_here
from similarity.sources.zip_directory import Entry, ZipFile, list_entries
from similarity.text.unicode import nfc

MAX_ENTRIES = 50_000
MAX_TOTAL_BYTES = 20_000_000_000
MAX_ENTRY_BYTES = 100_000_000
# Pictures are compressed already; a higher compression ratio is a decompression bomb. Small entries are harmless.
MAX_RATIO = 100
SMALL_BYTES = 1_000_000
UNPACKING_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError)


class Archive:
    """The pictures in a zip file; make one with `open_archive`.

    Attributes:
        notes: remarks on the zip as a whole.
    """

    def __init__(
        self, path: Path, file: ZipFile, entries: Mapping[str, Entry], skipped: list[Skipped], note: str
    ) -> None:
        """`entries` are its pictures, by their ids."""
        self.name = str(path)
        self.items = sorted((_item(path, name) for name in entries), key=lambda item: item.id)
        self.skipped = skipped
        self.notes = [note] if note else []
        self.readers = os.cpu_count() or 1
        self._file = file
        self._changed = path.stat().st_mtime
        numbers = {id(info): number for number, info in enumerate(file.infolist())}
        self._numbers = {name: numbers[id(entry.info)] for name, entry in entries.items()}
        self.passed_over: dict[str, int] = {}

    def read(self, item: Item) -> FileBytes:
        """The bytes of an entry, checked against its CRC; zipfile reads no more than the size it announced."""
        try:
            return FileBytes(self._file.read(self._find(item.id)), self._changed)
        except UNPACKING_ERRORS as error:
            raise ImageError(item.path, "cannot be unpacked: it is damaged.") from error

    def stamp(self, item: Item) -> Stamp | None:
        """An entry's size, and when the zip was last changed: the entries' own times are local and often made up."""
        return Stamp(self._find(item.id).file_size, self._changed)

    def _find(self, name: str) -> zipfile.ZipInfo:
        """The record of an entry by its id, also as earlier versions had it; raises KeyError if there is none."""
        number = self._numbers.get(name, self._numbers.get(nfc(name)))
        if number is None:
            number = {raw.for_zipfile: place for place, raw in enumerate(self._file.raw_names)}[name]
        return self._file.infolist()[number]

    def whereabouts(self, item: Item) -> str:
        """The path of the zip, with the entry's behind it."""
        return item.path

    def part(self, items: Sequence[Item]) -> "Archive":
        """The source with a subset of its items."""
        part = copy(self)
        part.items, part.skipped = list(items), []
        part._numbers = {item.id: self._numbers[item.id] for item in items}
        return part

    @cached_property
    def _file(self) -> ZipFile:
        return ZipFile(self.name)

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
        file = ZipFile(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise SourceError(f"{path} is not a readable zip file.") from error
    try:
        entries, note = list_entries(file)
        _refuse_attacks(path, entries)
        pictures, skipped = _pictures(path, file, entries)
    except SourceError:
        file.close()
        raise
    archive = Archive(path, file, pictures, skipped, note)
    reasons = Counter(map(_passed_over, entries))
    archive.passed_over = {reason: count for reason, count in reasons.items() if reason}
    return archive


def _pictures(path: Path, file: ZipFile, entries: Sequence[Entry]) -> tuple[dict[str, Entry], list[Skipped]]:
    """The entries that are pictures, by their ids, and those that are not, or cannot be read."""
    pictures: dict[str, Entry] = {}
    twice, others = [], []
    for entry in entries:
        if _passed_over(entry):
            continue
        if reason := _unread_reason(file, entry):
            others.append(Skipped(f"{path}/{entry.name}", reason))
            continue
        if entry.name in pictures:
            twice.append(Skipped(f"{path}/{entry.name}", "is in the zip twice; the last one counts."))
        pictures[entry.name] = entry
    faults = [entry for entry in entries if entry.fault and not _passed_over(entry)]
    if not pictures and faults:
        raise SourceError(f"No picture in {path} can be read: {path}/{faults[0].name} {faults[0].fault}")
    if not pictures:
        raise SourceError(nothing_here(path, others))
    return pictures, [*twice, *bounded(others, str(path))]


def _refuse_attacks(path: Path, entries: Sequence[Entry]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise SourceError(
            f"{path} has {len(entries):,} files; more than {MAX_ENTRIES:,} are not read from a zip: "
            "unpack it and index the folder."
        )
    for entry in entries:
        if fault := _fault(entry):
            raise SourceError(f"{path} is refused: its entry {entry.name!r} {fault}.")
    total = sum(entry.info.file_size for entry in entries)
    if total > MAX_TOTAL_BYTES:
        raise SourceError(f"{path} unpacks to {total / 1e9:.0f} GB; the limit is 20 GB: index the unpacked folder.")
    packed = sum(entry.info.compress_size for entry in entries)
    if total > 10 * SMALL_BYTES and total > MAX_RATIO * max(packed, 1):
        raise SourceError(f"{path} is refused: it grows {total // max(packed, 1)} times when it is unpacked.")


def _fault(entry: Entry) -> str:
    """The fault of an entry that no honest zip has; empty if it has none."""
    pure, info = PurePosixPath(entry.name), entry.info
    if pure.is_absolute() or ".." in pure.parts or (pure.parts and pure.parts[0].endswith(":")):
        return "leads out of the zip"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.file_size > MAX_ENTRY_BYTES:
        return f"unpacks to {info.file_size / 1e6:.0f} MB"
    if info.file_size > SMALL_BYTES and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return f"grows {info.file_size // max(info.compress_size, 1)} times"
    return ""


def _passed_over(entry: Entry) -> str:
    """The reason why an entry is left out unread; empty if it is not."""
    return passed_over_part(PurePosixPath(entry.name).parts)


def _unread_reason(file: ZipFile, entry: Entry) -> str:
    """The reason why an entry is no picture to index; empty if it is one by its name or else by its first bytes."""
    suffix = PurePosixPath(entry.name).suffix.lower()
    if suffix not in SUFFIXES and (reason := reason_by_name(suffix)):
        return reason
    if entry.fault or suffix in SUFFIXES:
        return entry.fault
    try:
        with file.open(entry.info) as opened:
            return unread_reason(opened.read(START_BYTES), suffix)
    except UNPACKING_ERRORS:
        return "cannot be unpacked: it is damaged."


def _item(path: Path, name: str) -> Item:
    return Item(id=name, path=f"{path}/{name}", label=PurePosixPath(name).parent.name or None)
