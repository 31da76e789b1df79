"""The page without a query in a real browser: pictures are pasted, dropped, chosen and photographed; telephones."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Site

from e2e.conftest import NewTab
from e2e.server import serving
from e2e.tabs import drawn, fits, named, names, parameters, path, rank

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

TRANSFER = """(files) => {
  const transfer = new DataTransfer();
  files.forEach(([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  });
  return transfer;
}"""
PASTE = """(transfer) => document.activeElement.dispatchEvent(
  new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }))"""
TEXT = "(text) => { const made = new DataTransfer(); made.setData('text/plain', text); return made; }"
# A folder as the browser hands it over, which no test can drop: in it another with pictures, a text, and a hidden file.
DROP_FOLDER = """(files) => {
  const file = ([name, data, type]) => ({
    name, isFile: true, isDirectory: false,
    file: (take) => take(new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name, { type })),
  });
  const folder = (name, entries) => ({
    name, isFile: false, isDirectory: true,
    createReader: () => ({ readEntries: (take) => take(entries.splice(0, 2)) }),
  });
  const dropped = folder("pictures", [folder("inner", files.map(file)), file([".hidden.jpg", "", "image/jpeg"])]);
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const items = [{ webkitGetAsEntry: () => dropped }];
  Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], files: [], items, getData: () => "" } });
  document.body.dispatchEvent(event);
}"""
# Counts the frames in which the start page and a search are both on the page.
COUNT_BOTH = """() => {
  window.both = 0;
  const look = () => {
    if (document.querySelector(".st-key-home-inputs") && document.querySelector(".st-key-query-rail")) window.both += 1;
    requestAnimationFrame(look);
  };
  look();
}"""
TELEPHONE: dict[str, Any] = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
RESULTS = "?gallery=sample&like=sample:lamp-02-q&where.label=lamp&where.label=mug"


def transfer_of(tab: Any, *files: tuple[str, bytes]) -> Any:
    return tab.evaluate_handle(TRANSFER, [[name, base64.b64encode(data).decode()] for name, data in files])


def picture(pictures: Path, name: str) -> tuple[str, bytes]:
    return name, (pictures / name.split("-")[0] / name).read_bytes()


def drop(tab: Any, where: str, *files: tuple[str, bytes]) -> None:
    tab.locator(where).first.dispatch_event("drop", {"dataTransfer": transfer_of(tab, *files)})


def home(new_tab: NewTab, **options: Any) -> Any:
    """The page without a query, once it listens."""
    tab = new_tab("?gallery=shapes", **options)
    tab.locator(".drop.large .target").wait_for()
    return tab


def test_a_picture_or_a_link_that_is_pasted_anywhere_is_searched_with_at_once(
    new_tab: NewTab, web: Site, pictures: Path
) -> None:
    from playwright.sync_api import expect

    tab = home(new_tab)
    tab.evaluate(PASTE, transfer_of(tab, picture(pictures, "dots-4.jpg")))
    assert names(tab)[0] == "dots-4.jpg"
    web.pages["/boot.jpg"] = (200, {}, picture(pictures, "rings-2.jpg")[1])
    tab.evaluate(PASTE, tab.evaluate_handle(TEXT, web.url("/boot.jpg")))  # over results
    expect(named(tab).first).to_have_text("rings-2.jpg")
    tab = home(new_tab)
    tab.get_by_test_id("stChatInputTextArea").focus()
    tab.evaluate(PASTE, tab.evaluate_handle(TEXT, web.url("/boot.jpg")))
    assert names(tab)[0] == "rings-2.jpg"
    tab = home(new_tab)
    tab.evaluate(PASTE, tab.evaluate_handle(TEXT, "two red boots"))
    tab.get_by_text("understands pictures, not words").wait_for()


def test_nothing_of_the_start_page_stays_beside_the_first_search_of_a_new_home(
    new_tab: NewTab, pictures: Path, empty_home: Path
) -> None:
    with serving(empty_home) as url:
        tab = new_tab(base_url=url)
        tab.goto("/")
        tab.locator(".drop.large .target").wait_for()
        drawn(tab)
        tab.evaluate(COUNT_BOTH)
        tab.locator(".drop .chooser").set_input_files(pictures / "rings" / "rings-4.jpg")
        rank(tab, 1)
        assert tab.evaluate("window.both") < 5


def test_the_whole_page_takes_a_drop_and_says_so_while_something_is_dragged_over_it(
    new_tab: NewTab, pictures: Path
) -> None:
    from playwright.sync_api import expect

    tab = home(new_tab)
    overlay = tab.get_by_text("Drop to search")
    expect(overlay).to_be_hidden()
    transfer = transfer_of(tab, picture(pictures, "stripes-1.jpg"))
    tab.locator("body").dispatch_event("dragenter", {"dataTransfer": transfer})
    expect(overlay).to_be_visible()
    drop(tab, "h1", picture(pictures, "stripes-1.jpg"))
    expect(overlay).to_be_hidden()
    assert names(tab)[0] == "stripes-1.jpg"
    drawn(tab)
    drop(tab, ".st-key-results", picture(pictures, "dots-2.jpg"))
    expect(named(tab).first).to_have_text("dots-2.jpg")


def test_a_file_that_is_too_large_is_left_out_and_this_is_said(new_tab: NewTab, tmp_path: Path) -> None:
    tab = home(new_tab)
    (tmp_path / "huge.jpg").write_bytes(bytes(30_000_000))
    tab.locator(".drop .chooser").set_input_files(tmp_path / "huge.jpg")
    tab.get_by_text("A picture has 20 MB at most.").wait_for()


def test_a_click_on_the_target_opens_the_chooser_for_files(new_tab: NewTab, pictures: Path) -> None:
    tab = home(new_tab)
    with tab.expect_file_chooser() as opened:
        tab.get_by_role("button", name=re.compile("Drop a picture here")).click()
    assert opened.value.is_multiple()
    opened.value.set_files(pictures / "rings" / "rings-4.jpg")
    assert names(tab)[0] == "rings-4.jpg"


def test_several_files_are_several_queries_and_back_leads_from_one_of_them_to_all(
    new_tab: NewTab, pictures: Path
) -> None:
    tab = home(new_tab)
    files = [picture(pictures, "dots-1.jpg"), ("notes.jpg", b"buy milk"), picture(pictures, "rings-3.jpg")]
    drop(tab, "body", *files)
    tab.locator(".st-key-results-3").get_by_alt_text("Rank 5:").wait_for()
    drawn(tab)
    assert len(parameters(tab)["each"]) == 3
    tab.locator(".st-key-several-2").get_by_text("is not a picture that can be read").wait_for()
    tab.get_by_role("button", name="Export").click()
    with tab.expect_download() as saving:
        tab.get_by_role("button", name="Table (CSV)").click()
    table = Path(saving.value.path()).read_text("utf-8-sig")
    assert table.count("dots-1.jpg") >= 5
    assert "notes.jpg" in table
    tab.keyboard.press("Escape")
    drawn(tab)
    tab.locator(".st-key-several-3").get_by_role("button", name="Open search").first.click()
    assert names(tab)[0] == "rings-3.jpg"
    tab.go_back()
    tab.locator(".st-key-results-3").get_by_alt_text("Rank 5:").wait_for()
    assert len(parameters(tab)["each"]) == 3


def test_the_pictures_of_a_folder_that_is_dropped_are_queries_and_nothing_else_in_it_is(
    new_tab: NewTab, pictures: Path
) -> None:
    tab = home(new_tab)
    files = [
        (name, base64.b64encode(data).decode(), kind)
        for (name, data), kind in (
            (picture(pictures, "dots-1.jpg"), "image/jpeg"),
            (("notes.txt", b"buy milk"), "text/plain"),
            (picture(pictures, "rings-3.jpg"), ""),
        )
    ]
    tab.evaluate(DROP_FOLDER, files)
    tab.locator(".st-key-results-2").get_by_alt_text("Rank 5:").wait_for()
    assert len(parameters(tab)["each"]) == 2
    tab.get_by_alt_text("Your picture: rings-3.jpg").wait_for()


def test_on_a_telephone_a_photograph_is_searched_with_at_once(new_tab: NewTab, pictures: Path) -> None:
    tab = home(new_tab, **TELEPHONE)
    with tab.expect_file_chooser() as opened:
        tab.get_by_role("button", name="Take a photo").tap()
    opened.value.set_files(pictures / "rings" / "rings-4.jpg")
    assert names(tab)[0] == "rings-4.jpg"
    drawn(tab)
    box = rank(tab, 1).bounding_box()
    assert box["y"] + box["height"] <= 844, "the first result is on the first screen"
    assert fits(tab)


def test_on_a_telephone_the_query_is_a_strip_with_filters_to_remove_and_a_panel(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab(RESULTS, **TELEPHONE)
    rank(tab, 1)
    drawn(tab)  # by then the page is as high as it will be, and stays where it is scrolled to
    strip = tab.locator(".st-key-query-strip")
    tab.mouse.move(195, 600)
    tab.mouse.wheel(0, 1500)
    tab.wait_for_function("document.querySelector('[data-testid=\"stMain\"]').scrollTop > 1000")
    box = strip.bounding_box()
    assert box["y"] <= 64, "it stays in sight"
    assert box["height"] == pytest.approx(64, abs=1)
    picture_of_query = tab.get_by_alt_text("Your picture: lamp-02-q.jpg")
    expect(picture_of_query).to_be_hidden()
    tab.get_by_role("button", name="Change", exact=True).tap()
    expect(picture_of_query).to_be_visible()
    tab.get_by_role("button", name="Done", exact=True).tap()
    expect(picture_of_query).to_be_hidden()
    tab.get_by_role("button", name="Remove filter: Label: mug").tap()
    expect(strip.get_by_role("button", name=re.compile("Remove filter"))).to_have_count(1)
    assert parameters(tab)["where.label"] == ["lamp"]
    assert fits(tab)


def test_on_a_wide_screen_filters_are_removed_one_by_one_and_the_panel_needs_no_button(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab(RESULTS)
    rank(tab, 1)
    expect(tab.get_by_role("button", name="Change", exact=True)).to_be_hidden()
    tab.get_by_role("button", name="Remove filter: Label: mug").click()
    expect(tab.get_by_role("button", name="Remove filter: Label: mug")).to_have_count(0)
    assert parameters(tab)["where.label"] == ["lamp"]


def test_on_a_telephone_the_menu_closes_after_a_choice_and_filters_are_a_sheet(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab(RESULTS, **TELEPHONE)
    rank(tab, 1)
    tab.get_by_role("button", name=re.compile("^filter_alt|^Filter")).first.tap()
    sheet = tab.get_by_test_id("stPopoverBody")
    sheet.wait_for()
    tab.wait_for_function(
        """() => { const box = document.querySelector('[data-testid="stPopoverBody"]').getBoundingClientRect();
        return box.left === 0 && box.width === innerWidth && Math.abs(box.bottom - innerHeight) < 1; }"""
    )
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Open the menu").tap()
    tab.get_by_test_id("stSidebarNavLink").filter(has_text="About").tap()
    tab.get_by_role("heading", name="About").wait_for()
    expect(tab.get_by_role("button", name="Open the menu")).to_be_visible()
    assert path(tab) == "/about"
    tab.get_by_test_id("stPageLink-NavLink").filter(has_text="Search").tap()
    rank(tab, 1)
