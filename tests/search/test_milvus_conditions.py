"""Filters that are sent to Milvus; none of this needs a server."""

import numpy as np

from similarity.search import Selection
from similarity.search.milvus.conditions import condition, tag, tags
from similarity.sources import Item


def test_a_collection_that_has_decomposed_labels_is_filtered_by_composed_ones() -> None:
    keys = np.arange(3)
    filtered = condition(Selection(keys[:1], {"label": ["K\u00f6ln"]}), keys)
    assert filtered is not None
    for stored in (Item("a", "/a", "Ko\u0308ln"), Item("b", "/b", "K\u00f6ln")):
        (digest,) = tags(stored)
        assert digest in filtered
    assert tag("label", "Bonn") not in filtered
