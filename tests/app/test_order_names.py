"""Orders of results and parts of a score as people read them."""

import numpy as np
import pytest

from similarity.app.search import filters
from similarity.images.picture import Box
from similarity.query.explain import Explanation, Heat
from similarity.query.filters import Facets
from similarity.sources import Item

FACETS = Facets([
    Item("0", "/0.jpg", "boot", {"price": "12", "made": "2024-05-03"}),
    Item("1", "/1.jpg", "hat", {"price": "7", "made": "2023"}),
])  # fmt: skip


@pytest.mark.parametrize(("by", "name"), [
    ("", "Most similar"),
    ("label", "Label A–Z"),
    ("-label", "Label Z–A"),
    ("price", "Price, low to high"),
    ("-price", "Price, high to low"),
    ("made", "Made, oldest first"),
    ("-made", "Made, newest first"),
    ("-nothing", "Nothing Z–A"),
])  # fmt: skip
def test_an_order_is_named_by_what_its_values_are(by: str, name: str) -> None:
    assert filters.order_name(by, FACETS) == name


def test_the_parts_of_a_score_add_up_as_they_are_read() -> None:
    heat = Heat(np.zeros((1, 1), np.float32), 0.0, Box(0, 0, 1, 1))
    found = Explanation(0.424, heat, heat, np.full((1, 1, 1, 1), 0.346, np.float32), is_exact=True)
    assert found.summary.startswith("Of the score of 0.42, 0.35 comes from")
    assert " and 0.07 from" in found.summary
