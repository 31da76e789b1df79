"""The search page, driven without a browser: queries of several pictures, parts of them, filters, links."""

import base64
import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL, Site
from pages import address, components, errors, forget, open_app, ranking, texts, tiles
from PIL import Image
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.search import detail, query_input
from similarity.app.serving import access, pictures, previews
from similarity.errors import ImageError
from similarity.storage.thumbnails import read_thumbnail


def names(page: AppTest) -> list[str]:
    return [tile["name"] for tile in ranking(page)]


def button(page: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in page.button if one.label == label or (one.proto.help == label))


def column(page: AppTest, key: str) -> list[dict[str, Any]]:
    """The bars of a column."""
    (drawn,) = components(page, "similarity_histogram")
    return next(one["values"] for one in drawn["columns"] if one["id"] == key)


def bars(page: AppTest, key: str) -> dict[str, int]:
    return {bar["name"]: bar["count"] for bar in column(page, key)}


def chosen(page: AppTest, key: str) -> list[str]:
    return [bar["name"] for bar in column(page, key) if bar["chosen"]]


def choose_repeats(page: AppTest, choice: str) -> None:
    """Choose what becomes of pictures that repeat a better result."""
    next(group for group in page.get("button_group") if group.label == "Repeats").set_value(choice).run()


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


@pytest.mark.usefixtures("shapes")
def test_several_examples_are_averaged_and_a_counter_example_is_kept_out() -> None:
    one = open_app(like="item:dots/dots-0.jpg").run()
    two = open_app(like=["item:dots/dots-0.jpg", "item:rings/rings-0.jpg"]).run()
    assert names(one)[0] == "dots-0.jpg"
    assert set(names(two)[:2]) == {"dots-0.jpg", "rings-0.jpg"}
    assert ranking(two)[0]["score"] < ranking(one)[0]["score"]
    third = names(one)[2]
    unlike = open_app(**{"like": "item:dots/dots-0.jpg", "not": f"item:{third.split('-')[0]}/{third}", "k": "20"}).run()
    assert third not in names(unlike)
    assert len(names(unlike)) == 14
    assert not unlike.exception


@pytest.mark.usefixtures("mine")  # where it leaves marks
def test_an_example_can_be_made_a_counter_example_and_be_removed() -> None:
    page = open_app(like=["item:dots/dots-0.jpg", "item:rings/rings-0.jpg"]).run()
    button(page, "Make it a counter-example").click().run()
    assert address(page)["not"] == ["item:rings/rings-0.jpg"]
    assert address(page)["like"] == ["item:dots/dots-0.jpg"]
    button(page, "Make it an example").click().run()
    assert address(page)["like"] == ["item:dots/dots-0.jpg", "item:rings/rings-0.jpg"]
    button(page, "Remove").click().run()
    assert address(page)["like"] == ["item:dots/dots-0.jpg"]
    button(page, "Start over").click().run()
    assert "like" not in address(page)


@pytest.mark.usefixtures("shapes")
def test_starting_over_clears_the_filters_too_and_filters_that_nothing_meets_are_cleared_with_a_button() -> None:
    page = open_app(like="item:dots/dots-0.jpg", min="0.99", **{"where.label": "rings"}).run()
    assert "No picture meets these conditions." in [info.value for info in page.info]
    button(page, "Start over").click().run()
    assert not {"like", "min", "where.label"} & set(address(page))
    page = open_app(like="item:dots/dots-0.jpg", min="0.99", **{"where.label": "rings"}).run()
    page.button(key="clear-all").click().run()
    assert len(ranking(page)) >= 10


@pytest.mark.usefixtures("shapes")
def test_a_further_picture_has_the_role_that_was_chosen_for_it(pictures: Path) -> None:
    page = open_app(like="item:dots/dots-0.jpg").run()
    page.segmented_control(key="role").set_value("Not like it").run()
    page.chat_input[0].upload("a.jpg", (pictures / "rings" / "rings-1.jpg").read_bytes(), "image/jpeg")
    page.chat_input[0].set_value("").run()
    assert not page.exception
    assert len(address(page)["not"]) == 1
    assert page.segmented_control(key="role").value == "Also like it", "the next one is an example again"


