"""Contact sheets of screenshots: all states in one size and scheme on few large pictures, to be looked at at once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

# Pixels: the height of each screenshot, and the width and height of a sheet, which is no wider than screens are.
HIGH = {"wide": 420, "tablet": 560, "telephone": 640}
SHEET, GAP, CAPTION = (2560, 2000), 24, 22
PAPER, INK = "#8a8f8d", "#000000"


def write_all(folder: Path, sizes: Sequence[str], schemes: Sequence[str]) -> list[Path]:
    """Lay out the screenshots of a folder, NAME-SIZE-SCHEME.png, on sheets in a folder `sheets` inside it.

    Returns:
        The sheets, sheets/SIZE-SCHEME-NUMBER.png.
    """
    sheets = folder / "sheets"
    sheets.mkdir(exist_ok=True)
    written = []
    for size in sizes:
        for scheme in schemes:
            ending = f"-{size}-{scheme}.png"
            shots = sorted(path for path in folder.iterdir() if path.name.endswith(ending))
            for number, sheet in enumerate(lay_out(shots, ending, HIGH[size]), start=1):
                written.append(sheets / f"{size}-{scheme}-{number}.png")
                sheet.save(written[-1])
    return written


def lay_out(shots: Sequence[Path], ending: str, high: int) -> Iterator[Image.Image]:
    """Lay screenshots out in rows, each with its name above it; yields one sheet after the other."""
    sheet: Image.Image | None = None
    left = top = GAP
    for path in shots:
        with Image.open(path) as shot:
            small = shot.convert("RGB").resize((round(shot.width * high / shot.height), high), Image.Resampling.LANCZOS)
        if left + small.width + GAP > SHEET[0]:
            left, top = GAP, top + high + CAPTION + GAP
        if sheet and top + high + CAPTION + GAP > SHEET[1]:
            yield sheet
            sheet, left, top = None, GAP, GAP
        sheet = sheet or Image.new("RGB", SHEET, PAPER)
        ImageDraw.Draw(sheet).text((left, top), path.name.removesuffix(ending), INK, ImageFont.load_default(16))
        sheet.paste(small, (left, top + CAPTION))
        left += small.width + GAP
    if sheet:
        yield sheet
