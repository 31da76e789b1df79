"""Metrics against another library and against cases done by hand; evaluations against comparing all with all."""

import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import standin
from commands import Run

from similarity import Gallery
from similarity.errors import SearchError
from similarity.evaluation import Evaluation, evaluate, metrics, passes
from similarity.evaluation.aggregates import METRICS, per_query
from similarity.evaluation.ranking import Outcomes, Task, pack, rank_all, unpack
from similarity.evaluation.significance import bootstrap
from similarity.progress import Progress
from similarity.sources import open_source
from similarity.sources.originals import read_original
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refinement import refine

Store = Callable[[Vectors], StoredVectors]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Writes vectors into a file as a gallery has it."""

    def write(vectors: Vectors) -> StoredVectors:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
        write_vectors(path, vectors.shape, [vectors])
        return StoredVectors(path)

    return write


def some_world(seed: int, count: int, dim: int = 8, noise: float = 0.8) -> tuple[Vectors, np.ndarray]:  # type: ignore[type-arg]
    """Vectors around a centre for each label, and labels of unequal sizes."""
    random = np.random.default_rng(seed)
    labels = np.sort(random.geometric(0.12, count)).astype(np.int32)
    centres = random.standard_normal((labels.max() + 1, dim))
    return normalise(centres[labels] + noise * random.standard_normal((count, dim))), labels


def leave_one_out(stored: StoredVectors, labels: np.ndarray, **options: int) -> tuple[Outcomes, Task]:  # type: ignore[type-arg]
    """All rows that have a right answer as queries."""
    counts = np.bincount(labels[labels >= 0], minlength=labels.max() + 1)
    relevant = np.where(labels >= 0, counts[labels] - 1, 0)
    rows = np.flatnonzero(relevant > 0)
    task = Task(labels, labels[rows], rows, relevant[rows].astype(np.int32))
    return rank_all(stored, lambda numbers: stored[rows[numbers]], task, **options), task


def test_metrics_are_those_of_pytorch_metric_learning(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # The library imports this, which would change FAISS for all tests that come after in this process.
    monkeypatch.setitem(sys.modules, "faiss.contrib.torch_utils", ModuleType("faiss.contrib.torch_utils"))
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    vectors, labels = some_world(3, 700)
    outcomes, task = leave_one_out(store(vectors), labels)
    asked, known = torch.from_numpy(vectors[task.own]), torch.from_numpy(vectors)
    distances = torch.cdist(asked.double(), known.double())
    distances[torch.arange(len(asked)), torch.from_numpy(task.own)] = torch.inf
    order = distances.argsort(dim=1, stable=True)[:, :-1]
    calculator = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        k=len(vectors) - 1,
        knn_func=lambda *_: (distances, order),
    )
    given = torch.from_numpy(labels)
    theirs = calculator.get_accuracy(asked, given[task.own], known, given, ref_includes_query=True)
    ours = {name: per_query(outcomes, name).mean() for name in METRICS}
    assert ours["precision@1"] == pytest.approx(theirs["precision_at_1"], abs=1e-9)
    assert ours["r_precision"] == pytest.approx(theirs["r_precision"], abs=1e-6)
    assert ours["map@r"] == pytest.approx(theirs["mean_average_precision_at_r"], abs=1e-6)
    assert 0.2 < ours["map@r"] < 0.9


def test_ndcg_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    random = np.random.default_rng(0)
    right = random.random((50, 60)) < 0.2
    relevant = np.maximum(right.sum(axis=1), 1)  # all right ones are within the ranking here
    falling = np.broadcast_to(np.arange(60, 0, -1), right.shape)
    expected = [ndcg_score([one], [scores], k=10) for one, scores in zip(right, falling, strict=True)]
    assert metrics.ndcg_at(right, relevant) == pytest.approx(expected)


def test_metrics_of_a_ranking_done_by_hand() -> None:
    right = np.array([[True, False, True, False], [False, False, False, True]])
    relevant = np.array([2, 3])
    assert metrics.first_right(right).tolist() == [1, 4]
    assert metrics.precision_at(right, 2).tolist() == [0.5, 0]
    assert metrics.precision_at(right, 10).tolist() == [0.2, 0.1]  # divided by 10, though there are only four
    assert metrics.r_precision(right, relevant).tolist() == [0.5, 0]
    assert metrics.average_precision_at_r(right, relevant).tolist() == [0.5, 0]
    assert metrics.average_precision_at_r(right, np.array([3, 3])) == pytest.approx([(1 + 2 / 3) / 3, 0])
    best = 1 + 1 / np.log2(3)
    assert metrics.ndcg_at(right, relevant) == pytest.approx([(1 + 1 / 2) / best, (1 / np.log2(5)) / (best + 1 / 2)])
    assert metrics.recall_at(np.array([1, 4]), 3).tolist() == [1, 0]
    assert metrics.first_right(np.zeros((1, 3), bool)).tolist() == [metrics.NEVER]


def test_equal_scores_are_ordered_by_row(store: Store) -> None:
    vectors = np.array([[0, 1], [1, 0], [0, 1], [1, 0], [0, -1]], np.float32)
    outcomes, _ = leave_one_out(store(vectors), np.array([0, 1, 1, 0, 1], np.int32))
    assert outcomes.rows[0, :4].tolist() == [2, 1, 3, 4]
    assert outcomes.rows[4, :4].tolist() == [1, 3, 0, 2]
    assert outcomes.scores[0, :4].tolist() == [1, 0, 0, -1]
    assert outcomes.rows[0, 4:].tolist() == [-1] * 6
    assert np.isnan(outcomes.scores[0, 4:]).all()
    assert outcomes.first_right.tolist() == [3, 3, 2, 2, 1]


def test_packed_scores_are_sorted_as_scores_are_and_come_back() -> None:
    scores = np.array([[0.5, -0.0, 0.0, -1.0, 1.0, -np.inf, 0.5, -0.25]], np.float32)
    back, rows = unpack(np.sort(pack(scores)))
    assert rows[0].tolist() == [4, 0, 6, 1, 2, 7, 3, 5]
    assert back[0].tolist() == [1, 0.5, 0.5, 0, 0, -0.25, -1, -np.inf]


def brute_force(vectors: Vectors, labels: np.ndarray, task: Task) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """The metrics of every query by sorting everything, in plain Python."""
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    first = []
    for own, relevant in zip(task.own, task.relevant, strict=True):
        scores = vectors @ vectors[own]
        order = [row for row in sorted(range(len(vectors)), key=lambda row: (-scores[row], row)) if row != own]
        right = [bool(labels[row] == labels[own]) for row in order]
        first.append(right.index(True) + 1)
        for k in (1, 5, 10, 100):
            found[f"recall@{k}"].append(any(right[:k]))
        for k in (1, 5, 10):
            found[f"precision@{k}"].append(sum(right[:k]) / k)
        found["r_precision"].append(sum(right[:relevant]) / relevant)
        precisions = [sum(right[: i + 1]) / (i + 1) for i in range(relevant) if right[i]]
        found["map@r"].append(sum(precisions) / relevant)
        ideal = sum(1 / np.log2(i + 2) for i in range(min(10, relevant)))
        found["ndcg@10"].append(sum(1 / np.log2(i + 2) for i in range(10) if right[i]) / ideal)
    return {name: np.array(values, float) for name, values in found.items()} | {"first": np.array(first)}


@pytest.mark.parametrize(("count", "labelled"), [(300, True), (240, False)])
def test_leave_one_out_is_what_sorting_everything_gives(store: Store, count: int, labelled: bool) -> None:
    vectors, labels = some_world(5, count, noise=3.0)
    if not labelled:
        labels[::3] = -1
    outcomes, task = leave_one_out(store(vectors), labels)
    expected = brute_force(vectors, labels, task)
    for name in METRICS:
        assert per_query(outcomes, name) == pytest.approx(expected[name]), name
    assert outcomes.first_right.tolist() == expected["first"].tolist()
    assert outcomes.first_right.max() > 100, "beyond what is sorted"


@pytest.mark.parametrize("matrix", [1, 2_000, 33_333])
def test_blocks_of_another_size_give_the_same(store: Store, matrix: int) -> None:
    vectors, labels = some_world(7, 400)
    stored = store(vectors)
    (one, _), (other, _) = leave_one_out(stored, labels), leave_one_out(stored, labels, matrix=matrix)
    for name in METRICS:
        # Up to the order in which a sum is added up.
        assert per_query(one, name) == pytest.approx(per_query(other, name), abs=1e-12)
    assert one.rows.tolist() == other.rows.tolist()


def test_a_large_gallery_is_read_again_for_every_block_with_the_same_outcome(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, labels = some_world(9, 300)
    stored = store(vectors)
    held, _ = leave_one_out(stored, labels)
    monkeypatch.setattr(passes, "MAX_IN_MEMORY", 0)
    read, _ = leave_one_out(stored, labels, matrix=10_000)
    assert read.rows.tolist() == held.rows.tolist()


@pytest.mark.parametrize("case", ["written out", "no space", "the disk fills up", "interrupted"])
def test_moved_vectors_of_a_large_gallery_are_computed_once_and_leave_no_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    vectors, labels = some_world(9, 300)
    (tmp_path / "refined").mkdir()
    moved = refine(tmp_path / "refined", store(vectors), "neighbours")
    held, _ = leave_one_out(moved, labels)
    monkeypatch.setenv("SIMILARITY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(passes, "MAX_IN_MEMORY", 0)
    read: list[int] = []
    blocks, temporary = type(moved).blocks, passes.TemporaryFile

    def counted(self: StoredVectors, size: int = 4096) -> Iterator[tuple[int, Vectors]]:
        read.append(size)
        return blocks(self, size)

    @contextmanager
    def broken(**options: Any) -> Iterator[Mock]:
        with temporary(**options):
            yield Mock(write=Mock(side_effect=KeyboardInterrupt if case == "interrupted" else OSError("It is full.")))

    monkeypatch.setattr(type(moved), "blocks", counted)
    if case == "no space":
        monkeypatch.setattr(passes, "SPARE", 1 << 60)
    if case in ("the disk fills up", "interrupted"):
        monkeypatch.setattr(passes, "TemporaryFile", broken)
    if case == "interrupted":
        with pytest.raises(KeyboardInterrupt):
            leave_one_out(moved, labels, matrix=1_000)
    else:
        found, _ = leave_one_out(moved, labels, matrix=1_000)
        assert found.rows.tolist() == held.rows.tolist()
        assert (len(read) == 1) == (case == "written out")
    assert not list((tmp_path / "home" / "cache").iterdir())


def test_memory_is_bounded_by_a_block_and_not_by_all_pairs(store: Store) -> None:
    count = 20_000
    random = np.random.default_rng(0)
    stored = store(normalise(random.standard_normal((count, 4))))
    labels = np.repeat(np.arange(count // 5, dtype=np.int32), 5)
    rows = np.arange(count)[:600]
    task = Task(labels, labels[rows], rows, np.full(len(rows), 4, np.int32))
    tracemalloc.start()
    rank_all(stored, lambda numbers: stored[rows[numbers]], task, matrix=1 << 19)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * (1 << 19), "four times the packed scores of a block"
    assert peak < 8 * len(rows) * count / 5, "of all pairs"


def test_the_interval_covers_the_mean_as_often_as_it_says_and_is_the_same_for_the_same_seed() -> None:
    random = np.random.default_rng(1)
    covered = 0
    for number in range(200):
        values = (random.random((1, 150)) < 0.7).astype(float)
        low, high = bootstrap(values, seed=number, resamples=300)[0]
        covered += low <= 0.7 <= high
    assert 0.89 <= covered / 200 <= 0.99
    values = random.random((3, 80))
    assert bootstrap(values, seed=4).tolist() == bootstrap(values, seed=4).tolist()
    assert bootstrap(values, seed=4).tolist() != bootstrap(values, seed=5).tolist()
    assert bootstrap(np.ones((1, 30))).tolist() == [[1, 1]]


@pytest.fixture(scope="session")
def evaluation(shapes: Gallery) -> Evaluation:
    return evaluate(shapes)


def test_a_gallery_is_evaluated_with_its_own_pictures(evaluation: Evaluation, shapes: Gallery) -> None:
    assert (evaluation.gallery, evaluation.protocol, evaluation.by) == ("shapes", "leave-one-out", "label")
    assert (evaluation.queries, evaluation.pictures, evaluation.left_out.total) == (15, 15, 0)
    assert (evaluation.state, evaluation.model) == (shapes.state, shapes.manifest.model)
    labels = np.repeat(np.arange(3, dtype=np.int32), 5)
    vectors = shapes.vectors.refine(shapes.embeddings[:], np.arange(15))
    task = Task(labels, labels, np.arange(15), np.full(15, 4, np.int32))
    expected = brute_force(vectors, labels, task)
    for name, one in evaluation.metrics.items():
        assert one.value == pytest.approx(expected[name].mean()), name
        assert one.low <= one.value <= one.high
    assert list(evaluation.metrics) == list(METRICS)
    assert [(one.label, one.queries, one.pictures) for one in evaluation.per_label] == [
        ("dots", 5, 5),
        ("rings", 5, 5),
        ("stripes", 5, 5),
    ]
    assert np.mean([one.map_r for one in evaluation.per_label]) == pytest.approx(evaluation.metrics["map@r"].value)
    assert len(evaluation.recall_curve) == 100
    assert evaluation.recall_curve[[0, 9, 99]].tolist() == [
        evaluation.metrics[f"recall@{k}"].value for k in (1, 10, 100)
    ]
    assert evaluation.histogram.right.sum() + evaluation.histogram.wrong.sum() == 150


def test_a_picture_is_no_answer_to_itself(evaluation: Evaluation) -> None:
    for case in evaluation.cases(range(15)):
        assert case.item.id not in [answer.item.id for answer in case.answers]
        assert [answer.rank for answer in case.answers] == list(range(1, 11))
        assert [answer.is_right for answer in case.answers] == [
            answer.item.label == case.label == case.item.label for answer in case.answers
        ]
        assert sorted((answer.score for answer in case.answers), reverse=True) == [a.score for a in case.answers]
        assert (case.first_right == 1) == case.answers[0].is_right


def test_best_worst_and_random_queries(evaluation: Evaluation) -> None:
    precision = evaluation.outcomes.average_precision
    best, worst = evaluation.best(15), evaluation.worst(15)
    assert sorted(best) == sorted(worst) == sorted(evaluation.random(99)) == list(range(15))
    assert [precision[number] for number in best] == sorted(precision, reverse=True)
    first_is_right = [bool(evaluation.outcomes.first_right[number] == 1) for number in worst]
    assert first_is_right == sorted(first_is_right)
    assert evaluation.random(5, seed=1) == evaluation.random(5, seed=1) != evaluation.random(5, seed=2)


def test_confusions_count_first_hits_of_other_labels(evaluation: Evaluation) -> None:
    labels, table = evaluation.confusion_matrix()
    assert labels == ["dots", "rings", "stripes"]
    assert table.sum(axis=1).tolist() == [5, 5, 5]
    assert table.trace() / 15 == pytest.approx(evaluation.metrics["recall@1"].value)
    assert sum(one.count for one in evaluation.confusions) == 15 - table.trace()
    fewer, cut = evaluation.confusion_matrix(2)
    assert fewer == ["dots", "rings"]
    assert cut[:, -1].tolist() == table[:2, 2].tolist()


def test_evaluating_tells_how_far_it_is(shapes: Gallery, pictures: Path) -> None:
    seen: list[Progress] = []
    evaluate(shapes, open_source(pictures), progress=seen.append)
    assert list(dict.fromkeys(one.task for one in seen)) == ["Embedding the queries", "Evaluating"]
    assert (seen[-1].done, seen[-1].total) == (15, 15)


def test_queries_that_are_in_the_gallery_are_no_answer_to_themselves(
    shapes: Gallery, pictures: Path, evaluation: Evaluation
) -> None:
    asked = evaluate(shapes, open_source(pictures))
    assert asked.protocol == str(pictures)
    assert asked.outcomes.rows.tolist() == evaluation.outcomes.rows.tolist()
    assert asked.metrics["map@r"].value == pytest.approx(evaluation.metrics["map@r"].value)


def build(folder: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """A gallery by the stand-in for a network."""
    with monkeypatch.context() as patch:
        patch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
        return Gallery.build(folder, directory, model=standin.CHOICE, refinement="none")


def test_queries_of_their_own_may_be_left_out_for_many_reasons(
    own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = tmp_path / "asking"
    (asking / "dots").mkdir(parents=True)
    (asking / "lace").mkdir()
    (own_pictures / "rings" / "rings-1.jpg").rename(asking / "lace" / "unknown label.jpg")
    (own_pictures / "rings" / "rings-2.jpg").rename(asking / "no label.jpg")
    dots = (own_pictures / "dots" / "dots-4.jpg").rename(asking / "dots" / "a.jpg")
    (asking / "dots" / "b.jpg").write_bytes(dots.read_bytes())
    (asking / "dots" / "broken.jpg").write_bytes(dots.read_bytes()[:3000])
    gallery = build(own_pictures, tmp_path / "gallery", monkeypatch)
    evaluation = evaluate(gallery, open_source(asking))
    assert evaluation.queries == 1
    left_out = evaluation.left_out
    assert (left_out.unlabelled, left_out.unanswerable, left_out.unreadable, left_out.repeated) == (1, 1, 1, 1)
    assert evaluation.left_out.total == evaluation.to_json()["left_out"] == 4
    assert "1 that cannot be read" in str(left_out)
    (case,) = evaluation.cases([0])
    assert (case.item.label, case.relevant) == ("dots", 4)
    assert read_original(case.item).data == dots.read_bytes()


def test_pictures_without_a_label_are_left_out_and_never_right(
    own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, path in enumerate(sorted(own_pictures.glob("rings/*"))):
        path.rename(own_pictures / f"{number}.jpg")
    (own_pictures / "alone").mkdir()
    (own_pictures / "0.jpg").rename(own_pictures / "alone" / "0.jpg")
    evaluation = evaluate(build(own_pictures, tmp_path / "gallery", monkeypatch))
    assert (evaluation.queries, evaluation.left_out.unlabelled, evaluation.left_out.unanswerable) == (10, 4, 1)
    assert [one.label for one in evaluation.per_label] == ["dots", "stripes"]
    for case in evaluation.cases(range(10)):
        assert not any(answer.is_right for answer in case.answers if not answer.label)


def test_with_a_single_label_everything_is_right(
    own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "one"
    (folder / "dots").mkdir(parents=True)
    for path in own_pictures.glob("*/*-[12].jpg"):
        path.rename(folder / "dots" / path.name)
    evaluation = evaluate(build(folder, tmp_path / "gallery", monkeypatch))
    values = {name: one.value for name, one in evaluation.metrics.items()}
    assert values["precision@10"] == 0.5, "there are five others, and ten places"
    assert all(values[name] == 1 for name in METRICS if name != "precision@10")
    assert evaluation.confusions == ()


def write_table(folder: Path, lines: list[str]) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(["path,label,colour", *lines]) + "\n")
    return path


def test_any_column_may_say_what_is_right(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(pictures.glob("*/*.jpg"))
    table = write_table(
        tmp_path, [f"{path},{path.parent.name},{'red' if n % 2 else ''}" for n, path in enumerate(files)]
    )
    gallery = build(table, tmp_path / "gallery", monkeypatch)
    evaluation = evaluate(gallery, by="colour")
    assert (evaluation.by, evaluation.queries, evaluation.left_out.unlabelled) == ("colour", 7, 8)
    assert {answer.label for case in evaluation.cases(range(7)) for answer in case.answers} == {"red", ""}
    with pytest.raises(
        SearchError, match=r"No picture of the gallery gallery has a 'size': choose from colour, label\."
    ):
        evaluate(gallery, by="size")
    with pytest.raises(SearchError, match="has a 'colour': choose from label"):
        evaluate(gallery, open_source(pictures), by="colour")


def test_what_cannot_be_evaluated_is_said_with_what_to_do(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted(pictures.glob("*/*.jpg"))
    unlabelled = build(write_table(tmp_path, [f"{path},," for path in files]), tmp_path / "a", monkeypatch)
    with pytest.raises(SearchError, match="Put pictures into a folder for each label, or index a CSV with a column"):
        evaluate(unlabelled)
    unique = build(write_table(tmp_path, [f"{path},{path.stem}," for path in files]), tmp_path / "b", monkeypatch)
    with pytest.raises(SearchError, match="no two have the same label"):
        evaluate(unique)
    with pytest.raises(SearchError, match="has a label that a picture of the gallery has"):
        evaluate(unique, open_source(pictures))
    broken = tmp_path / "broken" / files[0].stem
    broken.mkdir(parents=True)
    (broken / "a.jpg").write_text("no picture")
    with pytest.raises(SearchError, match="so there are no queries"):
        evaluate(unique, open_source(broken.parent))


CONTRACT = [
    *("gallery", "generation", "model", "protocol", "by", "queries", "left_out", "seconds"),
    *METRICS,
    *("intervals", "labels", "confusions", "recall_curve"),
]


def test_evaluate_keeps_the_contract_of_its_json(run: Run, shapes: Gallery) -> None:
    told = json.loads(run("evaluate", "--gallery", "shapes", "--json").stdout)
    assert list(told)[: len(CONTRACT)] == CONTRACT
    assert (told["gallery"], told["generation"], told["queries"], told["left_out"]) == ("shapes", 1, 15, 0)
    assert 0 < told["map@r"] <= told["recall@5"] <= 1
    assert set(told["intervals"]) == set(METRICS)
    assert told["labels"][0].keys() >= {
        "label",
        "queries",
        "pictures",
        "recall@1",
        "recall@10",
        "precision@10",
        "map@r",
    }
    assert len(told["recall_curve"]) == 100
    assert told["ece"] is told["calibration"] is None, "fifteen pictures say nothing"
    expected = evaluate(shapes).to_json()
    assert {name: told[name] for name in CONTRACT if name != "seconds"} == {
        name: expected[name] for name in CONTRACT if name != "seconds"
    }


def test_evaluate_shows_a_table_and_the_worst_labels(run: Run, shapes: Gallery, pictures: Path) -> None:  # noqa: ARG001
    done = run("evaluate", "-g", "shapes", "--queries", pictures)
    assert done.returncode == 0, done.stderr
    for name in METRICS:
        assert name in done.stdout
    assert f"15 queries ({pictures})" in done.stdout
    assert "stripes" in done.stdout


BAD = {
    "unknown column": (["evaluate", "-g", "shapes", "--by", "brand"], 1, "has a 'brand': choose from label."),
    "a report that is none": (["evaluate", "-g", "shapes", "--report", "a.pdf"], 2, "must end in .html"),
    "a report in no folder": (["evaluate", "-g", "shapes", "--report", "no/a.html"], 2, "there is no such folder"),
    "only one gallery": (["compare", "shapes"], 2, "Missing argument"),
}


@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_plain_sentence(run: Run, tmp_path: Path, case: str) -> None:
    arguments, status, sentence = BAD[case]
    done = run(*arguments)
    assert done.returncode == status, done.stderr
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list((tmp_path / "here").iterdir()) == []


@pytest.fixture(scope="session")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> StoredVectors:
    """As many vectors as there are photographs of clothing, of the size of the bundled model's."""
    path = tmp_path_factory.mktemp("thousand") / "vectors.npy"
    vectors, _ = some_world(1, 1192, 1280)
    write_vectors(path, vectors.shape, [vectors])
    return StoredVectors(path)


def test_a_thousand_queries_take_a_moment(thousand: StoredVectors) -> None:
    labels = np.repeat(np.arange(10, dtype=np.int32), 120)[:1192]
    seen: list[Progress] = []
    leave_one_out(thousand, labels, progress=seen.append)  # type: ignore[arg-type]
    assert seen[-1].seconds < 5


def test_of_many_queries_some_are_enough_and_the_same_are_drawn_again(shapes: Gallery) -> None:
    whole, some = evaluate(shapes), evaluate(shapes, most=6)
    assert (whole.queries, some.queries) == (15, 6)
    assert (evaluate(shapes, most=6).rows == some.rows).all()
    assert (evaluate(shapes, most=6, seed=1).rows != some.rows).any()
    for number, row in enumerate(some.rows):
        (same,) = np.flatnonzero(whole.rows == row)
        assert some.outcomes.average_precision[number] == whole.outcomes.average_precision[same]
        assert (some.outcomes.rows[number] == whole.outcomes.rows[same]).all()
    assert evaluate(shapes, most=99).queries == 15
