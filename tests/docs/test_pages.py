"""The pages of the documentation: up to date, short, complete, and with no link that leads nowhere."""

import ast
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from similarity import errors
from similarity.settings import NAMES

from . import DOCS, ROOT
from .commands import walk
from .figures import FILE, load, take
from .pages import write_all

LINK = re.compile(r"\]\(((?![a-z]+:)[^)\s]*)\)")
LONGEST_PAGE, LONGEST_README = 250, 150


@functools.cache
def pages() -> dict[Path, str]:
    """The text of every page, and of the README, by its path."""
    return {path: path.read_text("utf-8") for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))}


def everything() -> str:
    """The text of all pages."""
    return "\n".join(pages().values())


def headings(text: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    code = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)
    names = re.findall(r"^#+ (.+)$", code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in names}


def test_every_page_that_a_command_writes_is_as_the_command_writes_it() -> None:
    stale = [path.relative_to(ROOT) for path, text in write_all().items() if path.read_text("utf-8") != text]
    assert stale == [], "run `python -m tests.docs`"


def test_no_page_is_too_long_to_read() -> None:
    lengths = {path.relative_to(ROOT): text.count("\n") for path, text in pages().items()}
    assert lengths[Path("README.md")] <= LONGEST_README
    assert {path: length for path, length in lengths.items() if length > LONGEST_PAGE} == {}


def test_every_link_leads_to_a_file_or_a_heading_that_is_there() -> None:
    broken = []
    for path, text in pages().items():
        for link in LINK.findall(text):
            place, _, anchor = link.partition("#")
            target = path.parent / place if place else path
            if not target.exists() or (anchor and anchor not in headings(target.read_text("utf-8"))):
                broken.append((str(path.relative_to(ROOT)), link))
    assert broken == []


def test_every_page_is_in_the_navigation_and_in_the_list_of_pages() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    listed = pages()[DOCS / "README.md"]
    for path in pages():
        if path.is_relative_to(DOCS):
            name = str(path.relative_to(DOCS))
            assert f" {name}\n" in navigation, name
            assert name == "README.md" or f"]({name})" in listed or name.startswith("commands/"), name


def test_every_command_and_option_is_in_the_documentation() -> None:
    text = "\n".join(text for path, text in pages().items() if path.parent == DOCS / "commands")
    for name, command in walk():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for option in command.params:
            if option.param_type_name == "option" and not option.hidden:
                assert all(f"`{written}`" in section for written in option.opts), (name, option.name)


def test_every_setting_and_every_error_is_in_the_documentation() -> None:
    for name in NAMES:
        assert f"`{name}`" in pages()[DOCS / "settings.md"], name
    for name, value in vars(errors).items():
        if isinstance(value, type):
            assert f"`{name}`" in pages()[DOCS / "errors.md"], name


def test_every_public_name_is_in_the_page_of_the_library() -> None:
    import similarity

    for name in set(similarity.__all__) - {"SimilarityError"}:
        assert f"::: similarity.{name}\n" in pages()[DOCS / "library.md"], name


def test_every_file_of_the_code_that_a_page_names_is_there() -> None:
    named = re.findall(r"`((?:similarity|tests)/[\w/]+\.py)`", everything())
    assert len(named) > 3
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_program_says_every_sentence_that_troubleshooting_explains() -> None:
    said = [
        node.value
        for path in (ROOT / "similarity").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    rows = re.findall(r"^\| `([^`]+)`", pages()[DOCS / "troubleshooting.md"], re.MULTILINE)
    assert len(rows) > 30
    assert [row for row in rows if not any(row in sentence for sentence in said)] == []


def test_every_picture_of_a_page_has_words_for_those_who_do_not_see_it() -> None:
    assert re.findall(r"!\[\s*\]\(", everything()) == []


def test_every_figure_says_by_which_command_where_and_when_it_was_measured() -> None:
    commands = [name for name, _ in walk()]
    for name, figure in load().items():
        assert figure["machine"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", figure["date"]), name
        assert any(figure["command"].startswith(f"{command} ") for command in commands), name
        page, _, anchor = figure["page"].partition("#")
        assert not anchor or anchor in headings((DOCS / page).read_text("utf-8")), name


def test_the_value_of_a_figure_is_taken_from_the_report_of_its_command() -> None:
    report = {"recipes": [{"recipe": "flat", "p50_ms": 3}, {"recipe": "auto", "p50_ms": 1.31}], "ece": 0.02}
    assert take(report, ["recipes", "recipe=auto", "p50_ms"]) == 1.31
    assert take(report, ["ece"]) == 0.02
    assert [*json.loads(FILE.read_text("utf-8"))] == ["figures"]


@pytest.mark.parametrize(
    ("page", "link", "mended"),
    [
        ("search.md", "[a](quality.md#refinement)", "[a](quality.md#refinement)"),
        ("commands/make.md", "[a](../search.md)", "[a](../search.md)"),
        ("api.md", "[a](../examples/README.md)", "[a](examples.md)"),
        ("contributing.md", "[a](docs/search.md)", "[a](search.md)"),
        ("contributing.md", "[a](README.md#test)", "a"),
        ("search.md", "[a](https://example.org/x.md)", "[a](https://example.org/x.md)"),
        ("search.md", "[a](../no-such-file.md)", "[a](../no-such-file.md)"),
    ],
)
def test_a_link_out_of_the_folder_leads_to_a_page_of_the_site_or_is_a_warning(
    page: str, link: str, mended: str, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mkdocs")
    from .site_links import on_page_markdown

    assert on_page_markdown(link, SimpleNamespace(file=SimpleNamespace(src_uri=page))) == mended
    assert bool(caplog.records) is ("no-such-file" in link)


@pytest.mark.exhaustive
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "site" / "library.html").read_text("utf-8")
    assert all(
        f'id="similarity.Gallery.{method}"' in page for method in ("build", "open", "search", "search_many", "explain")
    )
    assert (tmp_path / "site" / "contributing.html").exists()
