"""The page of label conflicts, driven without a browser."""

import shutil
from pathlib import Path

import pytest
from conftest import MODEL
from pages import draw_alone, errors, texts, tiles
from PIL import Image
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.duplicates import conflict_search
from similarity.app.serving import access

COPY, ORIGINAL = "rings/copy.png", "dots/dots-0.jpg"


def _page() -> None:
    from similarity.app.duplicates import page as duplicates_page

    duplicates_page.show()


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    """One of the dots is among the rings, too."""
    with Image.open(own_pictures / ORIGINAL) as image:
        image.save(own_pictures / COPY)
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


@pytest.fixture
def page(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    drawn = draw_alone(_page, monkeypatch)
    drawn.query_params["gallery"] = mine.name
    drawn.query_params["view"] = "conflicts"
    return drawn.run()


def labels(gallery: Gallery) -> dict[str, str | None]:
    return {item.id: item.label for item in Gallery.open(gallery.directory).items}


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


def test_the_pair_comes_first_and_its_label_is_changed_with_a_click_and_undone(page: AppTest, mine: Gallery) -> None:
    assert "Two that look nearly the same, similarity 1.000" in texts(page)
    assert {tiles(page)[0]["label"], tiles(page)[1]["label"]} == {"dots", "rings"}
    press(page, "Label both as dots")
    assert labels(mine)[COPY] == "dots"
    assert "**copy.png** is now labelled **dots**" in texts(page)
    assert "Two that look nearly the same" not in texts(page)
    assert any(button.label == "1 changed label (CSV)" for button in page.get("download_button"))
    press(page, "Undo")
    assert labels(mine) == labels(Gallery.open(mine.directory)) | {COPY: "rings"}
    assert not Gallery.open(mine.directory).given_labels
    assert "Two that look nearly the same" in texts(page)


def test_a_conflict_that_is_right_is_not_shown_again(page: AppTest, mine: Gallery) -> None:
    press(page, "Both are right")
    assert page.toast[0].value.startswith("Confirmed: **dots")
    assert "Confirmed: **dots-0.jpg** and **copy.png** stay labelled as before" in texts(page)
    assert "Two that look nearly the same" not in texts(page)
    assert labels(mine)[COPY] == "rings"
    assert {entry.id for entry in Gallery.open(mine.directory).given_labels.entries} == {COPY, ORIGINAL}


def test_exact_copies_under_different_labels_are_given_one_with_a_click(
    page: AppTest, mine: Gallery, own_pictures: Path
) -> None:
    shutil.copy(own_pictures / ORIGINAL, own_pictures / "stripes" / "same.jpg")
    mine.sync(own_pictures)
    page.run()
    assert "exact copies have different labels" in texts(page)
    assert {"All are right", "Label all as stripes"} <= {button.label for button in page.button}
    press(page, "Label all as stripes")
    assert Gallery.open(mine.directory).find(ORIGINAL).labels == ["stripes"]
    assert "exact copies have different labels" not in texts(page)


def test_undoing_says_what_was_labelled_anew_since_and_leaves_it(page: AppTest, mine: Gallery) -> None:
    press(page, "Label both as dots")
    Gallery.open(mine.directory).relabel({COPY: "hoops"})
    page.run()
    press(page, "Undo")
    assert "1 picture was labelled anew since, so nothing was undone there." in texts(page)
    assert labels(mine)[COPY] == "hoops"


def test_any_label_of_the_gallery_can_be_chosen(page: AppTest, mine: Gallery) -> None:
    field = page.selectbox(key=next(box.key for box in page.selectbox if box.key and "-choice-0" in box.key))
    assert field.options == ["dots", "rings", "stripes"]
    assert "A label is set as soon as you choose it" in texts(page)
    before = [tile["name"] for tile in tiles(page)[:2]]
    field.select("stripes").run()
    assert not page.exception
    assert [tile["name"] for tile in tiles(page)[:2]] == before == ["dots-0.jpg", "copy.png"]
    assert "stripes" in {labels(mine)[COPY], labels(mine)[ORIGINAL]}


def test_who_may_not_change_galleries_sees_them_only(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "may_manage", lambda: False)
    page.run()
    assert "Two that look nearly the same" in texts(page)
    assert len(tiles(page)) >= 2
    assert not [button.label for button in page.button]
    assert not page.get("download_button")
    assert str(mine.directory.parent) not in texts(page)


def test_nobody_looks_through_a_large_gallery_without_being_asked(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflict_search, "AT_ONCE", 5)
    conflict_search.neighbourhoods.cache_clear()
    conflict_search.conflicts.cache_clear()
    page.run()
    assert "takes a minute or more" in texts(page)
    press(page, "Look for conflicts")
    assert "Two that look nearly the same" in texts(page)


def test_a_gallery_without_labels_says_so(
    own_pictures: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gallery.build(own_pictures / "dots", empty_home / "galleries" / "bare", model=MODEL)
    page = draw_alone(_page, monkeypatch)
    page.query_params["view"] = "conflicts"
    page.run()
    assert "has no labels, so none can be in conflict" in errors(page) + texts(page)
