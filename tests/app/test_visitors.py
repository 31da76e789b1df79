"""Whoever may search and no more is told of no address, no path, no token: on no page, in no file, in no error."""

import io
import json
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import secretive
from conftest import change_manifest
from pages import components, draw_alone, forget, open_app, ranking, tiles
from secretive import HOST, PLACES, SENTENCE, TOKEN, TOLD, Sent, check, listening

from similarity import Gallery, SimilarityError
from similarity.app.search import explanation
from similarity.app.wording import messages
from similarity.errors import GalleryError, StoreAwayError
from similarity.exports import sheet
from similarity.fetch.http import fetch
from similarity.fetch.redaction import HIDDEN, redact, redact_sentence
from similarity.progress import Progress
from similarity.service.jobs import shared_jobs
from similarity.sources import Item, Skipped
from similarity.sources.originals import file_name
from similarity.storage.manifest import Report


@pytest.fixture(scope="module")
def made(pictures: Path, home: Path) -> Gallery:
    """The gallery, once; read only."""
    return secretive.build(pictures, home / "kept" / "inside")


@pytest.fixture
def inside(made: Gallery, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """A copy of it in a home of its own, and nobody may manage."""
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    return Gallery.open(shutil.copytree(made.directory, empty_home / "galleries" / "inside"))


@pytest.fixture
def sent(empty_home: Path) -> Iterator[Sent]:
    """What the pages of a test send, of which nothing is secret, and the log of it is not looked at."""
    with listening() as heard:
        yield heard
    heard.check(str(empty_home))


def draw_map() -> None:
    from similarity.app.map import page

    page.show()


def draw_evaluate() -> None:
    from similarity.app.evaluate import page

    page.show()


def draw_faceoff() -> None:
    from similarity.app.faceoff import page

    page.show()


def draw_everywhere() -> None:
    from similarity.app.everywhere import page

    page.show()


def draw_duplicates() -> None:
    from similarity.app.duplicates import page

    page.show()


def draw_train() -> None:
    from similarity.app.train import page

    page.show()


def draw_galleries() -> None:
    from similarity.app.galleries import page

    page.show()


def draw_about() -> None:
    from similarity.app.about import page

    page.show()


PAGES = (
    draw_map,
    draw_evaluate,
    draw_faceoff,
    draw_everywhere,
    draw_duplicates,
    draw_train,
    draw_galleries,
    draw_about,
)


@pytest.mark.exhaustive
def test_the_search_page_tells_of_no_place(inside: Gallery, sent: Sent) -> None:
    page = open_app(gallery=inside.name).run()
    assert not page.exception
    shown = tiles(page)
    assert len(shown) >= 10
    assert all(len(tile["id"]) == 64 for tile in shown), "an id that is an address is not told"
    for number in range(len(inside)):
        page = open_app(gallery=inside.name, like=f"item:{inside.items[number].sha256}").run()
        assert not page.exception
        assert len(ranking(page)) >= 10
    sent.check(str(inside.directory.parent))


@pytest.mark.usefixtures("sent")
def test_a_closer_look_and_its_reasons_tell_of_no_place(inside: Gallery) -> None:
    for number in (0, 5):
        page = open_app(gallery=inside.name, like=f"item:{inside.items[0].sha256}")
        page.session_state[explanation.VIEW] = explanation.WHY
        page.query_params["open"] = inside.items[number].sha256
        page.run()
        assert not page.exception
        assert page.code[0].value
    assert page.error, "it cannot be fetched, which is said"


@pytest.mark.many
@pytest.mark.parametrize("box", ["", "@0,0,50,50"])
@pytest.mark.parametrize("name", ["like", "not"])
def test_a_picture_that_cannot_be_fetched_tells_of_no_place(inside: Gallery, sent: Sent, name: str, box: str) -> None:
    for number in range(len(PLACES)):
        query = {"like": f"item:{inside.items[0].sha256}"} | {name: f"item:{inside.items[number].sha256}{box}"}
        page = open_app(gallery=inside.name, **query).run()
        assert not page.exception
        assert bool(page.error) is bool(box)
    assert sent.messages


@pytest.mark.usefixtures("sent")
def test_filters_tell_of_no_place_and_filter_all_the_same(inside: Gallery) -> None:
    like = f"item:{inside.items[0].sha256}"
    page = open_app(gallery=inside.name, like=like).run()
    (drawn,) = components(page, "similarity_histogram")
    check(json.dumps(drawn).encode())
    assert [column["id"] for column in drawn["columns"]] == ["label", "boots", "shop"]
    for column in drawn["columns"]:
        for bar in column["values"]:
            found = open_app(gallery=inside.name, like=like, **{f"where.{column['id']}": bar["id"]}).run()
            assert not found.exception
            assert len(ranking(found)) == bar["count"], bar


def test_a_filter_that_no_picture_has_tells_of_no_column(inside: Gallery, sent: Sent) -> None:
    page = open_app(gallery=inside.name, like=f"item:{inside.items[0].sha256}", **{"where.no": "x"}).run()
    assert "No picture of the gallery has a" in page.error[0].value
    assert sent.messages


def test_what_can_be_taken_along_tells_of_no_place(inside: Gallery, sent: Sent, empty_home: Path) -> None:
    page = open_app(gallery=inside.name, like=f"item:{inside.items[0].sha256}")
    page.query_params["open"] = inside.items[0].sha256
    page.run()
    found = {}
    for name, data in sent.downloads[:4]:
        made = data()
        found[name.rpartition(".")[2]] = made
        check(name.encode())
        check(made, str(empty_home), of=name)
    assert set(found) == {"csv", "json", "zip", "png"}
    with zipfile.ZipFile(io.BytesIO(found["zip"])) as archive:
        for entry in archive.namelist():
            check(entry.encode() + archive.read(entry), str(empty_home), of=entry)
        assert "could not be reached" in archive.read("left-out.txt").decode()
    hits = json.loads(found["json"])["hits"]
    assert len(hits) == 15
    assert {len(hit["id"]) for hit in hits} == {64}
    check(sent.downloads[-1][0].encode(), of="the name of a single picture")
    assert page.button


def test_the_sheet_is_drawn_with_what_a_visitor_may_know(
    inside: Gallery, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    draw_line = sheet.draw_line
    monkeypatch.setattr(sheet, "draw_line", lambda text, *size: drawn.append(text) or draw_line(text, *size))
    open_app(gallery=inside.name, like=f"item:{inside.items[0].sha256}").run()
    dict(sent.downloads)["inside-results.png"]()
    assert len(drawn) >= 3 * 15 + 2, "rank, score and label of each, and the query's heading and title"
    check("\n".join(drawn).encode())


@pytest.mark.many
@pytest.mark.parametrize("draw", PAGES, ids=lambda draw: draw.__name__)
def test_every_other_page_tells_of_no_place(
    draw: Any, inside: Gallery, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = draw_alone(draw, monkeypatch)
    page.query_params["gallery"] = inside.name
    page.run()
    assert not page.exception
    for box in page.selectbox:
        for index in range(len(box.options)):
            assert not page.selectbox(key=box.key).select_index(index).run().exception
    assert sent.messages


@pytest.mark.exhaustive
@pytest.mark.usefixtures("inside")
def test_an_evaluation_that_is_taken_along_tells_of_no_place(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, empty_home: Path
) -> None:
    page = draw_alone(draw_evaluate, monkeypatch).run()
    for index in range(len(page.selectbox[1].options)):
        page.selectbox[1].select_index(index).run()
    files = list(sent.files())
    assert {name for name, _ in files} == {"inside-evaluation.html", "inside-evaluation.json"}
    for name, data in files:
        check(data, str(empty_home), of=name)


def test_two_galleries_side_by_side_tell_of_no_place(
    inside: Gallery, sent: Sent, monkeypatch: pytest.MonkeyPatch, empty_home: Path
) -> None:
    shutil.copytree(inside.directory, empty_home / "galleries" / "other")
    page = draw_alone(draw_faceoff, monkeypatch)
    page.query_params["gallery"], page.query_params["against"] = "inside", "other"
    page.query_params["like"] = f"item:{inside.items[0].sha256}"
    page.run()
    next(one for one in page.button if one.label == "Compare them").click().run()
    assert not page.exception
    assert page.table
    assert sent.messages


def fails(_: object) -> None:
    raise GalleryError(SENTENCE)


@pytest.mark.usefixtures("inside")
def test_jobs_tell_of_no_place(sent: Sent, monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    forget()
    skipped = [Skipped(f"{place.format('no')} (/home/secret/me/list.csv, line 3)", SENTENCE) for place in PLACES]
    page = draw_alone(draw_galleries, monkeypatch)
    goes_on, told = threading.Event(), threading.Event()

    def works(job: Any) -> None:
        job.report(Progress(SENTENCE, 1, 3))
        told.set()
        goes_on.wait(30)

    for name, work in (("a", fails), ("b", lambda _: Report("sync", skipped=skipped)), ("c", works)):
        job = shared_jobs().start(empty_home / "galleries" / name, "sync", work)
        assert told.wait(30) if name == "c" else job.wait(30)
    page.run()
    goes_on.set()
    assert not page.exception
    assert len(page.dataframe) == 1
    assert b"Syncing" in b"".join(sent.messages)


@pytest.mark.parametrize(
    "error",
    [
        StoreAwayError(f"The Milvus at {HOST} does not answer, nor vectors:19530; http://{HOST}/secret/?{TOKEN}"),
        GalleryError(SENTENCE),
        SimilarityError(f"'s3://bucket-inside/my%20key/secret/x?{TOKEN}' is not there"),
    ],
)
def test_a_gallery_that_cannot_be_opened_tells_of_no_place(
    inside: Gallery, sent: Sent, monkeypatch: pytest.MonkeyPatch, error: SimilarityError
) -> None:
    def opened(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Gallery, "open", opened)
    for page in (open_app(gallery=inside.name), *(draw_alone(draw, monkeypatch) for draw in PAGES)):
        page.query_params["gallery"] = inside.name
        assert not page.run().exception
    assert b"cannot be searched" in b"".join(sent.messages)
    sent.check("vectors:19530")


def test_a_damaged_gallery_tells_of_no_place(inside: Gallery, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    (inside.directory / "generations" / "000001" / "items.parquet").write_bytes(b"damage")
    page = open_app(gallery=inside.name).run()
    assert "items.parquet" in page.error[0].value.replace("\\", "")
    change_manifest(inside, model="")
    for draw in PAGES:
        page = draw_alone(draw, monkeypatch)
        page.query_params["gallery"] = inside.name
        assert not page.run().exception
    assert sent.messages


def test_whoever_may_manage_sees_where_pictures_are(
    inside: Gallery, monkeypatch: pytest.MonkeyPatch, empty_home: Path
) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "everyone")
    with listening() as sent:
        page = open_app(gallery=inside.name, like=f"item:{inside.items[0].sha256}")
        page.query_params["open"] = inside.items[0].sha256
        page.run()
    assert page.code[0].value == inside.items[0].path
    with pytest.raises(AssertionError, match="is in"):
        sent.check(str(empty_home))
    rows = json.loads(dict(sent.downloads)["inside-results.json"]())["hits"]
    assert rows[0]["path"] == inside.items[0].path
    assert rows[0]["metadata.shop"] == TOLD[0]


@pytest.mark.parametrize("value", [*(place.format("7") for place in PLACES), *TOLD, SENTENCE])
def test_no_way_to_write_a_place_is_passed_on(value: str) -> None:
    sentence = f"There is no {value}"  # which ends at a space, unless it is known to be in there
    for text in (redact(value), redact_sentence(sentence, *([value] if " " in value else []))):
        check(text.encode())
    assert redact(redact(value)) == redact(value), "what may be told may be told again"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("https://images.example.com/a/b/7.jpg?x=1", "7.jpg at images.example.com"),
        ("https://images.example.com:443/7.jpg", "7.jpg at images.example.com"),
        ("https://images.example.com", "images.example.com"),
        ("https://8.8.8.8/7.jpg", "7.jpg at 8.8.8.8"),
        ("https://images.example.com:8443/7.jpg", "7.jpg"),
        ("https://images.internal.example.com/7.jpg", "7.jpg"),
        ("https://named.example.com/7.jpg", "7.jpg"),
        ("http://10.0.0.1/7.jpg", "7.jpg"),
        ("http://[fd00::1]/7.jpg", "7.jpg"),
        ("http://nas/7.jpg", "7.jpg"),
        ("http://nas.fritz.box/7.jpg", "7.jpg"),
        ("s3://bucket.example.com/7.jpg", "7.jpg"),
        ("gs://bucket", HIDDEN),
        ("/srv/pictures/7.jpg", "7.jpg"),
        ("Shoes/Boots", "Shoes/Boots"),
        ("AC/DC, 12/2024, me@example.com", "AC/DC, 12/2024, me@example.com"),
        ("a red shoe", "a red shoe"),
    ],
)
def test_of_a_place_the_file_is_told_and_a_host_that_everybody_may_know(
    place: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_PRIVATE_HOSTS", "named.example.com, other:81")
    assert redact(place) == told


def test_no_text_takes_long_to_be_looked_through() -> None:
    begun = time.perf_counter()
    for piece in (":", "!", "a.", "@", "/", "\\", "c:/", "%2f", "a:", "~/", "'http://", "x.y/ ", "1.1.1.1", "[", "-"):
        for look in (redact, redact_sentence):
            look(piece * (100_000 // len(piece)) + "/@")
    assert time.perf_counter() - begun < 30  # a second


@pytest.mark.parametrize("place", PLACES)
def test_a_file_is_called_by_its_name_alone_wherever_it_is(place: str) -> None:
    item = Item(id=place, path=place.format(7), sha256="0" * 64)
    check(file_name(item).encode())
    assert item.public_id == "0" * 64


def test_an_error_of_an_address_names_it_for_those_who_may_know() -> None:
    with pytest.raises(SimilarityError) as caught:
        fetch(f"http://{HOST}/my secret/x y.jpg?token={TOKEN}")
    assert caught.value.place == f"http://{HOST}/my%20secret/x%20y.jpg?token={TOKEN}"  # type: ignore[attr-defined]
    check(redact_sentence(str(caught.value), caught.value.place).encode())  # type: ignore[attr-defined]


def test_an_error_that_a_library_raised_from_itself_is_shown_like_any_other() -> None:
    own = StoreAwayError("Milvus at http://intranet.corp:19530 cannot be reached.")
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    for cause in (own, first):
        own.__cause__ = cause
        said = messages.error_as_markdown(own).replace("\\", "")
        assert "This gallery cannot be searched" in said or "cannot be reached" in said
