"""Galleries in Milvus: the same answers as from FAISS, whatever is done, and a collection that is kept in order."""

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL, PHOTOGRAPHS, draw
from stores import differences, let_go, lite

from similarity import Gallery
from similarity.bench.synthetic import World
from similarity.gallery import restore
from similarity.search import Hit, Rows, Selection, build_index
from similarity.search.milvus.collection import Collection
from similarity.search.milvus.index import MilvusIndex
from similarity.search.stores import Indexed, Store
from similarity.sources import Item
from similarity.storage.cleanup import delete_gallery
from similarity.storage.current import live_state
from similarity.storage.generations import read_generation
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")

Answers = Callable[[Gallery], list[Hit]]


def collections(milvus: Store) -> set[str]:
    from similarity.search.milvus.client import client

    return set(client(milvus).list_collections())


def lines(gallery: Gallery) -> int:
    """How many lines the collection of a gallery has."""
    index = gallery._generation.index
    assert isinstance(index, MilvusIndex)
    return index.collection.count()


def as_hits(gallery: Gallery, scores: Vectors, rows: Rows) -> list[Hit]:
    found = zip(scores.tolist(), gallery.items.at(rows), strict=True)
    return [Hit(rank, score, item) for rank, (score, item) in enumerate(found, 1)]


def questions(gallery: Gallery, *, every: int) -> Iterator[tuple[str, Answers]]:
    """What can be asked of a gallery, with some of its own pictures; each with a name."""
    labels = sorted({item.label for item in gallery.items if item.label})
    for row in range(0, len(gallery), every):
        item, vector = gallery.items[row], gallery.vectors[row]
        label = labels[row % len(labels)]
        asked: dict[str, dict[str, Any]] = {
            "ten": {"k": 10},
            "one": {"k": 1},
            "a label": {"k": 12, "where": {"label": [label]}},
            "two labels": {"k": 25, "where": {"label": [label, item.label or label]}},
            "no such label, and a part of one": {"k": 12, "where": {"label!=": label, "label~": "s"}},
            "a label that nothing has": {"k": 5, "where": {"label": ["none of these"]}},
            "but itself": {"k": 5, "but": [item.id]},
            "a label but itself": {"k": 500, "where": {"label": [item.label or label]}, "but": [item.id]},
            "similar enough": {"k": 50, "minimum": 0.4},
            "distinct": {"k": 8, "distinct": True},
            "second page": {"k": 10, "offset": 10},
        }
        if not row:  # these take Milvus Lite half a second each
            asked["more than there are"] = {"k": len(gallery) + 7}
            asked["last page"] = {"k": 10, "offset": len(gallery) - 4}
            asked["beyond the last page"] = {"k": 10, "offset": len(gallery) + 4}
        for name, how in asked.items():
            yield f"{name}, of {item.id}", lambda one, vector=vector, how=how: one.search_vector(vector, **how)  # type: ignore[misc]


def assert_congruent(mine: Gallery, its: Gallery, *, every: int) -> int:
    """Every list of results is the same in two galleries; returns how many were compared."""
    assert mine.items == its.items
    count = 0
    together = [one._generation.index.search(one.vectors[:], 10) for one in (mine, its)]
    hits = [[as_hits(mine, *found) for found in zip(*both, strict=True)] for both in together]
    for one, other in zip(*hits, strict=True):
        assert differences(one, other) == []
        count += 1
    for name, ask in questions(mine, every=every):
        assert differences(ask(mine), ask(its)) == [], name
        count += 1
    return count


def assert_congruent_through_changes(first: Gallery, second: Gallery, more: Path, *, every: int) -> None:
    compared = assert_congruent(first, second, every=every)
    gone = [item.id for item in first.items[::7]]
    first, second = (one.remove(ids=gone) for one in (first, second))
    compared += assert_congruent(first, second, every=every)
    assert all(hit.item.id not in gone for hit in second.search_vector(second.vectors[0], len(second)))
    first, second = (one.add(more) for one in (first, second))
    compared += assert_congruent(first, second, every=every)
    assert compared > 3 * len(second)


