"""The sheet draws what people call their pictures, in every language, without a warning or a fault."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from similarity.errors import GalleryError, SearchError
from similarity.exports import fonts
from similarity.exports.results import write_csv
from similarity.exports.sheet import draw_sheet, draw_words, save_sheet
from similarity.exports.tables import write_table
from similarity.search import Hit
from similarity.sources import Item

NAMES = ["靴", "हिन्दी", "عربي", "👟 rot", "👩\u200d🔬", "q\x1b[2Jx\ny", "caf\udce9", "ไทย", "한국어", "$x^2$", "a" * 99]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The fonts that are installed, to be changed; what is known of them is forgotten before and after."""
    paths: list[str] = []
    monkeypatch.setattr(fonts, "_installed", lambda: tuple(paths))
    monkeypatch.setattr(fonts, "_fonts", {})
    return paths


def make_font(path: str, letters: str) -> None:
    """Write a font in which each letter is a filled square."""
    names = [".notdef", *(f"u{ord(letter):X}" for letter in letters)]
    pen = TTGlyphPen(None)
    for point, move in (((0, 0), pen.moveTo), ((0, 900), pen.lineTo), ((900, 900), pen.lineTo), ((900, 0), pen.lineTo)):
        move(point)
    pen.closePath()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): f"u{ord(letter):X}" for letter in letters})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def sheet_of(title: str, labels: list[str]) -> Image.Image:
    hits = [Hit(rank, 0.5, Item(f"{rank}", f"/{rank}.jpg", label)) for rank, label in enumerate(labels, 1)]
    small = io.BytesIO()
    picture = draw("dots", 1)
    picture.save(small, "JPEG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Image.open(io.BytesIO(draw_sheet(picture, title, hits, [small.getvalue()] * len(hits)))).convert("RGB")


@pytest.mark.many
@pytest.mark.parametrize("title", NAMES)
def test_names_of_all_languages_are_drawn_without_a_warning(title: str) -> None:
    assert sheet_of(title, NAMES[:5]).width > 500


@pytest.mark.usefixtures("installed")
def test_a_letter_that_no_font_has_is_replaced_and_the_sheet_says_so() -> None:
    assert fonts.with_replacements("rote 靴 हिन्दी") == "rote � ���"
    with_note, without = sheet_of("靴", ["x"]), sheet_of("shoe", ["x"])
    below = (slice(-25, None), slice(None))
    assert np.asarray(with_note)[below].min() < 200
    assert np.asarray(without)[below].min() == 255


def test_a_letter_is_drawn_in_the_first_installed_font_that_has_it(installed: list[str], tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    make_font(str(tmp_path / "squares.ttf"), "靴鞋")
    installed += [str(tmp_path / "broken.ttf"), str(tmp_path / "squares.ttf")]
    assert fonts.with_replacements("rote 靴 帽") == "rote 靴 �"
    square = np.asarray(fonts.draw_line("靴", 40, "#000000"))[..., 3]
    assert square.max(axis=0).tolist().count(255) == 36, "a square of 0.9 of the size, whole"
    assert np.asarray(sheet_of("靴", ["x"]))[-25:].min() == 255


def test_arabic_is_joined_and_written_from_right_to_left() -> None:
    apart = sum(fonts.draw_line(letter, 40, "#000000").width for letter in "عربي")
    assert fonts.draw_line("عربي", 40, "#000000").width < 0.95 * apart
    both = np.asarray(fonts.draw_line("שלום 1", 40, "#000000"))[..., 3]
    assert both.any()


def test_a_card_has_words_of_all_languages_within_its_edges() -> None:
    for words in ("靴" * 150, "👟 " * 90, "красные туфли " * 20, "", "\x1b[2J\n"):
        card = np.asarray(draw_words(words).convert("L"))
        edges = np.concatenate([card[0], card[-1], card[:, 0], card[:, -1]])
        assert edges.min() == edges.max(), words[:5]


def test_a_sheet_is_drawn_over_a_sheet_and_never_over_a_picture(tmp_path: Path) -> None:
    place, picture = tmp_path / "sheet.png", io.BytesIO()
    sheet_of("shoe", ["x"]).save(picture, "JPEG")
    png = draw_sheet(draw("dots", 1), "shoe", [], [])
    save_sheet(place, png)
    save_sheet(place, png)
    place.write_bytes(picture.getvalue())
    with pytest.raises(SearchError, match="a picture lies there"):
        save_sheet(place, png)
    with pytest.raises(GalleryError, match="a picture lies there"):
        write_table(place, b"a table")
    with pytest.raises(GalleryError, match="a picture lies there"):
        write_csv(place, [], [])
    assert place.read_bytes() == picture.getvalue()
