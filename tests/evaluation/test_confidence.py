"""How sure a hit is: what is learned of which scores mean what, that it holds for others, and what is kept of it."""

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, draw

from similarity import Gallery
from similarity.errors import SearchError
from similarity.evaluation import evaluate, render_report
from similarity.evaluation.confidence.calibration import VOTERS, Calibration, count_votes, cross_fit, fit, measure
from similarity.evaluation.confidence.estimate import Chances, find_chances, percent
from similarity.evaluation.confidence.reliability import measure_reliability
from similarity.evaluation.gallery_calibration import calibrate, read_calibration
from similarity.evaluation.report.plots import draw_reliability
from similarity.evaluation.report.wording import CALIBRATED
from similarity.search import Hit
from similarity.sources import open_source


def some_hits(seed: int, queries: int = 800, sure: float = 3.0):  # type: ignore[no-untyped-def]
    """Scores, rightness and labels of ten hits a query: the higher the score the likelier right."""
    random = np.random.default_rng(seed)
    scores = np.sort(random.random((queries, 10)), axis=1)[:, ::-1].astype(np.float32)
    right = random.random(scores.shape) < 1 / (1 + np.exp(-sure * (4 * scores - 2)))
    labels = np.where(right, 0, random.integers(1, 6, scores.shape))
    return scores, right, labels


def test_the_higher_the_score_the_surer() -> None:
    fitted = fit(*some_hits(1))
    for votes in (0.0, 0.5, 1.0):
        chances = fitted.probability(np.linspace(-1, 1, 200), np.full(200, votes))
        assert (np.diff(chances) >= 0).all()
        assert chances.min() >= 0
        assert chances.max() <= 1
    assert (fitted.probability(0.5, 0.9) >= fitted.probability(0.5, 0.1)).all()
    assert len(fitted.evidence) <= 100
    assert len(fitted.starts) <= 100


@pytest.mark.parametrize("with_labels", [True, False])
def test_what_is_called_80_percent_likely_is_right_in_80_percent(with_labels: bool) -> None:
    (scores, right, labels), others = some_hits(1), some_hits(2, 4000)
    fitted = fit(scores, right, labels if with_labels else None)
    assert (fitted.mix > 0) == with_labels
    told = measure(fitted, others[0], others[1], others[2] if with_labels else None)
    assert told.error <= 0.03
    assert fitted.error <= 0.05
    assert told.counts.sum() == others[0].size


def test_first_hits_above_a_threshold_are_right_as_often_as_was_asked_for() -> None:
    reached = {0.8: [], 0.9: [], 0.95: []}  # type: ignore[var-annotated]
    for seed in range(30):
        fitted, (scores, right, labels) = fit(*some_hits(seed, 400, 0.8)), some_hits(1000 + seed, 4000, 0.8)
        evidence = fitted.weigh(scores, count_votes(scores, labels))[:, 0]
        for precision, found in reached.items():
            start = fitted.threshold(precision)
            assert start is None or 0 <= start <= 1
            if start is not None:
                found.append(right[evidence >= start, 0].mean() - precision)
    for precision, found in reached.items():
        assert np.mean(np.array(found) >= 0) >= 0.8, f"at {precision}: {found}"


def test_a_higher_precision_takes_more_evidence_until_there_is_none() -> None:
    fitted = fit(*some_hits(3, 300, 0.5))
    starts = [fitted.threshold(precision) for precision in (0.5, 0.7, 0.9, 0.999)]
    assert starts[-1] is None
    some = [start for start in starts if start is not None]
    assert some == sorted(some)


def test_hits_agree_as_far_as_the_early_ones_have_the_same_label() -> None:
    votes = count_votes(np.array([[0.9, 0.8, 0.7, np.nan]]), np.array([[4, 2, 4, -1]]))[0]
    weights = 1 / np.log2([2, 3, 4])
    assert votes[0] == votes[2] == pytest.approx((weights[0] + weights[2]) / weights.sum())
    assert votes[1] == pytest.approx(weights[1] / weights.sum())
    assert votes[3] == 0


