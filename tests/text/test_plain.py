"""Text from elsewhere stays text: in a terminal, a log, a spreadsheet, an archive, and on a page."""

import csv
import io
import logging
import zipfile

import pytest
from PIL import Image

from similarity.app.wording.messages import WORD_JOINER, escape_markdown
from similarity.cli import terminal
from similarity.exports.results import to_csv, to_zip
from similarity.search import Hit
from similarity.sources import Item
from similarity.text import plain

# Clears the screen; puts something into the clipboard; writes from right to left; breaks the line.
COMMANDS = ["\x1b[2J", "\x1b]52;c;ZXZpbA==\x07", "a\u202egpj.exe", "one\r\ntwo", "\x9b31m", "\u2028", "\x00", "\x7f"]


@pytest.mark.parametrize("text", COMMANDS)
def test_what_a_terminal_obeys_is_written_out(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain.one_line(text).isprintable()
    terminal.say(f"{text}: gone", as_="Skipped")
    terminal.print_table(("path",), [(text,)])
    told = capsys.readouterr()
    for line in (told.err, told.out):
        assert not set(text) & set(line.replace("\n", "")) - set(map(chr, range(32, 127)))


def test_names_that_people_give_are_left_as_they_are() -> None:
    for name in ("Schuh übergrößen.jpg", "靴.jpg", "été 2024 (1).png", "a[b]c.webp", "👟.jpg"):
        assert plain.one_line(name) == name
    for name in ("می\u200cخواهم", "👩\u200d🔬.jpg", "क्\u200dष"):
        assert plain.one_line(name) == name
    assert plain.one_line("pay\u200cpal") == r"pay\u200cpal"
    assert plain.one_line("م\u200c\x1b[2J") == r"م\u200c\x1b[2J"
    assert plain.one_line("Screenshot 9.41\u202fAM.png") == "Screenshot 9.41 AM.png"


def test_a_record_of_the_log_is_one_line_of_bounded_length() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(plain.Formatter("%(levelname)s:%(message)s"))
    logger = logging.Logger("similarity.of_a_test")
    logger.addHandler(handler)
    logger.warning("%s was not fetched", "http://a.test/\n\x1b[2JERROR:all is lost" + "x" * 20_000_000)
    try:
        raise ValueError("one\x1b[2J\ntwo")
    except ValueError:
        logger.exception("it failed")
    lines = written.getvalue().splitlines()
    assert lines[0].startswith(r"WARNING:http://a.test/\n\x1b[2JERROR")
    assert all(len(line) < 5_000 and line.isprintable() for line in lines)
    assert lines[1] == "ERROR:it failed"


@pytest.mark.parametrize(
    "text", ["=cmd|'/c calc'!A0", "x;=cmd|'/c calc'!A0", "x,=1+1", "a\n=1", " =1+1", "\t@SUM(1)", "＝1+1", "a;  -2+3"]
)
def test_no_cell_is_a_formula_whatever_ends_it(text: str) -> None:
    made = to_csv([{"rank": 1, "metadata.note": text, f"metadata.{text}": "named"}]).decode("utf-8-sig")
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(made), delimiter=separator):
            assert not any(field.strip().startswith(("=", "+", "-", "@", "＝", "＋")) for field in row)


def test_numbers_and_names_in_a_table_are_left_as_they_are() -> None:
    assert [plain.cell(value) for value in (-0.5, 3, "rings-1.jpg", "a b;c")] == [-0.5, 3, "rings-1.jpg", "a b;c"]


@pytest.mark.parametrize("name", ["..\\..\\evil.jpg", "a/b\\c.jpg", "con.jpg", "a\x1b[2J.jpg", 'x:"<>|?*.jpg', ".."])
def test_what_is_in_a_zip_lies_in_its_folder_on_every_system(name: str) -> None:
    content = io.BytesIO()
    Image.new("RGB", (2, 2)).save(content, "PNG")
    item = Item(id="a", path=f"/pictures/{name}", source="/pictures", sha256="0" * 64)
    made = to_zip([Hit(rank=1, score=1.0, item=item)], lambda _: content.getvalue())
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        (entry,) = archive.namelist()
    assert entry.startswith("001-")
    assert not set(entry) & set('/\\:*?"<>|\x1b')


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/login",
        "HTTP://evil.example",
        "www.evil.example",
        "log@evil.example",
        "mailto:log@evil.example",
        ":material/lock:",
        ":smile:",
        "a -> b",
        "<-",
        "a <-> b -- c >= d",
    ],
)
def test_what_streamlit_replaces_after_it_has_read_markdown_is_broken_up(text: str) -> None:
    assert WORD_JOINER in escape_markdown(text)
    assert escape_markdown(text).replace("\\", "").replace(WORD_JOINER, "") == text


def test_a_plain_name_on_a_page_has_nothing_hidden_in_it() -> None:
    assert escape_markdown("rings-1.jpg 10:30 C: a = b") == r"rings\-1\.jpg 10\:30 C\: a = b"
    assert escape_markdown("Recall@1 of a [red]:red[no]") == r"Recall@1 of a \[red\]\:red\[no\]"
