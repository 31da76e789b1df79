"""`search` and `demo`: find similar pictures, and print or draw them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import confidence, copies, objects, parts, search_galleries, search_many, terminal, turns
from similarity.cli import explain as explaining
from similarity.cli.options import (
    AccuracyName,
    AnswersFile,
    AsJson,
    Coco,
    Copies,
    Count,
    Distinct,
    ExcludeQuery,
    Explain,
    GalleryNames,
    ItemIds,
    Like,
    MinScore,
    NotText,
    Objects,
    Offset,
    OnePerProduct,
    Parts,
    Queries,
    SearchPrecision,
    Sheet,
    Sort,
    Text,
    Turned,
    Unlike,
    VectorFile,
    Weight,
    Where,
)
from similarity.cli.query_arguments import QueryArguments, check_conditions
from similarity.cli.running import open_or_index
from similarity.query import copy_facts
from similarity.query.options import SearchOptions
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from PIL import Image

    from similarity.service.answers.answer import Answer
    from similarity.sources import Item


@dataclass(frozen=True, slots=True)
class Command:
    """What a `search` on the command line asks for: the query, the gallery, and fields of the `SearchRequest`."""

    query: QueryArguments
    gallery: str
    fields: Mapping[str, Any]


def search(
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="[QUERY]",
            help="A picture: its path, or its http(s) address; or a folder, to search with each of its pictures.",
        ),
    ] = None,
    galleries: GalleryNames = None,
    k: Count = 10,
    sheet: Sheet = None,
    coco: Coco = None,
    like: Like = None,
    unlike: Unlike = None,
    item: ItemIds = None,
    vector: VectorFile = None,
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
    queries: Queries = None,
    out: AnswersFile = None,
    as_json: AsJson = False,
) -> None:
    """Find the pictures of a gallery, or of several, that are most similar to a query, or to each of many."""
    options = SearchOptions(min_score=min_score, distinct=distinct, offset=offset, accuracy=accuracy, parts=in_parts)
    fields = {
        "k": k,
        "options": replace(options, one_per_product=one_per_product),
        "exclude_query": exclude_query,
        "precision": precision,
        "where": check_conditions(where or []),
        "sort": sort,
        "copies": with_copies,
        "turned": turned,
    }
    gallery, *_ = names = galleries or [SAMPLE]
    place = search_many.place_of(query, queries, out)
    named = QueryArguments(list(like or []), unlike or [], weight or [], text or [], not_text or [], item or [], vector)
    one = {"explain": explain, "objects": with_objects}
    if search_galleries.are_several(names):
        others = {"copies": with_copies, "turned": turned, "precision": bool(precision), "sort": bool(sort)}
        search_galleries.check({**others, **one, "queries": bool(queries), "out": bool(out), "coco": bool(coco)}, place)
    elif place is not None:
        search_many.check(out, place, sheet=bool(sheet), coco=bool(coco), **one, **named.given)
        search_many.run(search_many.ManySearches(place, gallery, fields, out, as_json))
        return
    named = replace(named, like=[*([] if query is None else [query]), *named.like])
    _check(
        named, sheet, explain=explain, copies_=with_copies, turned=turned, with_objects=with_objects, as_json=as_json
    )
    if search_galleries.are_several(names):
        search_galleries.run(search_galleries.Request(named, names, fields), sheet, as_json=as_json)
    else:
        _search(Command(named, gallery, {**fields, **one}), sheet, coco, as_json=as_json)


def _check(
    named: QueryArguments,
    sheet: Path | None,
    *,
    explain: bool,
    copies_: bool,
    turned: bool,
    with_objects: bool,
    as_json: bool,
) -> None:
    """Raise BadParameter if the options of one search do not suit each other."""
    if named.is_empty:
        raise typer.BadParameter("give a picture, words with --text, an --item or a --vector", param_hint="QUERY")
    if explain:
        explaining.check(sheet, as_json=as_json)
    if (copies_ or turned) and not (named.like or named.items):
        raise typer.BadParameter(copies.NO_PIXELS, param_hint="--copies" if copies_ else "--turned")
    if with_objects:
        objects.check(named, sheet=sheet is not None, explain=explain, copies=copies_, turned=turned)


def demo(k: Count = 10, sheet: Sheet = Path("demo.png"), as_json: AsJson = False) -> None:
    """Search the sample gallery with one of the sample queries, and draw the sheet."""
    from similarity.sample import demo_query

    _search(Command(QueryArguments([demo_query().path]), SAMPLE, {"k": k}), sheet, as_json=as_json)


def _search(command: Command, sheet: Path | None, coco: Path | None = None, *, as_json: bool) -> None:
    """Search, write the files that are requested, and print the hits."""
    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter("its name must end in .png", param_hint="--sheet")
    answer = _answer(command)
    if sheet:
        _draw(answer, sheet)
    if coco:
        _write_coco(answer, coco)
    if as_json:
        from similarity.service.answers.to_json import to_json

        terminal.print_json(to_json(answer))
        return
    if objects.show(answer.objects):
        return
    turns.say(answer.outcome)
    if answer.has_copy:
        terminal.say(f"{copies.tell(answer.outcome.copies)}.")
    else:
        confidence.say(answer.verdict, answer.chances, answer.request.precision)
    if answer.hits:
        _print(answer)
        terminal.say_gone([hit.item.path for hit in answer.hits if hit.item.is_gone], command.gallery)
    else:
        from similarity.query.suggestions import suggest

        why = suggest(answer.gallery.facets, answer.request.options.where)
        terminal.say(f"No picture meets these conditions. {why}".strip())
    if sheet:
        terminal.say(f"Sheet written to {sheet}")


def _answer(command: Command) -> "Answer":
    """The hits with all that the command wants to know of them."""
    from similarity.service.answers.answer import find_answer
    from similarity.service.answers.request import SearchRequest

    examples = command.query.read()
    gallery = open_or_index(command.gallery)
    request = SearchRequest(examples, command.query.title, **command.fields)
    parts.prepare(gallery, request.options)
    answer = find_answer(gallery, request)
    terminal.say_notes(answer.reasons.notes if answer.reasons else [])
    return answer


def _draw(answer: "Answer", path: Path) -> None:
    """Draw the sheet into a file, with heat on its pictures if hits are explained."""
    from similarity.exports.sheet import draw_sheet, save_sheet
    from similarity.paths import split_name, without_end
    from similarity.query.belonging import NOTHING_LIKE_IT

    name, hits = answer.request.title, answer.hits
    picture: Image.Image = _picture(answer)
    pictures = [answer.gallery.thumbnail(hit.item) for hit in hits]
    title, heading = split_name(without_end(name))[1] if answer.request.has_picture else "Words", "Query"
    if answer.reasons is not None:
        picture, pictures, heading = explaining.draw_heat(picture, pictures, answer.reasons.explanations)
    is_stranger = answer.chances is not None and answer.chances.is_stranger
    note = copies.tell(answer.outcome.copies) if answer.has_copy else NOTHING_LIKE_IT if is_stranger else ""
    save_sheet(path, draw_sheet(picture, title, hits, pictures, heading=heading, note=note))


def _write_coco(answer: "Answer", path: Path) -> None:
    """Write the hits in the form of COCO."""
    from similarity.exports.coco import to_coco
    from similarity.exports.tables import write_table

    gallery = answer.gallery
    write_table(path, to_coco(answer.hits, answer.request.title, gallery.name, gallery.manifest.model), "results")


def _picture(answer: "Answer") -> "Image.Image":
    """The first picture of the query as the sheet shows it, in the turn that was searched with, or its words."""
    from similarity.exports.sheet import draw_words
    from similarity.images.decoding import decode
    from similarity.query.inputs import KnownPicture
    from similarity.query.turns import turn

    query = answer.outcome.query
    if query.files:
        return turn(query.files[0].decode(), query.turned)
    known = next((example for example in query.examples.like if isinstance(example, KnownPicture)), None)
    if known is None:
        return draw_words(answer.request.title)
    return turn(decode(answer.gallery.thumbnail(known.item), known.item.id), query.turned)


def _print(answer: "Answer") -> None:
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
