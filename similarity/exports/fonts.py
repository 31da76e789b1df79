"""Text of any language as a picture, in fonts that are installed on this computer.

DejaVu comes with matplotlib and has Latin, Greek, Cyrillic, Arabic and Hebrew. What it lacks, such as Chinese, Hindi or
emoji, is drawn in the first installed font that has it. A character that no font has becomes `�`.
"""

import threading
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

REPLACEMENT = "\ufffd"
MISSING = f"{REPLACEMENT} stands for characters that no font on this computer has; the Noto fonts have nearly all."
# Fonts of bitmaps, such as those of emoji, have one size: those of Google, Apple and others.
BITMAP_SIZES = (109, 160, 136, 128, 96, 64, 40, 32, 20)
# Words in the names of files of fonts that are taken last, since they are not plain.
STYLES = ("bold", "italic", "oblique", "light", "thin", "black", "medium", "condensed", "mono", "serif", "lastresort")
# Characters that belong to what they follow: a joiner, and what gives an emoji its colour of skin.
JOINER, SKINS = "\u200d", range(0x1F3FB, 0x1F400)

_fonts: dict[str, str | None] = {}
_lock = threading.Lock()

Run = tuple[str, str]  # path of a font, and text that is drawn in it


def with_replacements(text: str) -> str:
    """Text with `�` in place of each character that no font has."""
    return "".join(part for _, part in _runs(text))


def draw_line(text: str, size: int, colour: str) -> Image.Image:
    """Draw a line of text, RGBA on nothing, as wide as it is.

    Args:
        size: of the font, in pixels.
    """
    runs = list(_runs(text))
    first = next((letter for letter in text if letter.isalpha() or letter == REPLACEMENT), " ")
    if unicodedata.bidirectional(first) in ("R", "AL"):
        runs.reverse()
    parts = [_draw_run(part, _load(font, size), size, colour) for font, part in runs]
    line = Image.new("RGBA", (max(1, sum(part.width for part in parts)), _height(size)))
    x = 0
    for part in parts:
        line.alpha_composite(part, (x, 0))
        x += part.width
    return line


def draw_lines(lines: Iterable[str], size: int, colour: str, *, spacing: int) -> Image.Image:
    """Draw lines of text below each other, centred, RGBA on nothing."""
    drawn = [draw_line(line, size, colour) for line in lines]
    step = _height(size) + spacing
    block = Image.new("RGBA", (max(line.width for line in drawn), step * len(drawn) - spacing))
    for number, line in enumerate(drawn):
        block.alpha_composite(line, ((block.width - line.width) // 2, step * number))
    return block


def columns(text: str) -> int:
    """The width of text in letters; those of East Asia, and emoji, are two wide."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def _runs(text: str) -> Iterator[Run]:
    """Split text into parts that one font draws; yields the font and the part."""
    fonts = _resolve(text)
    run_font, run = _base(), ""
    for before, letter in zip(f" {text}", text, strict=False):
        is_attached = _is_attached(before, letter)
        font = run_font if is_attached and run else fonts[letter]
        if is_attached and run.endswith(REPLACEMENT):
            continue
        if font is None:
            font, letter = _base(), REPLACEMENT
        if font != run_font and run:
            yield run_font, run
            run = ""
        run_font, run = font, run + letter
    if run:
        yield run_font, run


def _is_attached(before: str, letter: str) -> bool:
    return before == JOINER or ord(letter) in SKINS or unicodedata.category(letter) in ("Mn", "Mc", "Me", "Cf")


def _resolve(text: str) -> dict[str, str | None]:
    """The font of each character of a text; None for one that no font has."""
    with _lock:
        unknown = set(text) - _fonts.keys()
        for font in (_base(), *_installed()) if unknown else ():
            has = _charmap(font, unknown)
            _fonts.update(dict.fromkeys(has, font))
            unknown -= has
            if not unknown:
                break
        _fonts.update(dict.fromkeys(unknown))
        return {letter: _fonts[letter] for letter in text}


def _charmap(font: str, letters: set[str]) -> set[str]:
    """Those of some characters that a font has; none of a font that cannot be read or drawn in."""
    from matplotlib.ft2font import FT2Font

    try:
        face = FT2Font(font)
        has = {letter for letter in letters if face.get_char_index(ord(letter))}
        if has:
            _load(font, 20)
    except (OSError, RuntimeError, ValueError):
        return set()
    return has


@lru_cache
def _base() -> str:
    """The font that comes with matplotlib."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


@lru_cache
def _installed() -> tuple[str, ...]:
    """The fonts of this computer, plain ones first."""
    from matplotlib.font_manager import findSystemFonts

    def rank(path: str) -> tuple[int, str]:
        name = Path(path).name.lower()
        return sum(style in name for style in STYLES) - ("noto" in name), name

    return tuple(sorted(findSystemFonts(), key=rank))


@lru_cache(maxsize=64)
def _load(font: str, size: int) -> tuple[ImageFont.FreeTypeFont, float]:
    """A font, and the factor from its size to the size asked for; raises OSError if it cannot be drawn in."""
    error = None
    for own in (size, *BITMAP_SIZES):
        try:
            return ImageFont.truetype(font, own), size / own
        except OSError as refused:
            error = refused
    raise error or OSError(font)


def _height(size: int) -> int:
    return round(1.4 * size)


def _draw_run(text: str, loaded: tuple[ImageFont.FreeTypeFont, float], size: int, colour: str) -> Image.Image:
    """Draw text of one font, on a line whose letters stand at the same height whatever the font."""
    font, factor = loaded
    width, height = max(1, round(font.getlength(text))), round(_height(size) / factor)
    part = Image.new("RGBA", (width, height))
    ImageDraw.Draw(part).text(
        (0, round(1.05 * size / factor)), text, fill=colour, font=font, anchor="ls", embedded_color=True
    )
    return (
        part if factor == 1 else part.resize((max(1, round(width * factor)), _height(size)), Image.Resampling.LANCZOS)
    )
