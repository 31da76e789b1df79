"""Refinement: what embeddings are compared as."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import standin
from conftest import change_manifest, draw

from similarity import Gallery
from similarity.errors import GalleryDamagedError, SearchError
from similarity.evaluation import evaluate
from similarity.images.decoding import read_image
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.effort import Effort
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refinement import (
    MIN_PICTURES,
    MOST_NUMBERS,
    NEAREST,
    POWER,
    choose_refinement,
    read_refined,
    refine,
)

KINDS = ("dots", "rings", "stripes")


def clusters(n: int = 400, dim: int = 24, seed: int = 0) -> Vectors:
    """Groups of vectors that have a large part in common, as embeddings of a network have."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((8, dim))
    return normalise(3 + centres[np.arange(n) % 8] + 0.8 * random.standard_normal((n, dim)))


def stored(folder: Path, vectors: Vectors) -> StoredVectors:
    folder.mkdir(exist_ok=True)
    write_vectors(folder / "embeddings.npy", vectors.shape, [vectors])
    return StoredVectors(folder / "embeddings.npy")


def by_hand(vectors: Vectors, queries: Vectors | None = None, own: np.ndarray | None = None) -> Vectors:
    """The same as the definition says it, one after the other."""
    centre = vectors.mean(axis=0, dtype=np.float64)
    base = normalise(vectors - centre)
    asked = base if queries is None else normalise(queries - centre)
    found = []
    for number, query in enumerate(asked):
        scores = base @ query
        if own is not None:
            scores[own[number]] = -2
        nearest = np.argsort(-scores)[:NEAREST]
        found.append(query + sum(max(0, scores[row]) ** POWER * base[row] for row in nearest))
    return normalise(np.array(found))


def test_pictures_are_moved_as_the_definition_says(tmp_path: Path) -> None:
    vectors = clusters()
    refined = refine(tmp_path, stored(tmp_path, vectors), "neighbours")
    np.testing.assert_allclose(refined[:], by_hand(vectors), atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(refined[:], axis=1), 1, atol=1e-6)
    queries = clusters(20, seed=1)
    np.testing.assert_allclose(refined.refine(queries), by_hand(vectors, queries), atol=2e-6)


def test_centring_takes_the_mean_off(tmp_path: Path) -> None:
    vectors = clusters()
    refined = refine(tmp_path, stored(tmp_path, vectors), "centred")
    np.testing.assert_allclose(refined[:], normalise(vectors - vectors.mean(axis=0)), atol=2e-6)


def test_none_changes_nothing(tmp_path: Path) -> None:
    vectors = clusters()
    embeddings = stored(tmp_path, vectors)
    assert refine(tmp_path, embeddings, "none") is embeddings
    assert embeddings.refine(vectors) is vectors
    assert [path.name for path in tmp_path.iterdir()] == ["embeddings.npy"]


@pytest.mark.parametrize("method", ["centred", "neighbours"])
def test_rows_can_be_read_in_every_way(tmp_path: Path, method: str) -> None:
    refined = refine(tmp_path, stored(tmp_path, clusters(1500)), method)  # type: ignore[arg-type]
    everything = refined[:]
    assert everything.dtype == np.float32
    assert everything.shape == (1500, 24)
    rows = np.array([1400, 3, 3, 77])
    for found, wanted in (
        (refined[5], everything[5]),
        (refined[-1], everything[-1]),
        (refined[rows], everything[rows]),
        (refined[10:1200], everything[10:1200]),
        (refined.read(rows), everything[rows]),
        (np.array(list(refined)), everything),
        (np.concatenate([block for _, block in refined.blocks(700)]), everything),
    ):
        np.testing.assert_array_equal(found, wanted)
    assert len(refined[[]]) == 0
    with pytest.raises(IndexError):
        refined[1500]


@pytest.mark.parametrize("method", ["centred", "neighbours"])
def test_an_embedding_of_the_gallery_is_refined_to_what_it_is_there(tmp_path: Path, method: str) -> None:
    vectors = clusters()
    refined = refine(tmp_path, stored(tmp_path, vectors), method)  # type: ignore[arg-type]
    scores = (refined.refine(vectors) * refined[:]).sum(axis=1)
    assert scores.min() > 0.99999


def test_what_is_read_again_is_the_same(tmp_path: Path) -> None:
    embeddings = stored(tmp_path, clusters())
    made = refine(tmp_path, embeddings, "neighbours")
    again = read_refined(tmp_path, embeddings, "neighbours")
    np.testing.assert_array_equal(made[:], again[:])
    queries = clusters(7, seed=5)
    np.testing.assert_array_equal(made.refine(queries), again.refine(queries))


