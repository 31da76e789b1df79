"""Plain text from untrusted text: for a terminal, a log, a table, or as the name of a file."""

import logging
import re
import unicodedata
from pathlib import PurePosixPath
from typing import Any

# Longest address, and longest input of one line such as words, names and places, in characters.
LONGEST = 2_048

# Beginnings that a spreadsheet may take for a formula, at the start of a cell or after a separator.
FORMULA = re.compile(r"(^|[;,\t\r\n])(\s*)(?=[=+\-@＝＋－＠])")
GUARDED = re.compile(r"(^|[;,\t\r\n])(\s*)'(?=[=+\-@＝＋－＠])")
JOINERS = "\u200c\u200d"
LONGEST_LOGGED = 4_000
LONGEST_SAID = 200
# Longest file name, in bytes of UTF-8: file systems accept 255.
LONGEST_ENTRY, LONGEST_SUFFIX = 240, 16


def one_line(text: str) -> str:
    """Text in one line, with invisible characters escaped, so that no terminal obeys them.

    Joiners stay where they belong to the spelling of a language, or to an emoji.
    """
    if text.isprintable():
        return text
    around = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    return "".join(letter if _joins(before, letter, after) else _escape(letter) for before, letter, after in around)


def cell(value: Any) -> Any:
    """A value for a table that no spreadsheet takes for a formula, whichever separator it uses."""
    return FORMULA.sub(r"\1\2'", "".join(map(_in_cell, value))) if isinstance(value, str) else value


def without_guard(value: Any) -> Any:
    """A value of a table that `cell` wrote, as it was before."""
    return GUARDED.sub(r"\1\2", value) if isinstance(value, str) else value


def entry(name: str) -> str:
    """A file name that is safe on every system, for an archive or a download; keeps the suffix."""
    path = PurePosixPath(_sanitize(name).strip())
    stem, suffix = path.stem, path.suffix.encode()[:LONGEST_SUFFIX].decode(errors="ignore")
    short = stem.encode()[: LONGEST_ENTRY - LONGEST_SUFFIX].decode(errors="ignore").strip(" .")
    return _sanitize(f"{short or '_'}{suffix}")  # once more, since the rest may be a reserved name


def short(text: str) -> str:
    """The beginning of a text, to be quoted in a sentence."""
    return text if len(text) <= LONGEST_SAID else f"{text[: LONGEST_SAID - 1]}…"


class Formatter(logging.Formatter):
    """Writes each record in one line of bounded length, and each line of a traceback likewise."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """A record without its traceback."""
        record.message = one_line(record.message[:LONGEST_LOGGED])
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """A traceback."""
        return "\n".join(one_line(line[:LONGEST_LOGGED]) for line in super().formatException(ei).split("\n"))


def log(level: int) -> None:
    """Log records of this level and above to standard error, unless logging is configured already."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("%(levelname)s:%(name)s:%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


def _joins(before: str, letter: str, after: str) -> bool:
    """Whether a character joins two of a script that is written with joiners, such as Persian, or two emoji."""
    return letter in JOINERS and min(before, after) >= "\u0600" and (before + after).isprintable()


def _sanitize(name: str) -> str:
    from pathvalidate import sanitize_filename

    name = re.sub(r"\s+(?=\.)", "", one_line(name))  # spaces before a dot could hide a reserved name
    return sanitize_filename(name, "_", platform="universal", max_len=LONGEST)


def _in_cell(character: str) -> str:
    """Keep tabs and line breaks, and escape other invisible characters, which a reader would overlook."""
    return character if character in "\t\r\n" else _escape(character)


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else character.encode("unicode_escape").decode()