@pytest.mark.usefixtures("shapes")
def test_a_part_of_a_picture_finds_other_pictures_than_the_whole() -> None:
    whole = open_app(like="item:dots/dots-0.jpg").run()
    part = open_app(like="item:dots/dots-0.jpg@0,0,20,20").run()
    assert components(part, "similarity_crop")[0]["box"] == [0, 0, 0.2, 0.2]
    assert ranking(part)[0]["score"] < ranking(whole)[0]["score"]
    button(part, "Use the whole picture").click().run()
    assert ranking(part)[0]["score"] == pytest.approx(1, abs=1e-4)


@pytest.mark.usefixtures("shapes")
def test_filters_leave_what_meets_them_and_stand_in_the_address() -> None:
    page = open_app(like="item:dots/dots-0.jpg").run()
    assert bars(page, "label") == {"dots": 5, "rings": 5, "stripes": 5}
    page.query_params["where.label"] = "rings"
    page.run()
    assert bars(page, "label") == {"dots": 5, "rings": 5, "stripes": 5}, "as without a filter on it"
    assert chosen(page, "label") == ["rings"]
    assert {tile["label"] for tile in ranking(page)} == {"rings"}
    assert len(ranking(page)) == 5
    assert address(page)["where.label"] == ["rings"]
    page.slider(key="min").set_value(1.0).run()
    assert ranking(page) == []
    assert bars(page, "label") == {"dots": 1, "rings": 0, "stripes": 0}, "the query itself"
    assert "No picture meets these conditions" in texts(page)
    button(page, "Clear all filters").click().run()
    assert len(ranking(page)) >= 10
    for choice, value in (("Hide copies", ["1"]), ("One per product", ["product"]), ("Show all", None)):
        choose_repeats(page, choice)
        assert address(page).get("distinct") == value
    assert not page.exception


def test_of_an_approximate_gallery_the_accuracy_can_be_chosen(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_app(gallery="mine", like="item:dots/dots-0.jpg").run()
    assert "Accuracy" not in [group.label for group in page.get("button_group")]
    monkeypatch.setattr("similarity.search.recipes.MIN_FOR_LIST", 0)
    asked: list[str] = []
    real = Gallery.search_vector

    def noted(*arguments: object, **options: object) -> object:
        asked.append(str(options.get("accuracy")))
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Gallery, "search_vector", noted)
    mine.rebuild("IVF2,SQ8")
    page = open_app(gallery="mine", like="item:dots/dots-0.jpg", accuracy="high").run()
    assert not page.exception
    assert names(page)[0] == "dots-0.jpg"
    assert asked[-1] == "high"
    assert "Accuracy" in [group.label for group in page.get("button_group")]


@pytest.mark.usefixtures("shapes")
def test_a_condition_about_something_that_no_picture_has_is_said_and_can_be_cleared() -> None:
    page = open_app(**{"like": "item:dots/dots-0.jpg", "where.colour": "red"}).run()
    assert "No picture of the gallery has a 'colour'" in errors(page)
    button(page, "Clear all filters").click().run()
    assert len(ranking(page)) >= 10


@pytest.mark.usefixtures("shapes")
def test_an_uploaded_picture_is_not_in_a_link_and_the_page_says_so(pictures: Path) -> None:
    page = open_app().run()
    page.file_uploader[0].upload("a.jpg", (pictures / "dots" / "dots-2.jpg").read_bytes(), "image/jpeg").run()
    link = address(page)["like"]
    assert link[0].startswith("upload:")
    page.run()
    assert names(page)[0] == "dots-2.jpg", "it lasts as long as the session"
    colleague = open_app(like=link).run()
    (info,) = colleague.info
    assert info.value.startswith("This link leads to a picture that only its sender can see")
    assert not colleague.error
    button(colleague, "Search with a picture").click().run()
    assert "like" not in address(colleague)


