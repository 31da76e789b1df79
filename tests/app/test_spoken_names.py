"""How sentences call a picture."""

import pytest

from similarity.app.search.facts import spoken_name
from similarity.sources import Item

LONG = "dress/66afb12c-f0ee-432b-a087-7c4981e60c75.jpg"


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (Item(LONG, f"/{LONG}", "dress", {"title": "Blue dress"}), "Blue dress"),
        (Item(LONG, f"/{LONG}", "dress"), "this dress"),
        (Item(LONG, f"/{LONG}"), "this picture"),
        (Item("a/red-lamp.jpg", "/a/red-lamp.jpg", "lamp"), "red-lamp.jpg"),
    ],
)
def test_a_sentence_calls_a_picture_by_its_name_or_label_and_never_by_a_long_number(item: Item, name: str) -> None:
    assert spoken_name(item) == name
