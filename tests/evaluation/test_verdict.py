"""The line above the results: which of its sentences is said when, and that no result below it says otherwise."""

from pathlib import Path

import pytest
from conftest import MODEL

from similarity import Gallery
from similarity.evaluation.confidence.calibration import Calibration
from similarity.evaluation.confidence.estimate import Chances, Withheld
from similarity.evaluation.confidence.verdict import STRONG, Kind, Verdict, find_verdict
from similarity.evaluation.gallery_calibration import calibrate
from similarity.evaluation.gallery_chances import estimate_chances, why_withheld
from similarity.sample import FOLDER
from similarity.search import Hit

# Evidence is the score, and 0.9 of it is enough for a precision of 95 %.
SCORED = Calibration("label", 50, 500, 0.0, 0.0, (0.0, 1.0), (0.0, 1.0), (0.9,), (0.96,))


@pytest.fixture
def hits(sure: Gallery) -> list[Hit]:
    """A lamp and a shoe."""
    chosen = (next(item for item in sure.items if item.label == label) for label in ("lamp", "shoe"))
    return [Hit(rank, 0.5, item) for rank, item in enumerate(chosen, 1)]


def judged(
    hits: list[Hit],
    *evidence: float,
    precision: float | None = None,
    calibration: Calibration | None = SCORED,
    belongs: float | None = 0.5,
    same: list[str] | None = None,
    withheld: Withheld | None = None,
) -> Verdict | None:
    """The verdict on hits with some evidence each."""
    known = {hit.item.id: value for hit, value in zip(hits, evidence, strict=False)}
    return find_verdict(hits, Chances(calibration, known, same or (), belongs, withheld), precision)


def said(verdict: Verdict | None) -> str:
    assert verdict is not None
    return f"{verdict.title}: {verdict.detail}"


def test_a_match_is_strong_from_80_percent_on_and_named_after_the_likeliest_result(hits: list[Hit]) -> None:
    assert said(judged(hits, 0.85, 0.2)) == "Strong match: probably “lamp” (85 %)."
    assert said(judged(hits, 0.85, 0.92)) == "Strong match: probably “shoe” (92 %)."
    assert judged(hits, STRONG, 0.2).kind is Kind.STRONG  # type: ignore[union-attr]
    assert said(judged(hits, STRONG - 0.01, 0.2)) == "Similar, kind uncertain: most likely “lamp” (79 %)."


def test_with_a_precision_a_match_is_strong_if_a_result_has_it(hits: list[Hit]) -> None:
    assert said(judged(hits, 0.93, 0.2, precision=0.95)) == "Strong match: probably “lamp” (93 %)."
    told = said(judged(hits, 0.85, 0.2, precision=0.95))
    assert told.startswith("No confident match: none of the first results has a score that is right in 95 % of cases.")
    assert told.endswith("The likeliest, “lamp”, is 85 % likely the same kind.")
    assert "in this gallery no score means 99 % certainty" in said(judged(hits, 0.93, 0.2, precision=0.99))


def test_a_query_that_may_not_belong_is_uncertain_and_one_that_does_not_is_like_nothing(hits: list[Hit]) -> None:
    for precision in (None, 0.95):
        doubtful = judged(hits, 0.99, 0.99, belongs=0.03, precision=precision)
        assert doubtful is not None
        assert doubtful.kind is Kind.UNCERTAIN
        assert "%" not in doubtful.detail, "no result below has a probability"
        assert judged(hits, 0.99, belongs=0.005, precision=precision).kind is Kind.NOTHING  # type: ignore[union-attr]
    assert judged(hits, belongs=0.005, calibration=None).kind is Kind.NOTHING  # type: ignore[union-attr]


def test_the_same_picture_is_named_first_of_all(hits: list[Hit]) -> None:
    same = [hits[0].item.id]
    assert said(judged(hits, same=same, belongs=0.0)) == "This very picture is in the gallery: it is labelled “lamp”."
    elsewhere = judged(hits[1:], same=same, withheld=Withheld.FILTERED)
    assert said(elsewhere) == "This very picture is in the gallery: it is not among these results."
    assert judged(hits, same=same, withheld=Withheld.SEVERAL) is None, "there are other examples, too"


@pytest.mark.parametrize("withheld", list(Withheld))
def test_without_probabilities_a_query_can_still_look_like_nothing(hits: list[Hit], withheld: Withheld) -> None:
    assert judged(hits, 0.99, withheld=withheld) is None
    assert judged(hits, 0.99, withheld=withheld, belongs=0.005).kind is Kind.NOTHING  # type: ignore[union-attr]


