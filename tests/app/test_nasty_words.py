"""Words that mean harm, in every part of a gallery that somebody else can have written, at every outlet."""

import csv
import io
import json
import re
import shutil
import unicodedata
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from conftest import MODEL, change_manifest, draw
from pages import components, draw_alone, open_app, tiles
from PIL import Image
from secretive import Sent, listening, with_head
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from test_visitors import PAGES
from tiers import Share

from similarity import Gallery
from similarity.evaluation import evaluate, render_report
from similarity.exports import sheet
from similarity.exports.results import to_csv, to_rows, to_zip
from similarity.search import Hit
from similarity.sources import FileBytes, Item, Skipped, Stamp
from similarity.storage.feedback import FeedbackQuery, add_feedback
from similarity.text import plain

NASTY = (
    "![evil](http://evil.example/x.png)",
    "[evil](http://evil.example)",
    "see http://evil.example/?a=1",
    "see www.evil.example",
    "log@evil.example",
    ":material/skull: evil",
    ":smile: evil",
    ":red[evil]",
    "$\\frac{evil}{2}$",
    "a -> evil",
    "evil <- a",
    "<img src=x onerror=evil()>",
    "</script><script>evil()</script>",
    "# evil",
    "> evil",
    "| evil | x |",
    "`evil`",
    "~~evil~~",
    "*evil*",
    "__evil__",
    "evil\\",
    "{{ 7 * 7 }} evil",
    "&lt;evil&gt;",
    "[link=http://evil.example]evil[/link]",
    "[bold red]evil[/]",
    "\x1b[2Jevil",
    "\x1b]8;;http://evil.example\x07evil\x1b]8;;\x07",
    "\x1b]52;c;ZXZpbA==\x07 evil",
    "evil\u202egpj.exe",
    "ev\u200bil\u2066 x",
    "\ufeff=1+1 evil",
    "=cmd|'/c evil'!A0",
    "x;=cmd|'evil'!A0",
    "+evil",
    "-evil",
    "@evil",
    "\t=evil",
    "a\r\n=evil",
    "..\\..\\evil",
    "CON",
    "evil" * 100,
)
# Some of what may not be in anything that a person looks at; unseen, or obeyed by a terminal.
UNSEEN = [one for one in map(chr, range(0x2_FFFF)) if unicodedata.category(one) in ("Cc", "Cf") and one not in "\t\r\n"]
ESCAPED = re.compile(r"\\[^a-zA-Z0-9\s]")  # in markdown
WORD_JOINER = "\u2060"  # which is ours
# Elements in which nothing is markup, and parts of others that are not.
AS_TEXT = frozenset({"bidi_component", "dataframe", "echarts_chart", "code", "imgs", "arrow_data_frame"})
PLAIN_PARTS = ("options", "placeholder", "alt", "default", "id", "file_name", "value", "set_value", "raw_values", "url")


class Shop:
    """Pictures of which nothing is called what it should be."""

    readers = 1

    def __init__(self, folder: Path) -> None:
        self.name = f"{NASTY[0]} {NASTY[25]}"
        self.items = []
        self._data = {}
        for number, words in enumerate(NASTY):
            made = io.BytesIO()
            draw("dots", number).resize((96, 96)).save(made, "PNG")
            place = str(folder / f"{words.replace('/', '_').encode()[:200].decode(errors='ignore')}.png")
            facts = {words: "named", "told": words, "pair": NASTY[number - number % 2]}
            self.items.append(Item(id=f"{number}-{words}", path=place, label=words, metadata=facts))
            self._data[f"{number}-{words}"] = made.getvalue()
        self.skipped = [Skipped(words, words, self.name) for words in NASTY]

    def read(self, item: Item) -> FileBytes:
        return FileBytes(self._data[item.id])

    def stamp(self, _: Item) -> Stamp | None:
        return None

    def whereabouts(self, item: Item) -> str:
        return item.path

    def part(self, items: Any) -> "Shop":
        raise NotImplementedError


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Gallery:
    """The gallery, once; read only."""
    assert home
    folder = tmp_path_factory.mktemp("shop")
    gallery = Gallery.build(Shop(folder), folder / "nasty", model=MODEL)
    run = json.loads((gallery.directory / "generations/000001/manifest.json").read_text())["last_run"]
    every = " ".join(NASTY)
    told = {"note": f"{every}\n{every}", "recipe_reason": every, "refinement_reason": every}
    change_manifest(gallery, last_run=run | {"source": every, "task": every}, **told)
    item = gallery.items[0]
    for number, words in enumerate(NASTY):
        add_feedback(gallery.directory, gallery.manifest, FeedbackQuery(words, f"{number:064x}"), item, wanted=True)
    with_head(Gallery.open(gallery.directory), loss=every, data={"gallery": every, "pictures": 3, "labels": 2})
    return Gallery.open(gallery.directory)