def test_a_picture_can_be_refined_as_if_it_were_not_in_the_gallery(tmp_path: Path) -> None:
    vectors, rows = clusters(), np.array([3, 250])
    refined = refine(tmp_path, stored(tmp_path, vectors), "neighbours")
    found = refined.refine(vectors[rows], own=rows)
    np.testing.assert_allclose(found, by_hand(vectors, vectors[rows], rows), atol=2e-6)
    assert (found * refined[rows]).sum(axis=1).max() < 0.999


def test_the_others_can_be_compared_as_if_a_picture_were_not_there(tmp_path: Path) -> None:
    vectors = clusters(120)
    refined = refine(tmp_path, stored(tmp_path, vectors), "neighbours")
    centre = vectors.mean(axis=0, dtype=np.float64)  # which one picture hardly changes
    base = normalise(vectors - centre)
    for row in (0, 17, 119):
        places, rows = refined.followers(np.array([row]))
        assert (places == 0).all()
        assert row not in rows
        found = dict(zip(rows.tolist(), refined.without(rows, np.full(len(rows), row)), strict=True))
        for other in set(range(120)) - {row}:
            scores = base @ base[other]
            scores[row] = -2
            nearest = np.argsort(-scores)[:NEAREST]
            moved = base[other] + sum(max(0, scores[one]) ** POWER * base[one] for one in nearest)
            expected = moved / np.linalg.norm(moved)
            np.testing.assert_allclose(found.get(other, refined[other]), expected, atol=2e-6)


def test_other_arithmetic_does_not_give_a_picture_other_neighbours(tmp_path: Path) -> None:
    """As when a gallery that was embedded in bfloat16 is searched on a computer that has none."""
    random = np.random.default_rng(0)
    groups = normalise(random.standard_normal((20, 256)))
    vectors = normalise(np.repeat(groups, 15, axis=0) + 0.01 * random.standard_normal((300, 256)))
    refined = refine(tmp_path, stored(tmp_path, vectors), "neighbours")
    noisy = normalise(vectors + 0.0022 * random.standard_normal(vectors.shape))
    assert 0.9985 < (noisy * vectors).sum(axis=1).mean() < 0.9995
    scores = (refined.refine(noisy) * refined[:]).sum(axis=1)
    assert scores.min() > 0.998


def test_pictures_that_are_all_the_same_stay_as_they_are(tmp_path: Path) -> None:
    one = clusters(1)
    refined = refine(tmp_path, stored(tmp_path, np.repeat(one, 60, axis=0)), "neighbours")
    np.testing.assert_allclose(refined[:], np.repeat(one, 60, axis=0), atol=1e-6)
    assert refined.refine(one) @ one[0] == pytest.approx(1, abs=1e-6)


def test_files_of_another_gallery_are_refused(tmp_path: Path) -> None:
    here, there = stored(tmp_path / "here", clusters()), stored(tmp_path / "there", clusters(300))
    refine(tmp_path / "there", there, "neighbours")
    with pytest.raises(ValueError, match=r"neighbours\.npy contains another array"):
        read_refined(tmp_path / "there", here, "neighbours")
    other = stored(tmp_path / "other", clusters(dim=12))
    with pytest.raises(ValueError, match=r"centre\.npy contains another array"):
        read_refined(tmp_path / "there", other, "centred")
    with pytest.raises(OSError, match=r"centre\.npy"):
        read_refined(tmp_path / "here", here, "centred")
    with pytest.raises(ValueError, match="unknown refinement"):
        read_refined(tmp_path / "here", here, "whitened")


