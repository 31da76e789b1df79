"""`search` and `demo`: find similar pictures, and print or draw them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import confidence, copies, objects, parts, terminal, turns
from similarity.cli import explain as explaining
from similarity.cli.options import (
    AccuracyName,
    AsJson,
    Copies,
    Count,
    Distinct,
    ExcludeQuery,
    Explain,
    GalleryName,
    Like,
    MinScore,
    NotText,
    Objects,
    Offset,
    OnePerProduct,
    Parts,
    SearchPrecision,
    Sheet,
    Sort,
    Text,
    Turned,
    Unlike,
    Weight,
    Where,
)
from similarity.cli.query_arguments import QueryArguments, check_conditions
from similarity.cli.running import open_or_index
from similarity.cli.search_request import Request
from similarity.query import copy_facts
from similarity.query.options import SearchOptions
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from PIL import Image

    from similarity.cli.explain import Reasons
    from similarity.cli.turns import Outcome
    from similarity.evaluation.confidence.estimate import Chances
    from similarity.evaluation.confidence.verdict import Verdict
    from similarity.gallery import Gallery
    from similarity.search import Hit
    from similarity.sources import Item


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of a request, in the order that it wants, with their explanations if available."""

    request: Request
    gallery: "Gallery"
    outcome: "Outcome"
    hits: "Sequence[Hit]"
    reasons: "Reasons | None"

    @property
    def chances(self) -> "Chances | None":
        """The probabilities of the hits, if they are known."""
        return self.outcome.chances

    @property
    def has_copy(self) -> bool:
        """Whether a second look has found the query's very picture among the hits."""
        return copies.has_proven(self.outcome.copies)

    @property
    def verdict(self) -> "Verdict | None":
        """What is known of the hits by their scores; None if one is the query's very picture, which says more."""
        if self.has_copy:
            return None
        from similarity.evaluation.confidence.verdict import find_verdict

        hits = sorted(self.hits, key=lambda hit: hit.rank)
        return find_verdict(hits, self.chances, self.request.precision)


def search(
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="A picture: its path, or its http(s) address.")
    ] = None,
    gallery: GalleryName = SAMPLE,
    k: Count = 10,
    sheet: Sheet = None,
    like: Like = None,
    unlike: Unlike = None,
    text: Text = None,
    not_text: NotText = None,
    weight: Weight = None,
    where: Where = None,
    sort: Sort = None,
    min_score: MinScore = -1.0,
    offset: Offset = 0,
    distinct: Distinct = False,
    one_per_product: OnePerProduct = False,
    exclude_query: ExcludeQuery = False,
    accuracy: AccuracyName = "balanced",
    precision: SearchPrecision = None,
    explain: Explain = False,
    with_copies: Copies = False,
    turned: Turned = False,
    with_objects: Objects = False,
    in_parts: Parts = False,
    as_json: AsJson = False,
) -> None:
    """Find the pictures of a gallery that are most similar to a query, or to several."""
    options = SearchOptions(min_score=min_score, distinct=distinct, offset=offset, accuracy=accuracy, parts=in_parts)
    options = replace(options, one_per_product=one_per_product)
    pictures = [*filter(None, [query]), *(like or [])]
    named = QueryArguments(pictures, unlike or [], weight or [], text or [], not_text or [])
    if not (named.like or named.texts):
        raise typer.BadParameter("give a picture, or words with --text", param_hint="QUERY")
    if explain:
        explaining.check(sheet, as_json=as_json)
    if (with_copies or turned) and not named.like:
        raise typer.BadParameter(copies.NO_PIXELS, param_hint="--copies" if with_copies else "--turned")
    conditions = check_conditions(where or [])
    request = Request(
        named,
        gallery,
        k,
        options,
        exclude_query,
        precision,
        explain,
        conditions,
        sort,
        with_copies,
        turned,
        with_objects,
    )
    objects.check(request, has_sheet=sheet is not None)
    _search(request, sheet, as_json=as_json)


def demo(k: Count = 10, sheet: Sheet = Path("demo.png"), as_json: AsJson = False) -> None:
    """Search the sample gallery with one of the sample queries, and draw the sheet."""
    from similarity.sample import demo_query

    _search(Request(QueryArguments([demo_query().path]), SAMPLE, k), sheet, as_json=as_json)


def _search(request: Request, sheet: Path | None, *, as_json: bool) -> None:
    """Search, draw the sheet if one is requested, and print the hits."""
    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter("its name must end in .png", param_hint="--sheet")
    answer = _answer(request)
    if sheet:
        _draw(answer, sheet)
    found = objects.find(answer.gallery, answer.outcome.query, answer.request)
    if as_json:
        terminal.print_json(_facts(answer) | objects.to_json(found, _to_json))
        return
    if objects.show(found):
        return
    turns.say(answer.outcome)
    if answer.has_copy:
        terminal.say(f"{copies.tell(answer.outcome.copies)}.")
    else:
        confidence.say(answer.verdict, answer.chances, request.precision)
    if answer.hits:
        _print(answer)
        terminal.say_gone([hit.item.path for hit in answer.hits if hit.item.is_gone], request.gallery)
    else:
        from similarity.query.suggestions import suggest

        why = suggest(answer.gallery.facets, answer.request.options.where)
        terminal.say(f"No picture meets these conditions. {why}".strip())
    if sheet:
        terminal.say(f"Sheet written to {sheet}")


