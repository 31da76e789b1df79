"""Several galleries that are asked one question at once."""

import io
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import run_command
from conftest import MODEL
from PIL import Image

from similarity import Crop, Examples, Galleries, Gallery, ItemId
from similarity.errors import GalleryNotFoundError, SearchError
from similarity.images.picture import Box
from similarity.query import fusion
from similarity.query.fused_hits import FusedHits

KINDS = ("dots", "rings", "stripes")


@pytest.fixture
def whole(shapes: Gallery, empty_home: Path) -> Gallery:
    """The gallery shapes, not refined."""
    return shapes.rebuild(refinement="none", into=empty_home / "galleries" / "whole")


@pytest.fixture
def parts(whole: Gallery, empty_home: Path) -> Galleries:
    """The same pictures in three galleries, one of each kind."""
    for kind in KINDS:
        ids = [item.id for item in whole.items if item.label == kind]
        whole.collect(ids, empty_home / "galleries" / f"part-{kind}").rebuild(refinement="none")
    return Galleries.open("part-*")


def facts(hits: Any) -> list[tuple[int, str, float]]:
    return [(hit.rank, hit.item.id, hit.score) for hit in hits]


def test_parts_of_a_gallery_answer_as_the_whole_does_in_pages_too(parts: Galleries, whole: Gallery) -> None:
    assert len(parts) == len(whole)
    assert parts.is_one_space
    for item in whole.items:
        found, expected = parts.search(item.path, k=9), whole.search(item.path, k=9)
        assert [hit.item.id for hit in found] == [hit.item.id for hit in expected]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-6)
        assert all(hit.gallery == f"part-{hit.item.label}" and hit.standing is None for hit in found.located)
    path = whole.items[0].path
    pages = [hit for offset in (0, 4, 8, 12) for hit in parts.search(path, k=4, offset=offset)]
    assert facts(pages) == facts(parts.search(path, k=len(whole)))
    assert len(pages) == len(whole)


def test_a_picture_that_several_have_is_one_hit_that_names_them(whole: Gallery, parts: Galleries) -> None:
    both = Galleries([parts.galleries["part-rings"], whole])
    hits = both.search(next(item.path for item in whole.items if item.label == "rings"), k=len(whole))
    assert len({hit.item.id for hit in hits}) == len(hits) == len(whole)
    for hit in hits.located:
        named = {hit.gallery, *hit.also_in}
        assert named == ({"part-rings", "whole"} if hit.item.label == "rings" else {"whole"})
    assert [hit.also_in for hit in both.search(hits[0].item.path, k=2).located] == [
        hit.also_in for hit in hits.located[:2]
    ]


def test_scores_of_another_space_are_compared_by_how_near_pictures_of_their_gallery_are(
    whole: Gallery, shapes: Gallery, empty_home: Path
) -> None:
    centred = shapes.rebuild(refinement="centred", into=empty_home / "galleries" / "centred")
    both = Galleries([whole, centred])
    assert not both.is_one_space
    hits = both.search(whole.items[0].path, k=len(whole))
    places = [hit.standing for hit in hits.located if hit.standing is not None]
    assert len(places) == len(hits) == len(whole)
    assert places == sorted(places, reverse=True)
    assert hits[0].item.id == whole.items[0].id
    assert {hit.gallery for hit in hits.located} == {"whole", "centred"}
    for hit in hits.located:
        other = {"whole": whole, "centred": centred}[hit.gallery]
        assert hit.score == pytest.approx(next(
            one.score for one in other.search(whole.items[0].path, k=len(whole)) if one.item.id == hit.item.id
        ))  # fmt: skip
    pages = [hit for offset in (0, 4, 8, 12) for hit in both.search(whole.items[0].path, k=4, offset=offset)]
    assert facts(pages) == facts(hits)


