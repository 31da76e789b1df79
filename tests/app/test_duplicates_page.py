"""The duplicates page, driven without a browser."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MODEL
from pages import components, draw_alone, errors, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.duplicates import background, choices, differences, downloads, groups
from similarity.app.duplicates.kinds import without
from similarity.errors import GalleryBusyError, StoreAwayError
from similarity.gallery import restore
from similarity.images.picture import Box
from similarity.query.copies import Copy
from similarity.query.keeping import LARGEST, choose_rule
from similarity.query.near_duplicates import Group
from similarity.service.jobs import shared_jobs
from similarity.sources import Item
from similarity.sources.base import files_of

WHOLE, HALF = Box(0, 0, 1, 1), Box(0.25, 0, 0.75, 1)


def _page() -> None:
    from similarity.app.duplicates import page as duplicates_page

    duplicates_page.show()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    made = draw_alone(_page, monkeypatch)
    made.query_params["kind"] = "exact"
    yield made
    for job in shared_jobs().listed():
        job.wait(30)
        shared_jobs().dismiss(job)


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery of 15 pictures, of which two have exact copies, one of them two."""
    for place in ("rings/copy.jpg", "stripes/copy.jpg"):
        shutil.copy(own_pictures / "dots" / "dots-0.jpg", own_pictures / place)
    shutil.copy(own_pictures / "dots" / "dots-1.jpg", own_pictures / "rings" / "other.jpg")
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def rows(page: AppTest) -> list[list[str]]:
    """The file names of each group, the one that is kept in capitals."""
    found = components(page, "similarity_tiles")
    return [[one["name"].upper() if one["mark"] == "kept" else one["name"] for one in row["tiles"]] for row in found]


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click().run()
    assert not page.exception


def toast(page: AppTest) -> str:
    """What is said wherever the visitor is, without what makes it safe as markdown."""
    return str(page.toast[0].value).replace("\\", "")


def ids(gallery: Gallery) -> set[str]:
    return {file.id for file in files_of(Gallery.open(gallery.directory).items)}