@pytest.fixture
def nasty(kept: Gallery, empty_home: Path) -> Gallery:
    """A copy of it, in a home of its own; further ones are called what only a folder can be called."""
    for number, words in enumerate(NASTY):
        name = f"{words.replace('/', '_').encode()[:200].decode(errors='ignore')}{number}"
        (empty_home / "galleries" / name / "generations").mkdir(parents=True)
    return Gallery.open(shutil.copytree(kept.directory, empty_home / "galleries" / "nasty"))


@pytest.fixture(params=["everyone", "nobody"])
def sent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    """What the pages of a test send to somebody who may manage, and to somebody who may not."""
    monkeypatch.setenv("SIMILARITY_MANAGE", request.param)
    with listening() as heard:
        yield heard
    assert heard.messages
    for message in heard.messages:
        check_message(message)


def check_message(data: bytes) -> None:
    """Where markup is read, nothing is as it was written; and nowhere is what cannot be seen."""
    message = ForwardMsg.FromString(data)
    element = message.delta.new_element
    kind = element.WhichOneof("type")
    text = data.decode(errors="replace")
    if kind in AS_TEXT:
        check_seen(readable(json.loads(element.bidi_component.json)) if kind == "bidi_component" else "")
        return
    if kind is None:
        return
    told = getattr(element, kind)
    for name in PLAIN_PARTS:
        if name in told.DESCRIPTOR.fields_by_name:
            told.ClearField(name)
    text = ESCAPED.sub("\0", told.SerializeToString().decode(errors="replace"))
    for words in NASTY:
        # A word, and a dash that is not at the beginning of a line, say nothing in markdown.
        if words not in ("CON", "evil" * 100, "+evil", "-evil", "@evil"):
            assert words not in text, f"{kind}: {words!r}"
            assert plain.one_line(words) not in text, f"{kind}: {words!r}"


def readable(value: Any) -> str:
    """All words in something; an id is none of them, which nobody sees."""
    if isinstance(value, dict):
        return " ".join(readable(one) for name, one in value.items() if name != "id")
    return " ".join(map(readable, value)) if isinstance(value, list) else str(value)


def check_seen(text: str) -> None:
    """Nothing is in a text that nobody sees, or that a terminal obeys."""
    assert not [one for one in UNSEEN if one in text and one != WORD_JOINER], ascii(text[:2_000])


def test_the_search_page_takes_no_words_for_markup(nasty: Gallery, sent: Sent) -> None:
    page = open_app(gallery="nasty", k="100").run()
    assert not page.exception
    assert len(tiles(page)) == len(NASTY)
    assert any(tile["label"] == NASTY[5] for tile in tiles(page)), "elements of our own set it as text"
    assert sent.messages
    for number in range(0, len(NASTY), 8):
        page = open_app(gallery="nasty", k="100", like=f"item:{nasty.items[number].sha256}")
        page.query_params["open"] = nasty.items[number].sha256
        page.run()
        assert not page.exception
        assert components(page, "similarity_tiles")


