"""Metrics of galleries compared over all of their pictures, with tests of significance."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.components import tiles
from similarity.app.evaluate import background
from similarity.app.evaluate.background import EvaluationRequest
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.parameters import ITEM, Part
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, sentence_as_markdown, show_error
from similarity.errors import SimilarityError
from similarity.evaluation import Comparison, Evaluation, compare
from similarity.evaluation.held_out import UNSEEN, changes_of, phrase
from similarity.evaluation.report.wording import DEFINITIONS, NAMES
from similarity.gallery import Gallery
from similarity.sources.base import LABEL

SHOWN = ("recall@1", "recall@10", "precision@10", "map@r", "ndcg@10")
DIFFERING = 11
TESTS = "p is of McNemar's test for recall, and of a sign-flip test for the others, corrected for several metrics."
REQUESTED = "summary_requested"


def show(galleries: Sequence[Gallery]) -> None:
    """Draw the comparison once the visitor requests it."""
    st.subheader("On all pictures", anchor=False)
    if not all(gallery.facets.counts(LABEL) for gallery in galleries):
        st.caption("One of these galleries has no labels, so its results cannot be checked.")
        return
    if not all(map(background.may_start, galleries)):
        st.caption(
            "One of these galleries is large. Measuring it takes long, so only those who run this app can start it."
        )
        return
    requested = "\n".join(gallery.state for gallery in galleries)
    if st.session_state.get(REQUESTED) != requested:
        seconds = wording.duration(sum(map(background.expected_seconds, galleries)))
        st.caption(
            "Every picture is used as a query in each gallery; a result is right if it has the same label. "
            f"That takes about {seconds}."
        )
        # Not a callback: the last run would give it the galleries of before, also when another was chosen just now.
        if st.button("Compare them", icon=":material/speed:"):
            st.session_state[REQUESTED] = requested
            st.rerun()
        return
    try:
        _show_all(galleries)
    except SimilarityError as error:
        show_error(error)


def _show_all(galleries: Sequence[Gallery]) -> None:
    evaluations = [background.wait_for(gallery, EvaluationRequest(LABEL)) for gallery in galleries]
    first, *others = evaluations
    for gallery in galleries:
        _show_held_out(gallery)
    for other in others:
        if first is None or other is None:
            st.error(
                "One of these galleries could not be evaluated; the log of the app says why.", icon=":material/error:"
            )
            return
        _show_comparison(galleries[0], _compare(first, other))


@st.cache_resource(
    max_entries=16, show_spinner="Comparing …", hash_funcs={Evaluation: lambda evaluation: evaluation.state}
)
def _compare(a: Evaluation, b: Evaluation) -> Comparison:
    return compare(a, b)


def _show_held_out(gallery: Gallery) -> None:
    """Show the metrics on pictures that its head or network did not learn from, if it has any."""
    if metrics := phrase(changes_of(gallery)):
        st.markdown(f"**{as_markdown(gallery.name)}** on {UNSEEN}: {metrics}")


def _show_comparison(first: Gallery, comparison: Comparison) -> None:
    a, b = comparison.names
    st.markdown(f"**{as_markdown(a)}** against **{as_markdown(b)}**, {comparison.queries:,} queries in common")
    for caution in comparison.cautions:
        st.warning(sentence_as_markdown(caution), icon=":material/model_training:")
    if not comparison.same_pictures:
        st.caption(":material/info: Their pictures differ, which affects the metrics, too.")
    rows = []
    for name in SHOWN:
        metric = comparison.metrics[name]
        rows.append(
            {
                "Metric": NAMES[name],
                as_markdown(a): f"{metric.a:.3f}",
                as_markdown(b): f"{metric.b:.3f}",
                "Difference": f"{metric.difference:+.3f} ({metric.low:+.3f} to {metric.high:+.3f})",
            }
            | _chance(comparison, name)
        )
    st.table(rows, border="horizontal")
    test = "" if comparison.cautions else f" {TESTS}"
    st.caption(f"The range is the 95\u00a0% confidence interval.{test} mAP@R: {DEFINITIONS['map@r']}")
    differing = comparison.differing(DIFFERING)
    if differing:
        st.markdown("**Where they differ most:** choose a picture to see the results of each.")
        cases = comparison.a.cases([number for number, _, _ in differing])
        drawn = []
        for case, (_, _, gain) in zip(cases, differing, strict=True):
            tile = tiles.of_item(first, case.item)
            tile["name"], tile["note"] = "", f"{text_for_visitor(b if gain > 0 else a)} +{abs(gain):.2f}"
            drawn.append(tile)
        tiles.show(drawn, _search, key=f"differing-{b}", is_small=True)


def _chance(comparison: Comparison, name: str) -> dict[str, str]:
    """Return the cell that says whether a difference can be chance; none if the pictures were learned from."""
    if comparison.cautions:
        return {}
    verdict = sentence_as_markdown(comparison.verdict(name))
    return {"Can it be chance?": f"{verdict}, p = {comparison.metrics[name].adjusted:.2g}"}


def _search(item_id: str) -> None:
    links.change(like=(Part(ITEM, item_id),), unlike=())
