"""The page of an evaluation: whole in itself, obeying nothing that is written in names, right about what is right."""

import base64
import html
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import standin
from commands import Run
from e2e.server import CHROMIUM, QUIET

from similarity import Gallery
from similarity.errors import SearchError
from similarity.evaluation import Evaluation, evaluate, render_report
from similarity.evaluation.report.page import save_report
from similarity.evaluation.report.plots import draw_confusions, draw_labels, draw_recall, draw_scores
from similarity.evaluation.report.wording import DEFINITIONS, NAMES
from similarity.sources import open_source

HOSTILE = [
    "<script>alert(1)</script>",
    "$\\frac{$ & \"'{{ 7 * 7 }}",
    "</title><img src=x onerror=alert(2)>",
    "靴とブーツ",
]


class Page(HTMLParser):
    """A page's elements and the addresses in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.marks: list[bool] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attributes)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "action") and value]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]
        if (given.get("class") or "").startswith("hit") and tag == "li":
            self.marks.append("wrong" not in (given["class"] or ""))


@pytest.fixture(scope="session")
def found(shapes: Gallery) -> Evaluation:
    return evaluate(shapes)


@pytest.fixture(scope="session")
def page(shapes: Gallery, found: Evaluation) -> str:
    return render_report(shapes, found)


@pytest.fixture
def hostile(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """A gallery whose labels are what nobody should call anything."""
    lines = ["path,label"]
    for number, path in enumerate(sorted(pictures.glob("*/*.jpg"))):
        label = HOSTILE[number % len(HOSTILE)].replace('"', '""')
        lines.append(f'{path},"{label}"')
    (tmp_path / "table.csv").write_text("\n".join(lines))
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
    return Gallery.build(tmp_path / "table.csv", tmp_path / "a & b", model=standin.CHOICE)


def plots(evaluation: Evaluation) -> list[bytes]:
    return [draw(evaluation) for draw in (draw_recall, draw_scores, draw_labels, draw_confusions)]


def test_the_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    parsed = Page(page)
    assert parsed.addresses
    assert all(address.startswith("data:image/") for address in parsed.addresses)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'; img-src data:" in page


def test_its_plots_are_images_that_ask_for_nothing_either(found: Evaluation) -> None:
    for svg in plots(found):
        tree = ElementTree.fromstring(svg)
        for element in tree.iter():
            assert not element.tag.endswith(("script", "image", "foreignObject"))
            for name, value in element.attrib.items():
                assert not name.endswith("href") or value.startswith("#")
        assert b"<text" in svg, "letters stay letters"


def test_the_page_has_every_metric_with_its_interval_and_what_it_means(page: str, found: Evaluation) -> None:
    text = html.unescape(page)
    for name, one in found.metrics.items():
        assert NAMES[name] in text
        assert DEFINITIONS[name] in text
        assert f"{one.value:.3f}" in text
        assert f"{one.low:.3f}–{one.high:.3f}" in text
    assert set(NAMES) == set(DEFINITIONS) == set(found.metrics)
    for told in ("shapes, generation 1, 15 pictures", found.model, "each picture is a query", "dots", "stripes"):
        assert told in text


def test_right_and_wrong_are_marked_not_by_colour_alone(page: str, found: Evaluation) -> None:
    right = page.count(">✓<")
    wrong = page.count(">✗<")
    assert Page(page).marks.count(True) == right
    assert Page(page).marks.count(False) == wrong
    shown = [*found.best(15), *found.worst(15)]
    assert right > 0
    assert wrong > 0
    assert len(shown) == 30
    assert re.findall(r'alt="Hit \d+, (right|wrong)', page).count("wrong") == wrong


def test_no_more_than_two_queries_of_a_label_are_shown_as_best(page: str) -> None:
    best = page[page.index("<h2>Best</h2>") : page.index("<h2>Worst</h2>")]
    asked = re.findall(r'alt="Query: (\w+)"', best)
    assert len(asked) == 6
    assert sorted(set(asked)) == ["dots", "rings", "stripes"]


@pytest.mark.exhaustive
def test_what_is_written_in_labels_is_shown_and_never_obeyed(hostile: Gallery) -> None:
    evaluation = evaluate(hostile)
    page = render_report(hostile, evaluation)
    parsed = Page(page)
    assert parsed.handlers == []
    assert "script" not in parsed.tags
    assert parsed.tags.count("title") == 1
    assert "a &amp; b" in page
    assert "{{ 7 * 7 }}" in html.unescape(page)
    for label in HOSTILE:
        assert label in html.unescape(page)
    for svg in plots(evaluation):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
        assert not {"script", "img"} & tags
        assert b"<script" not in svg
    drawn = "".join(ElementTree.fromstring(draw_labels(evaluation)).itertext())
    assert "<script>alert(1)<…" in drawn or "<script>alert(1)…" in drawn
    assert "靴とブーツ" in drawn
    assert "$\\frac{$" in drawn, "no formula"


def test_letters_that_matplotlib_lacks_are_no_warning(hostile: Gallery) -> None:
    assert "靴とブーツ".encode() in draw_confusions(evaluate(hostile))


def test_many_labels_are_cut_to_those_that_fare_worst(pictures: Path, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    files = sorted(pictures.glob("*/*.jpg"))
    rows = [f"{path},label {number // 2}" for number, path in enumerate(files)]
    (tmp_path / "table.csv").write_text("\n".join(["path,label", *rows]))
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
    monkeypatch.setattr("similarity.evaluation.report.plots.BARS", 3)
    gallery = Gallery.build(tmp_path / "table.csv", tmp_path / "gallery", model=standin.CHOICE)
    evaluation = evaluate(gallery)
    drawn = draw_labels(evaluation).decode()
    assert len(set(re.findall(r"label \d", drawn))) == 3


def test_pictures_of_other_queries_are_shown_and_a_grey_one_where_they_are_gone(
    shapes: Gallery, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "dots").mkdir()
    for number in range(2):
        data = (pictures / "dots" / f"dots-{number}.jpg").read_bytes()
        (tmp_path / "dots" / f"{number}.jpg").write_bytes(data + b"\0")
    evaluation = evaluate(shapes, open_source(tmp_path))
    whole = render_report(shapes, evaluation)
    (tmp_path / "dots" / "1.jpg").unlink()
    gone = render_report(shapes, evaluation)
    assert str(tmp_path.parent) not in gone, "it may be shown to others"
    assert f"2 from {tmp_path.name}" in gone
    asked = [set(re.findall(r'src="([^"]+)" alt="Query', page)) for page in (whole, gone)]
    assert len(asked[0]) == len(asked[1]) == 2
    assert len(asked[0] & asked[1]) == 1
    (grey,) = asked[1] - asked[0]
    assert len(base64.b64decode(grey.partition(",")[2])) < 2000


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path, page: str) -> None:
    target = tmp_path / "report.html"
    save_report(target, page)
    assert target.read_text() == page
    assert list(tmp_path.iterdir()) == [target]
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(SearchError, match="could not be written to"):
        save_report(tmp_path / "folder.html", page)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "folder.html", target]


@pytest.mark.usefixtures("shapes")
def test_evaluate_writes_a_report(run: Run, tmp_path: Path) -> None:
    done = run("evaluate", "-g", "shapes", "--report", tmp_path / "out.html")
    assert done.returncode == 0, done.stderr
    assert "Report written to" in done.stderr
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")


@pytest.mark.browser
def test_a_browser_shows_it_at_the_width_of_a_telephone_without_asking_for_anything(page: str, tmp_path: Path) -> None:
    if not CHROMIUM:
        pytest.skip("there is no Chromium here")
    from playwright.sync_api import sync_playwright

    (tmp_path / "report.html").write_text(page)
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        tab = browser.new_page(viewport={"width": 390, "height": 844})
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(f"file://{tmp_path}/report.html")
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert tab.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
        browser.close()
    assert [url for url in asked if not url.startswith("data:")] == [f"file://{tmp_path}/report.html"]