@pytest.mark.many
@pytest.mark.parametrize("draw", PAGES, ids=lambda one: one.__name__)
def test_no_other_page_takes_words_for_markup(
    draw: Any, nasty: Gallery, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = draw_alone(draw, monkeypatch)
    for name in (nasty.name, ""):
        if name:
            page.query_params["gallery"] = name
        else:
            page.query_params.clear()
        page.run()
        assert not page.exception
    assert sent


@pytest.mark.usefixtures("sent", "shapes")
def test_no_address_of_a_page_is_taken_for_markup(share: Share) -> None:
    for words in share.of(NASTY, 9):
        for name in ("gallery", "like", "model", "where.label"):
            value = f"item:{words}" if name == "like" else words
            page = open_app(**({"like": "item:dots/dots-0.jpg"} | {name: value})).run()
            assert not page.exception, words


@pytest.mark.parametrize("command", ["search", "info", "list", "feedback", "duplicates"])
@pytest.mark.usefixtures("kept")
def test_no_command_takes_words_for_markup(command: str, nasty: Gallery, run: Run, tmp_path: Path) -> None:
    draw("dots", 3).save(tmp_path / "query.png")
    options = {"search": [tmp_path / "query.png", "-g", "nasty", "-k", 100], "list": []}
    done = run(command, *options.get(command, ["-g", nasty.name]))
    assert done.returncode == 0, done.stderr
    check_seen(done.stdout + done.stderr)
    if command == "search":
        for words in NASTY[:25]:
            assert words in done.stdout, "as it is, markup of terminals among it"
    if command == "info":
        assert ":smile: evil: :smile: evil" in done.stderr


def rows_of(data: bytes) -> Iterator[str]:
    """The cells of a table, whatever is taken for what is between them."""
    text = data.decode("utf-8-sig")
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield from row


def check_table(data: bytes) -> None:
    """No cell is a formula, and nothing is unseen."""
    check_seen(data.decode("utf-8-sig"))
    for cell in rows_of(data):
        if not _is_number(cell):
            for part in cell.splitlines():
                assert not part.strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")), cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_no_table_has_a_formula_in_it(nasty: Gallery, run: Run, tmp_path: Path) -> None:
    hits = [Hit(rank, 0.5, item) for rank, item in enumerate(nasty.items, start=1)]
    check_table(to_csv(to_rows(hits, [item.path for item in nasty.items])))
    assert run("info", "-g", "nasty", "--csv", tmp_path / "report.csv").returncode == 0
    check_table((tmp_path / "report.csv").read_bytes())
    assert len((tmp_path / "report.csv").read_text().splitlines()) > len(NASTY)


def test_no_name_in_a_zip_leads_elsewhere_or_is_none_somewhere(nasty: Gallery) -> None:
    hits = [Hit(rank, 0.5, item) for rank, item in enumerate(nasty.items, start=1)]
    made = to_zip(hits, lambda item: item.id.encode())
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        names = archive.namelist()
    assert len(names) == len({unicodedata.normalize("NFKC", name).casefold() for name in names}) == len(NASTY)
    for name in names:
        check_name(name)
        assert name.endswith(".png")


@pytest.mark.parametrize(
    "words", [*NASTY, "..", ".", "", " ", "nul .txt", "靴" * 300 + ".jpg", "C:\\x.jpg", "aux.tar.gz"]
)
def test_every_name_of_a_download_is_a_plain_one(words: str) -> None:
    check_name(plain.entry(words))
    check_name(plain.entry(f"{words}.jpg"))
    assert plain.entry(plain.entry(words)) == plain.entry(words)


def check_name(name: str) -> None:
    """It is a file's name in Windows, too, and of a length that every file system takes."""
    check_seen(name)
    assert name not in ("", ".", "..")
    assert name == name.strip().rstrip(".")
    assert not set(name) & set('/\\:*?"<>|\r\n\t')
    assert len(name.encode()) <= 255
    assert name.partition(".")[0].strip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}


class Report(HTMLParser):
    """The elements of a page, and all its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_no_report_takes_words_for_markup(nasty: Gallery) -> None:
    evaluation = evaluate(nasty, by="pair")
    page = render_report(nasty, evaluation)
    report = Report(page)
    check_seen(page)
    assert not {"script", "a", "iframe"} & report.tags
    assert report.handlers == []
    assert all(address.startswith("data:image/") for address in report.addresses)
    assert NASTY[0] in report.words


@pytest.mark.exhaustive
def test_sheets_are_drawn_with_lines_of_plain_text(nasty: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    draw_line = sheet.draw_line

    def heard(text: str, size: int, colour: str) -> Image.Image:
        drawn.append(text)
        return draw_line(text, size, colour)

    monkeypatch.setattr(sheet, "draw_line", heard)
    some = nasty.items[:]
    for first in range(0, len(some), 20):
        hits = [Hit(rank, 0.5, item) for rank, item in enumerate(some[first : first + 20], start=1)]
        title = NASTY[first % len(NASTY)]
        pictures = [nasty.thumbnail(hit.item) for hit in hits]
        assert sheet.draw_sheet(draw("dots", 1), title, hits, pictures)[:4] == b"\x89PNG"
    assert drawn
    for text in drawn:
        check_seen(text)
        assert "\n" not in text