def _answer(request: Request) -> Answer:
    """The hits with all that the request wants to know of them; the query is encoded once."""
    examples = request.query.read()
    gallery = open_or_index(request.gallery)
    request = request.of(gallery)
    _ = gallery.embedder  # loaded here, so that the time below is that of a search
    with_regions = request.explain and bool(request.query.like)
    if with_regions:
        gallery.embedder.load_feature_maps()
    parts.prepare(gallery, request.options)
    started = time.perf_counter()
    query = gallery.encode(examples, with_regions=with_regions)
    encoding_ms = 1000 * (time.perf_counter() - started)
    outcome = turns.search(gallery, query, request)
    outcome = replace(outcome, took_ms=round(encoding_ms + outcome.took_ms, 1))
    hits = gallery.sort(outcome.hits, request.sort) if request.sort else outcome.hits
    reasons = explaining.find(gallery, outcome.query, hits) if request.explain else None
    return Answer(request, gallery, outcome, hits, reasons)


def _draw(answer: Answer, path: Path) -> None:
    """Draw the sheet into a file, with heat on its pictures if hits are explained."""
    from similarity.exports.sheet import draw_sheet, save_sheet
    from similarity.query.belonging import NOTHING_LIKE_IT

    name, hits = answer.request.query.title, answer.hits
    picture: Image.Image = _picture(answer)
    pictures = [answer.gallery.thumbnail(hit.item) for hit in hits]
    title, heading = name.rstrip("/").rsplit("/", 1)[-1] if answer.request.query.like else "Words", "Query"
    if answer.reasons is not None:
        picture, pictures, heading = explaining.draw_heat(picture, pictures, answer.reasons)
    is_stranger = answer.chances is not None and answer.chances.is_stranger
    note = copies.tell(answer.outcome.copies) if answer.has_copy else NOTHING_LIKE_IT if is_stranger else ""
    save_sheet(path, draw_sheet(picture, title, hits, pictures, heading=heading, note=note))


def _picture(answer: Answer) -> "Image.Image":
    """The first picture of the query as the sheet shows it, in the turn that was searched with, or its words."""
    from similarity.exports.sheet import draw_words
    from similarity.query.turns import turn

    query = answer.outcome.query
    return turn(query.files[0].decode(), query.turned) if query.files else draw_words(answer.request.query.title)


def _facts(answer: Answer) -> dict[str, Any]:
    """The JSON object that answers a request."""
    facts: dict[str, Any] = {
        "query": answer.request.query.title,
        "gallery": answer.gallery.name,
        "model": answer.gallery.manifest.model,
        "took_ms": answer.outcome.took_ms,
        "belongs": _rounded(answer.chances.belongs if answer.chances else None),
        "verdict": answer.verdict.kind if answer.verdict else None,
    }
    if answer.outcome.turned is not None:
        facts["turned"] = answer.outcome.turned
    if answer.chances and answer.request.precision is not None:
        facts["confident"] = answer.chances.are_confident(answer.hits, answer.request.precision)
    hits = [_to_json(hit, answer.outcome.chance_of(hit)) for hit in answer.hits]
    hits = parts.with_parts(hits, answer.hits, answer.request.options)
    if answer.outcome.copies is not None:
        hits = [hit | {"copy": copy_facts.to_json(answer.outcome.copies[hit["id"]])} for hit in hits]
    if answer.reasons is not None:
        explanations = map(explaining.to_json, answer.reasons)
        hits = [hit | {"explanation": explanation} for hit, explanation in zip(hits, explanations, strict=True)]
    return facts | {"hits": hits}


def _to_json(hit: "Hit", chance: float | None = None) -> dict[str, Any]:
    """A hit as JSON has it, with what its picture knows of itself."""
    from similarity.images.exif import facts_of

    return {
        "rank": hit.rank,
        "score": hit.score,
        "id": hit.item.id,
        "path": hit.item.path,
        "label": hit.item.label,
        "probability": _rounded(chance),
        **facts_of(hit.item.width, hit.item.height, hit.item.exif),
    } | ({"gone": True} if hit.item.is_gone else {})


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _print(answer: Answer) -> None:
    """Print a line for each hit, with the probability that it is right if there is one, and what it is sorted by."""
    hits, chances, by = answer.hits, answer.chances, answer.request.sort
    shown = [name for name in [answer.gallery.facets.sorted_by(by)[0] if by else "label"] if name != "label"]
    has_chances = chances is not None and (chances.are_known or bool(chances.calibration and chances.same))
    in_parts = ["part"] if answer.request.options.parts else []
    marks = in_parts if answer.outcome.copies is None else ["copy", *in_parts]
    columns = ("rank", "score", *(["likely"] if has_chances else []), *marks, "label", *shown, "path")
    likely = [[confidence.as_cell(answer.outcome, hit)] if has_chances else [] for hit in hits]
    rows = [
        (
            str(hit.rank),
            f"{hit.score:.3f}",
            *cells,
            *(copy_facts.describe(found[hit.item.id]) for found in [answer.outcome.copies] if found is not None),
            *(parts.describe(hit.part) for _ in in_parts),
            hit.item.label or "",
            *(answer.gallery.facets.value_of(hit.item, name) for name in shown),
            _whereabouts(hit.item),
        )
        for hit, cells in zip(hits, likely, strict=True)
    ]
    terminal.print_table(columns, rows)


def _whereabouts(item: "Item") -> str:
    """A picture's path, its copies, and whether the file is gone."""
    copies = {0: "", 1: " (and a copy)"}.get(len(item.copies), f" (and {len(item.copies)} copies)")
    return item.path + copies + (" (the file is gone)" if item.is_gone else "")