@pytest.mark.usefixtures("shapes")
def test_a_link_to_a_result_of_somebodys_upload_opens_the_result_without_it() -> None:
    page = open_app(like=f"upload:{'ab' * 32}", open="dots/dots-2.jpg").run()
    assert not page.exception
    assert detail.PRIVATE in texts(page)
    (lightbox,) = components(page, "similarity_lightbox")
    assert [picture["alt"] for picture in lightbox["pictures"]] == ["Result: dots"]
    labels = [one.label for one in page.button]
    assert "Search with it" in labels
    assert "More like this" not in labels, "there is nothing to refine"


@pytest.mark.usefixtures("shapes")
def test_filters_that_stay_on_are_not_said_of_a_picture_that_the_browser_goes_back_to() -> None:
    page = open_app(**{"like": "item:dots/dots-0.jpg", "where.label": "dots"}).run()
    page.query_params["like"] = "item:dots/dots-1.jpg"  # as an address is that nobody has chosen on the page
    page.run()
    assert not components(page, "similarity_notice")


def test_a_link_to_what_is_not_there_any_more_says_so(mine: Gallery) -> None:
    page = open_app(like="item:dots/dots-0.jpg", gallery="mine", generation="1", model=MODEL).run()
    assert not page.warning
    assert not page.info
    assert "no gallery named other" in texts(open_app(gallery="other").run())
    assert "made when the gallery used ResNet-50. It was built again with EfficientNet-Lite2" in texts(
        open_app(gallery="mine", model="resnet50").run()
    )
    mine.remove(labels=["dots"])
    assert "This link was made for state" not in texts(page.run()), "whoever saw it change has no old link"
    later = open_app(like="item:rings/rings-0.jpg", gallery="mine", generation="1", model=MODEL).run()
    assert "This link was made for state 1 of the gallery. It is at state 2 now" in texts(later)
    assert len(ranking(later)) >= 10
    gone = open_app(like="item:dots/dots-0.jpg", gallery="mine").run()
    assert "'dots/dots-0.jpg' is not in the gallery mine" in errors(gone)


def test_a_gallery_that_is_deleted_under_the_app_is_said_to_be_gone(mine: Gallery, empty_home: Path) -> None:
    Gallery.build(Path(mine.items[0].path).parent, empty_home / "galleries" / "other", model=MODEL)
    page = open_app(gallery="mine", like="item:dots/dots-0.jpg").run()
    assert names(page)
    (mine.directory / "CURRENT").unlink()
    page.run()
    assert not page.exception
    assert "no gallery named mine. This is other" in texts(page)


@pytest.mark.usefixtures("shapes")
def test_another_gallery_starts_without_pictures_and_filters_of_the_one_before(
    empty_home: Path, pictures: Path
) -> None:
    for name in ("a", "b"):
        Gallery.build(pictures / "dots", empty_home / "galleries" / name, model=MODEL)
    page = open_app(**{"gallery": "a", "like": ["item:dots-0.jpg", "sample:mug-01-q"], "where.label": "x"}).run()
    page.selectbox("gallery").set_value("b").run()
    assert address(page)["gallery"] == ["b"]
    assert address(page)["like"] == ["sample:mug-01-q"], "what can be shown to any gallery stays"
    assert "where.label" not in address(page)


@pytest.mark.usefixtures("shapes")
def test_a_closer_look_has_the_facts_and_leads_to_further_searches() -> None:
    page = open_app(like="item:dots/dots-0.jpg").run()
    page.query_params["open"] = "dots/dots-3.jpg"
    page.run()
    assert not page.exception
    assert page.subheader[-1].value == "dots", "it is called by its label"
    assert page.code[0].value.endswith("dots-3.jpg")
    assert "dots" in page.table[0].value.to_string()
    assert "240 × 320 pixels" in page.table[0].value.to_string()
    button(page, "Search with it").click().run()
    assert address(page)["like"] == ["item:dots/dots-3.jpg"]
    assert names(page)[0] == "dots-3.jpg"


