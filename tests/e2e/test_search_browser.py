"""Searching in the real app with a real browser: the system's Chromium, headless."""

import base64
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import Site
from PIL import Image

from e2e.conftest import NewTab
from e2e.tabs import come_to_fit, drawn, named, names, parameters, press_until, rank, run_anew, thumb
from similarity import Gallery

pytestmark = pytest.mark.browser

# Every picture on the page, those inside elements of our own too.
PICTURES = """() => {
  const found = [];
  const look = (root) => root.querySelectorAll("*").forEach((one) => {
    if (one.tagName === "IMG") found.push(one);
    if (one.shadowRoot) look(one.shadowRoot);
  });
  look(document);
  return found.map((image) => ({ alt: image.getAttribute("alt"), drawn: image.complete && image.naturalWidth > 0 }));
}"""
PASTE = """([data, type]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "pasted.jpg", { type }));
  const field = document.querySelector('[data-testid="stChatInputTextArea"]');
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
}"""


def jpeg(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def go(tab: Any, place: str) -> Any:
    tab.goto(place)
    return tab


# The fields of the page without results: those beside results, in an expander, may stay for a moment after these left.
BESIDE = '[data-testid="stExpanderDetails"] *'
UPLOADER = f'[data-testid="stFileUploader"] input:not({BESIDE})'
ADDRESS = f'[data-testid="stChatInputTextArea"]:not({BESIDE})'


def search_anew(tab: Any) -> None:
    """Leave the results, or a sentence in their place."""
    drawn(tab)
    tab.get_by_role("button", name="Start over").click()
    without_results(tab)


def without_results(tab: Any) -> None:
    """Wait for the page without results; while it comes, parts of it are in their old place, too."""
    from playwright.sync_api import expect

    heading = tab.get_by_text("The pictures of this gallery")
    heading.first.wait_for()
    for one in (heading, tab.locator(UPLOADER), tab.locator(ADDRESS)):
        expect(one).to_have_count(1)
    # Those beside the results are gone, too.
    expect(tab.get_by_test_id("stFileUploaderDropzone")).to_have_count(1)
    expect(tab.get_by_test_id("stChatInputTextArea")).to_have_count(1)
    tab.locator(".drop.large .target").wait_for()  # by then the page listens
    drawn(tab)


def test_a_click_on_a_sample_shows_results_and_there_are_two_ways_back(tab: Any) -> None:
    go(tab, "?gallery=sample")
    tab.get_by_alt_text("Sample: Guitar").first.click()
    rank(tab, 10)
    assert len(names(tab)) >= 10
    tab.get_by_role("button", name="Start over").click()
    tab.get_by_alt_text("Sample: Guitar").first.wait_for()
    tab.go_back()
    rank(tab, 10)
    tab.go_back()
    tab.get_by_alt_text("Sample: Guitar").first.wait_for()


def test_an_uploaded_photograph_gets_ranked_results_with_descending_scores(tab: Any, pictures: Path) -> None:
    go(tab, "?gallery=shapes").get_by_text("15 pictures").first.wait_for()
    tab.locator(UPLOADER).set_input_files(pictures / "rings" / "rings-4.jpg")
    rank(tab, 10)
    results = tab.locator(".st-key-results")
    assert results.locator(".rank").all_inner_texts() == [str(number) for number in range(1, 16)]
    scores = [float(score) for score in results.locator(".score").all_inner_texts()]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    assert results.locator(".label").first.inner_text() == "rings"
    assert names(tab)[0] == "rings-4.jpg"
    tab.get_by_alt_text("Your picture: rings-4.jpg").wait_for()
    tab.wait_for_function(f"(({PICTURES})()).every((picture) => picture.drawn)")


@pytest.mark.exhaustive
def test_a_picture_is_pasted_dropped_or_chosen_from_the_gallery(tab: Any, pictures: Path) -> None:
    go(tab, "?gallery=shapes")
    without_results(tab)
    tab.evaluate(PASTE, [jpeg(pictures / "dots" / "dots-4.jpg"), "image/jpeg"])
    tab.get_by_alt_text("Your picture: pasted.jpg").wait_for()
    assert names(tab)[0] == "dots-4.jpg"
    search_anew(tab)
    transfer = tab.evaluate_handle(
        """([data]) => { const transfer = new DataTransfer();
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" })); return transfer; }""",
        [jpeg(pictures / "stripes" / "stripes-1.jpg")],
    )
    tab.get_by_test_id("stFileUploaderDropzone").dispatch_event("drop", {"dataTransfer": transfer})
    assert names(tab)[0] == "stripes-1.jpg"
    search_anew(tab)
    tab.get_by_alt_text("In the gallery: dots").nth(1).click()
    assert names(tab)[0] == "dots-1.jpg"


def test_the_address_of_a_picture_is_searched_with_and_the_link_shows_a_colleague_the_same(
    tab: Any, new_tab: NewTab, web: Site, pictures: Path
) -> None:
    web.pages["/boot.jpg"] = (200, {}, (pictures / "rings" / "rings-2.jpg").read_bytes())
    go(tab, "?gallery=shapes").get_by_test_id("stChatInputTextArea").fill(web.url("/boot.jpg"))
    tab.keyboard.press("Enter")
    found = names(tab)
    assert found[0] == "rings-2.jpg"
    assert parameters(tab)["like"] == [f"url:{web.url('/boot.jpg')}"]
    assert names(new_tab(tab.url)) == found


@pytest.mark.exhaustive
def test_a_picture_is_taken_with_the_camera(tab: Any) -> None:
    go(tab, "?gallery=shapes").get_by_text("Use the camera").click()
    take = tab.get_by_test_id("stCameraInputButton")
    take.wait_for()
    tab.wait_for_function("document.querySelector('video') && document.querySelector('video').videoWidth > 0")
    take.click()
    rank(tab, 10)
    assert parameters(tab)["like"][0].startswith("upload:")


@pytest.mark.exhaustive
def test_a_rectangle_that_is_dragged_on_the_query_is_searched_with(tab: Any) -> None:
    from playwright.sync_api import expect

    with tab.expect_websocket() as begun:
        go(tab, "?gallery=shapes&like=item:rings/rings-1.jpg")
    number = tab.locator(".st-key-results .score").first
    expect(number).to_have_text("1.000")
    drawn(tab)
    area = tab.locator(".crop").bounding_box()
    tab.mouse.move(area["x"] + 0.1 * area["width"], area["y"] + 0.1 * area["height"])
    tab.mouse.down()
    tab.mouse.move(area["x"] + 0.5 * area["width"], area["y"] + 0.4 * area["height"], steps=5)
    tab.mouse.up()
    tab.get_by_role("button", name="Use the whole picture").wait_for()
    edges = [float(edge) for edge in parameters(tab)["like"][0].partition("@")[2].split(",")]
    assert edges == pytest.approx([10, 10, 50, 40], abs=2)
    drawn(tab)
    expect(number).not_to_have_text("1.000")
    frame = tab.get_by_role("group", name=re.compile("The part that is searched with"))
    frame.focus()
    before = f"?{urlsplit(tab.url).query}"
    with run_anew(tab, begun.value):
        frame.press("ArrowRight")
        tab.wait_for_function("(before) => location.search !== before", arg=before)
    moved = [float(edge) for edge in parameters(tab)["like"][0].partition("@")[2].split(",")]
    assert moved[0] > edges[0]
    assert moved[2] - moved[0] == pytest.approx(edges[2] - edges[0], abs=0.1)
    press_until(tab, "Use the whole picture", tab.get_by_text("Drag a rectangle on the picture"))
    drawn(tab)
    expect(number).to_have_text("1.000")


@pytest.mark.exhaustive
def test_a_result_is_looked_at_closely_compared_and_searched_from(tab: Any) -> None:
    from playwright.sync_api import expect

    go(tab, "?gallery=sample&like=sample:lamp-02-q")
    third = names(tab)[2]
    rank(tab, 3).click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_alt_text("Your query: lamp-02-q.jpg").wait_for()
    dialog.get_by_alt_text("Result: lamp").wait_for()
    dialog.get_by_text(re.compile(r"Rank 3, score 0\.\d{3}")).wait_for()
    assert dialog.locator("code").inner_text().endswith(third)
    with tab.expect_download() as saving:
        dialog.get_by_role("button", name="Download").click()
    with Image.open(saving.value.path()) as image:
        assert image.size == (320, 320)
    assert dialog.get_by_text("Copies of this picture").count() == 0, "other views of a lamp are none"
    near = dialog.locator("code").inner_text().rsplit("/", 1)[-1]
    dialog.get_by_role("button", name="Not like this").click()
    dialog.wait_for(state="hidden")
    tab.get_by_text("not like it", exact=True).wait_for()
    drawn(tab)
    expect(named(tab, has_text=near)).to_have_count(0)
    wanted = names(tab)[1]
    rank(tab, 2).click()
    tab.get_by_role("dialog").get_by_role("button", name="More like this").click()
    tab.get_by_text("also like it", exact=True).wait_for()
    assert len(parameters(tab)["like"]) == 2
    expect(thumb(tab, wanted, "More like this")).to_have_attribute("aria-pressed", "true")
    drawn(tab)
    second = names(tab)[1]
    rank(tab, 2).click()
    tab.get_by_role("dialog").get_by_role("button", name="Search with it").click()
    tab.get_by_alt_text(f"Your picture: {second}").wait_for()
    assert len(parameters(tab)["like"]) == 1


@pytest.mark.exhaustive
def test_an_upload_is_there_when_the_page_is_loaded_again_and_nobody_else_sees_it(
    tab: Any, pictures: Path, browser: Any
) -> None:
    go(tab, "?gallery=shapes").get_by_text("15 pictures").first.wait_for()
    tab.locator(UPLOADER).set_input_files(pictures / "rings" / "rings-4.jpg")
    rank(tab, 10)
    tab.reload()
    tab.get_by_alt_text("Your picture: rings-4.jpg").wait_for()
    rank(tab, 10)
    other = browser.new_context().new_page()
    other.goto(tab.url)
    other.get_by_text("a picture that only its sender can see").wait_for()
    other.context.close()


@pytest.mark.exhaustive
def test_back_leads_from_any_page_to_the_same_search(tab: Any) -> None:
    for page in ("Map", "Evaluate", "About"):
        go(tab, "?gallery=shapes&like=item:rings/rings-1.jpg")
        rank(tab, 10)
        if page == "Evaluate":
            tab.get_by_test_id("stTopNavSection").click()
            tab.get_by_text(page, exact=True).click()
        else:
            tab.get_by_role("link", name=page).first.click()
        tab.get_by_role("heading", level=1, name=page).wait_for()
        if page in ("Map", "Evaluate"):
            tab.get_by_text("15 pictures").first.wait_for()  # of the gallery that was searched
        tab.go_back()
        rank(tab, 10)
        assert parameters(tab)["like"] == ["item:rings/rings-1.jpg"]


@pytest.mark.exhaustive
def test_results_are_filtered_and_scrolled_through_without_embedding_again(tab: Any) -> None:
    from playwright.sync_api import expect

    go(tab, "?gallery=sample&like=sample:mug-01-q")
    tab.get_by_text("Most similar first").first.wait_for()
    tab.get_by_role("button", name="Filter").click()
    tab.get_by_role("button", name=re.compile(r"and \d+ more")).first.click()  # the first eight bars are shown at once
    tab.get_by_role("button", name=re.compile("^teapot: ")).click()
    tab.get_by_text("45 pictures").wait_for()
    tab.keyboard.press("Escape")
    tab.keyboard.press("Escape")
    drawn(tab)
    expect(named(tab, has_not_text=re.compile("^teapot"))).to_have_count(0)
    assert all(name.startswith("teapot") for name in names(tab))
    assert parameters(tab)["where.label"] == ["teapot"]
    tab.locator(".st-key-results .tile").first.focus()
    tab.keyboard.press("End")
    rank(tab, 45)
    tab.reload()
    rank(tab, 10)
    assert all(name.startswith("teapot") for name in names(tab))


@pytest.mark.exhaustive
def test_other_pictures_of_a_product_and_unlike_results_are_left_out_and_no_product_for_a_copy(tab: Any) -> None:
    from playwright.sync_api import expect

    go(tab, "?gallery=sample&like=sample:lamp-02-q")
    assert len([name for name in names(tab) if name.startswith("lamp-02")]) == 5
    tab.get_by_role("button", name="Filter").click()
    alike = named(tab, has_text=re.compile("^lamp-02"))
    tab.get_by_text("Hide copies").click()
    tab.wait_for_url(re.compile("distinct=1"))
    drawn(tab)
    expect(alike).to_have_count(5)
    tab.get_by_text("One per product").click()
    tab.wait_for_url(re.compile("distinct=product"))
    drawn(tab)
    expect(alike).to_have_count(1)
    assert len(names(tab)) >= 10
    lowest = tab.get_by_role("slider", name="Lowest score")
    lowest.focus()
    lowest.press("ArrowRight")
    tab.wait_for_url(re.compile(r"min=0\.05"))
    go(tab, "?gallery=sample&like=sample:lamp-02-q&min=0.5&k=100")
    rank(tab, 10)
    drawn(tab)
    assert all(float(score) >= 0.5 for score in tab.locator(".st-key-results .score").all_inner_texts())
    tab.get_by_text(re.compile(r"\d+ pictures of 675")).wait_for()


@pytest.mark.exhaustive
def test_results_are_taken_along_as_table_data_pictures_and_sheet(tab: Any) -> None:
    go(tab, "?gallery=sample&like=sample:mug-01-q")
    found = names(tab)
    drawn(tab)
    tab.get_by_role("button", name="Export").click()

    def download(kind: str) -> bytes:
        with tab.expect_download() as saving:
            tab.get_by_role("button", name=kind).click()
        return Path(saving.value.path()).read_bytes()

    lines = download("Table (CSV)").decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [str(number) for number in range(1, 676)]
    assert [Path(hit["path"]).name for hit in json.loads(download("Data (JSON)"))["hits"]][: len(found)] == found
    with zipfile.ZipFile(io.BytesIO(download("Pictures (ZIP)"))) as archive:
        assert [name[4:] for name in archive.namelist()][: len(found)] == found
    with Image.open(io.BytesIO(download("Sheet of the first 20 (PNG)"))) as image:
        assert image.width > 1000


@pytest.mark.exhaustive
def test_what_is_no_picture_or_too_large_gets_a_plain_sentence_and_a_way_back(
    tab: Any, tmp_path: Path, pictures: Path
) -> None:
    field = go(tab, "?gallery=shapes").locator(UPLOADER)
    field.wait_for(state="attached")
    (tmp_path / "huge.jpg").write_bytes(bytes(30_000_000))
    field.set_input_files(tmp_path / "huge.jpg")
    tab.get_by_text(re.compile("20.0MB or smaller")).wait_for()
    for name in ("notes.jpg", "notes"):
        (tmp_path / name).write_text("buy milk")
        tab.locator(UPLOADER).set_input_files(tmp_path / name)
        tab.get_by_text("is not a picture that can be read").wait_for()
        tab.get_by_role("button", name="Start over").click()
        tab.get_by_text("is not a picture that can be read").wait_for(state="detached")
        drawn(tab)
    without_results(tab)
    tab.locator(UPLOADER).set_input_files(pictures / "dots" / "dots-4.jpg")
    assert names(tab)[0] == "dots-4.jpg"


@pytest.mark.exhaustive
def test_an_address_that_is_no_picture_gets_a_plain_sentence(tab: Any, web: Site) -> None:
    web.pages["/page"] = (200, {"Content-Type": "text/html"}, b"<html><title>A boot</title></html>")
    go(tab, "?gallery=shapes")
    for asked, sentence in (
        (web.url("/gone.jpg"), "answered 404 Not Found: check the address"),
        (web.url("/page"), "is a web page, not a picture"),
        ("http://10.0.0.1/boot.jpg", "leads to a private network address, which is not fetched"),
    ):
        tab.locator(ADDRESS).fill(asked)
        tab.keyboard.press("Enter")
        tab.get_by_text(sentence).wait_for()
        assert tab.locator("text=Traceback").count() == 0
        search_anew(tab)
        tab.get_by_text(sentence).wait_for(state="detached")


@pytest.mark.exhaustive
def test_two_tabs_search_different_galleries_and_one_that_is_deleted_is_said_to_be_gone(
    tab: Any, new_tab: NewTab, own_gallery: Callable[[str], Gallery]
) -> None:
    doomed = own_gallery("shapes")
    go(tab, "?gallery=sample&like=sample:mug-01-q")
    other = new_tab(f"?gallery={doomed.name}&like=item:dots/dots-0.jpg")
    assert names(other)[0] == "dots-0.jpg"
    assert names(tab)[0].startswith("mug")
    shutil.rmtree(doomed.directory)
    other.get_by_role("button", name="Start over").click()
    other.get_by_text(f"There is no gallery named {doomed.name}. This is sample.").wait_for()
    assert other.locator("text=Traceback").count() == 0
    assert names(tab)[0].startswith("mug")


@pytest.mark.exhaustive
def test_the_page_is_whole_for_a_telephone_a_keyboard_and_a_screen_reader(tab: Any, address: str) -> None:
    from playwright.sync_api import expect

    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    go(tab, "?gallery=sample&like=sample:mug-01-q")
    rank(tab, 10)
    tab.set_viewport_size({"width": 390, "height": 844})
    come_to_fit(tab)
    drawn(tab)
    assert all(picture["alt"] for picture in tab.evaluate(PICTURES))
    tab.locator(".st-key-results .tile").first.focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("dialog").wait_for()
    tab.keyboard.press("Escape")
    tab.get_by_role("dialog").wait_for(state="hidden")
    expect(tab.locator(".st-key-results .tile").first).to_be_focused()
    assert tab.get_by_text("Deploy").count() == 0
    expect(tab).to_have_title("mug-01-q.jpg · sample · Similarity")
    elsewhere = [url for url in asked if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
    assert elsewhere == [], "a browser asks nobody but the app"
