"""Galleries that are too large to compare each picture with all: built, changed, interrupted and searched."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import standin
from conftest import draw

from similarity import Gallery
from similarity.errors import SimilarityError
from similarity.indexing.choices import choose
from similarity.search import Recipe, VectorIndex, neighbours
from similarity.search.milvus.index import MilvusIndex
from similarity.search.stores import Before, Store
from similarity.storage import writing
from similarity.storage.manifest import Manifest, Report
from similarity.storage.refining import Refining
from similarity.vectors.arrays import Nearest, Vectors, normalise
from similarity.vectors.centred import CentredRows
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refined import KEPT, Refined

KINDS = ("dots", "rings", "stripes")
NO_INDEX = cast("VectorIndex", None)  # refining does not read the index that is continued


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for seed in range(60):
        draw(KINDS[seed % 3], seed).save(made / f"{seed}.jpg")
    return made


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch, standin_network: None) -> None:  # noqa: ARG001
    monkeypatch.setattr("similarity.vectors.refinement.MOST_NUMBERS", 1280 * 10)


def build(folder: Path, directory: Path, recipe: str = "auto") -> Gallery:
    Gallery.build(folder, directory, model=standin.CHOICE, recipe=recipe, refinement="neighbours")
    return Gallery.open(directory, load=standin.load)


def kept(vectors: StoredVectors) -> Nearest:
    assert vectors.nearest is not None
    return vectors.nearest


def exact(vectors: StoredVectors) -> Nearest:
    assert vectors.centre is not None
    rows = CentredRows(vectors.rows, vectors.centre)
    return rows.find_nearest(rows.gather(np.arange(len(rows))), KEPT)[0]


def recall(vectors: StoredVectors) -> float:
    return float((kept(vectors)[:, :, np.newaxis] == exact(vectors)[:, np.newaxis]).any(axis=1).mean())


def assert_sound(gallery: Gallery) -> None:
    """Its neighbours are the nearest, its index holds the vectors, and every picture finds itself."""
    assert gallery.manifest.refinement == "neighbours"
    assert recall(gallery.vectors) >= 0.95
    for row, item in enumerate(gallery.items):
        assert gallery.search_vector(gallery.vectors[row], 1, accuracy="high")[0].score == pytest.approx(1, abs=1e-4)
        if row % 10 == 0:
            best = gallery.search(item.path, 1)[0]
            assert (best.item.id, best.score) == (item.id, pytest.approx(1, abs=1e-3))
    assert not (gallery.directory / "unfinished").exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize("recipe", ["flat-sq8", "IVF2,SQ8"])
def test_a_large_gallery_grows_and_shrinks_and_keeps_its_centre(folder: Path, tmp_path: Path, recipe: str) -> None:
    gallery = build(folder, tmp_path / "large", recipe)
    assert gallery.manifest.refinement_reason.startswith("It was requested. Finding the neighbours takes about ")
    assert_sound(gallery)
    for seed in range(100, 105):
        draw("rings", seed).save(folder / f"{seed}.jpg")
    grown = gallery.add(folder)
    assert len(grown) == 65
    np.testing.assert_array_equal(grown.vectors.centre, gallery.vectors.centre)
    assert_sound(grown)
    shrunk = grown.remove(ids=[item.id for item in grown.items[::15]])
    np.testing.assert_array_equal(shrunk.vectors.centre, gallery.vectors.centre)
    assert_sound(shrunk)


@pytest.mark.exhaustive
@pytest.mark.parametrize("recipe", ["flat-sq8", "IVF2,SQ8"])
def test_after_a_large_change_there_is_a_new_centre(folder: Path, tmp_path: Path, recipe: str) -> None:
    gallery = build(folder, tmp_path / "large", recipe)
    fewer = gallery.remove(ids=[item.id for item in gallery.items[:20]])
    assert (fewer.vectors.centre != gallery.vectors.centre).any()
    assert_sound(fewer)


@pytest.mark.exhaustive
@pytest.mark.parametrize("recipe", ["flat-sq8", "IVF4,SQ8"])
def test_small_changes_that_add_up_to_another_kind_of_pictures_renew_the_centre(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    monkeypatch.setattr("similarity.vectors.refinement.MOST_NUMBERS", 32 * 300)
    random = np.random.default_rng(0)
    one, other = 2 * random.standard_normal((2, 32))
    vectors = normalise(one + random.standard_normal((300, 32)))
    written, before = refined_after(tmp_path, vectors, None, recipe)
    assert before is None
    continued = []
    for _ in range(10):
        added = int(0.05 * len(vectors))
        origins = np.append(np.arange(len(vectors)), np.full(added, -1))
        vectors = np.concatenate([vectors, normalise(other + random.standard_normal((added, 32)))])
        written, before = refined_after(tmp_path, vectors, Before(NO_INDEX, written, [], origins), recipe)
        continued.append(before is not None)
        assert written.centre is not None
        assert neighbours.is_near(written.centre, vectors.mean(axis=0))
    assert 0 < sum(continued) < 10
    assert recall(written) >= 0.95


def refined_after(
    folder: Path, vectors: Vectors, before: Before | None, recipe: str
) -> tuple[StoredVectors, Before | None]:
    made = folder / str(len(vectors))
    made.mkdir()
    write_vectors(made / "embeddings.npy", vectors.shape, [vectors], "float32")  # type: ignore[arg-type]
    return Refining(folder, made, "neighbours", Recipe(recipe, "")).refine(
        StoredVectors(made / "embeddings.npy"), before
    )


@pytest.mark.exhaustive
def test_lists_that_are_continued_hold_the_moved_vectors(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = build(folder, tmp_path / "large", "IVF2,SQ8")
    asked = []
    updated = writing.make_index

    def remember(*args, before, **kwargs):  # type: ignore[no-untyped-def]
        asked.append(before)
        return updated(*args, before=before, **kwargs)

    monkeypatch.setattr(writing, "make_index", remember)
    draw("rings", 100).save(folder / "100.jpg")
    grown = gallery.add(folder)
    (before,) = asked
    stayed = np.flatnonzero(before.origins >= 0)
    assert 30 < len(stayed) < 60, "some are moved towards the new picture"
    np.testing.assert_allclose(grown.vectors[stayed], gallery.vectors[before.origins[stayed]], atol=1e-6)


@pytest.mark.exhaustive
def test_a_collection_of_milvus_is_sent_only_what_has_moved(folder: Path, tmp_path: Path, milvus: Store) -> None:
    Gallery.build(
        folder, tmp_path / "large", model=standin.CHOICE, refinement="neighbours", recipe="flat", store=milvus
    )
    gallery = Gallery.open(tmp_path / "large", load=standin.load)
    draw("rings", 100).save(folder / "100.jpg")
    grown = gallery.add(folder)
    before, after = gallery._generation.index, grown._generation.index
    assert isinstance(before, MilvusIndex)
    assert isinstance(after, MilvusIndex)
    assert before.collection.name == after.collection.name
    assert 30 < len(np.intersect1d(before.keys, after.keys)) < 60
    assert_sound(grown)


def test_an_interrupted_run_is_continued_and_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "BATCH", 16)
    find = neighbours.find_neighbours
    kept_batches = []

    def find_half(*args, keep, **kwargs):  # type: ignore[no-untyped-def]
        def keep_two(part: Nearest) -> None:
            if len(kept_batches) == 2:
                raise KeyboardInterrupt
            kept_batches.append(part)
            keep(part)

        return find(*args, keep=keep_two, **kwargs)

    monkeypatch.setattr("similarity.storage.refining.find_neighbours", find_half)
    with pytest.raises(KeyboardInterrupt):
        build(folder, tmp_path / "large")
    assert len(list((tmp_path / "large" / "unfinished").glob("*.neighbours"))) == 1
    resumed = []

    def find_rest(*args, found, **kwargs):  # type: ignore[no-untyped-def]
        resumed.append(len(found))
        return find(*args, found=found, **kwargs)

    monkeypatch.setattr("similarity.storage.refining.find_neighbours", find_rest)
    gallery = build(folder, tmp_path / "large")
    assert resumed == [32]
    assert_sound(gallery)


def test_a_gallery_that_was_large_before_stays_centred_when_it_changes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.indexing.choices._embedding_seconds", lambda _: 0.01)
    Gallery.build(folder, tmp_path / "old", model=standin.CHOICE)
    gallery = Gallery.open(tmp_path / "old", load=standin.load)
    assert gallery.manifest.refinement == "centred"
    monkeypatch.setattr("similarity.indexing.choices._embedding_seconds", lambda _: 1e6)
    draw("rings", 100).save(folder / "100.jpg")
    grown = gallery.add(folder)
    assert grown.manifest.refinement == "centred"
    assert grown.rebuild().manifest.refinement == "centred"
    assert grown.rebuild(refinement="auto").manifest.refinement == "neighbours"


def test_a_rebuild_keeps_what_was_chosen_for_a_large_gallery_unless_auto_is_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.indexing.choices.ENOUGH", 50)
    monkeypatch.setattr("similarity.vectors.refinement.SHARE", 1e6)
    Gallery.build(folder, tmp_path / "large", model=standin.CHOICE)
    gallery = Gallery.open(tmp_path / "large", load=standin.load)
    assert gallery.manifest.refinement == "neighbours"
    monkeypatch.setattr("similarity.vectors.refinement.SHARE", 0)
    again = gallery.rebuild()
    assert (again.manifest.refinement, again.manifest.refinement_asked) == ("neighbours", "auto")
    assert again.manifest.refinement_reason == gallery.manifest.refinement_reason
    assert_sound(again)
    assert gallery.rebuild("IVF2,SQ8").manifest.refinement == "centred", "it is chosen with the recipe"
    assert Gallery.open(gallery.directory).rebuild("auto", "auto").manifest.refinement == "centred"


@pytest.mark.parametrize(("embedded", "expected"), [(499, "neighbours"), (500, "centred"), (40_000, "centred")])
def test_a_run_that_embedded_few_of_all_pictures_still_knows_its_speed(
    monkeypatch: pytest.MonkeyPatch, embedded: int, expected: str
) -> None:
    monkeypatch.setattr("similarity.vectors.effort.cores", lambda: 2)
    monkeypatch.setattr("similarity.vectors.refinement.free_memory", lambda: 100e9)
    run = Report("index", embedded=embedded, resumed=40_000 - embedded, seconds=embedded / 1_000)
    manifest = Manifest(standin.CHOICE.backbone.name, "", {}, "f32", 1280, "pictures", count=40_000, last_run=run)
    assert choose(manifest).refinement == expected


def test_a_query_of_a_large_gallery_is_moved_towards_what_its_index_finds(folder: Path, tmp_path: Path) -> None:
    gallery = build(folder, tmp_path / "large")
    queries = normalise(gallery.embeddings[:] + gallery.embeddings[::-1])
    centre = gallery.vectors.centre
    assert centre is not None
    comparing = Refined(gallery.embeddings.rows, centre, gallery.vectors.nearest)
    np.testing.assert_allclose(gallery.refine(queries), comparing.refine(queries), atol=1e-5)


def test_a_gallery_whose_neighbours_cannot_be_written_stays_as_it_was(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = build(folder, tmp_path / "large")
    draw("rings", 100).save(folder / "100.jpg")

    def fail(*_: object) -> None:
        raise SimilarityError("The disk is full.")

    monkeypatch.setattr("similarity.storage.refining.update_neighbours", fail)
    with pytest.raises(SimilarityError, match="full"):
        gallery.add(folder)
    assert gallery.is_live
    assert len(gallery.search_vector(gallery.vectors[0], 70)) == 60