@pytest.mark.parametrize(
    ("label", "like", "unlike"),
    [
        ("More like this", ["item:dots/dots-0.jpg", "item:dots/dots-3.jpg"], None),
        ("Not like this", ["item:dots/dots-0.jpg"], ["item:dots/dots-3.jpg"]),
    ],
)
@pytest.mark.usefixtures("mine")  # where it leaves marks
def test_a_result_can_be_an_example_or_a_counter_example(label: str, like: list[str], unlike: list[str] | None) -> None:
    page = open_app(like="item:dots/dots-0.jpg").run()
    page.query_params["open"] = "dots/dots-3.jpg"
    page.run()
    button(page, label).click().run()
    assert address(page)["like"] == like
    assert address(page).get("not") == unlike
    assert not page.exception


@pytest.mark.usefixtures("shapes")
def test_whoever_may_only_search_is_told_no_path(monkeypatch: pytest.MonkeyPatch, pictures: Path) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    page = open_app(like="item:dots/dots-0.jpg").run()
    page.query_params["open"] = "dots/dots-3.jpg"
    page.run()
    assert page.code[0].value == "dots-3.jpg"
    assert str(pictures) not in str([element.value for element in [*page.markdown, *page.caption, *page.code]])


@pytest.mark.parametrize(
    ("setting", "headers", "address", "may"),
    [
        (None, {"Host": "localhost:8501"}, None, True),
        (None, {"Host": "127.0.0.1"}, None, True),
        (None, {"Host": "[::1]:8501"}, None, True),
        (None, {"Host": "localhost:8501"}, "192.0.2.7", False),
        (None, {"Host": "127.0.0.1:8501"}, "::ffff:127.0.0.1", True),
        (None, {"Host": "127.0.0.1:8501"}, "::ffff:192.0.2.7", False),
        (None, {"Host": "localhost:8501"}, "testclient", False),
        (None, {"Host": "evil.example:8501"}, None, False),
        (None, {}, None, False),
        (None, {"Host": "localhost", "Sec-WebSocket-Key": "a", "User-Agent": "b", "Cookie": "c"}, None, True),
        (None, {"Host": "localhost", "X-Forwarded-For": "192.0.2.7"}, None, False),
        (None, {"Host": "localhost", "x-forwarded-proto": "https"}, None, False),
        (None, {"Host": "localhost", "CF-Connecting-IP": "192.0.2.7"}, None, False),
        (None, {"Host": "localhost", "True-Client-IP": ""}, None, False),
        (None, {"Host": "localhost", "X-Of-A-Proxy-That-Nobody-Knows": "1"}, None, False),
        (None, {"Host": "localhost@evil.example"}, None, False),
        (None, {"Host": "localhost.evil.example"}, None, False),
        ("nobody", {"Host": "localhost"}, None, False),
        ("everyone", {"Host": "a.test"}, "192.0.2.7", True),
        ("nonsense", {"Host": "localhost"}, None, False),
    ],
)
def test_galleries_are_changed_on_this_computer_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, headers: dict, address: str | None, may: bool
) -> None:
    class Context:
        ip_address = address

    Context.headers = headers  # type: ignore[attr-defined]
    monkeypatch.setattr(access.st, "context", Context)
    if setting:
        monkeypatch.setenv("SIMILARITY_MANAGE", setting)
    else:
        monkeypatch.delenv("SIMILARITY_MANAGE", raising=False)
    assert access.may_manage() is may


