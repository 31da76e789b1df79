"""The list of entries at the end of a zip, with the names in the encoding that they were written in.

A zip says of a name that it is UTF-8 by a flag or by an extra field. Many programs write neither: Macs write UTF-8, and
Windows its code page. `zipfile` takes all those for code page 437, and gives up a whole zip for one name that is not
the UTF-8 that it should be.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from similarity.text.encodings import NAMES_OF_ZIPS, is_utf8, likeliest, title
from similarity.text.unicode import nfc

UTF8_FLAG, ENCRYPTED, STRONGLY_ENCRYPTED = 0x800, 0x1, 0x40
UNICODE_PATH, UNKNOWN = 0x7075, 0xFFFF  # kinds of extra fields; the last is nobody's
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
# The head of a record: its signature, flags, and the lengths of name, extra field and comment.
HEAD = struct.Struct("<4s4xH18xHHH12x")
SIGNATURE = b"PK\x01\x02"


@dataclass(frozen=True, slots=True)
class RawName:
    """The name of an entry as bytes, and what the zip says of it.

    Attributes:
        unicode: UTF-8 that takes the place of `name`, if there is an extra field with it that belongs to the name.
    """

    name: bytes
    is_utf8: bool
    unicode: bytes = b""

    @property
    def for_zipfile(self) -> str:
        """The name that `zipfile` gives the entry, as galleries of earlier versions have it."""
        return self.name.decode("utf-8" if self.is_utf8 else "cp437", errors="replace").partition("\0")[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a zip.

    Attributes:
        name: its name, composed, with forward slashes.
        info: its record, to read it with.
        fault: why it cannot be read; empty if it can.
    """

    name: str
    info: zipfile.ZipInfo
    fault: str = ""


class ZipFile(zipfile.ZipFile):
    """A zip whose list is read however its names are encoded.

    Attributes:
        raw_names: the names of its entries, in the order of `infolist`.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a zip; raises BadZipFile or OSError."""
        self._stream = _Stream(path)
        try:
            super().__init__(self._stream)
            self._stream.is_listing = False
            self.raw_names = self._stream.names
            for raw, info in zip(self.raw_names, self.infolist(), strict=True):
                if raw.is_utf8 and is_utf8(raw.name):  # `zipfile` compares it with the name before the entry's bytes
                    info.orig_filename = raw.name.decode()
        except BaseException:
            self._stream.close()
            raise

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._stream.close()


class _Stream(io.BufferedReader):
    """The file of a zip, in whose list of entries no name is said to be UTF-8, so that `zipfile` decodes none of them.

    Attributes:
        names: those of the list that was read last.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(io.FileIO(str(path)))
        self.names: list[RawName] = []
        self.is_listing = True

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        return self._plain_list(data) if self.is_listing and data.startswith(SIGNATURE) else data

    def _plain_list(self, data: bytes) -> bytes:
        plain, start, self.names = bytearray(data), 0, []
        while start + HEAD.size <= len(data):
            signature, flags, *lengths = HEAD.unpack_from(data, start)
            if signature != SIGNATURE:
                break
            at_extra = start + HEAD.size + lengths[0]
            name, extra = data[start + HEAD.size : at_extra], data[at_extra : at_extra + lengths[1]]
            self.names.append(RawName(name, bool(flags & UTF8_FLAG), _unicode_path(name, extra)))
            struct.pack_into("<H", plain, start + 8, flags & ~UTF8_FLAG)
            plain[at_extra : at_extra + len(extra)] = _plain_extra(extra)
            start = at_extra + lengths[1] + lengths[2]
        return bytes(plain)


def list_entries(file: ZipFile) -> tuple[list[Entry], str]:
    """The entries of a zip that are not folders, and a note if the encoding of their names had to be guessed."""
    names, note = _decode(file.raw_names)
    entries = []
    for raw, name, info in zip(file.raw_names, names, file.infolist(), strict=True):
        if name is None:
            shown = raw.name.decode(errors="replace")
            fault = "has a name that is not UTF-8, although the zip says so: rename it, and zip it again."
            entries.append(Entry(shown.replace("\\", "/"), info, fault))
        else:
            entries.append(Entry(name, info, _fault(info)))
    return [entry for entry in entries if not entry.name.endswith("/")], note


def _decode(raw: Sequence[RawName]) -> tuple[list[str | None], str]:
    """Names as text, None for one that is not what the zip says, and a note."""
    unknown = [name.name for name in raw if not (name.is_utf8 or name.unicode or name.name.isascii())]
    utf8 = [name for name in unknown if is_utf8(name)]
    page = likeliest(unknown, NAMES_OF_ZIPS) if len(utf8) < len(unknown) else "utf-8"
    # Two bytes of a code page can be UTF-8 by accident, so a few do not show that a zip has names of both kinds.
    accepted = set(utf8) if 2 * len(utf8) > len(unknown) else set()

    def decode(name: RawName) -> str | None:
        if name.is_utf8 or name.unicode:
            data, encoding = name.name if name.is_utf8 and is_utf8(name.name) else name.unicode or name.name, "utf-8"
        else:
            data, encoding = name.name, "utf-8" if name.name.isascii() or name.name in accepted else page
        try:
            return nfc(data.decode(encoding).partition("\0")[0].replace("\\", "/"))
        except UnicodeDecodeError:
            return None

    said = f"The zip does not say how its names are encoded; they were read as {title(page)}."
    return [decode(name) for name in raw], said if page != "utf-8" else ""


def _fault(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & (ENCRYPTED | STRONGLY_ENCRYPTED):
        return "is encrypted: unpack the zip with its password, and index the folder."
    if info.compress_type not in METHODS | {getattr(zipfile, "ZIP_ZSTANDARD", zipfile.ZIP_STORED)}:
        return f"is compressed by method {info.compress_type}, which is not read: unpack the zip, and index the folder."
    return ""


def _fields(extra: bytes) -> list[tuple[int, int, bytes]] | None:
    """Kind, position and content of each extra field; None if they are damaged."""
    fields, start = [], 0
    while start + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, start)
        if start + 4 + length > len(extra):
            return None
        fields.append((kind, start, extra[start + 4 : start + 4 + length]))
        start += 4 + length
    return fields


def _unicode_path(name: bytes, extra: bytes) -> bytes:
    """The name in the extra field for it, unless the field is of another name."""
    for kind, _, content in _fields(extra) or ():
        if kind == UNICODE_PATH and len(content) > 5 and content[1:5] == struct.pack("<L", zlib.crc32(name)):
            return content[5:]
    return b""


def _plain_extra(extra: bytes) -> bytes:
    """Extra fields without the one for the name, and without any if they are damaged: `zipfile` gives up the zip."""
    fields = _fields(extra)
    if fields is None:
        return struct.pack("<HH", UNKNOWN, len(extra) - 4) + bytes(len(extra) - 4)
    plain = bytearray(extra)
    for kind, start, _ in fields:
        if kind == UNICODE_PATH:
            struct.pack_into("<H", plain, start, UNKNOWN)
    return bytes(plain)
