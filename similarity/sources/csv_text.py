"""The text of a CSV as spreadsheets and databases write it: its encoding, and what separates its columns."""

import codecs
import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import SourceError
from similarity.text.encodings import NAMES_OF_ZIPS, WINDOWS, is_utf8, likeliest, title

# Cells are as long as people make them, such as a thumbnail as text. The limit holds for the whole process; raising it
# harms nobody. A number of 32 bits, which every system takes.
csv.field_size_limit(2**31 - 1)

DELIMITERS = ",;\t|"
FIRST_LINE = 1 << 16  # characters that the names of the columns are looked for in
# Excel's first line that names the separator.
SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?(?:\r\n|\r|\n)', re.IGNORECASE)
# Marks of byte order; that of UTF-32 begins as that of UTF-16 does.
MARKS = {
    codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a CSV.

    Attributes:
        text: from the line with the names of the columns on.
        delimiter: the character between two columns.
        skipped_lines: number of lines before `text`.
        note: the encoding, if it had to be guessed.
    """

    text: str
    delimiter: str
    skipped_lines: int
    note: str

    def reader(self) -> "csv.DictReader[str]":
        """A reader of the rows."""
        lines = io.StringIO(self.text, newline="")
        return csv.DictReader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=True)


def read_rows(path: Path, columns: Collection[str]) -> Rows:
    """Read a CSV; bytes that are not of its encoding come through as surrogates.

    Args:
        columns: the names of columns of which it must have one, which tells separators apart.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror or error}).") from error
    try:
        text, note = _decode(data)
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is damaged: it begins as {error.encoding}, and does not go on so.") from error
    named = SEPARATOR_LINE.match(text)
    start = named.end() if named else 0
    start += len(text[start:]) - len(text[start:].lstrip("\r\n"))
    skipped_lines = len(text[:start].splitlines())
    delimiter = named[1] if named else _delimiter(text[start:], columns)
    return Rows(text[start:], delimiter, skipped_lines, note)


def _decode(data: bytes) -> tuple[str, str]:
    """Bytes as text, and a note if their encoding is another than UTF-8."""
    encoding = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), _without_mark(data))
    if encoding == "utf-8":
        return data.decode("utf-8-sig", errors="surrogateescape"), ""
    if encoding:
        return data.decode(encoding).removeprefix("\ufeff"), f"The CSV was read as {encoding.upper()}."
    lines = [line for line in data.splitlines() if not line.isascii()]
    if 2 * sum(map(is_utf8, lines)) >= len(lines) + bool(lines):  # UTF-8, even if some lines are broken
        return data.decode(errors="surrogateescape"), ""
    page = likeliest(lines, WINDOWS + NAMES_OF_ZIPS)
    return data.decode(page, errors="surrogateescape"), f"The CSV is not UTF-8; it was read as {title(page)}."


def _without_mark(data: bytes) -> str:
    """UTF-16 without a mark, by its zeros: the names of columns begin with letters of ASCII."""
    zeros = [byte == 0 for byte in data[:4]]
    return "utf-16-le" if zeros == [False, True] * 2 else "utf-16-be" if zeros == [True, False] * 2 else ""


def _delimiter(text: str, columns: Collection[str]) -> str:
    """The separator that gives a needed column, or else the one that there is most of in the first line."""

    def names(delimiter: str) -> list[str]:
        reader = csv.reader(io.StringIO(text[:FIRST_LINE], newline=""), delimiter=delimiter, skipinitialspace=True)
        try:
            return [name.strip().lower() for name in next(reader, [])]
        except csv.Error:
            return []

    split = {delimiter: names(delimiter) for delimiter in DELIMITERS}
    return max(split, key=lambda delimiter: (not {*columns}.isdisjoint(split[delimiter]), len(split[delimiter])))