@pytest.mark.many
@pytest.mark.parametrize(
    "query",
    [
        {"like": ["item:dots/dots-0.jpg", "item:rings/rings-0.jpg"], "not": "item:dots/dots-0.jpg"},
        {"like": ["item:rings/rings-0.jpg", "item:dots/dots-0.jpg"], "not": "item:dots/dots-0.jpg"},
        {"like": "item:none", "not": "item:none"},
        {"like": ["item:none", "upload:none", "sample:none", "url:none"], "not": ["item:no", "url:no"]},
        {"like": ["item:dots/dots-0.jpg", "item:dots/dots-0.jpg@0,0,50.00001,50", "item:dots/dots-0.jpg@0,0,50,50"]},
        {"like": f"item:dots/dots-0.jpg@0,0,0.{'0' * 320}1,1"},
        {"like": "item:dots/dots-0.jpg@0,0,0.01,0.01"},
        {"like": [f"item:dots/dots-0.jpg@0,0,{90 + number / 10},90" for number in range(99)]},
        {"like": "item:dots/dots-0.jpg", "not": "item:none"},
        {"gallery": "\x00", "like": "url:http://\x00"},
    ],
)
@pytest.mark.usefixtures("shapes")
def test_no_address_of_the_page_breaks_it(query: dict[str, str | list[str]]) -> None:
    page = open_app(**query).run()
    assert not page.exception
    assert len(components(page, "similarity_crop")) <= 1
    if query["like"] == "item:dots/dots-0.jpg":
        assert len(ranking(page)) >= 10, "a counter-example that is gone does not hide the results"


@pytest.mark.usefixtures("shapes")
def test_whoever_comes_back_to_the_search_finds_it_as_it_was_left() -> None:
    page = open_app(like="item:dots/dots-0.jpg").run()
    choose_repeats(page, "Hide copies")
    assert page.session_state["last_search"].parameters["distinct"] == "1"
    button(page, "Start over").click().run()
    assert "last_search" not in page.session_state


def test_a_picture_that_is_known_by_its_place_has_another_name_in_the_app(
    own_pictures: Path, empty_home: Path, tmp_path: Path
) -> None:
    table = tmp_path / "pictures.csv"
    table.write_text("path\n" + "\n".join(map(str, sorted(own_pictures.glob("dots/*")))) + "\n")
    gallery = Gallery.build(table, empty_home / "galleries" / "placed", model=MODEL)
    page = open_app(gallery="placed").run()
    shown = tiles(page)[1]["id"]
    assert shown == gallery.items[1].sha256
    page.query_params["like"] = f"item:{shown}"
    page.run()
    assert ranking(page)[0]["id"] == shown
    assert str(own_pictures) not in str(tiles(page))


def test_a_thumbnail_is_served_by_the_hash_of_its_picture_and_made_again_if_it_is_gone(mine: Gallery) -> None:
    sha256 = mine.items[0].sha256
    assert pictures.address("mine", sha256) == f"/pictures/mine/{sha256}.jpg"
    kept = read_thumbnail(mine.directory, sha256)
    assert pictures.find("mine", sha256) == kept
    next(mine.directory.rglob(f"{sha256}.jpg")).unlink()
    assert pictures.find("mine", sha256) == kept
    assert read_thumbnail(mine.directory, sha256) == kept


@pytest.mark.many
@pytest.mark.parametrize(
    ("gallery", "sha256"),
    [
        ("mine", "0" * 64),
        ("none", "0" * 64),
        ("..", "0" * 64),
        ("/etc", "0" * 64),
        ("mine", "../../x"),
        ("~", "0" * 64),
    ],
)
@pytest.mark.usefixtures("mine")
def test_nothing_but_the_thumbnails_of_galleries_is_served(gallery: str, sha256: str) -> None:
    assert pictures.find(gallery, sha256) is None


def test_a_picture_whose_file_is_gone_is_shown_as_it_was_kept(mine: Gallery) -> None:
    forget()  # another test may have looked at the same picture
    item = replace(mine.items[0], path="/no/such.jpg")
    assert previews.preview_of_item(mine, item) == mine.thumbnail(mine.items[0])


