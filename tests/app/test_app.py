"""The pages, driven without a browser."""

import asyncio
import runpy
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import MODEL, Site, change_manifest
from limits import parse
from pages import APP, components, errors, open_app, ranking, texts, tiles
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.wording.messages import without_paths
from similarity.sample import sample_queries
from similarity.service.turns import Turns
from similarity.service.visitor import Visitor


@pytest.fixture
def page() -> AppTest:
    return open_app()


def ask_for(page: AppTest, url: str) -> None:
    page.chat_input[0].set_value(url).run()


@pytest.fixture(params=["light", pytest.param("bundled", marks=pytest.mark.exhaustive)])
def network(request: pytest.FixtureRequest) -> str:
    """Which network the model is."""
    if request.param == "bundled":
        request.getfixturevalue("bundled")
    return str(request.param)


def test_the_server_is_put_together_with_a_place_for_programs() -> None:
    assert runpy.run_path(APP, run_name="streamlit_app")["API"] == "/api/v1"


def test_at_the_first_start_the_sample_is_indexed_and_a_sample_query_finds_results(
    page: AppTest, small_catalogue: int, empty_home: Path, network: str
) -> None:
    page.run()
    assert not page.exception
    assert page.selectbox[0].options == ["sample", "New gallery …"]
    assert f"{small_catalogue} pictures" in texts(page)
    (row,) = components(page, "similarity_sample_row")
    assert [sample["alt"] for sample in row["samples"]][:2] == ["Sample: Bag", "Sample: Bottle"]
    page.query_params["like"] = "sample:mug-01-q"
    page.run()
    assert not page.exception
    (mug,) = [item for item in sample_queries() if item.id == "mug-01-q"]
    found = Gallery.open(empty_home / "galleries" / "sample").search(mug.path, 10)
    assert [tile["id"] for tile in ranking(page)[:10]] == [hit.item.public_id for hit in found]
    assert len(found) >= 10
    if network == "bundled":
        assert ranking(page)[0]["label"] == "mug"
    page.button[0].click().run()
    assert ranking(page) == [], "one can go back"
    assert components(page, "similarity_sample_row")


