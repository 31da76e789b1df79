"""Indexes: the reference, the fast exact one and the approximate one, against comparing with every vector."""

import itertools
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest

from similarity.bench.synthetic import World
from similarity.errors import SearchError
from similarity.search import Selection, VectorIndex, build_index, load_index, updated_index
from similarity.search.faiss.batching import Batcher
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss.scan import ScanIndex
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.memmap import StoredVectors, write_vectors

EXACT = ("flat", "flat-sq8")
INVERTED = "PCA32,IVF64,SQ8"
RECIPES = (*EXACT, INVERTED)
COUNT, DIM = 6_000, 96
Store = Callable[[Vectors], StoredVectors]


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    world = World(DIM)
    return np.concatenate([world.block(1_000, number) for number in range(1, COUNT // 1_000 + 1)])


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return World(DIM).block(100, 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Puts vectors on the disk."""

    def stored(vectors: Vectors, kind: str = "float32") -> StoredVectors:
        path = tmp_path_factory.mktemp("stored") / "embeddings.npy"
        write_vectors(path, vectors.shape, [vectors] if len(vectors) else [], kind)  # type: ignore[arg-type]
        return StoredVectors(path)

    return stored


@pytest.fixture(scope="module")
def made(vectors: Vectors, store: Store) -> dict[str, VectorIndex]:
    """An index of each recipe with the same vectors."""
    return {recipe: build_index(recipe, store(vectors)) for recipe in RECIPES}


@pytest.fixture
def with_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are made with heads, also of few vectors that are not mostly in few directions; in parts of 1,000."""
    for name, value in (("LEAST", 1), ("LONGEST", 0.5), ("LARGE", 1), ("NEAR", 0.7)):
        monkeypatch.setattr(f"similarity.search.faiss.head.{name}", value)
    monkeypatch.setattr("similarity.search.faiss.codes.PART", 1_000 * 32)


def nearest(queries: Vectors, vectors: Vectors, k: int) -> np.ndarray:
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]


def assert_same(found: tuple[Vectors, np.ndarray], expected: np.ndarray, queries: Vectors, vectors: Vectors) -> None:
    """Rows are the expected ones, but for scores that differ only in their last digits."""
    scores, rows = found
    products = queries @ vectors.T
    np.testing.assert_allclose(scores, np.take_along_axis(products, expected, 1), atol=1e-6)
    np.testing.assert_allclose(scores, np.take_along_axis(products, rows, 1), atol=1e-6)
    assert all(len(set(row)) == len(row) for row in rows)
    assert (rows == expected).mean() > 0.98


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([len(set(mine) & set(exact)) / len(exact) for mine, exact in zip(found, truth, strict=True)]))


@pytest.mark.many
@pytest.mark.parametrize("recipe", EXACT)
@pytest.mark.parametrize("k", [1, 10, 300])
def test_an_exact_index_finds_what_comparing_with_every_vector_finds(
    made: dict[str, VectorIndex], recipe: str, k: int, vectors: Vectors, queries: Vectors
) -> None:
    scores, rows = made[recipe].search(queries, k)
    expected = nearest(queries, vectors, k)
    assert_same((scores, rows), expected, queries, vectors)
    for number in range(20):
        one = queries[number : number + 1]
        assert_same(made[recipe].search(one, k), expected[number : number + 1], one, vectors)


def test_the_fast_exact_index_is_exact_where_pictures_differ_by_less_than_its_codes_can_say(store: Store) -> None:
    random = np.random.default_rng(0)
    one = normalise(random.random((1, DIM)))
    alike = normalise(one + 1e-4 * random.standard_normal((5_000, DIM)).astype(np.float32))
    index = build_index("flat-sq8", store(alike))
    queries = normalise(one + 1e-4 * random.standard_normal((20, DIM)).astype(np.float32))
    truth = np.sort(queries.astype(np.float64) @ alike.astype(np.float64).T, axis=1)[:, ::-1][:, :10]
    np.testing.assert_allclose(index.search(queries, 10)[0], truth, atol=1e-6)


def test_the_fast_exact_index_is_exact_when_all_that_is_similar_lies_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder of one product: more than the shortlist of a part."""
    monkeypatch.setattr("similarity.search.faiss.codes.PART", 1 << 16)
    random = np.random.default_rng(1)
    far = normalise(random.standard_normal((10_000, DIM)))
    close = normalise(far[0] + 0.05 * random.standard_normal((2_000, DIM)))
    together = np.concatenate([far, close])
    index = build_index("flat-sq8", store(together))
    assert isinstance(index, ScanIndex)
    assert len(index._whole.parts) > 1
    assert_same(index.search(far[:1], 500), nearest(far[:1], together, 500), far[:1], together)


def test_many_queries_at_once_find_what_each_finds_alone(
    store: Store, vectors: Vectors, queries: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many are multiplied as matrices, some hundreds at a time; near duplicates are closer than codes can say."""
    monkeypatch.setattr("similarity.search.faiss.codes.PART", 1 << 16)
    monkeypatch.setattr("similarity.search.faiss.scan.AT_ONCE", 64)
    random = np.random.default_rng(3)
    alike = normalise(queries[0] + 1e-4 * random.standard_normal((900, DIM)).astype(np.float32))
    index = build_index("flat-sq8", store(np.concatenate([vectors, alike, alike[:5]])))
    scores, rows = index.search(queries, 10)
    for number, query in enumerate(queries):
        alone = index.search(query[np.newaxis], 10)
        assert (rows[number].tolist(), scores[number].tolist()) == (alone[1][0].tolist(), alone[0][0].tolist())


@pytest.mark.parametrize("dim", [2, 17, 100])
def test_the_fast_exact_index_is_exact_in_any_dimension(dim: int, store: Store) -> None:
    random = np.random.default_rng(dim)
    vectors, queries = (normalise(random.standard_normal((count, dim))) for count in (2_000, 20))
    vectors[5] = 0
    index = build_index("flat-sq8", store(vectors))
    assert_same(index.search(queries, 10), nearest(queries, vectors, 10), queries, vectors)


@pytest.mark.usefixtures("with_heads")
@pytest.mark.parametrize("k", [1, 10, 2_000])
def test_an_index_with_heads_finds_the_same_as_one_without(
    vectors: Vectors, queries: Vectors, store: Store, k: int
) -> None:
    """Also for queries that are unlike all vectors, near to hundreds of them, and many at once."""
    random = np.random.default_rng(4)
    alike = normalise(vectors[:1] + 2e-2 * random.standard_normal((1_500, DIM)).astype(np.float32))
    strangers = normalise(random.standard_normal((20, DIM)).astype(np.float32))
    asked = np.concatenate([queries[:30], strangers, alike[:3]])
    both = store(np.concatenate([vectors, alike]))
    index = build_index("flat-sq8", both)
    assert isinstance(index, ScanIndex)
    assert index._head is not None
    expected = nearest(asked, both[:], k)
    assert_same(index.search(asked, k), expected, asked, both[:])
    for number, query in enumerate(asked):
        scores, rows = index.search(query[np.newaxis], k)
        assert_same((scores, rows), expected[number : number + 1], query[np.newaxis], both[:])


@pytest.mark.usefixtures("with_heads")
def test_heads_rule_out_most_vectors_for_a_query_that_is_like_them(
    vectors: Vectors, queries: Vectors, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = build_index("flat-sq8", store(vectors))
    assert isinstance(index, ScanIndex)
    monkeypatch.setattr(index._whole, "scan", lambda *_: pytest.fail("whole codes were scanned"))
    near = normalise(vectors[:50] + 0.02 * queries[:50])
    expected = nearest(near, vectors, 1)
    assert_same(index.search(near, 1), expected, near, vectors)


@pytest.mark.usefixtures("with_heads")
def test_an_index_with_heads_is_read_again_and_by_faiss_itself(
    vectors: Vectors, queries: Vectors, store: Store, tmp_path: Path
) -> None:
    stored, path = store(vectors), tmp_path / "index.faiss"
    index = build_index("flat-sq8", stored)
    index.save(path)
    read = load_index("flat-sq8", path, index.facts, stored)
    assert isinstance(read, ScanIndex)
    assert read._head is not None
    for found, expected in zip(read.search(queries, 10), index.search(queries, 10), strict=True):
        assert (found == expected).all()
    plain = faiss.read_index(str(path))
    plain.k_factor = 20
    assert recall(plain.search(queries, 10)[1], nearest(queries, vectors, 10)) > 0.9


def test_vectors_without_a_direction_of_their_own_have_no_heads(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.search.faiss.head.LEAST", 1)
    anywhere = normalise(np.random.default_rng(5).standard_normal((2_000, 256)).astype(np.float32))
    assert "head" not in build_index("flat-sq8", store(anywhere)).facts
    few = normalise(anywhere[:, :40] @ anywhere[:40])
    assert "head" in build_index("flat-sq8", store(few)).facts


def test_the_margin_is_never_less_than_the_error(made: dict[str, VectorIndex], vectors: Vectors) -> None:
    index = made["flat-sq8"]
    assert isinstance(index, ScanIndex)
    hostile = normalise(np.random.default_rng(2).standard_normal((50, DIM)) ** 5)
    for query in hostile:
        scanned = index._scan(query[np.newaxis], COUNT)[0]
        scores, rows = scanned.join()
        assert len(rows) == COUNT
        assert np.abs(scores - vectors[rows] @ query).max() <= scanned.margin


def test_an_approximate_index_finds_as_much_as_it_says(
    made: dict[str, VectorIndex], vectors: Vectors, queries: Vectors
) -> None:
    index, truth = made[INVERTED], nearest(queries, vectors, 10)
    reached = {level: recall(index.search(queries, 10, accuracy=level)[1], truth) for level in ("fast", "high")}
    assert reached["fast"] <= reached["high"]
    assert reached["high"] >= 0.98
    for level, found in reached.items():
        assert found == pytest.approx(index.facts["recall@10"][level], abs=0.04)
    scores, rows = index.search(queries, 10)
    exact = np.take_along_axis(queries @ vectors.T, rows, 1)
    np.testing.assert_allclose(scores, exact, atol=1e-5)
    assert (np.diff(scores) <= 0).all()


@pytest.mark.many
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.9])
def test_under_a_condition_an_index_finds_what_a_brute_force_filter_finds(
    made: dict[str, VectorIndex],
    recipe: str,
    share: float,
    vectors: Vectors,
    queries: Vectors,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, rows_in_it in (("EXACT", 20), ("APART", 500), ("OF_THEIR_OWN", 3_000)):
        monkeypatch.setattr(f"similarity.search.faiss.filtered.{name}", rows_in_it)  # so that each way has its turn
    rows = np.flatnonzero(np.random.default_rng(3).random(COUNT) < share)
    truth = rows[nearest(queries, vectors[rows], 10)]
    selection = Selection(rows)
    for _ in range(2):  # prepared, and prepared already
        found = made[recipe].search(queries, 10, among=selection, accuracy="high")[1]
        assert found.shape == truth.shape
        if recipe in EXACT:
            assert (found == truth).all()
        else:
            assert recall(found, truth) >= 0.98


@pytest.mark.parametrize("excluded", [[3, 1], np.array([3, 1])])
def test_excluded_rows_may_be_given_by_their_older_name(excluded: Collection[int]) -> None:
    rows, where = np.arange(5), {"label": ["dots"]}
    for selection in (Selection(rows, where, excluded), Selection(rows, where, but=excluded)):
        assert selection.excluded.tolist() == selection.but.tolist() == [3, 1]
        assert selection.excluded.dtype == np.int64
    assert Selection(rows).excluded.shape == (0,)


@pytest.mark.parametrize("recipe", RECIPES)
def test_all_that_meet_a_condition_come_back_however_far_they_are(
    made: dict[str, VectorIndex], recipe: str, vectors: Vectors, queries: Vectors
) -> None:
    farthest = np.argsort(queries[0] @ vectors.T)[:800]
    for count in (3, 40, 800):
        scores, rows = made[recipe].search(queries[:1], 1_000, among=Selection(farthest[:count]))
        assert sorted(rows[0]) == sorted(farthest[:count])
        assert (np.diff(scores[0]) <= 0).all()
    assert made[recipe].search(queries[:1], 5, among=Selection(np.array([], np.int64)))[1].shape == (1, 0)


@pytest.mark.parametrize("recipe", RECIPES)
def test_sixteen_threads_get_the_answers_of_one(made: dict[str, VectorIndex], recipe: str, queries: Vectors) -> None:
    alone = [made[recipe].search(query[np.newaxis], 10) for query in queries]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda query: made[recipe].search(query[np.newaxis], 10), queries))
    for (scores, rows), (mine, found) in zip(alone, together, strict=True):
        assert (rows == found).all()
        np.testing.assert_allclose(scores, mine, atol=1e-6)


@pytest.mark.parametrize("recipe", RECIPES)
def test_asking_for_more_than_there_is_gives_all(made: dict[str, VectorIndex], recipe: str, queries: Vectors) -> None:
    scores, rows = made[recipe].search(queries[:1], COUNT + 5)
    assert sorted(rows[0]) == list(range(COUNT))
    assert (np.diff(scores[0]) <= 0).all()


@pytest.mark.parametrize("recipe", EXACT)
def test_an_empty_index_has_no_results_and_one_of_a_single_vector_has_one(recipe: str, store: Store) -> None:
    empty = build_index(recipe, store(np.empty((0, 64), np.float32)))
    scores, rows = empty.search(np.ones((2, 64), np.float32), 5)
    assert scores.shape == rows.shape == (2, 0)
    one = normalise(np.ones((1, 64)))
    scores, rows = build_index(recipe, store(one)).search(one, 5)
    assert rows.tolist() == [[0]]
    assert scores[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_saved_index_gives_the_same_answers(
    made: dict[str, VectorIndex], recipe: str, vectors: Vectors, queries: Vectors, store: Store, tmp_path: Path
) -> None:
    stored = store(vectors)
    made[recipe].save(tmp_path / "index.faiss")
    loaded = load_index(recipe, tmp_path / "index.faiss", made[recipe].facts, stored)
    assert (len(loaded), loaded.dim, loaded.facts) == (COUNT, DIM, made[recipe].facts)
    for mine, theirs in zip(made[recipe].search(queries, 5), loaded.search(queries, 5), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_file_that_is_no_index_or_another_one_is_an_error(
    made: dict[str, VectorIndex], recipe: str, vectors: Vectors, store: Store, tmp_path: Path
) -> None:
    stored, path = store(vectors[:-1]), tmp_path / "index.faiss"
    path.write_bytes(b"no index")
    with pytest.raises(ValueError, match="not an index that FAISS can read"):
        load_index(recipe, path, made[recipe].facts, stored)
    for other in RECIPES:
        made[other].save(path)
        with pytest.raises((ValueError, LookupError)):
            load_index(recipe, path, made[other].facts, stored)


@pytest.mark.parametrize("recipe", RECIPES)
def test_searches_that_make_no_sense_are_errors(made: dict[str, VectorIndex], recipe: str) -> None:
    index = made[recipe]
    for query, k, said in (
        (np.ones((1, DIM)), 0, "at least 1"),
        (np.ones((1, DIM // 2)), 1, "takes"),
        (np.ones(DIM), 1, "takes"),
        (np.full((1, DIM), np.nan), 1, "not finite"),
        (np.full((1, DIM), np.inf), 1, "not finite"),
        (np.zeros((1, DIM)), 1, "no direction"),
    ):
        with pytest.raises(SearchError, match=said):
            index.search(query.astype(np.float32), k)
    with pytest.raises(SearchError, match="rows are not in this index"):
        index.search(np.ones((1, DIM), np.float32), 1, among=Selection(np.array([COUNT])))


def test_an_approximate_index_goes_on_when_pictures_come_and_go(
    made: dict[str, VectorIndex], vectors: Vectors, queries: Vectors, store: Store
) -> None:
    before = made[INVERTED]
    answers = before.search(queries, 10)[1]
    kept = np.flatnonzero(np.random.default_rng(4).random(COUNT) < 0.8)[::-1]  # in another order, too
    new = World(DIM).block(900, 99)
    now = np.concatenate([vectors[kept], new])
    origins = np.concatenate([kept, np.full(len(new), -1)])
    after = updated_index(before, INVERTED, store(now, "float16"), origins)
    assert isinstance(after, InvertedIndex)
    assert len(after) == len(now)
    assert after.facts["changed"] == 900 + COUNT - len(kept)
    assert recall(after.search(queries, 10, accuracy="high")[1], nearest(queries, now, 10)) >= 0.98
    assert sorted(after.search(queries[:1], len(now))[1][0]) == list(range(len(now))), "each once"
    assert (before.search(queries, 10)[1] == answers).all(), "the one before stays as it is"


def test_an_index_that_has_drifted_says_so_and_one_made_anew_does_not(vectors: Vectors, store: Store) -> None:
    few = build_index("IVF16,SQ8", store(vectors[:700]))
    assert isinstance(few, InvertedIndex)
    assert few.drift == ""
    origins = np.concatenate([np.arange(700), np.full(COUNT - 700, -1)])
    many = updated_index(few, "IVF16,SQ8", store(vectors), origins)
    assert isinstance(many, InvertedIndex)
    assert "learned from 700 pictures, and it has 6,000 now" in many.drift
    anew = build_index("IVF16,SQ8", store(vectors))
    assert isinstance(anew, InvertedIndex)
    assert anew.drift == ""


def test_queries_that_wait_are_answered_together_and_each_hears_of_an_error() -> None:
    asked: list[int] = []
    go = threading.Event()

    class Turn:
        """The batcher's lock, which nobody gets off before all nine have come to it."""

        def __init__(self) -> None:
            self._lock, self._numbers = threading.Lock(), itertools.count(1)

        def __enter__(self) -> None:
            if next(self._numbers) == 9:
                go.set()
            self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._lock.release()

    def ask(queries: Vectors, k: int) -> list[tuple[float, int]]:
        assert go.wait(60)  # the others come meanwhile
        asked.append(len(queries))
        if (queries < 0).any():
            raise SearchError("no")
        return [(float(query[0]), k) for query in queries]

    batcher: Batcher[tuple[float, int]] = Batcher()
    batcher._turn = Turn()  # type: ignore[assignment]
    with ThreadPoolExecutor(9) as pool:
        tasks = [pool.submit(batcher, np.array([[float(n)]], np.float32), n + 1, ask) for n in range(9)]
        assert [task.result()[0] for task in tasks] == list(range(9))
    assert sum(asked) == 9
    assert len(asked) <= 2
    with pytest.raises(SearchError, match="no"):
        batcher(np.array([[-1.0]], np.float32), 1, ask)


@pytest.mark.parametrize("recipe", EXACT)
def test_of_equal_scores_the_first_row_comes_first_on_every_page(recipe: str, store: Store) -> None:
    vectors = np.repeat(World(DIM).block(5, 0), 40, axis=0)
    index = build_index(recipe, store(vectors))
    whole = index.search(vectors[:1], 200)[1][0].tolist()
    assert whole[:40] == list(range(40))
    for k in (1, 7, 30, 45, 100):
        assert index.search(vectors[:1], k)[1][0].tolist() == whole[:k]
    some = Selection(np.arange(0, 200, 3))
    assert index.search(vectors[:1], 5, among=some)[1][0].tolist() == [0, 3, 6, 9, 12]


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_queries_have_no_answers_and_numbers_that_are_too_large_are_an_error(
    made: dict[str, VectorIndex], recipe: str
) -> None:
    assert made[recipe].search(np.empty((0, DIM), np.float32), 3)[1].shape == (0, 3)
    with pytest.raises(SearchError, match="not finite"):
        made[recipe].search(np.full((1, DIM), 1e300), 3)


@pytest.mark.many
@pytest.mark.parametrize(
    "recipe",
    [
        "IVF8,Flat",
        "IVF8,SQ4",
        "PCA32,IVF8,SQfp16",
        "IVF8,SQ6",
        # 256 words are learned of each block, which takes its time, and a rotation even more: by default of one block.
        "IVF4,PQ1",
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("OPQ8_32,IVF8,PQ8", "IVF8,PQ16")),
    ],
)
def test_every_kind_of_lists_that_is_let_through_is_made_changed_and_read_again(
    recipe: str, vectors: Vectors, queries: Vectors, store: Store, tmp_path: Path
) -> None:
    some = vectors[:1_000]
    index = build_index(recipe, store(some, "float16"))
    kept = np.arange(100, 1_000)
    stored = store(some[kept], "float16")
    after = updated_index(index, recipe, stored, kept)
    after.save(tmp_path / "index.faiss")
    read = load_index(recipe, tmp_path / "index.faiss", after.facts, stored)
    found = read.search(queries, 10, accuracy="high")[1]
    assert recall(found, nearest(queries, some[kept], 10)) > 0.9
    among = Selection(np.arange(0, 900, 2))
    assert read.search(queries[:3], 900, among=among)[1].shape == (3, 450)