def test_of_nothing_nothing_is_said(hits: list[Hit]) -> None:
    assert find_verdict([], Chances(SCORED, {}, (), 0.001)) is None
    assert find_verdict(hits, None) is None
    assert judged(hits, calibration=None) is None
    assert said(judged(hits)) == "Similar, kind uncertain: none of the first results has a label."


def test_probabilities_are_withheld_from_searches_for_which_they_are_not_measured(sure: Gallery) -> None:
    same = [sure.items[0].id]
    assert why_withheld(sure, parts=1, same=[], is_filtered=False) is None
    assert why_withheld(sure, parts=1, same=[], is_filtered=True) is Withheld.FILTERED
    assert why_withheld(sure, parts=1, same=same, is_filtered=True) is Withheld.KNOWN
    assert why_withheld(sure, parts=2, same=same, is_filtered=False) is Withheld.SEVERAL


def contradictions(gallery: Gallery, queries: list[Path], precision: float | None) -> list[str]:
    """Where a result on the first page says something else than the line above."""
    calibration, belonging, found = calibrate(gallery), gallery.belonging, []
    for path in queries:
        query = gallery.encode(path)
        chances = estimate_chances(
            gallery, query.vector, query.embeddings, calibration=calibration, belonging=belonging
        )
        hits = gallery.search_vector(query.vector)
        verdict = find_verdict(hits, chances, precision)
        assert verdict is not None
        shown = [chances.of(hit) for hit in hits]
        best, sure = (
            max((chance or 0.0 for chance in shown), default=0.0),
            [hit for hit in hits if precision is not None and chances.is_sure(hit, precision)],
        )
        is_strong = bool(sure) if precision is not None else best >= STRONG
        agrees = {
            Kind.STRONG: is_strong,
            Kind.UNCERTAIN: not is_strong,
            Kind.NOTHING: best == 0 and not sure,
            Kind.SAME: False,  # these queries are in no gallery
        }[verdict.kind]
        found += [] if agrees else [f"{path.name}: {verdict.title}, {verdict.detail} {shown}"]
    return found


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize("precision", [None, 0.95])
def test_for_no_sample_query_does_a_result_contradict_the_line_above(
    sample: Gallery, empty_home: Path, precision: float | None
) -> None:
    queries = sorted((FOLDER / "queries").glob("*.jpg"))
    assert len(queries) == 24
    assert empty_home
    assert contradictions(sample, queries, precision) == []


@pytest.mark.usefixtures("bundled")
def test_no_first_hit_of_the_querys_own_product_is_called_rather_wrong(sample: Gallery, empty_home: Path) -> None:
    calibration, belonging = calibrate(sample), sample.belonging
    called = {}
    for path in sorted((FOLDER / "queries").glob("*.jpg")):
        query = sample.encode(path)
        chances = estimate_chances(sample, query.vector, query.embeddings, calibration=calibration, belonging=belonging)
        first = sample.search_vector(query.vector, 1)[0]
        if first.item.metadata["product"] == path.stem.removesuffix("-q") and chances.are_known:
            called[path.name] = chances.of(first) or 0.0
    assert len(called) >= 20
    assert {name: chance for name, chance in called.items() if chance < 0.5} == {}
    assert empty_home


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize("precision", [None, 0.95])
def test_for_no_photograph_of_clothing_does_a_result_contradict_the_line_above(
    photographs: Path, empty_home: Path, sample: Gallery, precision: float | None
) -> None:
    gallery = Gallery.build(photographs / "gallery", empty_home / "galleries" / "clothing", model=MODEL)
    queries = [path for path in sorted((photographs / "queries").rglob("*")) if path.is_file()]
    assert len(queries) > 300
    assert contradictions(gallery, queries, precision) == []
    assert contradictions(sample, queries, precision) == []


def test_an_odd_one_of_a_kind_is_told_the_kind_of_its_neighbours_and_a_stranger_is_not(hits: list[Hit]) -> None:
    lamps = hits[:1] * 8 + hits[1:] * 2
    odd = judged(lamps, belongs=0.002)
    assert said(odd) == "No close match: the nearest pictures are mostly “lamp”, and yours may show something else."
    assert odd is not None
    assert odd.kind is Kind.NOTHING
    for told in (judged(lamps, belongs=0.0), judged(hits[:1] * 7 + hits[1:] * 3, belongs=0.002)):
        assert said(told).startswith("Nothing like it in this gallery")
