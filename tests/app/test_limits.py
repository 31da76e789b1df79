"""Whatever somebody types, pastes or puts into an address: what is too long is said to be, before it is looked at."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from pages import draw_alone, errors, open_app, texts
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.state.query_params import CLIENT_STATE_QUERY_STRING_MAX_LENGTH

from similarity import Gallery, SimilarityError
from similarity.app.serving import guard, pictures
from similarity.app.shell import fields, links, parameters
from similarity.app.shell.parameters import Link, Part
from similarity.fetch.http import fetch
from similarity.gallery import open_gallery
from similarity.paths import full_path
from similarity.search.stores import choose_store
from similarity.storage.inventory import named_gallery
from similarity.text.plain import LONGEST

HUGE = 20_000_000
SECONDS = 5.0  # it takes a hundredth of that


@pytest.fixture(autouse=True)
def quickly() -> Any:
    begun = time.perf_counter()
    yield
    assert time.perf_counter() - begun < 6 * SECONDS


@pytest.mark.many
@pytest.mark.parametrize(
    "text",
    [
        "x" * HUGE,
        "https://a.test/" + "x" * HUGE,
        ":" * HUGE,
        "@1,1," * (HUGE // 5),
        "a." * (HUGE // 2),
        "\u202e" * (HUGE // 4),
    ],
    ids=["word", "address", "colons", "box", "dots", "unseen"],
)
@pytest.mark.usefixtures("shapes")
def test_twenty_megabytes_that_are_pasted_are_answered_with_a_sentence(text: str) -> None:
    page = open_app().run()
    page.chat_input[0].set_value(text).run()
    assert "This is too long: an address has 2,048 characters at most" in texts(page)
    assert not page.exception
    assert len(str(page.query_params)) < 1_000


@pytest.mark.many
@pytest.mark.parametrize("name", ["gallery", "like", "not", "against", "where.label", "model", "min", "k", "x"])
@pytest.mark.parametrize("value", ["item:" + "x" * 50_000, ["item:" + "x" * 1_000] * 50], ids=["one", "many"])
@pytest.mark.usefixtures("shapes")
def test_an_address_of_a_page_that_is_too_long_is_said_to_be_and_dropped(name: str, value: str | list[str]) -> None:
    page = open_app(**{name: value}).run()
    assert errors(page) == links.TOO_LONG
    assert not page.exception
    assert not page.query_params or "x" * 1_000 not in str(page.query_params)


def test_the_longest_searches_that_are_made_here_are_not_too_long() -> None:
    address = "https://a.test/" + "x" * (LONGEST - 15)
    link = Link(like=(Part("url", address), *(Part("item", f"{number}" * 40) for number in range(11))))
    told = {name: [value] if isinstance(value, str) else value for name, value in link.parameters().items()}
    assert not parameters.is_too_long(told)
    assert parameters.parse(told) == link
    assert Part.parse(f"url:{address}x") is None


def draw_field() -> None:
    from similarity.app.shell import fields

    fields.text_line("One line", key="line")
    fields.text_lines("Several", key="lines")


def test_what_is_typed_into_a_field_has_a_limit_that_the_server_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    page = draw_alone(draw_field, monkeypatch).run()
    for length, is_refused in ((LONGEST, False), (LONGEST + 1, True), (HUGE, True)):
        page.text_input(key="line").set_value("x" * length).run()
        assert bool(page.error) is is_refused
    page.text_input(key="line").set_value("").run()
    for length, is_refused in ((LONGEST, False), (fields.LONGEST_LINES, True), (HUGE, True)):
        page.text_area(key="lines").set_value("x" * length).run()
        assert ["This is too long" in error.value for error in page.error] == [True] * is_refused


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda text: fetch(f"https://a.test/{text}"), "2,048 characters at most"),
        (named_gallery, "255 bytes at most"),
        (open_gallery, "255 bytes at most"),
        (lambda text: open_gallery(f"/{text}"), "4,096 characters at most"),
        (full_path, "4,096 characters at most"),
        (lambda text: choose_store("milvus", f"http://{text}"), "2,048 characters at most"),
    ],
)
def test_the_library_refuses_what_is_too_long_with_a_short_sentence(call: Callable[[str], Any], sentence: str) -> None:
    with pytest.raises(SimilarityError, match=sentence) as caught:
        call("x" * HUGE)
    assert len(str(caught.value)) < 300


def test_words_have_a_limit_whatever_the_model(shapes: Gallery) -> None:
    with pytest.raises(SimilarityError, match="2,048 characters at most"):
        shapes.embed_text("x" * HUGE)


def test_no_thumbnail_is_looked_for_outside_the_galleries(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shapes.directory))
    assert pictures.find("shapes", shapes.items[0].sha256)
    assert pictures.find("~", shapes.items[0].sha256) is None
    for name in ("~root", ".", "..", "x" * HUGE, "a/b"):
        assert pictures.find(name, "0" * 64) is None


def through_the_guard(told: BackMsg) -> BackMsg | None:
    """What comes through a connection of something that is said, if it does."""
    said = iter([{"type": "websocket.receive", "bytes": told.SerializeToString()}, {"type": "websocket.disconnect"}])

    async def receive() -> Any:
        return next(said)

    message = asyncio.run(guard._only_own(receive)())  # type: ignore[arg-type]
    return BackMsg.FromString(message["bytes"]) if message["type"] == "websocket.receive" else None


def test_what_a_connection_says_is_cut_short_before_anybody_reads_it() -> None:
    told = BackMsg()
    told.rerun_script.query_string = "like=" + "x" * HUGE
    widgets = told.rerun_script.widget_states.widgets
    widgets.add(id="typed", string_value="x" * HUGE)
    widgets.add(id="pasted").chat_input_value.data = "y" * HUGE
    widgets.add(id="component", json_trigger_value='{"open": "' + "z" * HUGE + '"}')
    widgets.add(id="chosen").string_array_value.data.extend(["a" * 10] * 10_000)
    widgets.add(id="short", string_value="as it was")
    heard = through_the_guard(told)
    assert heard is not None
    query = heard.rerun_script.query_string
    assert parameters.LONGEST_IN_ALL < len(query) < CLIENT_STATE_QUERY_STRING_MAX_LENGTH, (
        "the page says that it is too long"
    )
    assert len(heard.rerun_script.widget_states.widgets[0].string_value) == fields.LONGEST_LINES + 1
    typed, pasted, component, chosen, short = heard.rerun_script.widget_states.widgets
    assert len(pasted.chat_input_value.data) > LONGEST
    assert not component.json_trigger_value
    assert len(chosen.string_array_value.data) == guard.MOST_VALUES
    assert short.string_value == "as it was"
    assert typed.id == "typed"


def test_what_stays_too_large_is_dropped() -> None:
    told = BackMsg()
    for number in range(1_000):
        told.rerun_script.widget_states.widgets.add(id=f"{number}", string_value="x" * 20_000)
    assert through_the_guard(told) is None


def test_a_tile_that_is_said_to_be_clicked_on_by_no_page_of_ours_opens_nothing() -> None:
    from similarity.app.components import tiles

    opened: list[str] = []
    for told in ("x" * HUGE, None, 7, {"id": "a"}):
        tiles._pass_on_click(opened.append, told)
    tiles._pass_on_feedback(lambda *_: opened.append("marked"), {"id": "x" * HUGE, "wanted": True})
    assert opened == []
    tiles._pass_on_click(opened.append, "dots/dots-0.jpg")
    assert opened == ["dots/dots-0.jpg"]
