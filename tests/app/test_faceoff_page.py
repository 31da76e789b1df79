"""The face-off page, driven without a browser."""

import shutil
from dataclasses import replace
from pathlib import Path

import made_heads
import pytest
import standin
from conftest import MODEL, draw
from pages import address, components, draw_alone, errors, texts, tiles
from streamlit.testing.v1 import AppTest

from similarity import Embedder, Gallery
from similarity.embedding.embedder import EmbedderId

LITE0 = "efficientnet-lite0"


def _page() -> None:
    from similarity.app.faceoff import page as faceoff_page

    faceoff_page.show()


def restore(identity: EmbedderId) -> Embedder:
    """The stand-in for a network where that made the gallery."""
    return standin.standin() if identity.weights_sha256 == standin.standin().weights_sha256 else RESTORE(identity)


RESTORE = Embedder.restore


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.restore", restore)
    return draw_alone(_page, monkeypatch)


@pytest.fixture(scope="session", params=["standin", pytest.param(LITE0, marks=pytest.mark.exhaustive)])
def pair(
    request: pytest.FixtureRequest, shapes: Gallery, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two galleries of the same pictures: `shapes`, and `light` made with another network."""
    folder = tmp_path_factory.mktemp("pair")
    shutil.copytree(shapes.directory, folder / "shapes")
    if request.param == LITE0:
        Gallery.build(pictures, folder / "light", model=LITE0)
        return folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
        Gallery.build(pictures, folder / "light", model=standin.CHOICE)
    return folder


@pytest.fixture
def both(pair: Path, empty_home: Path) -> tuple[Gallery, Gallery]:
    """These two, in a home of their own."""
    found = [shutil.copytree(pair / name, empty_home / "galleries" / name) for name in ("shapes", "light")]
    first, second = (Gallery.open(directory, load=restore) for directory in found)
    return first, second


def sides(page: AppTest) -> list[list[dict]]:  # type: ignore[type-arg]
    """The results of each gallery."""
    return [
        data["tiles"] for data in components(page, "similarity_tiles") if data["tiles"] and data["tiles"][0]["rank"]
    ]


def button(page: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in page.button if one.label == label)


def test_galleries_of_the_same_pictures_meet_by_themselves(page: AppTest, both: tuple[Gallery, Gallery]) -> None:
    page.run()
    assert not page.exception
    assert page.multiselect[0].value == ["light", "shapes"]
    assert len(tiles(page)) == 15, "pictures to start from"
    assert len(both) == 2


@pytest.mark.exhaustive
def test_galleries_of_other_pictures_do_not_meet_by_themselves(
    page: AppTest, both: tuple[Gallery, Gallery], tmp_path: Path
) -> None:
    for number in range(15):
        draw("rings", 100 + number).save(tmp_path / f"{number}.jpg")
    shutil.rmtree(both[1].directory)
    Gallery.build(tmp_path, both[1].directory, model=LITE0)
    page.run()
    assert not page.exception
    assert page.multiselect[0].value == []
    assert "No two of the galleries have the same pictures and different models" in texts(page)


def test_galleries_of_one_model_do_not_meet_by_themselves(page: AppTest, both: tuple[Gallery, Gallery]) -> None:
    shutil.rmtree(both[1].directory)
    shutil.copytree(both[0].directory, both[1].directory)
    page.run()
    assert not page.exception
    assert page.multiselect[0].value == []


def test_each_gallery_answers_the_same_query_and_agreement_is_marked(
    page: AppTest, both: tuple[Gallery, Gallery]
) -> None:
    page.query_params["gallery"], page.query_params["against"] = "shapes", "light"
    page.query_params["like"] = "item:dots/dots-0.jpg"
    page.run()
    assert not page.exception
    shown = sides(page)
    assert len(shown) == 2
    for gallery, side in zip(both, shown, strict=True):
        hits = gallery.search_vector(gallery.vector("dots/dots-0.jpg"), 10)
        assert [tile["id"] for tile in side] == [hit.item.public_id for hit in hits]
    first, second = ({tile["src"].rpartition("/")[2] for tile in side} for side in shown)
    assert f"{len(first & second)} of 10 results are in both" in texts(page)
    for side, other in zip(shown, shown[::-1], strict=True):
        ranks = {tile["src"].rpartition("/")[2]: tile["rank"] for tile in other}
        for tile in side:
            rank = ranks.get(tile["src"].rpartition("/")[2])
            assert tile["note"] == (f"also at rank {rank}" if rank else "only here")
            assert tile["mark"] == ("shared" if rank else "")


def test_a_picture_that_only_one_gallery_has_is_shown_to_the_other(
    page: AppTest, both: tuple[Gallery, Gallery], tmp_path: Path
) -> None:
    draw("rings", 55).save(tmp_path / "new.jpg")
    item = both[0].add(tmp_path).find("new.jpg")
    page.query_params["gallery"], page.query_params["against"] = "shapes", "light"
    page.query_params["like"] = f"item:{item.public_id}"
    page.run()
    assert not page.exception
    assert not errors(page)
    ours, theirs = sides(page)
    assert ours[0]["score"] == pytest.approx(1, abs=1e-4)
    expected = both[1].search(item.path, 1)[0]
    assert theirs[0]["score"] == pytest.approx(expected.score, abs=1e-3)


def test_which_is_better_is_said_with_whether_it_can_be_chance(page: AppTest, both: tuple[Gallery, Gallery]) -> None:
    compared(page, "light")
    (table,) = page.table
    assert "15 queries in common" in texts(page)
    assert "Recall@1" in str(table.value)
    assert "cannot be told apart" in str(table.value) or "is better" in str(table.value)
    assert len(both[0]) == 15


@pytest.fixture
def taught(both: tuple[Gallery, Gallery]) -> Gallery:
    """A gallery that learned from its own pictures."""
    shapes, _ = both
    head = made_heads.serving(shapes)
    head = replace(head, card=replace(head.card, after={"recall@1": 0.75}))
    return shapes.rebuild(head=head, into=shapes.directory.parent / "taught", refinement="none")


def compared(page: AppTest, *against: str) -> AppTest:
    """The page once it has compared `shapes` with other galleries."""
    page.query_params["gallery"], page.query_params["against"] = "shapes", list(against)
    page.query_params["like"] = "item:dots/dots-0.jpg"
    page.run()
    button(page, "Compare them").click().run()
    assert not page.exception
    return page


@pytest.mark.usefixtures("taught")
def test_a_gallery_that_learned_from_its_pictures_is_compared_with_a_caution_and_without_a_test(page: AppTest) -> None:
    compared(page, "taught")
    (table,) = page.table
    assert "Recall@1" in str(table.value)
    assert "Can it be chance?" not in str(table.value)
    assert "p is of McNemar" not in texts(page)
    assert any("the metrics are too good" in warning.value for warning in page.warning)
    assert "on pictures that were held out when it was trained: Recall@1 0.500 → 0.750" in texts(page)


@pytest.mark.usefixtures("taught")
def test_of_three_galleries_each_comparison_has_its_own_table_and_held_out_figures_stand_once_above(
    page: AppTest,
) -> None:
    compared(page, "light", "taught")
    first, second = (str(table.value) for table in page.table)
    assert "Can it be chance?" in first
    assert "Can it be chance?" not in second
    assert texts(page).count("held out when it was trained:") == 1


def test_other_galleries_can_be_chosen(page: AppTest, both: tuple[Gallery, Gallery]) -> None:
    page.query_params["gallery"], page.query_params["against"] = "shapes", "light"
    page.query_params["like"] = "item:dots/dots-0.jpg"
    page.run()
    page.multiselect[0].set_value(["light", "shapes"]).run()
    assert not page.exception
    assert address(page)["gallery"] == ["light"]
    assert "like" not in address(page), "what a picture is called in one gallery means nothing in another"
    page.multiselect[0].set_value(["light"]).run()
    assert both[0].name == "shapes"
    assert "Choose two or three galleries" in texts(page)


def test_with_one_gallery_the_page_says_how_to_get_another(page: AppTest, both: tuple[Gallery, Gallery]) -> None:
    shutil.rmtree(both[1].directory)
    page.run()
    assert not page.exception
    assert "Choose two or three galleries" in texts(page)
    button(page, "Make another gallery").click().run()
    assert page.session_state["went"] == ("galleries", {"new": "1"})


def test_a_query_that_cannot_be_had_gets_a_plain_sentence(page: AppTest, both: tuple[Gallery, Gallery]) -> None:
    page.query_params["gallery"], page.query_params["against"] = "shapes", "light"
    page.query_params["like"] = "url:http://10.0.0.1/boot.jpg"
    page.run()
    assert not page.exception
    assert "private network" in errors(page)
    assert len(both) == 2


def test_a_gallery_of_other_pictures_without_labels_is_not_measured(
    page: AppTest, both: tuple[Gallery, Gallery], pictures: Path
) -> None:
    flat = both[0].directory.parents[1] / "flat"
    shutil.copytree(pictures / "dots", flat)
    Gallery.build(flat, both[0].directory.with_name("flat"), model=MODEL)
    page.query_params["gallery"], page.query_params["against"] = "shapes", "flat"
    page.query_params["like"] = "item:dots/dots-0.jpg"
    page.run()
    assert not page.exception
    assert "One of these galleries has no labels" in texts(page)
