"""Suggestions for conditions with a value that no picture has."""

from similarity import Gallery
from similarity.query.suggestions import suggest


def test_a_value_that_no_picture_has_is_named_with_those_spelt_like_it(shapes: Gallery) -> None:
    facets = shapes.facets
    assert suggest(facets, {"label": ["ring"]}) == "No picture has the label 'ring': did you mean rings?"
    assert suggest(facets, {"label": "zebra"}).startswith("No picture has the label 'zebra': there are ")
    assert suggest(facets, {"label": ["rings", "dot"]}) == "No picture has the label 'dot': did you mean dots?"


def test_conditions_that_pictures_can_meet_have_no_suggestion(shapes: Gallery) -> None:
    assert not suggest(shapes.facets, None)
    assert not suggest(shapes.facets, {"label": "rings", "width>=": 10, "label!=": "zebra"})