def test_a_picture_that_is_taken_along_is_the_one_that_was_indexed_and_no_other_file(
    mine: Gallery, tmp_path: Path
) -> None:
    forget()
    item, other = mine.items[0], mine.items[1]
    path, secret = Path(item.path), tmp_path / "secret.txt"
    secret.write_text("a word that nobody is to know")
    assert previews.original(item) == path.read_bytes()
    path.unlink()
    for place in (secret, Path(other.path), Path("/etc/passwd")):
        path.symlink_to(place)
        with pytest.raises(ImageError, match="has changed since it was indexed"):
            previews.original(item)
        assert previews.preview_of_item(mine, item) == mine.thumbnail(item)
        path.unlink()
    foreign = replace(item, path=str(secret), sha256=hashlib.sha256(secret.read_bytes()).hexdigest())
    with pytest.raises(ImageError, match="is not a picture"):  # whoever made the gallery knew what the file holds
        previews.original(foreign)


@pytest.mark.usefixtures("shapes")
def test_an_address_without_its_scheme_is_understood(site: Site, pictures: Path) -> None:
    site.pages["/a.jpg"] = (200, {}, (pictures / "dots" / "dots-1.jpg").read_bytes())
    page = open_app().run()
    page.chat_input[0].set_value("a.test/b.jpg").run()
    assert address(page)["like"] == ["url:https://a.test/b.jpg"]
    assert ranking(page) == []
    button(page, "Start over").click().run()
    assert tiles(page), "there is something to go on with"


@pytest.mark.many
@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize(
    "text",
    [
        "/home/me/boot.jpg",
        "~/boot.jpg",
        "C:\\Users\\me\\boot.jpg",
        "C:/boot.jpg",
        "\\\\nas\\boot.jpg",
        "file:///etc/passwd",
        "'/home/me/my boot.jpg'",
        "boot.jpg",
        "./a/boot.png",
    ],
)
def test_a_path_that_is_pasted_as_an_address_is_named_and_never_opened(text: str) -> None:
    page = open_app().run()
    page.chat_input[0].set_value(text).run()
    assert [info.value for info in page.info] == [query_input.A_PATH]
    assert "like" not in address(page)


@pytest.mark.usefixtures("shapes")
def test_an_address_with_a_password_is_refused_and_does_not_stand_in_the_address_of_the_page() -> None:
    for text in ("https://user:secret@a.test/boot.jpg", "user:secret@a.test/boot.jpg"):
        page = open_app().run()
        page.chat_input[0].set_value(text).run()
        assert [info.value for info in page.info] == [query_input.WITH_LOGIN]
        assert "like" not in address(page)


@pytest.mark.usefixtures("shapes")
def test_an_address_that_leaves_out_its_scheme_or_is_the_picture_itself_is_understood(pictures: Path) -> None:
    data = (pictures / "rings" / "rings-1.jpg").read_bytes()
    small = io.BytesIO()
    Image.open(io.BytesIO(data)).resize((24, 24)).save(small, "JPEG", quality=30)
    page = open_app().run()
    page.chat_input[0].set_value("//a.test/my boots/b.jpg").run()
    assert address(page)["like"] == ["url:https://a.test/my boots/b.jpg"]
    written = f"data:image/jpeg;base64,{base64.b64encode(small.getvalue()).decode()}"
    assert len(written) < 2048
    page = open_app().run()
    page.chat_input[0].set_value(written).run()
    assert not page.exception
    assert address(page)["like"][0].startswith("upload:")
    assert len(ranking(page)) >= 10
    page.chat_input[0].set_value(written[:300] + "!").run()
    assert [info.value for info in page.info] == [query_input.CUT_SHORT]
    page.chat_input[0].set_value("data:image/jpeg;base64," + "A" * 5_000).run()
    assert [info.value for info in page.info] == [query_input.CUT_SHORT]


@pytest.mark.usefixtures("shapes")
def test_of_labels_that_as_many_results_have_the_first_is_that_of_the_first_result() -> None:
    page = open_app(gallery="shapes", like="item:stripes/stripes-0.jpg").run()
    found = column(page, "label")
    assert found[0]["name"] == "stripes"
    assert len({bar["count"] for bar in found}) == 1
