"""What a second look found, in words."""

import pytest

from similarity.images.picture import Box
from similarity.query.copies import Copy
from similarity.query.copy_facts import describe, tell, to_json

WHOLE, PART = Box(0, 0, 1, 1), Box(0.1, 0.1, 0.6, 0.9)


def copy(
    rotation: float = 0.0, *, mirrored: bool = False, query: Box = WHOLE, result: Box = WHOLE, probability: float = 1.0
) -> Copy:
    return Copy(probability, rotation, mirrored, query, result, 20)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, ""),
        (copy(probability=0.5), ""),
        (copy(), "same picture"),
        (copy(1.4), "same picture"),
        (copy(90.2, result=PART), "same picture: cropped, turned 90° right"),
        (copy(-90.2), "same picture: turned 90° left"),
        (copy(-179.6), "same picture: upside down"),
        (copy(mirrored=True), "same picture: mirrored"),
        (copy(query=PART), "part of your picture"),
        (
            copy(15, mirrored=True, query=PART, result=PART),
            "part of your picture: cropped, turned 15° right, mirrored",
        ),
    ],
)
def test_a_copy_is_described_by_what_was_done_to_it(found: Copy | None, words: str) -> None:
    assert describe(found) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([copy()], "This very picture is in the gallery"),
        ([copy(result=Box(0, 0, 0.9, 0.9))], "This very picture is in the gallery"),
        ([copy(result=PART)], "Your picture is part of one in the gallery"),
        ([copy(query=PART)], "A part of your picture is in the gallery"),
        ([copy(query=PART), copy(query=PART)], "Parts of your picture are in the gallery"),
        ([copy(query=PART), copy()], "This very picture is in the gallery"),
    ],
)
def test_a_picture_that_is_part_of_another_is_not_called_the_same(found: list[Copy], words: str) -> None:
    assert tell(found) == words


def test_no_turn_is_told_as_a_plain_zero() -> None:
    told = to_json(copy(-0.01))
    assert told is not None
    assert str(told["rotation"]) == "0.0"