def test_hits_that_are_missing_or_have_no_label_do_no_harm() -> None:
    scores, right, labels = some_hits(4, 100)
    scores[:, 7:] = np.nan
    right[:, 7:], labels[:, 7:] = False, -1
    labels[::5, 2], right[::5, 2] = -1, False
    fitted = fit(scores, right, labels)
    assert fitted.pairs == 100 * 7 - 20
    assert np.isfinite(fitted.probability(scores[:, :7], count_votes(scores, labels)[:, :7])).all()
    scores[np.isnan(scores)] = -np.inf
    assert fit(scores, right, labels) == fitted


@pytest.mark.parametrize("always", [True, False])
def test_where_everything_is_right_or_nothing_is_there_is_an_answer_too(always: bool) -> None:
    scores, right, labels = some_hits(5, 60)
    right[:] = always
    fitted = fit(scores, right, labels)
    assert fitted.probability(0.5) == float(always)
    assert (fitted.threshold(0.95) is not None) == always
    assert fitted.error == 0


def test_too_few_queries_say_nothing() -> None:
    with pytest.raises(SearchError, match="needs at least 30 query pictures, and there are only 29"):
        fit(*some_hits(6, 29))
    assert fit(*some_hits(6, 30)).queries == 30


def test_it_comes_back_from_json_as_it_was() -> None:
    fitted = fit(*some_hits(7))
    told = json.dumps(fitted.to_json())
    assert Calibration.from_json(json.loads(told)) == fitted
    assert len(told) < 20_000


@pytest.mark.parametrize(
    "damage",
    [
        {"evidence": []},
        {"chances": [0.5]},
        {"chances": None},
        {"mix": 7},
        {"mix": float("nan")},
        {"error": "much"},
        {"starts": [0.9, 0.1], "precisions": [0.5, 0.6]},
        {"starts": [float("inf")], "precisions": [0.5]},
        {"queries": float("inf")},
    ],
)
def test_what_is_no_calibration_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Calibration.from_json(fit(*some_hits(7, 60)).to_json() | damage)
    with pytest.raises(ValueError, match="calibration"):
        Calibration.from_json({})


def test_the_expected_calibration_error_of_a_case_done_by_hand() -> None:
    told = measure_reliability(np.array([0.05, 0.05, 0.95, 0.95, 1.0]), np.array([False, True, True, True, True]))
    assert told.error == pytest.approx(0.4 * 0.45 + 0.6 * (1 - 2.9 / 3))
    assert [one["count"] for one in told.to_json()] == [2, 3]
    assert measure_reliability(np.array([]), np.array([], bool)).error == 0


def test_nothing_is_ever_certain() -> None:
    shown = [percent(chance) for chance in (0.0, 0.004, 0.006, 0.5, 0.994, 0.996, 1.0)]
    assert shown == ["< 1 %", "< 1 %", "1 %", "50 %", "99 %", "> 99 %", "> 99 %"]


@pytest.fixture
def mine(sure: Gallery) -> Gallery:
    return sure


def kept_files(home: Path) -> list[Path]:
    return sorted((home / "cache" / "confidence").iterdir())


def test_it_is_learned_once_and_kept(mine: Gallery, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_calibration(mine) is None
    learned = calibrate(mine)
    assert (learned.queries, learned.pairs, learned.by) == (len(mine), 10 * len(mine), "label")
    assert learned.error <= 0.05
    monkeypatch.setattr("similarity.evaluation.queries.run_queries", None)
    assert read_calibration(mine) == calibrate(mine) == learned
    assert len(kept_files(empty_home)) == 1


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:90], lambda _: b"[]", lambda _: b'{"by": 3}'])
def test_what_was_damaged_is_learned_again(mine: Gallery, empty_home: Path, damage) -> None:  # type: ignore[no-untyped-def]
    learned = calibrate(mine)
    (file,) = kept_files(empty_home)
    file.write_bytes(damage(file.read_bytes()))
    assert read_calibration(mine) is None
    assert calibrate(mine) == learned
    assert read_calibration(mine) == learned