@pytest.mark.parametrize(("recipe", "refinement"), [("flat", "none"), ("flat-sq8", "centred"), ("flat", "neighbours")])
@pytest.mark.cluster
def test_both_engines_give_the_same_answers_on_the_sample(
    sample: Gallery, milvus: Store, tmp_path: Path, pictures: Path, recipe: str, refinement: str
) -> None:
    first = sample.rebuild(recipe, refinement, into=tmp_path / "first")
    second = sample.rebuild(recipe, refinement, into=tmp_path / "second", store=milvus)
    assert second.manifest.store == milvus
    assert_congruent_through_changes(first, second, pictures, every=230)


@pytest.mark.cluster
def test_both_engines_give_the_same_answers_on_photographs(
    milvus: Store, tmp_path: Path, photographs: Path, pictures: Path
) -> None:
    first = Gallery.build(photographs / "gallery", tmp_path / "first", model=MODEL)
    second = first.rebuild(into=tmp_path / "second", store=milvus)
    for path in sorted((PHOTOGRAPHS / "queries").glob("*/*.jpg"))[::17]:
        assert differences(first.search(path), second.search(path)) == []
    assert_congruent_through_changes(first, second, pictures, every=400)


def test_a_gallery_is_built_in_milvus_and_moved_from_one_engine_to_the_other(
    milvus: Store, tmp_path: Path, shapes: Gallery, pictures: Path
) -> None:
    built = Gallery.build(pictures, tmp_path / "built", model=MODEL, store=milvus)
    assert_congruent(shapes, built, every=8)
    assert not (built.directory / "generations" / "000001" / "index.faiss").exists()
    moved = built.rebuild(store=Store())
    assert_congruent(shapes, moved, every=8)
    assert moved.manifest.store == Store()
    back = moved.rebuild(store=milvus)
    assert_congruent(shapes, back, every=8)


@pytest.mark.cluster
def test_it_is_explained_refined_and_its_pictures_are_found_as_in_any_other(
    milvus: Store, tmp_path: Path, shapes: Gallery, pictures: Path
) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=milvus)
    query = pictures / "dots" / "dots-1.jpg"
    mine, its = (one.explain(query, "dots/dots-2.jpg") for one in (shapes, far))
    assert mine.score == pytest.approx(its.score, abs=1e-6)
    assert far.find("dots/dots-1.jpg") == shapes.find("dots/dots-1.jpg")
    assert far.near_identical("dots/dots-1.jpg", 3) == shapes.near_identical("dots/dots-1.jpg", 3)
    assert far.thumbnail(far.items[0]) == shapes.thumbnail(shapes.items[0])


