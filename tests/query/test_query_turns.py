"""A query tried in four turns, and the second look that does so, too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL
from PIL import Image
from scenes import draw_scene

from similarity import Examples, Gallery
from similarity.images.picture import Box
from similarity.query import second_look
from similarity.query.encoder import EncodedQuery
from similarity.query.inputs import decode_query
from similarity.query.second_look import search_with_copies
from similarity.query.turns import TURNS, choose_turn, describe, encode_turns, find_best_turn, turn, turn_box
from similarity.sample import sample_queries


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """A gallery of scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed in range(12):
        draw_scene(seed, (200, 250)).save(folder / f"{seed:02}.png")
    return Gallery.build(folder, folder / "gallery", model=MODEL)


def lamp() -> Image.Image:
    """A sample query that is in no gallery."""
    return decode_query(next(item.path for item in sample_queries() if item.id == "lamp-02-q"), side=260)


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize("degrees", [0, *TURNS])
def test_a_picture_that_lies_or_stands_on_its_head_is_put_upright(sample: Gallery, degrees: int) -> None:
    best = find_best_turn(sample, sample.encode(turn(lamp(), degrees)))
    assert (best.turned + degrees) % 360 == 0
    assert sample.search(best, 1)[0].item.label == "lamp"
    assert np.allclose(best.vector, sample.encode(lamp()).vector, atol=0.01)


def test_a_turn_is_clockwise_and_said_in_a_sentence() -> None:
    image = Image.new("RGB", (30, 20))
    image.putpixel((0, 0), (255, 0, 0))
    assert turn(image, 90).getpixel((19, 0)) == (255, 0, 0), "the left upper corner comes to the right"
    assert turn(image, 180).getpixel((29, 19)) == turn(image, 270).getpixel((0, 29)) == (255, 0, 0)
    assert describe(90) == "Turned by 90° to the right, it looks most like these."
    assert len({describe(degrees) for degrees in (0, *TURNS)}) == 4


def test_of_several_examples_the_first_picture_is_turned_and_all_else_stays(scenes: Gallery) -> None:
    first, second, third = (draw_scene(seed, (200, 250)) for seed in (20, 21, 22))
    turned = encode_turns(scenes, scenes.encode(Examples([first, second], [third], [2, 1])))
    assert [one.turned for one in turned] == list(TURNS)
    for one in turned:
        expected = scenes.encode(Examples([turn(first, one.turned), second], [third], [2, 1]))
        assert np.allclose(one.vector, expected.vector, atol=1e-5)
        assert np.allclose(one.embeddings, expected.embeddings, atol=1e-5)
    assert [one.turned for one in encode_turns(scenes, turned[0])] == [0, 180, 270], "the other turns of a turned one"


def test_a_query_that_is_as_near_in_each_turn_is_left_as_it_is(scenes: Gallery) -> None:
    assert choose_turn(scenes, scenes.embeddings[[0, 0, 0, 0]]) == 0


def test_a_turn_is_chosen_with_what_is_refined_already(scenes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    query, refined, real = scenes.encode(turn(draw_scene(3, (200, 250)), 90)), list[int](), Gallery.refine
    monkeypatch.setattr(Gallery, "refine", lambda *args: refined.append(len(args[1])) or real(*args))
    assert find_best_turn(scenes, query).turned == 270
    assert refined == [3]


def test_a_query_taken_apart_into_regions_is_so_in_its_turn(scenes: Gallery) -> None:
    query = scenes.encode(turn(draw_scene(3, (200, 250)), 90), with_regions=True)
    best = find_best_turn(scenes, query)
    assert best.turned == 270
    assert best.look is not None
    assert np.allclose(best.look.embedding, best.embeddings[0], atol=1e-3)


def test_a_turned_copy_beyond_the_first_candidates_is_found_by_its_turns(
    scenes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = scenes.encode(turn(draw_scene(5, (200, 250)), 90))
    rank = next(hit.rank for hit in scenes.search(query, 12) if hit.item.id.startswith("05"))
    query = replace(query, vector=-query.vector)  # its source is among the last, as if the network were a bad one
    assert rank < 12
    last = [hit.item.id for hit in scenes.search(query, 12)]
    assert last.index("05.png") > 3
    pairs = search_with_copies(scenes, query, 12, candidates=3)
    (first, copy), *others = pairs
    assert first.item.id == "05.png"
    assert copy is not None
    assert copy.is_proven
    assert copy.rotation == pytest.approx(90, abs=1), "against the query as it was given"
    assert sorted(hit.item.id for hit, _ in pairs) == sorted(last), "each once"
    assert [hit.rank for hit, _ in pairs] == list(range(1, 13))
    assert [hit.item.id for hit, _ in others] == [name for name in last if name != "05.png"]
    assert [hit.item.id for hit, _ in search_with_copies(scenes, query, 2, candidates=3)] == ["05.png", last[0]]
    monkeypatch.setattr(second_look, "encode_turns", lambda *_: pytest.fail("it was turned though a copy was found"))
    assert search_with_copies(scenes, scenes.encode(draw_scene(5, (200, 250))), 1, candidates=3)[0][1] is not None


def test_a_turned_copy_is_not_shown_beside_another_picture_of_its_product(scenes: Gallery, tmp_path: Path) -> None:
    picture = turn(draw_scene(5, (200, 250)), 90)

    def away(gallery: Gallery) -> EncodedQuery:
        query = gallery.encode(picture)
        return replace(query, vector=-query.vector)  # its source is among the last, as above

    first = scenes.search(away(scenes), 1)[0].item.id
    rows = [f"{item.path},{'chair' if item.id in (first, '05.png') else item.id}" for item in scenes.items]
    (tmp_path / "pictures.csv").write_text("\n".join(["path,product", *rows]) + "\n")
    gallery = Gallery.build(tmp_path / "pictures.csv", tmp_path / "gallery", model=MODEL)
    options = second_look.DEFAULTS.updated(one_per_product=True)
    hits = [hit for hit, _ in search_with_copies(gallery, away(gallery), 12, options, candidates=3)]
    assert Path(hits[0].item.path).name == "05.png"
    assert [hit.item.metadata["product"] for hit in hits].count("chair") == 1
    assert [hit.rank for hit in hits] == list(range(1, 12))


def test_a_query_without_a_copy_gets_what_a_search_finds(scenes: Gallery) -> None:
    query, options = scenes.encode(draw_scene(40, (200, 250))), {"offset": 2}
    found = search_with_copies(scenes, query, 4, second_look.DEFAULTS.updated(offset=2), candidates=3)
    assert [hit for hit, _ in found] == scenes.search(query, 4, **options)  # type: ignore[arg-type]
    assert not any(copy and copy.is_proven for _, copy in found)


def test_the_file_of_a_turned_query_is_still_known_as_its_own(scenes: Gallery) -> None:
    path = Path(scenes.items[0].path)
    turned = encode_turns(scenes, scenes.encode(path))[0]
    assert scenes.items[0].id not in [hit.item.id for hit in scenes.search(turned, 12, exclude_query=True)]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_part_turns_with_its_picture(degrees: int) -> None:
    image = Image.new("L", (200, 100))
    part = Box(0.1, 0.2, 0.4, 0.7)
    image.paste(255, (20, 20, 80, 70))
    turned = turn(image, degrees)
    box = turn_box(part, degrees)
    left, top, right, bottom = turned.getbbox() or (0, 0, 0, 0)
    expected = (left / turned.width, top / turned.height, right / turned.width, bottom / turned.height)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(expected)
