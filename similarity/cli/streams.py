"""Standard streams of the command line: closed ones, and terminals that cannot show every character."""

import codecs
import os
import sys
import unicodedata
from io import TextIOWrapper

# Characters of our own sentences in ASCII; any other that a terminal cannot show is written as its escape, "\\xfc".
PLAIN = {"–": "-", "—": "-", "…": "...", "×": "x", "≥": ">=", "≤": "<=", "→": "->", "↵": "Enter", "‘": "'", "’": "'"}
ERRORS = "similarity.plain"


def prepare_streams() -> None:
    """Make standard output and error usable, whatever this process was started with.

    Every text can be written to them, and the numbers of closed ones are taken, so that no file of a gallery is opened
    in place of standard output, where a library may print.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # it is closed; writing to standard output is an error then, as on a full disk
            os.dup2(os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY), number)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process
    codecs.register_error(ERRORS, _as_plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def misread_names() -> str:
    """Return a sentence about names of files, if Python reads them in another encoding than UTF-8; otherwise empty."""
    encoding = sys.getfilesystemencoding()
    if encoding.replace("-", "") == "utf8":
        return ""
    return f"This terminal's settings say that names of files are in {encoding}: set PYTHONUTF8=1 if they are in UTF-8."


def _as_plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that a stream cannot encode; see `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(letter: str) -> str:
    if unicodedata.category(letter) == "Zs":
        return " "
    return PLAIN.get(letter) or letter.encode("ascii", "backslashreplace").decode()