@pytest.mark.exhaustive
def test_a_change_sends_only_what_is_new_and_takes_out_what_nobody_needs(
    milvus: Store, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = shapes.rebuild(refinement="none", into=tmp_path / "far", store=milvus)
    collection = far.manifest.search["collection"]
    sent: list[int] = []
    put = Collection.put

    def counted(self: Collection, keys: Rows, *rest: Any) -> None:
        sent.append(len(keys))
        put(self, keys, *rest)

    monkeypatch.setattr(Collection, "put", counted)
    folder = tmp_path / "more"
    folder.mkdir()
    draw("rings", 77).save(folder / "new.jpg")
    far = far.add(folder)
    assert sent == [1]
    assert far.manifest.search["collection"] == collection
    assert lines(far) == 16
    far = far.remove(labels=["dots"])
    assert lines(far) == 16  # those of the state before are kept with it
    far = far.remove(labels=["stripes"])
    gc.collect()  # whoever has a state open keeps it
    far = far.remove(labels=["rings"])
    assert lines(far) == 6
    assert len(far) == 1
    assert sum(sent) == 1


@pytest.mark.cluster
def test_a_state_that_is_open_answers_as_before_while_the_gallery_changes(
    milvus: Store, tmp_path: Path, shapes: Gallery
) -> None:
    far = shapes.rebuild(refinement="none", into=tmp_path / "far", store=milvus)
    query = far.vectors[0]
    before = far.search_vector(query, 20)
    for row in (1, 2, 3, 6, 7):  # each state but those that are held is taken away by the next but one
        changed = Gallery.open(far.directory).remove(ids=[far.items[row].id])
        gc.collect()
    assert len(changed) == len(far) - 5
    assert lines(changed) == len(far)
    assert far.search_vector(query, 20) == before
    assert not far.is_live


@pytest.mark.cluster
def test_going_back_finds_again_what_was_removed(milvus: Store, tmp_path: Path, shapes: Gallery) -> None:
    far = shapes.rebuild(refinement="none", into=tmp_path / "far", store=milvus)
    query = far.vectors[0]
    before = far.search_vector(query, 15)
    far.remove(labels=["dots"])
    back = restore(far.directory)
    assert back.search_vector(query, 15) == before
    assert len(back.remove(labels=["rings"])) == 10
    read_generation(far.directory, thorough=True)


@pytest.mark.cluster
def test_another_label_is_found_by_it_at_once(milvus: Store, tmp_path: Path, own_pictures: Path) -> None:
    rows = [f"{path},{path.parent.name}" for path in sorted(own_pictures.rglob("*.jpg"))]
    table = tmp_path / "list.csv"
    table.write_text("\n".join(["path,label", *rows]))
    far = Gallery.build(table, tmp_path / "far", model=MODEL, refinement="none", store=milvus)
    table.write_text("\n".join(["path,label", rows[0].replace(",dots", ",spots"), *rows[1:]]))
    after = far.sync(table)
    found = after.search_vector(after.vectors[3], 5, where={"label": ["spots"]})
    assert [hit.item.label for hit in found] == ["spots"]
    assert len(far.search_vector(far.vectors[3], 9, where={"label": ["dots"]})) == 5
    assert len(after.search_vector(after.vectors[3], 9, where={"label": ["dots"]})) == 4


@pytest.mark.parametrize(
    "value",
    [
        '"\\',
        *(
            pytest.param(value, marks=pytest.mark.cluster)
            for value in ('"', "\\", "a b", "it's", "ü 雪 🙂", "{x}", '["a"]', " ", "%", "l\nine", "x" * 5000)
        ),
    ],
)
def test_labels_and_metadata_may_hold_any_sign(milvus: Store, tmp_path: Path, own_pictures: Path, value: str) -> None:
    import csv

    with (tmp_path / "list.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "kind of"])
        for number, path in enumerate(sorted(own_pictures.rglob("*.jpg"))[:4]):
            writer.writerow([path, "other" if number else f"l{value}", value if number < 2 else "b"])
    far = Gallery.build(tmp_path / "list.csv", tmp_path / "far", model=MODEL, store=milvus)
    stored = {value for item in far.items for value in item.metadata.values()} - {"b"}
    for kept in stored:
        assert len(far.search_vector(far.vectors[0], 9, where={"kind of": [kept]})) == 2
        assert len(far.search_vector(far.vectors[0], 9, where={"kind of": [kept, "b"], "label": ["other"]})) == 3


@pytest.mark.cluster
def test_a_copy_is_found_by_its_own_label(milvus: Store, tmp_path: Path, own_pictures: Path) -> None:
    (own_pictures / "copies").mkdir()
    (own_pictures / "copies" / "again.jpg").write_bytes((own_pictures / "dots" / "dots-0.jpg").read_bytes())
    far = Gallery.build(own_pictures, tmp_path / "far", model=MODEL, store=milvus)
    for label in ("copies", "dots"):
        found = far.search_vector(far.vectors[0], 9, where={"label": [label]})
        assert any(item.path.endswith(("dots-0.jpg", "again.jpg")) for item in (hit.item for hit in found))


@pytest.mark.exhaustive
def test_collections_that_are_not_needed_any_more_are_dropped(milvus: Store, tmp_path: Path, shapes: Gallery) -> None:
    others = collections(milvus)
    far = shapes.rebuild(refinement="neighbours", into=tmp_path / "far", store=milvus)
    first = collections(milvus) - others
    far = far.remove(labels=["dots"])  # each was moved towards others, so all are others now
    second = collections(milvus) - others - first
    assert len(first) == len(second) == 1
    assert first <= collections(milvus)  # to go back to
    far = far.remove(labels=["rings"])
    assert not first & collections(milvus)
    delete_gallery(far.directory)
    assert collections(milvus) == others


@pytest.mark.cluster
def test_two_galleries_of_one_name_do_not_share_a_collection(milvus: Store, tmp_path: Path, shapes: Gallery) -> None:
    first = shapes.rebuild(into=tmp_path / "a" / "same name!", store=milvus)
    second = shapes.rebuild(into=tmp_path / "b" / "same name!", store=milvus)
    assert first.manifest.search != second.manifest.search
    delete_gallery(second.directory)
    assert len(first.search_vector(first.vectors[0], 5)) == 5


# Indexes alone, of vectors that are made up.


@pytest.fixture(scope="session")
def world() -> World:
    """It takes half a second to think of."""
    return World(48)


@pytest.fixture(scope="session")
def vectors(world: World) -> Vectors:
    return np.concatenate([world.block(1_000, number) for number in (1, 2, 3)])


def stored(folder: Path, vectors: Vectors) -> StoredVectors:
    write_vectors(folder / "embeddings.npy", vectors.shape, [vectors])
    return StoredVectors(folder / "embeddings.npy")


def indexed(folder: Path, count: int, generation: int = 1) -> Indexed:
    items = [Item(f"{number}", f"/{number}.jpg", str(number % 5)) for number in range(count)]
    return Indexed(folder, generation, items)


@pytest.fixture
def few_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """An approximate index is measured with few queries: one takes Milvus Lite 10 ms."""
    monkeypatch.setattr("similarity.search.tuning.QUERIES", 40)


@pytest.mark.exhaustive
def test_rows_that_no_condition_describes_can_be_chosen(
    milvus: Store, tmp_path: Path, vectors: Vectors, world: World
) -> None:
    kept = stored(tmp_path, vectors[:600])
    flat, far = build_index("flat", kept), MilvusIndex.build(milvus, "flat", kept, indexed(tmp_path, 600))
    queries = world.block(3, 0)
    random = np.random.default_rng(0)
    for count in (0, 1, 40, 300, 590, 600):
        among = Selection(random.choice(600, count, replace=False))
        mine, its = (index.search(queries, 20, among=among) for index in (flat, far))
        np.testing.assert_array_equal(mine[1], its[1])
        np.testing.assert_allclose(mine[0], its[0], atol=1e-6)


def test_what_takes_too_many_words_is_compared_here(
    milvus: Store, tmp_path: Path, vectors: Vectors, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = stored(tmp_path, vectors[:600])
    flat, far = build_index("flat", kept), MilvusIndex.build(milvus, "flat", kept, indexed(tmp_path, 600))
    monkeypatch.setattr("similarity.search.milvus.conditions.NAMED", 100)
    monkeypatch.setattr("similarity.search.milvus.index.MOST_RESULTS", 64)
    queries = world.block(4, 0)
    half = Selection(np.arange(0, 600, 2))
    for k, among in ((10, half), (65, None), (700, half), (60, None)):
        np.testing.assert_array_equal(flat.search(queries, k, among=among)[1], far.search(queries, k, among=among)[1])


def test_equal_vectors_come_in_the_order_of_their_rows(milvus: Store, tmp_path: Path, vectors: Vectors) -> None:
    many = vectors[np.repeat(np.arange(30), 40)]
    kept = stored(tmp_path, many)
    flat, far = build_index("flat", kept), MilvusIndex.build(milvus, "flat", kept, indexed(tmp_path, len(many)))
    for k in (1, 10, 39, 40, 41, 500):
        np.testing.assert_array_equal(flat.search(many[:80:40], k)[1], far.search(many[:80:40], k)[1])


@pytest.mark.cluster
@pytest.mark.parametrize("recipe", ["IVF32,SQ8", "PCA16,IVF32,SQ8", "IVF32,Flat"])
def test_an_approximate_index_finds_what_its_accuracy_promises(
    milvus: Store,
    tmp_path: Path,
    vectors: Vectors,
    world: World,
    few_measured: None,  # noqa: ARG001
    recipe: str,
) -> None:
    kept = stored(tmp_path, vectors)
    far = MilvusIndex.build(milvus, recipe, kept, indexed(tmp_path, 3_000))
    assert far.tuning is not None
    queries = world.block(100, 0)
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    for accuracy, least in (("fast", 0.9), ("balanced", 0.95), ("high", 0.99)):
        found = far.search(queries, 10, accuracy=accuracy)[1]  # type: ignore[arg-type]
        recall = np.mean([len(set(mine) & set(its)) / 10 for mine, its in zip(found, exact, strict=True)])
        assert recall >= least, (accuracy, recall)
    among = Selection(np.arange(3_000)[::5], {"label": ["0"]}, [])
    some = far.search(queries, 10, among=among)[1]
    assert (some % 5 == 0).all()
    everything = far.search(queries[:3], 3_000)
    assert sorted(everything[1][0]) == list(range(3_000))
    assert (np.diff(everything[0]) <= 0).all()


@pytest.mark.exhaustive
def test_an_approximate_index_goes_on_after_a_change(
    milvus: Store, tmp_path: Path, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.search.tuning.QUERIES", 10)
    monkeypatch.setattr("similarity.search.milvus.index.MAX_EXACT", 50)  # or so few would be compared here
    before = MilvusIndex.build(milvus, "IVF32,SQ8", stored(tmp_path, vectors[:500]), indexed(tmp_path, 500))
    origins = np.concatenate([np.arange(100, 500), np.full(100, -1)])
    (tmp_path / "after").mkdir()
    kept = stored(tmp_path / "after", vectors[100:600])
    after = before.updated("IVF32,SQ8", kept, indexed(tmp_path, 500, 2), origins)
    assert after.collection.name == before.collection.name
    assert after.tuning is not None
    assert after.tuning.changed == 200
    np.testing.assert_array_equal(after.search(kept[:40:2], 1)[1][:, 0], np.arange(0, 40, 2))
    np.testing.assert_array_equal(after.search(kept[480:], 1)[1][:, 0], np.arange(480, 500))
    np.testing.assert_array_equal(before.search(vectors[:10], 1)[1][:, 0], np.arange(10))
    label = Selection(np.arange(0, 500, 5), {"label": ["0"]}, [])
    assert (after.search(kept[:5], 10, among=label)[1] % 5 == 0).all()
    best, rows = after.search(kept[:2], 500)
    assert sorted(rows[0]) == list(range(500))
    assert (np.diff(best[0]) <= 0).all()


def test_keys_that_are_not_in_order_lead_to_their_rows(milvus: Store, tmp_path: Path, vectors: Vectors) -> None:
    before = MilvusIndex.build(milvus, "flat", stored(tmp_path, vectors[:100]), indexed(tmp_path, 100))
    origins = np.random.default_rng(3).permutation(100)
    (tmp_path / "after").mkdir()
    kept = stored(tmp_path / "after", vectors[:100][origins])
    after = before.updated("flat", kept, replace(indexed(tmp_path, 100), generation=2), origins)
    np.testing.assert_array_equal(after.search(kept[:], 1)[1][:, 0], np.arange(100))
    after.save(tmp_path / "keys.npy")
    folder = tmp_path / "g" / "generations" / "000002"
    folder.mkdir(parents=True)
    after.save(folder / "keys.npy")
    read = MilvusIndex.load(milvus, "flat", folder / "keys.npy", after.facts, kept)
    np.testing.assert_array_equal(read.search(kept[:], 1)[1], after.search(kept[:], 1)[1])


@pytest.mark.cluster
def test_it_answers_many_threads_alike(milvus: Store, tmp_path: Path, vectors: Vectors) -> None:
    far = MilvusIndex.build(milvus, "flat", stored(tmp_path, vectors), indexed(tmp_path, 3_000))
    expected = far.search(vectors[:64], 5)[1]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda row: far.search(vectors[row : row + 1], 5)[1][0], range(64)))
    np.testing.assert_array_equal(np.array(found), expected)


@pytest.mark.cluster
def test_a_milvus_lite_that_is_opened_again_has_everything(tmp_path: Path, shapes: Gallery) -> None:
    place = lite(tmp_path)
    far = shapes.rebuild(into=tmp_path / "far", store=place)
    before = far.search_vector(far.vectors[0], 15)
    let_go(place)
    again = Gallery.open(far.directory)
    assert again.search_vector(again.vectors[0], 15) == before
    assert len(again.remove(labels=["dots"])) == 10
    read_generation(far.directory, thorough=True)
    assert live_state(far.directory).startswith("000002")
    let_go(place)