def test_the_standing_of_a_gallery_is_measured_once(whole: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fusion.standing_of(whole.vectors, whole.index, whole.state)
    monkeypatch.setattr(fusion, "_measure", lambda *_: pytest.fail("it is measured again"))
    assert fusion.standing_of(whole.vectors, whole.index, whole.state) == first
    assert first.of(first.mean + 2 * first.deviation) == pytest.approx(2)


@pytest.mark.parametrize(
    "stored", [None, [], [0.5], [0.5, 0.0], [0.5, -1.0], [2.0, 0.5], ["a", 0.5], [float("nan"), 0.1]]
)
def test_a_standing_that_makes_no_sense_is_measured_again(whole: Gallery, stored: object) -> None:
    fusion.CACHE.write(whole.state, stored)
    measured = fusion.standing_of(whole.vectors, whole.index, whole.state)
    assert measured == fusion._measure(whole.vectors, whole.index)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Searches of the gallery part-rings do not end before the test does."""
    end, search = threading.Event(), Gallery.search_vector

    def hang(self: Gallery, *arguments: Any, **keywords: Any) -> Any:
        if self.name == "part-rings":
            end.wait(60)
        return search(self, *arguments, **keywords)

    monkeypatch.setattr(Gallery, "search_vector", hang)
    yield
    end.set()


@pytest.mark.usefixtures("hanging")
def test_a_gallery_that_does_not_answer_in_time_is_named_and_left_out(parts: Galleries, whole: Gallery) -> None:
    hits = parts.search(whole.items[0].path, k=15, deadline=0.2)
    assert {hit.gallery for hit in hits.located} == {"part-dots", "part-stripes"}
    assert hits.left_out == {"part-rings": "It did not answer within 0.2 seconds."}


def test_a_gallery_that_does_not_know_a_column_is_left_out_and_if_none_does_it_is_an_error(
    parts: Galleries, whole: Gallery, empty_home: Path, own_pictures: Path
) -> None:
    table = empty_home / "list.csv"
    table.write_text("path,colour\n" + "".join(f"{path},red\n" for path in sorted(own_pictures.glob("dots/*"))))
    coloured = Gallery.build(
        table, empty_home / "galleries" / "coloured", refinement="none", model=whole.manifest.model
    )
    both = Galleries([*parts.galleries.values(), coloured])
    hits = both.search(whole.items[0].path, conditions=["colour=red"])
    assert {hit.gallery for hit in hits.located} == {"coloured"}
    assert set(hits.left_out) == set(parts.galleries)
    assert "colour" in hits.left_out["part-dots"]
    with pytest.raises(SearchError, match="colour"):
        parts.search(whole.items[0].path, conditions=["colour=red"])


def test_others_are_searched_with_the_file_of_a_picture_of_one_of_them(parts: Galleries, whole: Gallery) -> None:
    item = next(item for item in whole.items if item.label == "stripes")
    found, expected = parts.search(ItemId(item.id), k=5), whole.search(item.path, k=5)
    assert [hit.item.id for hit in found] == [hit.item.id for hit in expected]
    mixed = parts.search(Examples([ItemId(item.id)], [whole.items[0].path]), k=5)
    assert [hit.item.id for hit in mixed] == [
        hit.item.id for hit in whole.search(Examples([item.path], [whole.items[0].path]), k=5)
    ]
    with pytest.raises(SearchError, match="none of these galleries"):
        parts.search(ItemId("nothing"))


def test_an_id_that_several_have_is_the_picture_of_the_first(
    whole: Gallery, own_pictures: Path, empty_home: Path
) -> None:
    made = []
    for kind in ("dots", "rings"):
        shutil.copy(next(own_pictures.glob(f"{kind}/*")), empty_home / "0.jpg")
        folder = empty_home / f"folder-{kind}"
        shutil.copytree(own_pictures / kind, folder)
        (empty_home / "0.jpg").rename(folder / "0.jpg")
        made.append(Gallery.build(folder, empty_home / "galleries" / kind, model=MODEL, refinement="none"))
    first = made[0].find("0.jpg")
    for query in (ItemId("0.jpg"), Crop(ItemId("0.jpg"), Box(0, 0, 1, 1))):
        hits = Galleries(made).search(query, k=20)
        expected = Galleries(made).search(first.path, k=20)
        assert [(hit.gallery, hit.item.id) for hit in hits.located] == [
            (hit.gallery, hit.item.id) for hit in expected.located
        ]
    both = Galleries([made[1], whole])  # whole has the picture by another id
    assert both.search(ItemId("0.jpg"), k=1).located[0].also_in == ("whole",)


def test_pictures_of_vectors_that_others_made_are_not_taken_for_each_other(empty_home: Path) -> None:
    rng, made = np.random.default_rng(3), []
    for name, dim in (("va", 32), ("vb", 32), ("vc", 64)):
        np.save(empty_home / f"{name}.npy", rng.normal(size=(40, dim)).astype(np.float32))
        (empty_home / f"{name}.csv").write_text("id\n" + "".join(f"p{number}\n" for number in range(40)))
        run_command("index", "--from-vectors", empty_home / f"{name}.npy", "--model", "none", "--gallery", name)
        made.append(Gallery.open(empty_home / "galleries" / name))
    first = made[0].items[0].id
    both = Galleries(made[:2])
    assert not both.is_one_space
    hits = Galleries(made).search(ItemId(first), k=10)
    assert {hit.gallery for hit in hits.located} == {"va"}
    assert set(hits.left_out) == {"vb", "vc"}
    assert not any(hit.also_in for hit in hits.located)


def test_options_hold_in_each_gallery_by_what_it_knows(parts: Galleries, whole: Gallery) -> None:
    path, first = whole.items[0].path, whole.items[0].id
    hits = parts.search(path, k=20, exclude_ids=[first])
    assert (len(hits), hits.left_out) == (len(whole) - 1, {})
    assert first not in {hit.item.id for hit in hits}
    with pytest.raises(SearchError, match="not both"):
        parts.search(path, conditions=["label=dots"], where={"label": ["rings"]})
    with pytest.raises(SearchError, match="skip fewer"):
        parts.search(path, offset=100_000)
    for deadline in (0.0, -1.0, float("nan")):
        with pytest.raises(SearchError, match="deadline"):
            parts.search(path, deadline=deadline)


@pytest.mark.usefixtures("hanging")
def test_a_gallery_that_hangs_is_not_asked_again_before_it_has_answered(parts: Galleries, whole: Gallery) -> None:
    for said in ("did not answer within", "has not answered an earlier search"):
        hits = parts.search(whole.items[0].path, deadline=0.2)
        assert said in hits.left_out["part-rings"]


def test_a_query_is_embedded_once_by_each_model(
    parts: Galleries, whole: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[int] = []
    kind = type(next(iter(parts.galleries.values())).embedder)
    embed = kind.embed
    monkeypatch.setattr(kind, "embed", lambda self, images: embedded.append(len(images)) or embed(self, images))
    parts.search(whole.items[0].path)
    assert sum(embedded) == 1


def test_galleries_are_opened_by_patterns_and_one_that_is_damaged_is_missing(
    parts: Galleries, whole: Gallery, empty_home: Path
) -> None:
    assert sorted(Galleries.open("part-*", "whole", "part-dots").galleries) == [*sorted(parts.galleries), "whole"]
    with pytest.raises(GalleryNotFoundError, match=r"No gallery fits 'shop-\*'; there are: part-dots, "):
        Galleries.open("shop-*")
    with pytest.raises(GalleryNotFoundError, match="no gallery named nothing"):
        Galleries.open("whole", "nothing")
    (empty_home / "galleries" / "part-rings" / "CURRENT").write_text("?")
    left = Galleries.open("part-*")
    assert set(left.galleries) == {"part-dots", "part-stripes"}
    assert "part-rings" in left.missing
    hits = left.search(whole.items[0].path)
    assert hits
    assert hits.left_out == left.missing


def test_without_galleries_or_with_two_of_one_name_there_is_nothing_to_ask(whole: Gallery, tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="no gallery to search"):
        Galleries([])
    shutil.copytree(whole.directory, tmp_path / "whole")
    with pytest.raises(SearchError, match="same name"):
        Galleries.open("whole", str(tmp_path / "whole"))


@pytest.mark.parametrize(("options", "said"), [({"k": 0}, "at least 1"), ({"offset": -1}, "at least 0")])
def test_numbers_that_make_no_sense_are_refused(parts: Galleries, options: dict[str, int], said: str) -> None:
    with pytest.raises(SearchError, match=said):
        parts.search(Image.new("RGB", (40, 40)), **options)  # type: ignore[arg-type]


def test_hits_show_themselves_as_those_of_one_gallery_do(parts: Galleries, whole: Gallery, tmp_path: Path) -> None:
    hits = parts.search(whole.items[0].path, k=6)
    frame = hits.to_pandas()
    assert list(frame["gallery"]) == [hit.gallery for hit in hits.located]
    assert list(frame["id"]) == [hit.item.id for hit in hits]
    assert hits._repr_html_().count("<img") == 7
    some = hits[1:3]
    assert isinstance(some, FusedHits)
    assert facts(some) == facts(hits)[1:3]
    assert some[0] == hits[1]
    drawn = hits.sheet(tmp_path / "sheet.png")
    assert Image.open(io.BytesIO(drawn)).width > 500
