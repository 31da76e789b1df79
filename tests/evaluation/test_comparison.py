"""Two evaluations compared: real differences are found, chance is called chance, and tests are those of SciPy."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import standin
from commands import Run

from similarity import Gallery
from similarity.errors import SearchError
from similarity.evaluation import Comparison, Evaluation, compare, evaluate
from similarity.evaluation.comparison import COMPARED
from similarity.evaluation.significance import holm, mcnemar_test, sign_flip_test
from similarity.sources import open_source


def test_sign_flips_are_the_permutation_test_of_scipy() -> None:
    from scipy import stats

    random = np.random.default_rng(0)
    differences = np.stack([random.normal(mean, 0.3, 60) for mean in (0, 0.05, 0.09, 0.15)])
    ours = sign_flip_test(differences)
    for mine, values in zip(ours, differences, strict=True):
        theirs = stats.permutation_test(
            (values,),
            lambda values, axis: values.mean(axis=axis),
            permutation_type="samples",
            n_resamples=4999,
            rng=np.random.default_rng(1),
        ).pvalue
        assert mine == pytest.approx(theirs, abs=0.025)
    assert sign_flip_test(differences, seed=3).tolist() == sign_flip_test(differences, seed=3).tolist()


def test_sign_flips_of_few_queries_count_every_way_the_signs_can_fall() -> None:
    # Of the eight ways to give three equal differences signs, two are as far from zero.
    assert sign_flip_test(np.full((1, 3), 0.1)) == pytest.approx([0.25], abs=0.02)
    assert sign_flip_test(np.zeros((1, 5))).tolist() == [1]


def test_mcnemar_counts_only_queries_of_which_one_is_right() -> None:
    both, a, b, none = [30, 2, 11, 7]
    one = np.repeat([True, True, False, False], [both, a, b, none])
    other = np.repeat([True, False, True, False], [both, a, b, none])
    # 2 sum over i <= 2 of (13 over i) / 2^13
    assert mcnemar_test(one, other) == pytest.approx(2 * (1 + 13 + 78) / 2**13)
    assert mcnemar_test(one, one) == 1


def test_several_tests_together_are_corrected_as_holm_says() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1, "b": 1}


def test_chance_is_called_a_difference_seldom() -> None:
    random = np.random.default_rng(2)
    differences = random.normal(0, 1, (400, 40))
    found = (sign_flip_test(differences, flips=999) < 0.05).mean()
    assert 0.02 <= found <= 0.09


@pytest.fixture(scope="session")
def found(shapes: Gallery) -> Evaluation:
    return evaluate(shapes)


@pytest.fixture(scope="session")
def pixels(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """The same pictures in a gallery named `worse`, by a stand-in that knows nothing of pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
        return Gallery.build(pictures, tmp_path_factory.mktemp("pixels") / "worse", model=standin.CHOICE)


def test_a_gallery_cannot_be_told_apart_from_itself(found: Evaluation) -> None:
    comparison = compare(found, found)
    assert comparison.queries == 15
    assert comparison.same_pictures
    assert list(comparison.metrics) == list(COMPARED)
    for name, one in comparison.metrics.items():
        assert (one.difference, one.low, one.high, one.p, one.adjusted) == (0, 0, 0, 1, 1)
        assert comparison.verdict(name) == "cannot be told apart"
    assert comparison.differing(5) == []


def test_a_real_difference_is_found(found: Evaluation, pixels: Gallery) -> None:
    worse = evaluate(pixels)
    comparison = compare(worse, found)
    one = comparison.metrics["map@r"]
    assert one.a == pytest.approx(worse.metrics["map@r"].value)
    assert one.b == pytest.approx(found.metrics["map@r"].value)
    assert one.difference == pytest.approx(one.b - one.a)
    assert 0 < one.low <= one.difference <= one.high
    assert one.p <= one.adjusted < 0.05
    assert comparison.verdict("map@r") == "shapes is better"
    assert compare(found, worse).verdict("map@r") == "shapes is better"
    number_a, number_b, gain = comparison.differing(1)[0]
    assert worse.items[int(worse.rows[number_a])].id == found.items[int(found.rows[number_b])].id
    gains = found.outcomes.average_precision - worse.outcomes.average_precision
    assert abs(gain) == pytest.approx(np.abs(gains).max())


def test_only_queries_in_common_count(
    found: Evaluation, own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(own_pictures / "rings")
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
    fewer = evaluate(Gallery.build(own_pictures, tmp_path / "fewer", model=standin.CHOICE))
    comparison = compare(fewer, found)
    assert comparison.queries == 9
    assert not comparison.same_pictures
    for a, b in zip(comparison.numbers_a, comparison.numbers_b, strict=True):
        assert fewer.items[int(fewer.rows[a])].sha256 == found.items[int(found.rows[b])].sha256
    assert comparison.metrics["map@r"].b == pytest.approx(found.values("map@r")[comparison.numbers_b].mean())


def test_what_was_asked_in_another_way_is_not_compared(
    shapes: Gallery, found: Evaluation, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SearchError, match="their queries differ, leave-one-out and"):
        compare(found, evaluate(shapes, open_source(pictures)))
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
    lines = [f"{path},{path.parent.name},{number % 2}" for number, path in enumerate(sorted(pictures.glob("dots/*")))]
    (tmp_path / "table.csv").write_text("\n".join(["path,label,side", *lines]))
    table = Gallery.build(tmp_path / "table.csv", tmp_path / "table", model=standin.CHOICE)
    with pytest.raises(SearchError, match="a right result has the same 'label', in the other the same 'side'"):
        compare(found, evaluate(table, by="side"))
    other = tmp_path / "other"
    shutil.copytree(pictures / "dots", other / "a")
    for path in other.glob("a/*"):
        path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(SearchError, match="shapes and elsewhere have no query in common"):
        compare(found, evaluate(Gallery.build(other, tmp_path / "elsewhere", model=standin.CHOICE)))


def test_two_generations_of_a_gallery_are_told_apart_by_number(shapes: Gallery, found: Evaluation) -> None:
    assert compare(found, evaluate(shapes)).names == ("shapes (generation 1)", "shapes (generation 1)")


def test_compare_keeps_the_contract_of_its_json(run: Run, found: Evaluation, tmp_path: Path, shapes: Gallery) -> None:
    copy = Path(shutil.copytree(shapes.directory, tmp_path / "copy"))
    done = run("compare", "shapes", copy, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told)[:6] == ["a", "b", "protocol", "by", "queries", "same_pictures"]
    assert (told["a"]["gallery"], told["b"]["gallery"], told["queries"]) == ("shapes", "copy", 15)
    assert set(told["metrics"]) == set(COMPARED)
    one = told["metrics"]["map@r"]
    assert one.keys() >= {"a", "b", "difference", "interval", "test", "p", "p_adjusted", "verdict"}
    assert one["a"] == pytest.approx(found.metrics["map@r"].value, abs=1e-5)
    assert (one["difference"], one["verdict"]) == (0, "cannot be told apart")
    assert (told["better_in_a"], told["better_in_b"], told["as_good"]) == (0, 0, 15)
    shown = run("compare", "shapes", copy).stdout
    assert "cannot be told apart" in shown
    assert "15 queries in common (leave-one-out)" in shown


def test_a_comparison_says_what_it_holds(found: Evaluation) -> None:
    assert isinstance(compare(found, found), Comparison)
    assert len(repr(compare(found, found))) < 3000, "no arrays in it"
