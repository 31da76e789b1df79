"""Text from elsewhere as nothing but text: in a terminal, in a log, in a table, as the name of a file."""

import logging
import re
import unicodedata
from typing import Any

from pathvalidate import sanitize_filename

# What a spreadsheet may take for a formula, at the start of a cell or after what may end one.
FORMULA = re.compile(r"(^|[;,\t\r\n])(\s*)(?=[=+\-@＝＋－＠])")
LONGEST_LOGGED = 4_000


def one_line(text: str) -> str:
    """Text in one line, with what cannot be seen written out, so that no terminal takes it for a command."""
    return text if text.isprintable() else "".join(map(_seen, text))


def cell(value: Any) -> Any:
    """A value for a table that no spreadsheet takes for a formula, whatever it thinks that ends a cell."""
    return FORMULA.sub(r"\1\2'", value) if isinstance(value, str) else value


def entry(name: str) -> str:
    """A name for a file in an archive or a download: a plain one everywhere, in no other folder."""
    return sanitize_filename(name, replacement_text="_", platform="universal") or "_"


class Formatter(logging.Formatter):
    """Writes each record in one line of bounded length, and each line of a traceback likewise."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """A record without what it may have of a traceback."""
        record.message = one_line(record.message[:LONGEST_LOGGED])
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """A traceback."""
        return "\n".join(one_line(line[:LONGEST_LOGGED]) for line in super().formatException(ei).split("\n"))


def log(level: int) -> None:
    """Have records of this level and above written to standard error, unless somebody has seen to it already."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("%(levelname)s:%(name)s:%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else character.encode("unicode_escape").decode()
