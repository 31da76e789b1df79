"""The galleries page, driven without a browser."""

import shutil
import threading
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import standin
from conftest import change_manifest
from foreign import HARMS
from pages import forget
from programs import client
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.galleries import details, folder_dialog, job_messages, jobs_background, overview
from similarity.app.galleries import labels as label_table
from similarity.app.serving import access
from similarity.service.incoming import shared_incoming
from similarity.service.jobs import Job, Jobs, shared_jobs
from similarity.service.relabelling import Relabelling
from similarity.sources.uploads import keep_upload
from similarity.storage.current import live_state

pytestmark = pytest.mark.usefixtures("standin_network")
MODEL = "efficientnet-lite2"


def script() -> None:
    """The page, with other pages that only say where one has got to."""
    import streamlit as st

    from similarity.app.galleries import page as galleries_page
    from similarity.app.shell import navigation

    def go(page: str, parameters: dict[str, str]) -> None:
        st.session_state["gone_to"] = (page, parameters)
        st.stop()

    navigation.go = go  # type: ignore[assignment]
    galleries_page.show()


@pytest.fixture
def page(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    from similarity.app.shell import navigation

    assert empty_home
    forget()
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.restore", standin.load)
    monkeypatch.setattr("similarity.app.serving.access.may_manage", lambda: True)
    monkeypatch.setattr(navigation, "go", navigation.go)  # put back at the end
    yield AppTest.from_function(script, default_timeout=60)
    for job in shared_jobs().listed():
        job.cancel()
        job.wait(30)


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery of 15 pictures."""
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def jobs() -> Jobs:
    return shared_jobs()


def finish(page: AppTest) -> Job:
    """Wait for the latest job and draw the page again."""
    job = jobs().listed()[-1]
    assert job.wait(30)
    page.run()
    assert not page.exception
    return job


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.subheader, *page.error, *page.warning, *page.info]
    return "\n".join(element.value for element in shown).replace("\\", "")


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


def open_details(page: AppTest, name: str = "mine") -> None:
    page.query_params["gallery"] = name
    page.run()
    assert not page.exception


def open_form(page: AppTest, name: str, place: Path | str | None = None) -> None:
    """The form for a new gallery, filled in."""
    page.query_params["new"] = "1"
    page.run()
    page.text_input("new_name").input(name)
    if place is not None:
        page.text_input("new_place").input(str(place))
    page.run()


def delete(page: AppTest, typed: str) -> None:
    page.text_input("delete_name").input(typed)
    press(page, "Delete it for good")


def test_without_a_gallery_the_page_says_what_one_is_and_offers_to_make_one(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert page.subheader[0].value == "There is no gallery yet"
    press(page, "New gallery")
    assert page.subheader[0].value == "New gallery"
    press(page, "All galleries")
    assert page.subheader[0].value == "There is no gallery yet"


def test_a_visitor_who_may_not_manage_sees_galleries_without_paths_and_can_change_none(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.app.serving.access.may_manage", lambda: False)
    page.query_params["new"] = "1"
    page.run()
    assert page.info[0].value == access.REFUSAL
    assert labels(page) == ["Search", "Details"]
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    assert page.run().info[0].value == access.REFUSAL_TO_ALL
    open_details(page)
    assert labels(page) == ["All galleries", "How good is it?", "Search it"]
    assert str(mine.directory.parent) not in texts(page) + page.table[0].value.to_string().replace("\\", "")
    assert jobs_background.start(mine.directory, "delete", lambda _: None) is False
    assert jobs().listed() == []


def test_a_gallery_is_built_from_a_folder_and_can_be_searched_at_once(page: AppTest, own_pictures: Path) -> None:
    (own_pictures / "dots" / "broken.jpg").write_bytes(b"no picture")
    open_form(page, "shoes", own_pictures)
    press(page, "Build the gallery")
    assert "new" not in page.query_params
    finish(page)
    assert "shoes is ready: 15 pictures" in texts(page)
    assert "1 file could not be used" in texts(page)
    assert page.expander[0].label.endswith("1 file skipped")
    assert "broken.jpg" in page.dataframe[0].value["File"][0]
    assert "15 pictures · EfficientNet-Lite2" in texts(page)
    assert "exact search" in texts(page)
    press(page, "Search it")
    assert page.session_state["gone_to"] == ("search", {"gallery": "shoes"})


@pytest.mark.many
@pytest.mark.parametrize(
    ("name", "place", "sentence"),
    [
        ("shoes", "/nowhere/at/all", "There is no folder or file /nowhere/at/all."),
        ("shoes", "", "Give the path of the pictures."),
        ("", "/tmp", "Give the gallery a name."),
        ("my shoes?", "/tmp", "'my shoes?' cannot name a gallery: use letters"),
        ("../shoes", "/tmp", "'../shoes' cannot name a gallery: use letters"),
        ("~", "/tmp", "'~' cannot name a gallery: use letters"),
    ],
)
def test_a_form_that_is_not_right_gets_a_plain_sentence(page: AppTest, name: str, place: str, sentence: str) -> None:
    open_form(page, name, place)
    press(page, "Build the gallery")
    assert page.error[0].value.replace("\\", "").startswith(sentence)
    assert jobs().listed() == []


def test_a_folder_without_pictures_fails_with_a_sentence_and_can_be_tried_again(page: AppTest, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    open_form(page, "shoes", empty)
    press(page, "Build the gallery")
    finish(page)
    assert f"Building shoes failed. There are no pictures in {empty}" in texts(page)
    press(page, "Try again")
    finish(page)
    assert len(jobs().listed()) == 1
    press(page, "Dismiss")
    assert jobs().listed() == []


def test_a_taken_name_is_asked_about_and_the_gallery_is_replaced_only_then(
    page: AppTest, mine: Gallery, own_pictures: Path
) -> None:
    open_form(page, "mine", own_pictures / "dots")
    press(page, "Build the gallery")
    assert "There is a gallery named mine, with 15 pictures." in page.warning[0].value
    press(page, "Keep it")
    assert not page.warning
    assert mine.is_live
    press(page, "Build the gallery")
    press(page, "Replace it")
    finish(page)
    assert len(Gallery.open(mine.directory)) == 5


def zipped(folder: Path) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for picture in folder.rglob("*.jpg"):
            file.write(picture, picture.relative_to(folder))
    return data.getvalue()


def send(page: AppTest, files: dict[str, bytes]) -> None:
    """What the browser does with files that are dropped on the form."""
    upload = shared_incoming().find(page.session_state["new_arriving"], "")
    assert upload
    for path, data in files.items():
        shared_incoming().write(upload, path, 0, data)
    shared_incoming().complete(upload)
    page.run()


def test_a_gallery_is_built_from_an_uploaded_folder_with_its_labels(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    open_form(page, "shoes")
    page.segmented_control("new_way").set_value("Upload").run()
    paths = sorted(own_pictures.rglob("*.jpg"))
    send(page, {f"my things/{path.relative_to(own_pictures)}": path.read_bytes() for path in paths})
    press(page, "Build the gallery")
    finish(page)
    gallery = Gallery.open(empty_home / "galleries" / "shoes")
    assert gallery.facets.counts("label") == {"dots": 5, "rings": 5, "stripes": 5}
    assert not any(item.is_gone for item in gallery.items)
    assert gallery.manifest.source == str(empty_home / "uploads" / "shoes" / "my_things")


def test_a_gallery_is_built_from_an_uploaded_zip_which_is_kept(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    open_form(page, "shoes")
    page.segmented_control("new_way").set_value("Upload").run()
    send(page, {"my shoes.zip": zipped(own_pictures)})
    press(page, "Build the gallery")
    finish(page)
    gallery = Gallery.open(empty_home / "galleries" / "shoes")
    assert len(gallery) == 15
    assert not any(item.is_gone for item in gallery.items)
    assert (empty_home / "uploads" / "shoes" / "my_shoes.zip").is_file()


def test_an_upload_that_is_no_zip_gets_a_sentence_and_is_not_kept(page: AppTest, empty_home: Path) -> None:
    open_form(page, "shoes")
    page.segmented_control("new_way").set_value("Upload").run()
    press(page, "Build the gallery")
    assert "Choose the pictures to upload" in page.error[0].value
    send(page, {"shoes.zip": b"no zip"})
    press(page, "Build the gallery")
    assert "shoes.zip is not a readable zip file" in page.error[0].value.replace("\\", "")
    assert not (empty_home / "uploads" / "shoes").exists()


def test_a_dataset_is_shown_with_its_licence_before_it_is_downloaded(page: AppTest) -> None:
    open_form(page, "products")
    page.segmented_control("new_way").set_value("Dataset").run()
    assert "120,053 photographs" in page.selectbox("new_dataset").options[0]
    assert "not openly licensed" in texts(page)
    assert "--split test --products 500" in texts(page)


def test_a_running_job_shows_how_far_it_is_and_is_cancelled(page: AppTest, mine: Gallery) -> None:
    halfway, go_on = threading.Event(), threading.Event()

    def work(job: Job) -> None:
        job.counter("Unpacking", "files")(3, 10)
        halfway.set()
        assert go_on.wait(30)
        job.counter("Unpacking", "files")(4, 10)

    jobs().start(mine.directory, "index", work)
    assert halfway.wait(30)
    open_details(page)
    assert "Building mine" in texts(page).replace("*", "")
    assert "A task is running on this gallery" in texts(page)
    assert "Delete …" not in labels(page)
    press(page, "Cancel")
    go_on.set()
    finish(page)
    assert "Building mine was cancelled: mine is as it was." in texts(page)
    assert "Resume" in labels(page)
    assert mine.is_live


def test_news_of_jobs_is_dismissed_at_once_and_goes_by_itself(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mine", "other"):
        assert jobs().start(mine.directory.with_name(name), "verify", lambda _: None).wait(30)
    page.run()
    assert labels(page).count("Dismiss") == 2
    with monkeypatch.context() as later:
        later.setattr("similarity.app.galleries.jobs.NEWS_SECONDS", 0)
        assert "Dismiss" not in labels(page.run())
    page.run()
    press(page, "Dismiss all")
    assert "Dismiss" not in labels(page)
    assert not jobs().listed()


def test_a_gallery_that_is_being_built_is_not_listed_yet_and_a_job_that_waits_says_so(
    page: AppTest, empty_home: Path, own_pictures: Path
) -> None:
    has_begun, go_on = threading.Event(), threading.Event()

    def hold(job: Job) -> None:
        with job.turn():
            has_begun.set()
            assert go_on.wait(30)

    jobs().start(empty_home / "galleries" / "first", "index", hold)
    assert has_begun.wait(30)
    (empty_home / "galleries" / "first" / "generations").mkdir(parents=True)
    open_form(page, "second", own_pictures)
    press(page, "Build the gallery")
    assert "As soon as the gallery is ready, it is listed here." in texts(page)
    assert "Repair or delete" not in labels(page)
    assert labels(page).count("Cancel") == 2
    press(page, "Cancel")
    finish(page)
    assert "Building second was cancelled before anything was done." in texts(page)
    go_on.set()


def test_a_gallery_is_shown_with_its_own_outcomes_only(page: AppTest, mine: Gallery, empty_home: Path) -> None:
    jobs().start(empty_home / "galleries" / "other", "delete", lambda _: None)
    page.run()
    finish(page)
    assert "other was deleted" in texts(page)
    open_details(page)
    assert "other was deleted" not in texts(page)
    press(page, "Check every file")
    finish(page)
    assert f"{mine.name} is sound" in texts(page)
    assert labels(page).count("Search it") == 1, "the page has that button itself"


def test_that_a_gallery_is_ready_is_not_said_above_the_gallery_itself(page: AppTest, own_pictures: Path) -> None:
    open_form(page, "shoes", own_pictures)
    press(page, "Build the gallery")
    finish(page)
    assert "shoes is ready" in texts(page)
    open_details(page, "shoes")
    assert "shoes is ready" not in texts(page)
    assert labels(page).count("Search it") == 1


def test_details_tell_what_a_gallery_is_and_how_healthy(page: AppTest, own_pictures: Path, empty_home: Path) -> None:
    shutil.copy(own_pictures / "dots" / "dots-0.jpg", own_pictures / "dots" / "copy.jpg")
    (own_pictures / "dots" / "broken.jpg").write_bytes(b"no picture")
    gallery = Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    change_manifest(gallery, note="The reason.\nThe remedy.")
    (own_pictures / "rings" / "rings-0.jpg").unlink()
    open_details(page)
    facts = page.table[0].value.to_string().replace("\\", "")
    for fact in (
        "16, 1 of them exact copies",
        "EfficientNet-Lite2",
        "exact search",
        str(own_pictures),
        str(gallery.directory),
    ):
        assert fact in facts
    told = texts(page)
    assert "The reason. The remedy." in told
    assert f"Last run: building this gallery from {own_pictures}" in told
    assert "1 file is an exact copy of another one" in told
    assert "1 picture has no file any more" in told
    assert page.expander[0].label.endswith("1 file skipped")


def test_pictures_are_added_brought_in_step_and_the_change_is_undone(
    page: AppTest, mine: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    shutil.move(own_pictures / "dots" / "dots-0.jpg", more / "one.jpg")
    (more / "one.jpg").write_bytes((more / "one.jpg").read_bytes() + b"changed")
    open_details(page)
    press(page, "Add")
    assert page.error[0].value == "Give the path of the pictures\\."
    page.text_input("add_place").input(str(more)).run()
    press(page, "Add")
    finish(page)
    assert "mine is up to date: 1 new" in texts(page)
    assert page.selectbox("sync_place").options == [str(own_pictures), str(more)]
    press(page, "Sync")
    finish(page)
    assert "mine is up to date: 1 removed, 14 as before" in texts(page)
    press(page, "Undo the last change")
    finish(page)
    assert "mine was restored to its state of" in texts(page)
    assert len(Gallery.open(mine.directory)) == 16


def test_a_change_that_was_undone_can_be_redone_and_the_button_says_so(page: AppTest, mine: Gallery) -> None:
    mine.remove(labels=["dots"])
    open_details(page)
    press(page, "Undo the last change")
    finish(page)
    assert "Undo the last change" not in labels(page)
    press(page, "Redo the undone change")
    finish(page)
    assert "Redo the undone change" not in labels(page)
    assert "dots" not in Gallery.open(mine.directory).facets.counts("label")
    assert "Undo the last change" in labels(page)


def test_any_of_several_earlier_states_comes_back_and_their_room_is_freed(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    directory = Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL).directory
    Gallery.open(directory).remove(labels=["dots"]).remove(labels=["rings"])
    open_details(page)
    assert page.expander[0].label.startswith("History: 2 earlier states, ")
    assert "Pictures removed: 5 removed :green-badge[now]" in texts(page)
    assert "Built: 15 pictures" in texts(page)
    page.button("restore-1").click().run()
    finish(page)
    assert len(Gallery.open(directory)) == 15
    assert texts(page).count(":gray-badge[undone]") == 2
    press(page, "Redo the undone change")
    finish(page)
    assert len(Gallery.open(directory)) == 10
    press(page, "Delete them")
    finish(page)
    assert "The earlier states of mine were deleted." in texts(page)
    assert "There is no earlier state to restore." in texts(page)


def test_a_gallery_is_renamed_and_a_link_with_the_old_name_says_so(page: AppTest, mine: Gallery) -> None:
    open_details(page)
    press(page, "Rename …")
    page.text_input("new_gallery_name").input("a/b")
    press(page, "Rename")
    assert "cannot name a gallery" in page.error[0].value
    page.text_input("new_gallery_name").input("my shoes")
    press(page, "Rename")
    assert page.query_params["gallery"] == "my shoes"
    assert "Rename" not in labels(page)
    assert "mine was renamed to my shoes." in texts(page)
    assert len(Gallery.open(mine.directory.with_name("my shoes"))) == 15
    open_details(page, "mine")
    assert page.info[0].value == "mine was renamed to my shoes."
    press(page, "Open my shoes")
    assert page.query_params["gallery"] == "my shoes"


def test_labels_that_were_typed_over_are_saved(page: AppTest, mine: Gallery) -> None:
    items = mine.items[:3]
    assert label_table.changed(items, ["dots", " spots ", ""]) == {items[1].sha256: "spots"}
    open_details(page)
    assert "No label changed. A saved change can be undone" in texts(page)
    page.text_input("labels_name").input("no such name").run()
    assert "No picture has this name and label." in texts(page)


def test_a_folder_is_chosen_by_clicking_and_only_by_those_who_manage(
    page: AppTest, own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_form(page, "shoes", f'"{own_pictures}/nothing here"')
    press(page, "Browse …")
    assert "In this folder and below: **15 pictures**" in texts(page)
    page.button(f"folder-{own_pictures / 'dots'}").click().run()
    assert "**5 pictures**" in texts(page)
    press(page, "Up")
    assert page.text_input(folder_dialog.HERE).value == str(own_pictures)
    page.button(f"folder-{own_pictures / 'rings'}").click().run()
    press(page, "Use this folder")
    assert page.text_input("new_place").value == str(own_pictures / "rings")
    assert "Use this folder" not in labels(page)
    press(page, "Build the gallery")
    finish(page)
    assert "shoes is ready: 5 pictures" in texts(page)
    monkeypatch.setattr("similarity.app.serving.access.may_manage", lambda: False)
    page.query_params["new"] = "1"
    assert "Browse …" not in labels(page.run())


@pytest.mark.exhaustive
def test_a_folder_is_typed_in_the_dialog_and_one_without_pictures_is_not_used(
    page: AppTest, own_pictures: Path
) -> None:
    (own_pictures / "empty").mkdir()
    open_form(page, "shoes", own_pictures / "dots")
    press(page, "Browse …")
    here, use = page.text_input(folder_dialog.HERE), page.button("use-folder")
    assert (here.value, use.disabled) == (str(own_pictures / "dots"), False)
    here.input(str(own_pictures / "empty")).run()
    assert "**no pictures**" in texts(page)
    assert page.button("use-folder").disabled
    page.text_input(folder_dialog.HERE).input("/nowhere/at/all").run()
    assert "The folder /nowhere/at/all cannot be opened" in texts(page)
    assert page.button("use-folder").disabled
    page.text_input(folder_dialog.HERE).input(str(own_pictures)).run()
    page.text_input(folder_dialog.HERE).input("/nowhere/at/all")
    press(page, "Use this folder")  # pressed before the page has answered what was typed
    assert "The folder /nowhere/at/all cannot be opened" in texts(page)
    assert page.text_input("new_place").value == str(own_pictures / "dots")
    press(page, "Up")
    assert page.text_input(folder_dialog.HERE).value == "/"
    page.text_input(folder_dialog.HERE).input(f'"{own_pictures}"').run()
    press(page, "Use this folder")
    assert page.text_input("new_place").value == str(own_pictures)


def test_a_card_shows_pictures_of_the_present_state_alone(page: AppTest, mine: Gallery) -> None:
    page.run()
    live = live_state(mine.directory)
    assert len(overview._mosaic(mine.directory, live)) == overview.MOSAIC
    left = mine.remove(ids=[item.id for item in mine.items[2:]])
    shown = overview._mosaic(mine.directory, live_state(mine.directory))
    assert sorted(shown) == sorted(left.thumbnail(item) for item in left.items)


def test_a_card_says_that_a_file_is_gone(page: AppTest, mine: Gallery) -> None:
    (mine.directory / "generations" / "000001" / "items.parquet").unlink()
    assert ":red-badge[:material/error: damaged]" in texts(page.run())


def test_a_card_says_that_shards_are_gone(page: AppTest, mine: Gallery) -> None:
    mine.rebalance(3)
    shutil.rmtree(next(mine.directory.glob("shards/*/*/CURRENT")).parent)
    assert ":orange-badge[:material/error: 1 of 3 shards missing]" in texts(page.run())


def test_a_card_says_how_a_gallery_is(page: AppTest, mine: Gallery, own_pictures: Path) -> None:
    page.run()
    assert ":green-badge[:material/check: OK]" in texts(page)
    (own_pictures / "dots" / "broken.jpg").write_bytes(b"no picture")
    mine.sync(own_pictures)
    assert ":orange-badge[:material/warning: 1 file skipped]" in texts(page.run())
    has_begun, go_on = threading.Event(), threading.Event()

    def hold(_: Job) -> None:
        has_begun.set()
        assert go_on.wait(30)

    jobs().start(mine.directory, "sync", hold)
    assert has_begun.wait(30)
    assert ":blue-badge[:material/progress_activity: syncing]" in texts(page.run())
    go_on.set()
    finish(page)


def test_the_index_is_made_anew_by_another_recipe(page: AppTest, mine: Gallery) -> None:
    open_details(page)
    assert "Now: flat. 15 x 1280 are compared one by one in a moment." in texts(page)
    page.selectbox("rebuild_recipe").select("flat-sq8").run()
    press(page, "Rebuild")
    finish(page)
    assert "The index of mine was rebuilt" in texts(page)
    made = Gallery.open(mine.directory).manifest
    assert (made.recipe, made.recipe_asked, made.generation) == ("flat-sq8", "flat-sq8", 2)
    assert "exact search (flat-sq8)" in page.table[0].value.to_string().replace("\\", "")
    page.selectbox("rebuild_recipe").select("ivf").run()
    press(page, "Rebuild")
    assert "needs at least" in page.error[0].value
    assert Gallery.open(mine.directory).manifest.generation == 2


def test_a_gallery_is_built_with_the_search_that_was_chosen(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    open_form(page, "chosen", own_pictures)
    page.selectbox("new_recipe").select("flat-sq8").run()
    page.selectbox("new_view").select("crop").run()
    press(page, "Build the gallery")
    finish(page)
    manifest = Gallery.open(empty_home / "galleries" / "chosen").manifest
    assert (manifest.recipe, manifest.view) == ("flat-sq8", "crop")


def test_an_index_that_has_drifted_is_said_to_be_made_anew(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gallery, "drift", "a search visits 64 of its groups now, and 16 at first")
    assert mine.drift
    open_details(page)
    assert "The index has drifted: a search visits 64 of its groups now" in texts(page)


def test_one_picture_is_removed_in_the_singular(page: AppTest, mine: Gallery) -> None:
    open_details(page)
    page.text_area("remove_lines").input("rings/rings-1.jpg").run()
    press(page, "Remove …")
    assert (
        "1 picture would leave **mine**. Its file stays where it is, and *Undo the last change* brings it back."
        in texts(page)
    )
    press(page, "Keep it")
    assert len(Gallery.open(mine.directory)) == 15


def test_confirmed_labels_are_told_of_as_such(page: AppTest, mine: Gallery) -> None:
    item = mine.items[0]
    for work, said in (
        (Relabelling.of(mine, [item]), "The label of 1 picture of mine was confirmed."),
        (Relabelling.of(mine, [item], "rings"), "The label of 1 file of mine was changed."),
    ):
        shared_jobs().start(mine.directory, "relabel", work).wait(30)
        page.run()
        assert said in texts(page)
    assert "1 with another label" in job_messages.count_changes(Gallery.open(mine.directory).manifest.last_run)


def test_a_change_that_a_program_made_over_http_is_on_the_page_too(page: AppTest, mine: Gallery) -> None:
    with client() as api:
        answer = api.post("/api/v1/galleries/mine/items/remove", json={"ids": [mine.items[0].id]})
        assert finish(page).number == answer.json()["job"]["number"]
    assert "1 removed" in texts(page)


def test_pictures_are_removed_by_label_by_id_and_by_folder(page: AppTest, mine: Gallery, own_pictures: Path) -> None:
    open_details(page)
    press(page, "Remove …")
    assert page.error[0].value.startswith("Choose a label")
    assert page.multiselect("remove_labels").options == ["dots (5)", "rings (5)", "stripes (5)"]
    page.multiselect("remove_labels").select("dots")
    page.text_area("remove_lines").input(f"rings/rings-1.jpg\n\n{own_pictures / 'stripes'}").run()
    press(page, "Remove …")
    assert "11 pictures would leave **mine**" in texts(page)
    press(page, "Keep them")
    assert len(Gallery.open(mine.directory)) == 15
    press(page, "Remove …")
    press(page, "Remove 11 pictures")
    finish(page)
    assert "mine is up to date: 11 removed" in texts(page)
    assert {item.label for item in Gallery.open(mine.directory).items} == {"rings"}
    assert len(list(own_pictures.rglob("*.jpg"))) == 15


def test_a_picture_that_is_not_in_the_gallery_is_not_removed_and_the_page_says_so(page: AppTest, mine: Gallery) -> None:
    open_details(page)
    page.text_area("remove_lines").input("/nowhere.jpg").run()
    press(page, "Remove …")
    sentence = "No picture of the gallery has the path '/nowhere.jpg': nothing was removed"
    assert sentence in page.error[0].value.replace("\\", "")
    assert mine.is_live


def test_a_gallery_is_checked_and_a_damaged_one_goes_back_to_its_last_sound_state(page: AppTest, mine: Gallery) -> None:
    open_details(page)
    press(page, "Check every file")
    finish(page)
    assert "mine is sound: all" in texts(page)
    mine.remove(labels=["dots"])
    (mine.directory / "generations" / "000002" / "index.faiss").write_bytes(b"damage")
    page.run()
    assert "This gallery is damaged and cannot be searched." in texts(page)
    press(page, "Check every file")
    finish(page)
    assert "Checking mine failed." in texts(page)
    assert "index.faiss is damaged or missing" in texts(page)
    press(page, "Restore the last sound state")
    finish(page)
    assert "15 pictures" in texts(page)
    assert "This gallery is damaged" not in texts(page)


def test_a_gallery_whose_manifest_is_damaged_is_listed_and_can_be_deleted(page: AppTest, mine: Gallery) -> None:
    (mine.directory / "CURRENT").write_text("nonsense")
    page.run()
    assert "CURRENT is damaged or missing" in texts(page)
    assert "Repair or delete" in labels(page)
    press(page, "Repair or delete")
    assert "Undo the last change" not in labels(page)
    press(page, "Delete …")
    delete(page, "mine")
    finish(page)
    assert not mine.directory.exists()


def test_a_gallery_is_deleted_only_after_its_name_was_typed(page: AppTest, mine: Gallery, own_pictures: Path) -> None:
    upload = keep_upload("mine", "more.zip", zipped(own_pictures))
    open_details(page)
    press(page, "Delete …")
    assert "The pictures themselves stay where they are" in texts(page)
    delete(page, "Mine")
    assert "This is not its name" in page.error[0].value
    assert mine.is_live
    press(page, "Keep it")
    assert "Delete it for good" not in labels(page)
    press(page, "Delete …")
    delete(page, "mine")
    finish(page)
    assert "mine was deleted. The pictures themselves were not touched." in texts(page)
    assert page.subheader[0].value == "There is no gallery yet"
    assert not mine.directory.exists()
    assert not upload.exists()
    assert len(list(own_pictures.rglob("*.jpg"))) == 15


def test_a_gallery_that_goes_while_the_list_is_drawn_does_not_take_the_page_along(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_first(directory: Path) -> str:
        shutil.rmtree(directory, ignore_errors=True)
        return live_state(directory)

    monkeypatch.setattr(overview, "live_state", delete_first)
    page.run()
    assert not page.exception
    assert "**mine**" in texts(page)
    assert not mine.directory.exists()


def test_what_a_cancelled_build_left_is_listed_and_building_again_goes_on(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    directory = empty_home / "galleries" / "mine"
    (directory / "unfinished").mkdir(parents=True)
    (directory / "unfinished" / "0123456789abcdef.sqlite").write_bytes(b"")
    page.run()
    assert "Not finished. Build it again under this name to resume" in texts(page)
    open_form(page, "mine", own_pictures)
    press(page, "Build the gallery")
    assert not page.warning, "nothing is replaced"
    finish(page)
    assert len(Gallery.open(directory)) == 15


def test_an_upload_for_a_gallery_that_never_came_about_is_dropped_when_the_job_is_dismissed(
    page: AppTest, own_pictures: Path, empty_home: Path
) -> None:
    kept = keep_upload("shoes", "a.zip", zipped(own_pictures))

    def fail(_: Job) -> None:
        raise RuntimeError

    jobs().start(empty_home / "galleries" / "shoes", "index", fail)
    page.run()
    finish(page)
    assert kept.exists(), "it can be tried again"
    press(page, "Dismiss")
    assert not kept.exists()


def test_a_gallery_that_is_not_there_is_told_from_those_that_are(page: AppTest, mine: Gallery) -> None:
    open_details(page, "<b>other")
    assert page.warning[0].value == "There is no gallery named \\<b\\>other."
    assert mine.name in texts(page)


@pytest.mark.exhaustive
def test_galleries_that_mean_harm_take_the_page_away_from_nobody(page: AppTest, mine: Gallery, tmp_path: Path) -> None:
    kinds = ("lists", "one long text", "words", "a head", "embeddings", "a hash")
    names = [name for name in HARMS if name.startswith(kinds)]
    for number, name in enumerate(names):
        directory = mine.directory.with_name(f"foreign-{number}")
        shutil.copytree(mine.directory, directory)
        HARMS[name](directory, tmp_path)
    page.run()
    assert not page.exception
    assert all(
        f"**{name}**" in texts(page) for name in ("mine", *(f"foreign-{number}" for number in range(len(names))))
    )
    for number in range(0, len(names), 5):
        open_details(page, f"foreign-{number}")
        assert details.DAMAGED in texts(page)
    open_details(page)
    assert page.table, "the facts of one's own"
