"""The report of an evaluation: a self-contained page in one file, with plots and pictures."""

import base64
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from similarity.errors import FetchError, ImageError, SearchError
from similarity.evaluation.findings import Case, StrangerResults
from similarity.evaluation.held_out import phrase
from similarity.evaluation.report.plots import (
    BARS,
    RIGHT,
    WRONG,
    draw_confusions,
    draw_labels,
    draw_recall,
    draw_reliability,
    draw_scores,
    draw_strangers,
)
from similarity.evaluation.report.wording import (
    CALIBRATED,
    CALIBRATION,
    DEFINITIONS,
    LEARNED_OTHERS,
    LEARNED_OWN,
    NAMES,
)
from similarity.evaluation.results import LEAVE_ONE_OUT, Evaluation
from similarity.exports.replacing import check_replaceable
from similarity.files import write_atomically
from similarity.gallery import Gallery
from similarity.images.decoding import grey_thumbnail, thumbnail
from similarity.sources import Item
from similarity.sources.originals import read_original
from similarity.text.plain import one_line

TEMPLATE = "report.html"
# Queries of each kind on the page, maximum queries of one label among them, and the size of pictures in pixels.
CASES, MAX_OF_LABEL, SIDE = 6, 2, 176
HEADLINES = ("recall@1", "precision@10", "map@r", "ndcg@10")
LABELS, PAIRS = 100, 12


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot on the page.

    Attributes:
        uri: its data.
        alt: its description as text.
    """

    title: str
    uri: str
    alt: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A group of queries with their hits."""

    title: str
    note: str
    cases: Sequence[Case]


