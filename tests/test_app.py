"""The pages, driven without a browser."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import MODEL, Site, change_manifest
from limits import parse
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.messages import without_paths

APP = str(Path(__file__).resolve().parents[1] / "streamlit_app.py")


@pytest.fixture
def page() -> AppTest:
    import streamlit as st

    st.cache_resource.clear()
    st.cache_data.clear()
    return AppTest.from_file(APP, default_timeout=60)


def texts(page: AppTest) -> str:
    return "\n".join(element.value for element in [*page.markdown, *page.caption, *page.subheader])


def headings(page: AppTest) -> list[str]:
    """The line under each picture that tells rank, score and label."""
    return [element.value for element in page.markdown if element.value.startswith(":primary-badge[")]


@pytest.mark.usefixtures("empty_home")
def test_at_the_first_start_the_sample_is_indexed_and_a_sample_query_finds_ten_results(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert page.selectbox[0].options == ["sample"]
    assert "675 pictures" in texts(page)
    page.button("sample-mug-01-q").click().run()
    assert not page.exception
    assert len(headings(page)) == 10
    assert "mug" in headings(page)[0]
    page.button[0].click().run()
    assert headings(page) == [], "one can go back"
    assert page.button("sample-mug-01-q").label == "Mug"


@pytest.mark.usefixtures("empty_home")
def test_without_a_gallery_or_a_sample_the_page_says_how_to_make_one(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.sample.FOLDER", tmp_path)
    page.run()
    assert not page.exception
    assert page.subheader[0].value == "There is no gallery yet"
    assert page.code[0].value == "python -m similarity index FOLDER --gallery NAME"


def test_before_there_is_a_query_the_page_shows_what_is_searched(page: AppTest, shapes: Gallery) -> None:
    page.run()
    assert not page.exception
    assert page.selectbox[0].options == ["shapes"]
    assert f"{len(shapes)} pictures · EfficientNet-Lite2" in texts(page)
    assert "Upload a picture, or paste the address of one" in texts(page)


@pytest.mark.usefixtures("shapes")
def test_an_uploaded_picture_gets_ten_ranked_results(page: AppTest, pictures: Path) -> None:
    page.run()
    page.file_uploader[0].upload("mine.jpg", (pictures / "dots" / "dots-2.jpg").read_bytes(), "image/jpeg").run()
    assert not page.exception
    found = headings(page)
    assert len(found) == 10
    assert found[0].startswith(":primary-badge[1] **1.000** &nbsp;dots")
    scores = [float(heading.split("**")[1]) for heading in found]
    assert scores == sorted(scores, reverse=True)
    assert "dots\\-2\\.jpg" in texts(page)


@pytest.mark.usefixtures("shapes")
def test_the_slider_changes_how_many_results_there_are(page: AppTest, pictures: Path) -> None:
    page.run()
    assert (page.slider[0].min, page.slider[0].max, page.slider[0].value) == (1, 50, 10)
    page.file_uploader[0].upload("mine.jpg", (pictures / "dots" / "dots-2.jpg").read_bytes(), "image/jpeg").run()
    page.slider[0].set_value(3).run()
    assert len(headings(page)) == 3
    page.slider[0].set_value(50).run()
    assert len(headings(page)) == 15


@pytest.mark.usefixtures("shapes")
def test_an_image_address_gets_results(page: AppTest, pictures: Path, site: Site) -> None:
    site.pages["/a.jpg"] = (200, {}, (pictures / "rings" / "rings-1.jpg").read_bytes())
    page.run()
    page.segmented_control[0].set_value("Image URL").run()
    page.text_input[0].input(site.url("/a.jpg"))
    page.button[0].click().run()
    assert headings(page)[0].startswith(":primary-badge[1] **1.000** &nbsp;rings")
    page.slider[0].set_value(5).run()
    assert site.asked == ["/a.jpg"], "moving the slider does not fetch the picture again"


@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize(
    ("path", "sentence"),
    [("/gone.jpg", "answered 404 Not Found"), ("/page", "is a web page, not a picture"), ("", "is not a picture")],
)
def test_an_address_that_is_no_picture_gets_a_plain_sentence(
    page: AppTest, site: Site, path: str, sentence: str
) -> None:
    site.pages["/page"] = (200, {}, b"<html></html>")
    site.pages["/"] = (200, {}, b"hello")
    page.run()
    page.segmented_control[0].set_value("Image URL").run()
    page.text_input[0].input(site.url(path))
    page.button[0].click().run()
    assert not page.exception
    assert sentence in page.error[0].value.replace("\\", "")


@pytest.mark.usefixtures("shapes")
def test_an_upload_that_is_no_picture_gets_a_plain_sentence(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].upload("notes.jpg", b"buy milk", "image/jpeg").run()
    assert not page.exception
    assert page.error[0].value.replace("\\", "").startswith("notes.jpg: is not a picture that can be read")


@pytest.mark.parametrize("deleted_first", [False, True])
def test_a_gallery_that_was_made_anew_is_noticed(
    page: AppTest, own_pictures: Path, empty_home: Path, deleted_first: bool
) -> None:
    directory = empty_home / "galleries" / "mine"
    Gallery.build(own_pictures, directory, model=MODEL)
    page.run()
    assert "15 pictures" in texts(page)
    if deleted_first:
        shutil.rmtree(directory)
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    Gallery.build(own_pictures, directory, model=MODEL)
    page.run()
    assert "14 pictures" in texts(page)


def test_a_damaged_gallery_gets_a_plain_sentence_and_the_others_can_still_be_chosen(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    for name in ("a", "b"):
        Gallery.build(own_pictures, empty_home / "galleries" / name, model=MODEL)
    (empty_home / "galleries" / "a" / "generations" / "000001" / "index.faiss").write_bytes(b"damage")
    page.run()
    assert not page.exception
    assert "is damaged or missing" in page.error[0].value
    page.selectbox[0].select_index(1).run()
    assert not page.error
    assert "15 pictures" in texts(page)


def test_the_page_says_why_it_is_not_the_preferred_model(page: AppTest, own_pictures: Path, empty_home: Path) -> None:
    gallery = Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    note = "EfficientNet-Lite2 is used because of the network.\nTo use the other, wait."
    change_manifest(gallery, note=note)
    page.run()
    assert "EfficientNet-Lite2 is used because of the network." in texts(page).replace("\\", "")
    assert page.expander[0].label == "Use ResNet-50 instead"
    assert page.expander[0].markdown[0].value.replace("\\", "") == "To use the other, wait."


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def test_a_picture_whose_file_vanished_still_shows_and_the_page_says_that_it_is_gone(
    page: AppTest, mine: Gallery, own_pictures: Path
) -> None:
    page.run()
    assert "the file is gone" not in texts(page)
    for path in own_pictures.glob("dots/*"):
        path.unlink()
    page.run()
    assert not page.exception
    captions = [caption.value for caption in page.caption]
    gone = [captions[place - 1] for place, caption in enumerate(captions) if caption.endswith("the file is gone")]
    assert gone
    assert all(caption.startswith("dots") for caption in gone)
    assert mine.is_live


def test_a_change_to_a_gallery_is_seen_at_the_next_click(page: AppTest, mine: Gallery) -> None:
    page.run()
    assert "15 pictures" in texts(page)
    mine.remove(labels=["dots"])
    page.run()
    assert "10 pictures" in texts(page)
    assert not page.exception


def test_a_sample_gallery_of_an_older_version_is_made_again(page: AppTest, mine: Gallery, empty_home: Path) -> None:
    sample = Path(shutil.copytree(mine.directory, empty_home / "galleries" / "sample"))
    (sample / "CURRENT").write_text("000001\n")
    page.run()
    assert not page.exception
    page.selectbox[0].set_value(sample).run()
    assert "675 pictures" in texts(page)


def test_a_sample_gallery_that_is_damaged_is_made_again(page: AppTest, mine: Gallery, empty_home: Path) -> None:
    sample = Path(shutil.copytree(mine.directory, empty_home / "galleries" / "sample"))
    (sample / "generations" / "000001" / "embeddings.npy").write_bytes(b"")
    page.run()
    page.selectbox[0].set_value(sample).run()
    assert not page.exception
    assert "675 pictures" in texts(page)


def ask_for(page: AppTest, url: str) -> None:
    page.segmented_control[0].set_value("Image URL").run()
    page.text_input[0].input(url)
    page.button[0].click().run()


def test_an_error_shows_no_path_of_the_server_and_the_log_has_it(
    page: AppTest, mine: Gallery, empty_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (mine.directory / "generations" / "000001" / "index.faiss").write_bytes(b"damage")
    page.run()
    said = page.error[0].value.replace("\\", "")
    assert said.startswith("index.faiss is damaged or missing: index the gallery again")
    assert str(empty_home) not in said
    assert str(mine.directory) in caplog.text


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        (
            "/srv/data/x is damaged: run `similarity restore --gallery /srv/g/mine`.",
            "x is damaged: run `similarity restore --gallery mine`.",
        ),
        (
            "https://a.test/b/c.jpg answered 404 Not Found: check.",
            "https://a.test/b/c.jpg answered 404 Not Found: check.",
        ),
        ("The network could not be kept in /home/me/n (No space).", "The network could not be kept in n (No space)."),
        ("boot.jpg: is empty (0 bytes).", "boot.jpg: is empty (0 bytes)."),
        ("'/etc/passwd' is no name.", "'passwd' is no name."),
        ("12 and/or 13", "12 and/or 13"),
        ("x=/srv/secret/a and <PosixPath:/srv/b>", "x=a and <PosixPath:b>"),
        ("http://x.test/it'/b/c.jpg is not", "http://x.test/it'/b/c.jpg is not"),
    ],
)
def test_paths_are_taken_out_of_sentences_and_addresses_are_not(sentence: str, shown: str) -> None:
    assert without_paths(sentence) == shown


def test_very_many_addresses_in_a_short_time_are_refused_with_a_sentence(
    page: AppTest, mine: Gallery, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.app.throttle.PER_SESSION", parse("3/minute"))
    for number in range(4):
        site.pages[f"/{number}.jpg"] = (200, {}, Path(mine.items[number].path).read_bytes())
    page.run()
    for number in range(3):
        ask_for(page, site.url(f"/{number}.jpg"))
        assert len(headings(page)) == 10
    ask_for(page, site.url("/2.jpg"))
    assert len(headings(page)) == 10, "what was fetched is not fetched again"
    ask_for(page, site.url("/3.jpg"))
    assert "very many addresses in a short time: wait a minute" in page.error[0].value.replace("\\", "")
    assert "/3.jpg" not in site.asked


@pytest.mark.parametrize("name", ["../../../etc", "/etc", "mine/../../x", "%2e%2e", "none", "<script>"])
def test_a_gallery_named_in_the_address_is_one_of_those_that_there_are(page: AppTest, mine: Gallery, name: str) -> None:
    page.query_params["gallery"] = name
    page.run()
    assert not page.exception
    assert page.selectbox[0].value == mine.directory


def test_a_gallery_is_chosen_by_the_address_of_the_page(page: AppTest, own_pictures: Path, empty_home: Path) -> None:
    for name in ("a", "b"):
        Gallery.build(own_pictures, empty_home / "galleries" / name, model=MODEL)
    page.query_params["gallery"] = "b"
    page.run()
    assert page.selectbox[0].value == empty_home / "galleries" / "b"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.jpg", b"buy milk", "notes.jpg: is not a picture that can be read: JPEG, PNG,"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.png: is an SVG, which is not read"),
        ("half.jpg", "half", "half.jpg: is damaged or incomplete"),
        ("empty.jpg", b"", "empty.jpg: is empty"),
    ],
)
def test_an_upload_is_judged_by_its_content_and_kept_nowhere(
    page: AppTest, mine: Gallery, empty_home: Path, name: str, content: bytes | str, sentence: str
) -> None:
    whole = Path(mine.items[0].path).read_bytes()
    data = whole[:1000] if isinstance(content, str) else content
    before = sorted(empty_home.rglob("*"))
    page.run()
    page.file_uploader[0].upload(name, data, "image/jpeg").run()
    assert not page.exception
    assert sentence in page.error[0].value.replace("\\", "")
    page.file_uploader[0].upload("right.jpg", whole, "image/jpeg").run()
    assert len(headings(page)) == 10
    assert sorted(empty_home.rglob("*")) == before


def test_names_and_labels_are_shown_as_they_are_and_never_as_markup(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    evil = own_pictures / "<script>alert(1)<"
    evil.mkdir()
    shutil.move(own_pictures / "dots" / "dots-0.jpg", evil / "<img src=x onerror=alert(1)> **[a](javascript:b)**.jpg")
    Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    page.run()
    assert not page.exception
    shown = [element for element in [*page.markdown, *page.caption] if "script" in element.value]
    assert shown
    assert all("\\<" in element.value and "](javascript" not in element.value for element in shown)
    assert not any(element.allow_html for element in shown)


def test_an_upload_of_any_size_stays_in_memory(page: AppTest, mine: Gallery) -> None:
    page.run()
    assert mine.is_live

    async def parsed() -> bool:
        async def body() -> AsyncIterator[bytes]:
            head = 'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
            yield b"--x\r\n" + head.encode() + bytes(19_000_000) + b"\r\n--x--\r\n"

        headers = Headers({"content-type": "multipart/form-data; boundary=x"})
        form = await MultiPartParser(headers, body()).parse()
        is_on_disk = bool(form["file"].file._rolled)  # type: ignore[union-attr]
        await form.close()
        return is_on_disk

    assert asyncio.run(parsed()) is False


def test_a_home_with_odd_letters_in_its_name_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    odd = tmp_path / "O'Brien: My Pictures"
    monkeypatch.setenv("SIMILARITY_HOME", str(odd))
    assert without_paths(f"{odd}/galleries/x/CURRENT is damaged.") == "CURRENT is damaged."
