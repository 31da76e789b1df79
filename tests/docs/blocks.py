"""Blocks of code in the pages: which there are, and whether a page says why one is not run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+?) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE
)
NUMBER = re.compile(r"-?[\d,]*\.?\d+")
# Networks compute a little otherwise on other processors.
TOLERANCE = 0.02


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        language: as the page names it.
        code: its lines.
        reason: why it is not run; empty if it is.
    """

    language: str
    code: str
    reason: str


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in its order."""
    for found in BLOCK.finditer(page.read_text("utf-8")):
        yield Block(found["language"], found["code"], found["reason"] or "")


def is_in(line: str, output: str) -> bool:
    """Whether a line of an output has the words of a line: paths may begin otherwise, numbers differ a little."""
    words = line.split()
    for printed in map(str.split, output.splitlines()):
        starts = range(len(printed) - len(words) + 1)
        if any(all(map(_is_alike, words, printed[start:])) for start in starts):
            return True
    return False


def _is_alike(word: str, printed: str) -> bool:
    if NUMBER.fullmatch(word) and NUMBER.fullmatch(printed):
        return abs(float(word.replace(",", "")) - float(printed.replace(",", ""))) <= TOLERANCE
    return word == printed or ("/" in word and printed.endswith(f"/{word}"))