@pytest.mark.usefixtures("mine")
def test_groups_are_side_by_side_with_the_one_to_keep(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "**2 groups,** 3 pictures could go" in texts(page)
    assert rows(page) == [["DOTS-0.JPG", "copy.jpg", "copy.jpg"], ["DOTS-1.JPG", "other.jpg"]]
    first = components(page, "similarity_tiles")[0]["tiles"]
    assert [one["chance"] for one in first] == ["kept", "same bytes", "same bytes"]
    assert first[0]["label"].startswith("240 × 320 · ")
    assert "Nothing is ever deleted from a disk" in texts(page)


def test_the_others_of_a_group_are_taken_out_and_put_back(page: AppTest, mine: Gallery) -> None:
    before = ids(mine)
    page.run()
    press(page, "duplicates-exact-0-take")
    assert toast(page) == "2 files removed. Nothing was deleted from a disk."
    assert ids(mine) == before - {"rings/copy.jpg", "stripes/copy.jpg"}
    assert rows(page) == [["DOTS-0.JPG"], ["DOTS-1.JPG", "other.jpg"]], "nothing moves up to where the click was"
    assert "2 files removed" in texts(page)
    assert "**1 group,** 1 picture could go" in texts(page)
    press(page, "duplicates-exact-0-undo")
    assert toast(page) == "2 files are in the gallery again."
    assert "2 files are in the gallery again." in texts(page)
    assert ids(mine) == before
    assert len(rows(page)) == 2
    press(page, "duplicates-dismiss")
    assert "in the gallery again" not in texts(page)


def test_the_one_that_the_visitor_chose_stays(page: AppTest, mine: Gallery) -> None:
    page.session_state[groups.BY_HAND] = {"mine": choices.ByHand({"stripes/copy.jpg"})}
    page.run()
    assert rows(page)[0] == ["dots-0.jpg", "copy.jpg", "COPY.JPG"]
    press(page, "duplicates-take-all")
    assert "3 files removed. Nothing was deleted from a disk." in texts(page)
    assert "No duplicates of this kind." in texts(page)
    left = Gallery.open(mine.directory)
    assert "stripes/copy.jpg" in ids(mine)
    assert len(left) == 15
    assert not left.manifest.duplicates


def test_a_folder_can_be_the_one_to_keep(page: AppTest, mine: Gallery, own_pictures: Path) -> None:
    page.run()
    box = page.selectbox(key="duplicates_rule_widget")
    rings = f"Those in {own_pictures / 'rings'}"
    assert box.options[:2] == ["The largest picture", "The oldest picture"]
    assert rings in box.options
    assert f"Those in {own_pictures}" not in box.options, "all are in it, so that it decides nothing"
    box.select_index(box.options.index(rings)).run()
    assert rows(page) == [["dots-0.jpg", "COPY.JPG", "copy.jpg"], ["dots-1.jpg", "OTHER.JPG"]]
    assert len(mine) == 15


def test_a_later_change_is_not_undone_which_is_said(page: AppTest, mine: Gallery) -> None:
    page.run()
    press(page, "duplicates-exact-0-take")
    changed = Gallery.open(mine.directory).remove(ids=["stripes/stripes-0.jpg"])
    press(page, "duplicates-exact-0-undo")
    assert toast(page) == "This can no longer be undone here: the gallery has changed since."
    assert "The gallery has changed since, so this cannot be undone here." in texts(page)
    assert "Undo" not in labels(page)
    assert rows(page) == [["DOTS-1.JPG", "other.jpg"]]
    assert Gallery.open(mine.directory).state == changed.state


def test_what_another_tab_has_undone_is_not_undone_again(page: AppTest, mine: Gallery) -> None:
    before = mine.state
    page.run()
    press(page, "duplicates-exact-0-take")
    restore(mine.directory)
    press(page, "duplicates-exact-0-undo")
    assert toast(page) == "These files are in the gallery already."
    assert "Undo" not in labels(page)
    assert len(rows(page)[0]) == 3
    assert Gallery.open(mine.directory).state == before


@pytest.mark.usefixtures("mine")
def test_the_last_group_stays_in_its_place_once_taken_out(page: AppTest) -> None:
    page.run()
    press(page, "duplicates-exact-0-take")
    press(page, "duplicates-exact-1-take")
    assert rows(page) == [["DOTS-0.JPG"], ["DOTS-1.JPG"]]
    assert "No duplicates of this kind." in texts(page)
    assert [label for label in labels(page) if label == "Undo"] == ["Undo"], "one change can be undone, the last"
    press(page, "duplicates-exact-1-undo")
    assert rows(page) == [["DOTS-0.JPG"], ["DOTS-1.JPG", "other.jpg"]]


def test_a_refusal_is_said_where_the_visitor_is(page: AppTest, monkeypatch: pytest.MonkeyPatch, mine: Gallery) -> None:
    def refuse(*_: object) -> None:
        raise GalleryBusyError("Another task is running on the gallery mine: wait for it, or cancel it.")

    page.run()
    monkeypatch.setattr(shared_jobs(), "start", refuse)
    press(page, "duplicates-exact-0-take")
    assert toast(page).startswith("Another task is running")
    assert len(rows(page)[0]) == 3
    assert len(mine) == 15


def test_nothing_is_taken_out_of_a_gallery_that_has_changed_since_it_was_drawn(page: AppTest, mine: Gallery) -> None:
    page.run()
    changed = mine.remove(ids=["stripes/stripes-0.jpg"])
    press(page, "duplicates-exact-0-take")
    assert "nothing was removed" in texts(page)
    assert Gallery.open(mine.directory).state == changed.state


@pytest.mark.usefixtures("mine")
def test_who_may_only_search_sees_groups_and_no_buttons(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    page.run()
    assert not page.exception
    assert len(rows(page)) == 2
    assert not page.button
    assert not page.get("download_button")
    assert "Whoever runs the app can allow changes" in texts(page)
    assert not page.selectbox(key="gallery").disabled
    assert [box.key for box in page.selectbox] == ["gallery"], "nothing is kept, so no rule is chosen"
    assert "could go" not in texts(page)
    assert "Nothing is ever deleted" not in texts(page)
    drawn = [one for row in components(page, "similarity_tiles") for one in row["tiles"]]
    assert {one["rank"] for one in drawn} == {""}
    assert [one["chance"].strip() for one in drawn] == ["", "same bytes", "same bytes", "", "same bytes"]
    assert not any("/" in one["hint"] for one in drawn)


@pytest.mark.usefixtures("shapes")
def test_a_gallery_without_duplicates_says_so(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert page.info[0].value == "No duplicates of this kind."


@pytest.mark.usefixtures("mine")
def test_groups_are_twenty_a_page(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PAGE_SIZE", 1)
    page.run()
    assert rows(page) == [["DOTS-0.JPG", "copy.jpg", "copy.jpg"]]
    assert "duplicates-take-page" in [button.key for button in page.button]
    page.session_state[groups.PAGE] = {("mine", "exact"): 2}
    page.run()
    assert rows(page) == [["DOTS-1.JPG", "other.jpg"]]
    assert "**Group 2**" in texts(page)


@pytest.mark.usefixtures("mine")
def test_groups_of_a_page_that_were_taken_out_keep_their_places_so_that_none_of_the_next_page_is_passed_over(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "PAGE_SIZE", 1)
    page.run()
    press(page, "duplicates-take-page")
    assert rows(page) == [["DOTS-0.JPG"]]
    page.session_state[groups.PAGE] = {("mine", "exact"): 2}
    page.run()
    assert rows(page) == [["DOTS-1.JPG", "other.jpg"]]
    assert "2 files removed. Nothing was deleted from a disk." in texts(page), "its row is on another page"
    press(page, "duplicates-undo")
    assert rows(page) == [["DOTS-1.JPG", "other.jpg"]]
    assert "**2 groups,** 3 pictures could go" in texts(page)


@pytest.mark.usefixtures("mine")
def test_of_a_huge_group_a_part_is_shown_with_the_one_that_is_kept(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MAX_SHOWN", 2)
    page.session_state[groups.BY_HAND] = {"mine": choices.ByHand({"stripes/copy.jpg"})}
    page.run()
    assert rows(page)[0] == ["COPY.JPG", "dots-0.jpg"]
    assert "and 1 picture more" in texts(page)


def test_in_a_large_gallery_duplicates_are_looked_for_when_asked(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(background.AT_ONCE, "exact", len(mine) - 1)
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    page.run()
    assert "Nobody has looked for duplicates" in texts(page)
    monkeypatch.setenv("SIMILARITY_MANAGE", "everyone")
    page.run()
    assert not rows(page)
    next(button for button in page.button if button.label == "Look for duplicates").click().run()
    assert len(rows(page)) == 2
    page.run()
    assert len(rows(page)) == 2, "what was found is kept"


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreAwayError("The Milvus does not answer."), "The Milvus does not answer"),
        (RuntimeError("no sentence"), "the log of the app says why"),
    ],
)
def test_a_search_for_duplicates_that_fails_gets_a_plain_sentence(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(background, "find_groups", fail)
    page.run()
    assert not page.exception
    assert said in errors(page)


def test_two_visitors_who_come_at_once_wait_for_one_search(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, go_on = [], threading.Event()

    def slow(*_: object) -> list[Group]:
        calls.append(1)
        go_on.wait(30)
        return []

    monkeypatch.setattr(background, "find_groups", slow)
    first, second = (background.start(mine, "exact") for _ in range(2))
    go_on.set()
    assert first is second
    assert first.result.result(30) == []
    assert calls == [1]


def test_a_list_of_the_others_can_be_taken_along(
    page: AppTest, mine: Gallery, own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {}
    monkeypatch.setattr("streamlit.download_button", lambda _, data, *, key, **__: made.update({key: data}))
    page.run()
    assert not page.exception
    others = made["duplicates-list"]().decode().splitlines()
    assert others == [str(own_pictures / one) for one in ("rings/copy.jpg", "stripes/copy.jpg", "rings/other.jpg")]
    table = made["duplicates-csv"]().decode("utf-8-sig").splitlines()
    assert table[0] == "group,kind,score,keep,path,label,width,height,bytes,copy"
    assert table[1].startswith(f"1,exact,1.0,yes,{own_pictures / 'dots' / 'dots-0.jpg'},dots,240,320,")
    assert len(table) == 6
    assert len(mine) == 15


def test_the_view_and_the_kind_are_in_the_address_and_remembered(page: AppTest, mine: Gallery) -> None:
    page.run()
    page.radio(key="kind").set_value("look-alikes").run()
    assert page.query_params["kind"] in ("look-alikes", ["look-alikes"])
    page.query_params["view"] = "conflicts"
    page.run()
    assert not page.exception
    assert not page.radio
    assert len(mine) == 15


def file(number: int, **facts: object) -> Item:
    known = {"width": 400, "height": 300, "size": 10_000, "sha256": f"{number:064d}"} | facts
    return Item(f"{number}.jpg", f"/pictures/{number}.jpg", **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "same size"),
        ({"sha256": f"{1:064d}"}, "same bytes"),
        ({"width": 200, "height": 150}, "smaller"),
        ({"width": 800, "height": 600}, "larger"),
        ({"size": 5_000}, "smaller file"),
        ({"size": 20_000}, "larger file"),
        ({"width": 0, "height": 0}, "same size"),
    ],
)
def test_a_file_is_told_from_the_one_that_is_kept_in_plain_words(facts: dict[str, object], said: str) -> None:
    group = Group([file(1), file(2, **facts)], 0.97)
    assert differences.compare(group, group.files[1], group.files[0]) == [said]


def made(rotation: float = 0, *, mirrored: bool = False, of: Box = WHOLE, own: Box = WHOLE) -> Copy:
    """A copy of the first picture of its group: the part that it shows, and where it shows that."""
    return Copy(1.0, rotation, mirrored, own, of, 50)


@pytest.mark.parametrize(
    ("copy", "kept", "said"),
    [
        (made(), None, "same size"),
        (made(90.4), None, "turned 90°"),
        (made(-90), None, "turned 90°"),
        (made(179.5), None, "turned 180°"),
        (made(15), None, "turned 15°"),
        (made(1), None, "same size"),
        (made(mirrored=True), None, "mirrored"),
        (made(90, mirrored=True), None, "mirrored, turned 90°"),
        (made(of=HALF), None, "cropped"),
        (made(own=HALF), None, "shows more"),
        (made(-90), made(90), "turned 180°"),
        (made(90), made(90), "same size"),
        (made(90, mirrored=True), made(90, mirrored=True), "same size"),
        (None, made(of=HALF), "shows more"),
        (None, made(own=HALF), "cropped"),
        (made(of=HALF), made(of=HALF), "same size"),
        (made(of=HALF), made(of=Box(0, 0, 0.5, 1)), "cropped, shows more"),
        (None, made(90, mirrored=True), "mirrored, turned 90°"),
    ],
)
def test_what_was_done_to_a_picture_is_told_against_the_one_that_is_kept(
    copy: Copy | None, kept: Copy | None, said: str
) -> None:
    group = Group([file(1), file(2), file(3)], 0.97, [None, copy, kept])
    ours, theirs = (group.files[place] if one else group.files[0] for place, one in ((1, copy), (2, kept)))
    assert ", ".join(differences.compare(group, ours, theirs)) == said


def test_the_table_says_what_was_done_seen_from_the_file_that_is_kept() -> None:
    group = Group([file(1), file(2), file(3)], 0.97, [None, made(mirrored=True), made()])
    kept = choices.Kept(group, group.files[1])
    rows = [line.split(",") for line in downloads.table([kept]).decode("utf-8-sig").splitlines()[1:]]
    assert [(row[3], row[-1]) for row in rows] == [
        ("no", "same picture: mirrored"),
        ("yes", ""),
        ("no", "same picture: mirrored"),
    ]


def test_what_was_chosen_is_in_the_address_of_its_gallery_alone() -> None:
    group, by_hand = Group([file(1), file(2), file(3)], 0.97), choices.ByHand()
    by_hand.keep(group, group.files[1])
    marks = by_hand.marks("mine")
    assert not any("2.jpg" in mark for mark in marks)
    assert choices.ByHand.by_marks("mine", [group], marks) == by_hand
    assert choices.ByHand.by_marks("other", [group], marks) == choices.ByHand()


def test_an_address_keeps_what_was_chosen_before_the_page_was_loaded_again(page: AppTest, mine: Gallery) -> None:
    page.query_params["keep"] = choices.ByHand({"stripes/copy.jpg"}).marks(mine.name)
    page.run()
    assert rows(page)[0] == ["dots-0.jpg", "copy.jpg", "COPY.JPG"]


def test_whoever_clicks_on_another_picture_keeps_that_one_alone() -> None:
    group, by_hand = Group([file(1), file(2), file(3)], 0.97), choices.ByHand()
    by_hand.keep(group, group.files[1])
    by_hand.keep(group, group.files[2])
    (kept,) = choices.choose_all([group], choose_rule(LARGEST, group.files), by_hand)
    assert kept.file is group.files[2]
    assert kept.others == group.files[:2]


def test_files_that_were_taken_out_leave_their_groups() -> None:
    one, other = Group([file(1), file(2), file(3)], 0.97), Group([file(4), file(5)], 0.96)
    (left,) = without([one, other], {"1.jpg", "5.jpg"})
    assert left.files == one.files[1:]