def test_without_a_place_to_keep_it_it_is_learned_all_the_same(mine: Gallery, empty_home: Path) -> None:
    (empty_home / "cache" / "confidence").write_text("a file where a folder should be")
    assert calibrate(mine).queries == len(mine)
    assert read_calibration(mine) is None


def test_another_column_is_learned_by_itself(mine: Gallery, empty_home: Path) -> None:
    assert calibrate(mine, by="product").chances != calibrate(mine).chances
    assert len(kept_files(empty_home)) == 2


def build(folder: Path, home: Path, labels: list[str], count: int) -> Gallery:
    """A gallery of some pictures, label by label."""
    for seed in range(count):
        place = folder / labels[seed % len(labels)].format(seed)
        place.mkdir(parents=True, exist_ok=True)
        draw("dots", seed).save(place / f"{seed}.jpg")
    return Gallery.build(folder, home / "galleries" / "made", model=MODEL)


@pytest.mark.parametrize(
    ("labels", "count", "sentence"),
    [
        (["."], 4, "none of its pictures has a label"),
        (["dots"], 4, "have the same one, 'dots', so confidence cannot be measured: no result would be wrong"),
        (["only-{}"], 4, "no two have the same label"),
        (["dots", *["only-{}"] * 3], 40, "there are only 10"),
    ],
)
@pytest.mark.usefixtures("standin_network")
def test_galleries_that_cannot_tell_say_why(
    tmp_path: Path, empty_home: Path, labels: list[str], count: int, sentence: str
) -> None:
    gallery = build(tmp_path / "pictures", empty_home, labels, count)
    with pytest.raises(SearchError, match=sentence):
        calibrate(gallery)
    assert read_calibration(gallery) is None


def test_a_head_brings_what_was_learned_of_held_out_pictures(mine: Gallery) -> None:
    from similarity.vectors.heads import Card, Head

    held_out = fit(*some_hits(8))
    centre, last = np.zeros(4, np.float32), np.eye(4, dtype=np.float32)
    mine = Gallery.open(mine.directory)
    settings = {"refinement": mine.manifest.refinement}
    card = Card("m", "w", "l", settings=settings, calibration=held_out.to_json())
    mine.head = Head(centre, np.eye(centre.size, dtype=np.float32), last, card)
    assert calibrate(mine) == read_calibration(mine) == held_out
    with pytest.raises(SearchError, match="none were held out"):
        calibrate(mine, by="product")
    mine.head = replace(mine.head, card=replace(card, settings={"refinement": "another"}))
    assert read_calibration(mine) is None, "scores are others then"
    mine.head = replace(mine.head, card=replace(card, calibration={"by": "label"}))
    assert read_calibration(mine) is None


def hit(gallery: Gallery, row: int, score: float, rank: int = 1) -> Hit:
    return Hit(rank, score, gallery.items[row])


def voters(gallery: Gallery, item_id: str) -> list[Hit]:
    """The first hits of a picture of the gallery, without itself."""
    return gallery.search_vector(gallery.vector(item_id), VOTERS, but=[item_id])


def test_the_query_itself_is_nothing_to_guess_about(mine: Gallery) -> None:
    calibration, item = calibrate(mine), mine.items[30]
    chances = find_chances(calibration, voters(mine, item.id), same=[item.id])
    hits = mine.search_vector(mine.vector(item.id))
    assert hits[0].item.id == item.id
    assert chances.of(hits[0]) is None
    assert not chances.is_sure(hits[0], 0.5)
    assert chances.likeliest(hits) == hits[1]
    assert (chances.of(hits[1]) or 0) > 0.9
    assert chances.are_confident(hits, 0.5)


