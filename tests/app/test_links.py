"""A search in the address of a page."""

import pytest

from similarity.app.shell import navigation
from similarity.app.shell.parameters import MAX_COMPARED, MAX_CONDITIONS, MIN_SIDE, PRECISIONS, WHERE, Link, Part, parse
from similarity.images.picture import Box
from similarity.sources import Item


def as_lists(parameters: dict[str, str | list[str]]) -> dict[str, list[str]]:
    return {name: [value] if isinstance(value, str) else value for name, value in parameters.items()}


@pytest.mark.parametrize(
    "link",
    [
        Link(),
        Link(gallery="shoes", k=50, page=3, min_score=0.35, distinct=True, copies=False),
        Link(gallery="shoes", distinct=True, one_per_product=True),
        Link(gallery="shoes", accuracy="high"),
        Link(gallery="shoes", turned=True),
        Link(gallery="shoes", turned=False),
        Link(gallery="shoes", precision=0.95),
        Link(gallery="shoes", precision=PRECISIONS[0]),
        Link(gallery="shoes", precision=PRECISIONS[-1]),
        Link(like=(Part("upload", "0" * 64, Box(0.0, 0.0, MIN_SIDE, MIN_SIDE)),)),
        Link(like=(Part("item", "a b/ü&=#.jpg"),), generation=3, model="resnet50"),
        Link(like=(Part("url", "https://a.test/b@c.jpg?x=1,2,3,4"),), unlike=(Part("sample", "mug-01-q"),)),
        Link(like=(Part("upload", "0" * 64, Box(0.1, 0.0, 0.905, 0.55)),)),
        Link(like=(Part("item", "x@1,2,3"), Part("item", "y@1,2,30,40"), Part("item", "z%40@0,0,50,50"))),
        Link(where={"label": ("boot", "shoe"), "made in": ("1, 2",)}),
        Link(where={"taken>=": ("2024-05",), "width<": ("1000",), "camera~": ("canon",)}, sort="-taken"),
    ],
)
def test_a_search_is_the_same_after_a_round_trip_through_an_address(link: Link) -> None:
    assert parse(as_lists(link.parameters())) == link


def test_what_goes_without_saying_is_not_in_the_address() -> None:
    assert Link(gallery="shoes").parameters() == {"gallery": "shoes"}
    assert Link(generation=3, model="resnet50").parameters() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("like", "nonsense"),
        ("like", "file:/etc/passwd"),
        ("like", ""),
        ("k", "11"),
        ("k", "1e9"),
        ("k", "nan"),
        ("page", "-1"),
        ("page", "inf"),
        ("min", "7"),
        ("min", "1.01"),
        ("min", "-0.01"),
        ("min", "x"),
        ("generation", "-3"),
        ("distinct", "maybe"),
        ("copies", "1"),
        ("turned", "2"),
        ("accuracy", "perfect"),
        ("accuracy", ""),
        ("precision", "0.94"),
        ("precision", "95"),
        ("precision", "nan"),
    ],
)
def test_what_makes_no_sense_in_an_address_is_passed_over(name: str, value: str) -> None:
    assert parse({name: [value]}) == Link()


@pytest.mark.parametrize(
    "edges", ["50,0,40,100", "0,0,0,0", "0,0,101,50", "-1,0,50,50", "1,2,3", "..,0,1,1", "0,0,1,1"]
)
def test_a_part_that_is_no_part_of_a_picture_is_not_cut_out(edges: str) -> None:
    (part,) = parse({"like": [f"item:a.jpg@{edges}"]}).like
    assert part.box is None


def test_the_same_picture_twice_is_one_example() -> None:
    assert len(parse({"like": ["item:a", "item:a", "item:b"]}).like) == 2


@pytest.mark.parametrize(
    ("item", "value"),
    [
        (Item("a@1,2,30,40", "/a.jpg"), "a@1,2,30,40"),
        (Item("50%25 off", "/b.jpg"), "50%25 off"),
        (Item("/home/me/c.jpg", "/home/me/c.jpg", sha256="0" * 64), "0" * 64),
    ],
)
def test_other_pages_lead_to_a_picture_whatever_its_name_and_tell_no_path(
    monkeypatch: pytest.MonkeyPatch, item: Item, value: str
) -> None:
    gone: list[dict[str, list[str]]] = []
    monkeypatch.setattr(navigation, "go", lambda _, parameters: gone.append(as_lists(parameters)))
    navigation.go_to_item("shoes", item)
    assert parse(gone[0]) == Link(gallery="shoes", like=(Part("item", value),))


def test_an_address_compares_with_no_more_than_anybody_chooses() -> None:
    parameters = {f"{WHERE}column-{number}": ["x"] for number in range(100)}
    parameters = {f"{WHERE}name~": ["", *map(str, range(1000))], f"{WHERE}label": ["a", "a", "b"]} | parameters
    where = parse(parameters).where
    assert len(where) == MAX_CONDITIONS
    assert len(where["name~"]) == MAX_COMPARED
    assert where["label"] == ("a", "b")