@pytest.mark.usefixtures("empty_home")
def test_without_a_gallery_or_a_sample_the_page_says_how_to_make_one(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.sample.FOLDER", tmp_path)
    page.run()
    assert not page.exception
    assert page.subheader[0].value == "There is no gallery yet"
    assert page.button[0].label == "Make one"


def test_before_there_is_a_query_the_page_shows_what_is_searched(page: AppTest, shapes: Gallery) -> None:
    page.run()
    assert not page.exception
    assert page.selectbox[0].options == ["shapes", "New gallery …"]
    assert f"{len(shapes)} pictures · EfficientNet-Lite2" in texts(page)
    assert "Choose one to find similar ones" in texts(page)
    assert [tile["id"] for tile in tiles(page)] == [item.id for item in shapes.items]


@pytest.mark.usefixtures("shapes")
def test_an_uploaded_picture_gets_ranked_results(page: AppTest, pictures: Path) -> None:
    page.run()
    page.file_uploader[0].upload("mine.jpg", (pictures / "dots" / "dots-2.jpg").read_bytes(), "image/jpeg").run()
    assert not page.exception
    found = ranking(page)
    assert [tile["rank"] for tile in found] == [str(rank) for rank in range(1, 16)]
    assert (found[0]["label"], found[0]["name"], round(found[0]["score"], 3)) == ("dots", "dots-2.jpg", 1.0)
    scores = [tile["score"] for tile in found]
    assert scores == sorted(scores, reverse=True)
    assert components(page, "similarity_crop")[0]["alt"] == "Your picture: mine.jpg"


@pytest.mark.usefixtures("shapes")
def test_an_address_with_a_page_of_results_leads_to_its_first_one(page: AppTest) -> None:
    page.query_params["like"] = "item:dots/dots-2.jpg"
    page.query_params["page"] = "2"
    page.run()
    grid = components(page, "similarity_tiles")[0]
    assert grid["listing"]["at"] == 10
    assert len(grid["tiles"]) == len(grid["listing"]["ratios"]) == grid["listing"]["total"] == 15
    page.query_params["page"] = "9"
    page.run()
    assert components(page, "similarity_tiles")[0]["listing"]["at"] == 10, "the last page that there is"


@pytest.mark.usefixtures("shapes")
def test_an_image_address_gets_results(page: AppTest, pictures: Path, site: Site) -> None:
    site.pages["/a.jpg"] = (200, {}, (pictures / "rings" / "rings-1.jpg").read_bytes())
    page.run()
    ask_for(page, site.url("/a.jpg"))
    assert (ranking(page)[0]["label"], round(ranking(page)[0]["score"], 3)) == ("rings", 1.0)
    page.run()
    assert site.asked == ["/a.jpg"], "drawn again, it is not fetched again"


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
    ask_for(page, site.url(path))
    assert not page.exception
    assert sentence in errors(page)
    assert not page.info, "one box says it"
    assert not any(button.label == "Remove it" for button in page.button), "and one button helps"
    page.button(key="search-anew").click().run()
    assert not page.error
    assert tiles(page), "there is a way back"


@pytest.mark.usefixtures("shapes")
def test_an_upload_that_is_no_picture_gets_a_plain_sentence(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].upload("notes.jpg", b"buy milk", "image/jpeg").run()
    assert not page.exception
    assert errors(page).startswith("notes.jpg is not a picture that can be read")


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
    assert "EfficientNet-Lite2 is used because of the network." in texts(page)
    assert "To use the other, wait." in texts(page)


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def test_a_picture_whose_file_vanished_still_shows_and_the_page_says_that_it_is_gone(
    page: AppTest, mine: Gallery, own_pictures: Path
) -> None:
    page.run()
    assert not any(tile["note"] for tile in tiles(page))
    for path in own_pictures.glob("dots/*"):
        path.unlink()
    page.run()
    assert not page.exception
    gone = {tile["name"] for tile in tiles(page) if tile["note"] == "the file is gone"}
    assert gone == {f"dots-{number}.jpg" for number in range(5)}
    assert mine.is_live


def test_a_change_to_a_gallery_is_seen_at_the_next_click(page: AppTest, mine: Gallery) -> None:
    page.run()
    assert "15 pictures" in texts(page)
    mine.remove(labels=["dots"])
    page.run()
    assert "10 pictures" in texts(page)
    assert not page.exception


def test_a_sample_gallery_of_an_older_version_is_made_again(
    page: AppTest, mine: Gallery, empty_home: Path, small_catalogue: int
) -> None:
    sample = Path(shutil.copytree(mine.directory, empty_home / "galleries" / "sample"))
    (sample / "CURRENT").write_text("000001\n")
    page.run()
    assert not page.exception
    page.selectbox[0].set_value("sample").run()
    assert f"{small_catalogue} pictures" in texts(page)


def test_a_sample_gallery_that_is_damaged_is_made_again(
    page: AppTest, mine: Gallery, empty_home: Path, small_catalogue: int
) -> None:
    sample = Path(shutil.copytree(mine.directory, empty_home / "galleries" / "sample"))
    (sample / "generations" / "000001" / "embeddings.npy").write_bytes(b"")
    page.run()
    page.selectbox[0].set_value("sample").run()
    assert not page.exception
    assert f"{small_catalogue} pictures" in texts(page)


def test_an_error_shows_no_path_of_the_server_and_the_log_has_it(
    page: AppTest, mine: Gallery, empty_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (mine.directory / "generations" / "000001" / "index.faiss").write_bytes(b"damage")
    page.run()
    said = errors(page)
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
        ("There is no folder /mnt/My Photos/private/arch.zip.", "There is no folder arch.zip."),
        ("/mnt/My Photos/x y.jpg: is gone.", "x y.jpg: is gone."),
        ("x=/srv/secret/a and <PosixPath:/srv/b>", "x=a and <PosixPath:b>"),
        ("http://x.test/it'/b/c.jpg is not", "http://x.test/it'/b/c.jpg is not"),
    ],
)
def test_paths_are_taken_out_of_sentences_and_addresses_are_not(sentence: str, shown: str) -> None:
    assert without_paths(sentence) == shown


