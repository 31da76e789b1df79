"""Options of a search as a value and as keyword arguments."""

import pytest

from similarity import Gallery
from similarity.query.options import DEFAULTS, SearchOptions


def test_options_are_a_value_or_keywords_and_older_names_go_on_working(shapes: Gallery) -> None:
    vector, own = shapes.vectors[0], shapes.items[0].id
    options = SearchOptions(exclude_ids=[own], min_score=0.2, offset=1)
    hits = shapes.search_vector(vector, 5, options)
    assert [hit.rank for hit in hits] == list(range(2, 2 + len(hits)))
    assert hits == shapes.search_vector(vector, 5, exclude_ids=[own], min_score=0.2, offset=1)
    assert hits == shapes.search_vector(vector, 5, but=[own], minimum=0.2, offset=1)
    assert hits == shapes.search(shapes.items[0].path, 5, SearchOptions(min_score=0.2, offset=1), exclude_query=True)


def test_keywords_change_single_options() -> None:
    options = SearchOptions(distinct=True, offset=3)
    assert options.updated(minimum=0.5) == SearchOptions(min_score=0.5, distinct=True, offset=3)
    assert DEFAULTS.updated() == SearchOptions()
    with pytest.raises(TypeError, match="no_such_option"):
        options.updated(no_such_option=1)  # type: ignore[call-arg]