def test_only_the_first_hits_have_a_probability(mine: Gallery) -> None:
    item = next(item for item in mine.items if item.label == "lamp")
    chances = find_chances(calibrate(mine), voters(mine, item.id), same=[item.id])
    vases = mine.search_vector(mine.vector(item.id), where={"label": ["vase"]})
    assert [hit for hit in vases if chances.of(hit) is not None] == [
        hit for hit in vases if hit.item.id in {first.item.id for first in voters(mine, item.id)}
    ]
    assert not chances.are_confident(vases, 0.9)
    assert not chances.are_confident([], 0.9)


def loose(starts: tuple[float, ...], chances: tuple[float, ...] = (0.0, 1.0)) -> Calibration:
    """A calibration in which evidence is the score, and some of it is enough for a precision of 90 %."""
    return Calibration("label", 50, 500, 0.0, 0.0, (0.0, 1.0), chances, starts, (0.9,))


def test_a_result_that_is_rather_wrong_is_never_confident(mine: Gallery) -> None:
    wrong, right = hit(mine, 0, 0.4), hit(mine, 1, 0.6)
    chances = Chances(loose((0.1,)), {wrong.item.id: 0.4, right.item.id: 0.6})
    assert not chances.is_sure(wrong, 0.8)
    assert chances.is_sure(right, 0.8)
    assert not chances.is_sure(right, 0.95), "no evidence is enough for that"


def test_a_result_with_just_the_evidence_that_is_needed_is_confident(mine: Gallery) -> None:
    enough, short = hit(mine, 0, 0.625), hit(mine, 1, 0.6249)
    chances = Chances(loose((0.625,), (0.5, 1.0)), {enough.item.id: 0.625, short.item.id: 0.6249})
    assert chances.is_sure(enough, 0.9)
    assert not chances.is_sure(short, 0.9)


def test_its_own_pictures_are_not_asked_what_was_learned_of_themselves(mine: Gallery) -> None:
    found = evaluate(mine)
    assert found.reliability is not None
    hits = np.array([[mine.items[row].label for row in rows] for rows in found.outcomes.rows])
    labels = np.unique(hits, return_inverse=True)[1].reshape(hits.shape)
    assert found.reliability.error == cross_fit(found.outcomes.scores, found.outcomes.right, labels).error
    told = found.to_json()
    assert told["ece"] == pytest.approx(found.reliability.error, abs=1e-6)
    assert sum(one["count"] for one in told["calibration"]) == 10 * len(mine)


def test_the_report_draws_it_and_says_what_it_means(mine: Gallery, shapes: Gallery) -> None:
    found = evaluate(mine)
    assert found.reliability is not None
    page = html.unescape(render_report(mine, found))
    assert CALIBRATED in page
    assert f"Expected calibration error: {found.reliability.error:.3f}." in page
    assert b"as it should be" in draw_reliability(found.reliability)
    assert "calibration" not in render_report(shapes, evaluate(shapes))


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
def test_on_photographs_it_holds_for_queries_that_it_never_saw(photographs: Path, empty_home: Path) -> None:
    gallery = Gallery.build(photographs / "gallery", empty_home / "galleries" / "clothing", model=MODEL)
    found = evaluate(gallery, open_source(photographs / "queries"))
    assert found.reliability is not None
    assert found.reliability.error <= 0.05
    learned, outcomes = calibrate(gallery), found.outcomes
    assert learned.error <= 0.05
    codes = {label: code for code, label in enumerate(found.labels)}
    hits = np.array([[codes[gallery.items[row].label or ""] for row in rows] for rows in outcomes.rows])
    start = learned.threshold(0.95)
    assert start is not None
    is_sure = learned.weigh(outcomes.scores, count_votes(outcomes.scores, hits))[:, 0] >= start
    precision, coverage = outcomes.right[is_sure, 0].mean(), is_sure.mean()
    assert precision >= 0.93, f"{precision:.3f} of {coverage:.0%} of the queries"
    assert coverage >= 0.4, f"only {coverage:.0%} of the queries are confident"


def test_of_a_single_query_nothing_can_be_told_since_nothing_is_left_to_learn_from() -> None:
    told = cross_fit(np.array([[0.9, 0.5, 0.2]]), np.array([[True, False, True]]))
    assert told.counts.sum() == 0