@pytest.mark.parametrize(
    ("count", "dim", "is_exact", "method"),
    [
        (MIN_PICTURES - 1, 1280, True, "none"),
        (MIN_PICTURES, 1280, True, "neighbours"),
        (MOST_NUMBERS // 1280, 1280, True, "neighbours"),
        (MOST_NUMBERS // 1280 + 1, 1280, True, "neighbours"),
        (1192, 1280, False, "centred"),
        (1_000_000, 2048, False, "neighbours"),
        (400_000_000, 2048, False, "centred"),
    ],
)
def test_auto_chooses_by_size_and_says_why(count: int, dim: int, is_exact: bool, method: str) -> None:
    chosen = choose_refinement("auto", count, dim, is_exact=is_exact)
    assert chosen.method == method
    assert chosen.reason.endswith(".")


@pytest.fixture(autouse=True)
def plenty_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.vectors.refinement.free_memory", lambda: 100e9)


def test_auto_moves_many_pictures_while_that_takes_less_than_a_fifth_of_embedding_them() -> None:
    effort = Effort.of(200_000, 1280)
    for embedding_s, method in ((5.1 * effort.seconds, "neighbours"), (4.9 * effort.seconds, "centred")):
        chosen = choose_refinement("auto", 200_000, 1280, is_exact=True, embedding_s=embedding_s)
        assert chosen.method == method
        assert str(effort) in chosen.reason


def test_auto_does_not_move_more_pictures_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.vectors.refinement.free_memory", lambda: 100e6)
    chosen = choose_refinement("auto", 200_000, 1280, is_exact=True, embedding_s=1e6)
    assert chosen.method == "centred"
    assert "too little memory" in chosen.reason
    assert choose_refinement("neighbours", 200_000, 1280, is_exact=False).method == "neighbours"


@pytest.mark.parametrize(
    ("effort", "text"),
    [
        (Effort(40, 4e8, 400_000), "about 40 seconds, 0.4 GB of memory and 1 MB on disk"),
        (Effort(170, 4.6e8, 4_000_000), "about 3 minutes, 0.5 GB of memory and 4 MB on disk"),
        (Effort(9000, 3e9, 2e8), "about 2.5 hours, 3.0 GB of memory and 0.2 GB on disk"),
    ],
)
def test_what_neighbours_take_is_said_in_words(effort: Effort, text: str) -> None:
    assert str(effort) == text


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SearchError, match="'whitened' is no refinement: choose from auto, none, centred, neighbours"):
        choose_refinement("whitened", 100, 8, is_exact=True)
    with pytest.raises(SearchError, match="nothing in common"):
        choose_refinement("centred", 1, 8, is_exact=True)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 60 pictures with three labels."""
    folder = tmp_path_factory.mktemp("many")
    for kind in KINDS:
        (folder / kind).mkdir()
        for seed in range(20):
            draw(kind, seed).save(folder / kind / f"{seed}.jpg")
    return folder


@pytest.fixture
def light(standin_network: None, many: Path, tmp_path: Path) -> Gallery:  # noqa: ARG001
    """A gallery of these, refined, of the stand-in for a network."""
    Gallery.build(many, tmp_path / "light", model=standin.CHOICE)
    return Gallery.open(tmp_path / "light", load=standin.load)


def test_a_gallery_is_refined_by_default_and_says_so(light: Gallery) -> None:
    assert (light.manifest.refinement, light.manifest.refinement_asked) == ("neighbours", "auto")
    assert light.manifest.refinement_reason
    np.testing.assert_allclose(light.vectors[:], by_hand(light.embeddings[:]), atol=1e-5)
    assert {"centre.npy", "neighbours.npy"} < set(light.manifest.files)


def test_every_picture_of_a_refined_gallery_finds_itself_first(light: Gallery) -> None:
    for item in light.items:
        best = light.search(item.path, 1)[0]
        assert best.item.id == item.id
        assert best.score == pytest.approx(1, abs=1e-4)


def test_a_refined_gallery_stays_what_its_pictures_make_it(light: Gallery, many: Path, tmp_path: Path) -> None:
    fewer = light.remove(labels=["rings"])
    assert fewer.manifest.refinement == "none"
    assert len(fewer) < MIN_PICTURES
    again = fewer.add(many)
    assert again.manifest.refinement == "neighbours"
    anew = Gallery.build(many, tmp_path / "anew", model=standin.CHOICE)
    order = [anew.items.find(item.sha256) for item in again.items]
    np.testing.assert_allclose(again.vectors[:], anew.vectors[order], atol=1e-5)


def test_a_rebuild_takes_another_refinement_and_keeps_the_embeddings(light: Gallery) -> None:
    before = light.embeddings[:]
    plain = light.rebuild(refinement="none")
    assert plain.manifest.refinement == "none"
    np.testing.assert_array_equal(plain.vectors[:], before)
    centred = plain.rebuild(refinement="centred").rebuild("flat-sq8")
    assert (centred.manifest.refinement, centred.manifest.recipe) == ("centred", "flat-sq8")
    np.testing.assert_array_equal(centred.embeddings[:], before)
    vector = centred.vectors[7]
    assert centred.search_vector(vector, 1)[0].score == pytest.approx(1, abs=1e-5)
    with pytest.raises(SearchError, match="is no refinement"):
        centred.rebuild(refinement="better")
    assert Gallery.open(centred.directory).manifest.generation == centred.manifest.generation


def test_what_was_asked_for_gives_way_where_a_change_makes_it_impossible(light: Gallery) -> None:
    asked = light.rebuild(refinement="centred")
    left = asked.remove(ids=[item.id for item in asked.items[1:]])
    assert len(left) == 1
    assert (left.manifest.refinement, left.manifest.refinement_asked) == ("none", "centred")


def test_a_gallery_of_an_older_version_stays_unrefined_until_it_is_asked_for(light: Gallery, many: Path) -> None:
    plain = light.rebuild(refinement="none")
    manifest = plain.directory / "generations" / "000002" / "manifest.json"
    old = json.loads(manifest.read_text())
    for name in ("refinement", "refinement_asked", "refinement_reason"):
        del old[name]
    first = plain.directory / "generations" / "000001"
    shutil.rmtree(first)
    manifest.parent.rename(first)
    first.joinpath("manifest.json").write_text(json.dumps(old | {"format": 3, "generation": 1}))
    change_manifest(plain)
    opened = Gallery.open(plain.directory, load=standin.load)
    assert (opened.manifest.refinement, opened.manifest.refinement_asked) == ("none", "none")
    draw("dots", 99).save(many / "dots" / "99.jpg")
    try:
        added = opened.add(many)
    finally:
        (many / "dots" / "99.jpg").unlink()
    assert (len(added), added.manifest.refinement) == (61, "none")
    assert added.rebuild(refinement="auto").manifest.refinement == "neighbours"


def test_leave_one_out_knows_nothing_of_the_query(light: Gallery) -> None:
    """Against galleries that never had it."""
    found = evaluate(light)
    centre, base = light.embeddings[:].mean(axis=0, dtype=np.float64), light.embeddings[:]
    labels = np.array([item.label for item in light.items])
    for row in range(0, len(light), 7):
        kept = np.setdiff1d(np.arange(len(light)), [row])
        centred = normalise(base - centre)
        others, query = centred[kept], centred[row]
        nearest = others @ others.T
        moved = normalise(np.array([_moved(one, others, nearest[place]) for place, one in enumerate(others)]))
        asked = _moved(query, others, others @ query)
        right = labels[kept][np.argsort(-(moved @ asked), kind="stable")] == labels[row]
        among = right.sum()
        precision = right.cumsum() / np.arange(1, len(kept) + 1)
        assert found.outcomes.average_precision[row] == pytest.approx((precision * right)[:among].sum() / among)


def _moved(one: Vectors, others: Vectors, scores: Vectors) -> Vectors:
    nearest = np.argsort(-scores)[:NEAREST]
    moved: Vectors = one + (np.maximum(scores[nearest], 0)[:, np.newaxis] ** POWER * others[nearest]).sum(axis=0)
    return moved


@pytest.mark.parametrize("name", ["centre.npy", "neighbours.npy"])
def test_a_damaged_file_of_the_refinement_is_found(light: Gallery, name: str) -> None:
    path = light.directory / "generations" / "000001" / name
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(GalleryDamagedError, match=name):
        Gallery.open(light.directory)


def test_near_identical_pictures_are_proven_copies_whatever_their_refined_vectors(light: Gallery, many: Path) -> None:
    copy = many / "dots" / "copy.jpg"
    try:
        read_image(many / "dots" / "3.jpg").save(copy, quality=60)
        added = light.add(many)
    finally:
        copy.unlink(missing_ok=True)
    item = next(item for item in added.items if item.path.endswith("dots/3.jpg"))
    near = added.near_identical(item.id, 24)
    assert [hit.item.path for hit in near] == [str(copy)]


@pytest.mark.exhaustive
def test_an_approximate_gallery_keeps_its_centre_as_it_grows(standin_network: None, tmp_path: Path) -> None:  # noqa: ARG001
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(90):
        draw(KINDS[seed % 3], seed).save(folder / f"{seed}.jpg")
    gallery = Gallery.build(folder, tmp_path / "lists", model=standin.CHOICE, recipe="IVF2,SQ8")
    assert gallery.manifest.refinement == "centred"
    centre = gallery.vectors.centre
    draw("dots", 999).save(folder / "new.jpg")
    grown = Gallery.open(gallery.directory, load=standin.load).add(folder)
    np.testing.assert_array_equal(grown.vectors.centre, centre)
    assert len(grown.vectors) == 91
    anew = grown.rebuild()
    assert (anew.vectors.centre != centre).any()
    assert grown.rebuild(refinement="neighbours").manifest.refinement == "neighbours"


def test_what_was_learned_of_labels_is_compared_as_it_is_unless_something_else_is_asked_for() -> None:
    assert choose_refinement("auto", 1_000, 256, is_exact=True, knows_labels=True).method == "none"
    assert choose_refinement("neighbours", 1_000, 256, is_exact=True, knows_labels=True).method == "neighbours"