def render_report(gallery: Gallery, evaluation: Evaluation) -> str:
    """Render the report of an evaluation as a page.

    Args:
        gallery: the evaluated gallery, which has the thumbnails.

    Returns:
        HTML that loads nothing from elsewhere; names and labels are escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pictures = _Pictures(gallery)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=lambda value: one_line(value) if isinstance(value, str) else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    facts: dict[str, Any] = {
        "evaluation": evaluation,
        "facts": _facts(evaluation),
        "names": NAMES,
        "definitions": DEFINITIONS,
        "headlines": HEADLINES,
        "figures": _figures(evaluation),
        "labels": sorted(evaluation.per_label, key=lambda label: label.map_r)[:LABELS],
        "pairs": evaluation.confusions[:PAIRS],
        "sheets": _sheets(evaluation),
        "picture": pictures.uri,
        "calibration": CALIBRATION,
        "calibrated": f"{CALIBRATED} {LEARNED_OWN if evaluation.protocol == LEAVE_ONE_OUT else LEARNED_OTHERS}",
        "colours": {"right": RIGHT, "wrong": WRONG},
    }
    return environment.get_template(TEMPLATE).render(facts)


def save_report(path: Path, page: str) -> None:
    """Write a page to a file atomically; raises SearchError if it cannot be written."""
    try:
        check_replaceable(path)
        write_atomically(path, page)
    except OSError as error:
        raise SearchError(f"The report could not be written to {path} ({error.strerror or error}).") from error


def _facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the facts of the evaluation, as names and values."""
    own = evaluation.protocol == LEAVE_ONE_OUT
    refined = "" if evaluation.refinement == "none" else f", {evaluation.refinement}"
    facts = [
        ("Gallery", f"{evaluation.gallery}, generation {evaluation.generation}, {evaluation.pictures:,} pictures"),
        ("Model", f"{evaluation.model}{refined}"),
        (
            "Protocol",
            "Leave-one-out: each picture is a query, and not among its own hits" if own else "Separate queries",
        ),
        ("Queries", f"{evaluation.queries:,}" + ("" if own else f" from {Path(evaluation.protocol).name}")),
        ("Left out", str(evaluation.left_out)),
        ("Held out", phrase(evaluation.held_out)),
        ("Caution", evaluation.caution),
        *_stranger_facts(evaluation.strangers),
        ("A hit is right if", f"it has the {evaluation.by} of the query"),
        ("Compared", "Each query with every picture, exactly"),
        ("Duration", f"{evaluation.seconds:,.1f} s" + ("" if own else ", with embedding the queries")),
        ("Intervals", "95 %, bootstrap over the queries: 1,000 draws"),
        ("Written", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
    ]
    return [(name, value) for name, value in facts if value]


def _stranger_facts(strangers: StrangerResults | None) -> list[tuple[str, str]]:
    if strangers is None:
        return []
    told = f"{strangers.nothing_like:.1%} look like nothing in the gallery, and so do {strangers.own_nothing_like:.1%}"
    confident = ", ".join(f"{share:.1%} from {precision:.0%} on" for precision, share in strangers.confident.items())
    facts = [f"{strangers.pictures:,} pictures of other kinds: {told} of its own queries (AUROC {strangers.auroc:.3f})"]
    if strangers.likely is not None:
        facts += [f"a result is called at least 80 % likely for {strangers.likely:.1%}, and confident for {confident}"]
    return [("Strangers", "; ".join(facts))]


def _figures(evaluation: Evaluation) -> list[Figure]:
    values = evaluation.metrics
    reached = ", ".join(f"{values[f'recall@{k}'].value:.3f} for k = {k}" for k in (1, 5, 10, 100))
    limited = "" if len(evaluation.per_label) <= BARS else f" (the {BARS} lowest of {len(evaluation.per_label):,})"
    right, wrong = int(evaluation.histogram.right.sum()), int(evaluation.histogram.wrong.sum())
    figures = [
        Figure("A right hit among the first k", _svg(draw_recall(evaluation)), f"Recall: {reached}."),
        Figure(
            "Scores of right and wrong hits",
            _svg(draw_scores(evaluation)),
            f"Among the first ten hits of all queries are {right:,} right and {wrong:,} wrong ones.",
        ),
        Figure(f"Label by label{limited}", _svg(draw_labels(evaluation)), "The table of labels below has the numbers."),
        Figure(
            "Labels that are confused",
            _svg(draw_confusions(evaluation)),
            "For each label of queries, the labels of their first hits.",
        ),
    ]
    if (reliability := evaluation.reliability) is not None:
        error = f"{CALIBRATION}: {reliability.error:.3f}."
        figures.append(Figure("Predicted and measured probability", _svg(draw_reliability(reliability)), error))
    if evaluation.strangers is not None and evaluation.strangers.reliability:
        mixed = evaluation.strangers.reliability
        errors = "; ".join(f"{share:.0%} strangers: {one.error:.3f}" for share, one in mixed.items())
        title = f"The same with {evaluation.strangers.pictures:,} strangers among the queries"
        figures.append(Figure(title, _svg(draw_strangers(mixed)), f"{CALIBRATION} with {errors}."))
    return figures


def _sheets(evaluation: Evaluation) -> list[Sheet]:
    limit = f"at most {MAX_OF_LABEL} queries of a label"
    groups = (
        ("Best", f"The highest average precision, {limit}.", _pick_varied(evaluation, evaluation.best)),
        (
            "Worst",
            f"The first hit is wrong, and the lowest average precision, {limit}.",
            _pick_varied(evaluation, evaluation.worst),
        ),
        ("Drawn at random", "Typical queries.", evaluation.random(CASES)),
    )
    return [Sheet(title, text, evaluation.cases(numbers)) for title, text, numbers in groups]


def _pick_varied(evaluation: Evaluation, order: Callable[[int], list[int]]) -> list[int]:
    """Return the first queries in an order, with few of each label, since those look alike."""
    chosen: list[int] = []
    shown: Counter[int] = Counter()
    for number in order(evaluation.queries):
        label = int(evaluation.query_labels[number])
        if len(chosen) < CASES and shown[label] < MAX_OF_LABEL:
            chosen.append(number)
            shown[label] += 1
    return chosen


class _Pictures:
    """Thumbnails of items, each encoded once."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._encoded: dict[str, str] = {}

    def uri(self, item: Item) -> str:
        """Return a JPEG as a data URI."""
        if item.sha256 not in self._encoded:
            try:
                with Image.open(io.BytesIO(self._thumbnail(item))) as image:
                    self._encoded[item.sha256] = _uri("image/jpeg", thumbnail(image, SIDE))
            except OSError:  # a thumbnail that was damaged
                self._encoded[item.sha256] = _uri("image/jpeg", thumbnail(Image.new("RGB", (SIDE, SIDE), "lightgrey")))
        return self._encoded[item.sha256]

    def _thumbnail(self, item: Item) -> bytes:
        if self._gallery.items.find(item.sha256) is not None:
            return self._gallery.thumbnail(item)
        return query_thumbnail(item)


def query_thumbnail(item: Item) -> bytes:
    """Return a thumbnail of a picture outside of the gallery; a grey one if it is missing."""
    try:
        return thumbnail(read_original(item).decode())
    except (ImageError, FetchError):
        return grey_thumbnail(item.width, item.height)


def _svg(data: bytes) -> str:
    return _uri("image/svg+xml", data)


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
