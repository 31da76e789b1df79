"""A gallery whose index is approximate: made, changed, made anew, asked under conditions."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin
from commands import Run
from conftest import change_manifest

from similarity import Gallery, Item
from similarity.bench.synthetic import World
from similarity.errors import GalleryDamagedError, SearchError
from similarity.indexing.choices import choose
from similarity.storage.items import Items, read_items, write_items
from similarity.storage.manifest import Manifest
from similarity.storage.writing import Draft, write_generation
from similarity.vectors.arrays import Vectors

COUNT, DIM = 3_000, 48
COLOURS, SHOPS = ("blue", "green", "red"), 100


def items(count: int) -> list[Item]:
    """Some that never were files, each with a content of its own."""
    return [
        Item(
            f"{row}.jpg",
            f"/photos/{row % 7}/{row}.jpg",
            COLOURS[row % 3],
            {"shop": f"shop-{row % SHOPS}"},
            sha256=f"{row:064x}",
            source="/photos",
        )
        for row in range(count)
    ]


@pytest.fixture(scope="session")
def vectors() -> Vectors:
    """Read only."""
    return World(DIM).block(COUNT, 1)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, vectors: Vectors) -> Path:
    """The folder of a gallery of 3,000 pictures with an approximate index. Read only."""
    made = Manifest(
        "efficientnet-lite2",
        "0" * 64,
        standin.BACKBONE.preprocessing.facts(),
        "f32",
        DIM,
        "/photos",
        count=COUNT,
        recipe_asked="ivf",
        refinement_asked="none",
    )
    directory = tmp_path_factory.mktemp("large") / "large"
    directory.mkdir()
    write_generation(directory, Draft(choose(made), items(COUNT), [vectors[:1_000], vectors[1_000:]]))
    return directory


@pytest.fixture
def large(tmp_path: Path, made_once: Path) -> Gallery:
    """A copy of it to change."""
    return Gallery.open(Path(shutil.copytree(made_once, tmp_path / "large")), load=standin.load)


def ids(gallery: Gallery, vector: Vectors, k: int = 10, **conditions: Any) -> list[str]:
    return [hit.item.id for hit in gallery.search_vector(vector, k, **conditions)]


@pytest.mark.exhaustive
def test_an_approximate_gallery_keeps_half_the_bytes_and_finds_its_own_pictures_first(large: Gallery) -> None:
    assert large.manifest.recipe == "IVF64,SQ8"
    assert large.vectors.dtype == np.float16
    assert large.manifest.search["recall@10"]["balanced"] >= 0.98
    for row in range(0, COUNT, 300):
        best = large.search_vector(large.vectors[row], 1)[0]
        assert (best.item.id, best.rank) == (f"{row}.jpg", 1)
        assert best.score == pytest.approx(1, abs=1e-3)


def test_conditions_are_exact_in_an_approximate_gallery(large: Gallery, vectors: Vectors) -> None:
    query = vectors[5]
    truth = [f"{row}.jpg" for row in np.argsort(-(vectors @ query)) if row % SHOPS == 7 and row % 3 == 1]
    found = ids(large, query, 30, where={"shop": ["shop-7"], "label": ["green"]})
    assert found == truth, "all that there are, in order"
    assert ids(large, query, 4, where={"shop": ["shop-7"], "label": ["green"]}, offset=2) == truth[2:6]
    assert ids(large, query, 3, where={"shop": ["shop-7"], "label": ["green"]}, but=truth[:2]) == truth[2:5]


def test_pages_follow_each_other_and_ranks_go_on(large: Gallery, vectors: Vectors) -> None:
    whole = large.search_vector(vectors[9], 40, accuracy="high")
    page = large.search_vector(vectors[9], 10, offset=20, accuracy="high")
    assert [(hit.rank, hit.item.id) for hit in page] == [(hit.rank, hit.item.id) for hit in whole[20:30]]
    assert large.search_vector(vectors[9], 10, offset=COUNT) == []
    with pytest.raises(SearchError, match="skip must be at least 0, not -1"):
        large.search_vector(vectors[9], 10, offset=-1)
    with pytest.raises(SearchError, match="'perfect' is not one of fast, balanced, high"):
        large.search_vector(vectors[9], 10, accuracy="perfect")  # type: ignore[arg-type]


def test_as_many_distinct_pictures_come_as_are_asked_for(tmp_path: Path) -> None:
    """Though the first hundreds of a plain search are all nearly the same picture."""
    world = World(DIM).block(50, 1)
    crowd = np.concatenate([np.repeat(world[:1], 400, axis=0), world])
    made = Manifest(
        "efficientnet-lite2", "0" * 64, {}, "f32", DIM, "/photos", count=len(crowd), refinement_asked="none"
    )
    (tmp_path / "crowd").mkdir()
    write_generation(tmp_path / "crowd", Draft(choose(made), items(len(crowd)), [crowd]))
    gallery = Gallery.open(tmp_path / "crowd")
    found = gallery.search_vector(world[0], 12, distinct=True)
    assert len(found) == 12
    assert sum(hit.score > 0.999 for hit in found) == 1


def test_an_index_is_made_anew_by_another_recipe_without_a_look_at_a_picture(large: Gallery, vectors: Vectors) -> None:
    before = ids(large, vectors[3], accuracy="high")
    exact = large.rebuild("flat-sq8")
    assert (exact.manifest.recipe, exact.manifest.generation, exact.vectors.dtype) == ("flat-sq8", 2, np.float32)
    assert exact.manifest.last_run.task == "rebuild"
    assert list(exact.items) == list(large.items)
    assert ids(exact, vectors[3])[:5] == before[:5]
    assert exact.rebuild("flat").manifest.recipe == "flat"
    again = exact.rebuild("auto")
    assert (again.manifest.recipe, again.manifest.recipe_asked) == ("flat", "auto")
    assert "compared one by one" in again.manifest.recipe_reason
    with pytest.raises(SearchError, match="choose one of"):
        exact.rebuild("magic")
    assert Gallery.open(large.directory).manifest.generation == again.manifest.generation


def test_removing_keeps_the_index_and_its_answers(large: Gallery, vectors: Vectors) -> None:
    fewer = large.remove(ids=["0.jpg", "1.jpg"])
    assert fewer.manifest.recipe == large.manifest.recipe
    assert (len(fewer), fewer.manifest.search["changed"]) == (COUNT - 2, 2)
    assert ids(fewer, vectors[0], 1) != ["0.jpg"]
    for row in range(2, COUNT, 500):
        assert ids(fewer, vectors[row], 1) == [f"{row}.jpg"]


def test_a_gallery_that_grows_beyond_an_exact_scan_gets_lists_and_keeps_them(
    own_pictures: Path,
    tmp_path: Path,
    standin_network: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("similarity.search.recipes.FLAT_BYTES", 0)
    monkeypatch.setattr("similarity.search.recipes.MIN_FOR_LIST", 0)
    monkeypatch.setattr("similarity.search.recipes._inverted_recipe", lambda *_, **__: "IVF4,SQ8")
    gallery = Gallery.build(own_pictures, tmp_path / "gallery", model="efficientnet-lite2")
    assert gallery.manifest.recipe == "flat-sq8"
    monkeypatch.setattr("similarity.search.recipes.SCAN_BYTES", 0)
    (own_pictures / "dots" / "dots-0.jpg").rename(own_pictures / "moved.jpg")
    after = Gallery.open(gallery.directory, load=standin.load).sync(own_pictures)
    assert after.manifest.recipe == "IVF4,SQ8"
    (own_pictures / "moved.jpg").unlink()
    last = Gallery.open(gallery.directory, load=standin.load).sync(own_pictures)
    assert last.manifest.search["changed"] == 1
    for row, vector in enumerate(last.vectors):
        assert ids(last, vector, 1) == [last.items[row].id]


def test_pictures_can_leave_until_fewer_are_left_than_the_recipe_would_take(large: Gallery) -> None:
    few = large.remove(ids=[f"{row}.jpg" for row in range(10, COUNT)])
    assert (len(few), few.manifest.recipe) == (10, large.manifest.recipe)
    assert sorted(ids(few, few.vectors[3], 20)) == sorted(item.id for item in few.items)
    assert few.drift


def test_scores_stay_scores_where_embeddings_are_in_half_precision(large: Gallery) -> None:
    for gallery in (large, large.rebuild("flat")):
        best = [gallery.search_vector(gallery.vectors[row], 1)[0].score for row in range(0, COUNT, 100)]
        assert max(best) <= 1
        assert min(best) > 0.999
    np.testing.assert_allclose(np.linalg.norm(gallery.vectors[:], axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "search", [{}, {"trained_on": "many"}, {"trained_on": 1, "first_probes": 1, "changed": 0, "measured_after": 0}]
)
def test_a_gallery_whose_index_cannot_be_understood_is_damaged(large: Gallery, search: dict[str, Any]) -> None:
    change_manifest(large, search=search)
    with pytest.raises(GalleryDamagedError):
        Gallery.open(large.directory)


def test_galleries_of_the_version_before_are_read_as_they_are(shapes: Gallery, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(shapes.directory, tmp_path / "old"))
    old = Gallery.open(directory)
    path = directory / "generations" / "000001" / "manifest.json"
    kept = json.loads(path.read_text())
    for name in ("recipe_asked", "recipe_reason", "search"):
        del kept[name]
    path.write_text(json.dumps(kept))
    change_manifest(old, format=2)
    opened = Gallery.open(directory)
    assert (opened.manifest.recipe, opened.manifest.recipe_asked) == ("flat", "auto")
    assert ids(opened, opened.vectors[0], 3) == ids(old, old.vectors[0], 3)


def test_items_are_made_as_they_are_asked_for_and_are_those_that_were_written(tmp_path: Path) -> None:
    listed = items(20)
    copies = (Item("copy.jpg", "/elsewhere/copy.jpg", "red", {"shop": "x"}, sha256=listed[4].sha256, source="/b"),)
    listed[4] = replace(listed[4], copies=copies)
    write_items(tmp_path / "items.parquet", listed)
    read = read_items(tmp_path / "items.parquet")
    assert isinstance(read, Items)
    assert len(read) == 20
    assert read == listed
    assert listed == read
    assert read != listed[1:]
    assert read != 5
    assert (read[3], read[-1], read[2:9:3], read.at([7, 4, 7])) == (
        listed[3],
        listed[-1],
        listed[2:9:3],
        [listed[7], listed[4], listed[7]],
    )
    assert read.find("7.jpg") == 7
    assert read.find(listed[4].sha256) == 4
    assert read.find("copy.jpg") is None, "an id of a copy is not one of the gallery's"
    assert read.find("nothing") is None
    assert read.sources() == ["/photos", "/b"]
    assert read.contents() == [item.sha256 for item in listed]
    with pytest.raises(IndexError):
        read[20]


def test_the_command_line_takes_conditions_examples_and_pages(run: Run, shapes: Gallery, pictures: Path) -> None:
    query, counter = pictures / "dots" / "dots-0.jpg", pictures / "rings" / "rings-1.jpg"
    options = ("--like", pictures / "dots" / "dots-1.jpg", "--unlike", counter, "--weight", "2", "--weight", "1")
    where = ("--where", "label=dots", "--where", "label=stripes")
    done = run("search", query, "-g", "shapes", "-k", "20", *options, *where, "--exclude-query", "--json")
    assert done.returncode == 0, done.stderr
    hits = json.loads(done.stdout)["hits"]
    assert len(hits) == 8
    assert {hit["label"] for hit in hits} == {"dots", "stripes"}
    assert not {"dots/dots-0.jpg", "dots/dots-1.jpg"} & {hit["id"] for hit in hits}
    from similarity.query.inputs import Examples

    asked = Examples([query, pictures / "dots" / "dots-1.jpg"], [counter], [2, 1])
    assert hits[0]["score"] == pytest.approx(
        shapes.search(asked, 1, exclude_query=True, where={"label": ["dots", "stripes"]})[0].score
    )
    page = run("search", query, "-g", "shapes", "-k", "3", "--offset", "13", "--json")
    assert [hit["rank"] for hit in json.loads(page.stdout)["hits"]] == [14, 15]


@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--where", "colour"), 2, "not of the form column=value"),
        (("--where", "colour=red"), 1, "No picture of the gallery has a 'colour': choose from label"),
        (("--weight", "1", "--weight", "2"), 1, "There are 2 weights for 1 examples"),
        (("--weight", "-1"), 1, "A weight must be a number above 0"),
        (("--offset", "-1"), 2, "offset"),
        (("--accuracy", "perfect"), 2, "accuracy"),
        (("--unlike", "/no/such.jpg"), 1, "/no/such.jpg"),
    ],
)
def test_options_that_make_no_sense_are_errors_in_plain_words(
    run: Run, pictures: Path, options: tuple[str, ...], status: int, said: str
) -> None:
    done = run("search", pictures / "dots" / "dots-0.jpg", "-g", "shapes", *options)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert status == 2 or done.stderr.count("\n") == 1


def test_rebuild_says_what_was_made_and_info_how_much_it_finds(run: Run, large: Gallery) -> None:
    place = str(large.directory)
    done = run("rebuild", "--gallery", place, "--recipe", "flat-sq8")
    assert done.returncode == 0, done.stderr
    assert "The index of large was rebuilt" in done.stdout
    assert "Its index is flat-sq8." in done.stdout
    done = run("rebuild", "--gallery", place, "--recipe", "ivf", "--json")
    assert json.loads(done.stdout)["recipe"] == "IVF64,SQ8"
    told = run("info", "--gallery", place)
    assert "of the ten nearest pictures (measured)" in told.stdout
    assert "drifted" not in told.stderr
    change_manifest_of_live(large, trained_on=10)
    told = run("info", "--gallery", place)
    assert "The index has drifted: its groups were learned from 10 pictures" in told.stderr
    assert "python -m similarity rebuild --gallery" in told.stderr
    assert json.loads(run("info", "--gallery", place, "--json").stdout)["drift"].startswith("its groups")
    done = run("rebuild", "--gallery", place, "--recipe", "best")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert run("rebuild", "--gallery", str(large.directory.parent / "none")).returncode == 1


def change_manifest_of_live(gallery: Gallery, **search: object) -> None:
    """Change what the live generation's manifest says of its index."""
    import hashlib

    number = (gallery.directory / "CURRENT").read_text()[:6]
    path = gallery.directory / "generations" / number / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"search": manifest["search"] | search}))
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name("manifest.json.sha256").write_text(f"{checksum}  manifest.json\n")
    (gallery.directory / "CURRENT").write_text(f"{number} {checksum}\n")