@pytest.mark.exhaustive
def test_very_many_addresses_in_a_short_time_are_refused_with_a_sentence(
    page: AppTest, mine: Gallery, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.service.throttle.PER_SESSION", parse("3/minute"))
    for number in range(4):
        site.pages[f"/{number}.jpg"] = (200, {}, Path(mine.items[number].path).read_bytes())
    page.run()
    for number in range(3):
        ask_for(page, site.url(f"/{number}.jpg"))
        assert len(ranking(page)) >= 10
    ask_for(page, site.url("/2.jpg"))
    assert len(ranking(page)) >= 10, "what was fetched is not fetched again"
    ask_for(page, site.url("/3.jpg"))
    assert "Too many addresses were fetched in a short time: wait a minute" in errors(page)
    assert "/3.jpg" not in site.asked


def test_who_has_had_very_much_computed_is_told_to_wait_and_the_page_stays(
    page: AppTest, mine: Gallery, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/a.jpg"] = (200, {}, Path(mine.items[0].path).read_bytes())
    page.run()
    turns = Turns(quota=1)
    monkeypatch.setattr("similarity.service.turns.shared_turns", lambda: turns)
    with turns.counting(Visitor("test session id")):
        time.sleep(0.02)  # hundredths of a second are counted
    ask_for(page, site.url("/a.jpg"))
    assert "very much computed within a minute: wait a minute" in errors(page)
    assert not page.exception
    fresh = Turns()  # as if the minute had passed
    monkeypatch.setattr("similarity.service.turns.shared_turns", lambda: fresh)
    page.run()
    assert len(ranking(page)) >= 10


@pytest.mark.many
@pytest.mark.parametrize("name", ["../../../etc", "/etc", "mine/../../x", "%2e%2e", "none", "<script>"])
def test_a_gallery_named_in_the_address_is_one_of_those_that_there_are(page: AppTest, mine: Gallery, name: str) -> None:
    page.query_params["gallery"] = name
    page.run()
    assert not page.exception
    assert page.selectbox[0].value == mine.name


def test_a_gallery_is_chosen_by_the_address_of_the_page(page: AppTest, own_pictures: Path, empty_home: Path) -> None:
    for name in ("a", "b"):
        Gallery.build(own_pictures, empty_home / "galleries" / name, model=MODEL)
    page.query_params["gallery"] = "b"
    page.run()
    assert page.selectbox[0].value == "b"


@pytest.mark.many
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.jpg", b"buy milk", "notes.jpg is not a picture that can be read: JPEG, PNG,"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.png is an SVG, which is not read"),
        ("half.jpg", "half", "half.jpg is damaged or incomplete"),
        ("empty.jpg", b"", "empty.jpg is empty"),
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
    assert sentence in errors(page)
    page.file_uploader[0].upload("right.jpg", whole, "image/jpeg").run()
    assert len(ranking(page)) >= 10
    made = set(empty_home.rglob("*")) - set(before)
    assert {path.stem for path in made} <= {item.sha256 for item in mine.items}, "local features of its own pictures"
    assert {path.suffix for path in made} <= {".sift"}


def test_names_and_labels_are_shown_as_they_are_and_never_as_markup(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    evil = own_pictures / "<script>alert(1)<"
    evil.mkdir()
    shutil.move(own_pictures / "dots" / "dots-0.jpg", evil / "<img src=x onerror=alert(1)> **[a](javascript:b)**.jpg")
    Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    page.query_params["like"] = "item:<script>alert(1)</script>"
    page.run()
    assert not page.exception
    assert "<script>" in errors(page)
    assert "](javascript" in "".join(tile["name"] for tile in tiles(open_app().run())), (
        "elements of our own set it as text"
    )
    elements = [*page.markdown, *page.caption, *page.error]
    assert not any(getattr(element, "allow_html", False) for element in elements)
    assert all("<" not in error.value.replace("\\<", "") for error in page.error)


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
