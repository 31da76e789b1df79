"""`search` and `demo`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import confidence, terminal
from similarity.cli import explain as explaining
from similarity.cli.options import AsJson, Count, GalleryName, Sheet
from similarity.errors import GalleryDamagedError
from similarity.sample import SAMPLE
from similarity.search.accuracy import Accuracy

if TYPE_CHECKING:
    from similarity.evaluation.confidence.estimate import Chances
    from similarity.gallery import Gallery
    from similarity.query.filters import Conditions
    from similarity.query.inputs import Examples
    from similarity.search import Hit
    from similarity.sources import Item


@dataclass(frozen=True, slots=True)
class Asked:
    """The pictures of a query as they are named on the command line, and its words; see `queries.Examples`."""

    like: Sequence[str]
    unlike: Sequence[str] = ()
    weights: Sequence[float] = ()
    texts: Sequence[str] = ()
    not_texts: Sequence[str] = ()

    @property
    def first(self) -> str:
        """What the query is called."""
        return next(iter([*self.like, *self.texts]))

    def read(self) -> "Examples":
        """Read the files and fetch the addresses."""
        from similarity.query.inputs import Examples, Text, read_query

        like, unlike = ([read_query(one) for one in some] for some in (self.like, self.unlike))
        texts, not_texts = (list(map(Text, some)) for some in (self.texts, self.not_texts))
        return Examples([*like, *texts], [*unlike, *not_texts], self.weights)


def search(
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="A picture: its path, or its http(s) address.")
    ] = None,
    gallery: GalleryName = SAMPLE,
    k: Count = 10,
    sheet: Sheet = None,
    like: Annotated[list[str] | None, typer.Option(help="A further example; as often as you like.")] = None,
    unlike: Annotated[list[str] | None, typer.Option(help="A counter-example; as often as you like.")] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Words, for a gallery of a CLIP model: alone, or beside a picture.")
    ] = None,
    not_text: Annotated[list[str] | None, typer.Option(help="Words for what it should not be.")] = None,
    weight: Annotated[
        list[float] | None,
        typer.Option(help="How much an example counts: one for the query, for each --like, and for each --text."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="label=VALUE, or another column; a repeated column may have any of the values."),
    ] = None,
    min_score: Annotated[float, typer.Option(help="Leave out what is less similar.")] = -1.0,
    offset: Annotated[int, typer.Option(min=0, help="Pass over so many of the best.")] = 0,
    distinct: Annotated[
        bool, typer.Option("--distinct", help="Of near-identical pictures show the best only.")
    ] = False,
    exclude_query: Annotated[
        bool, typer.Option("--exclude-query", help="Leave out pictures that are the query's very file.")
    ] = False,
    accuracy: Annotated[Accuracy, typer.Option(help="Of a gallery with an approximate index.")] = "balanced",
    precision: Annotated[
        float | None, typer.Option(min=0.5, max=0.999, help="Say so if the best result is not right this surely: 0.95.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show on the sheet, or in JSON, which regions make results similar.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find the pictures of a gallery that are most similar to a query, or to several."""
    from similarity.query.filters import Conditions

    conditions = Conditions(
        where=_where(where or []), minimum=min_score, offset=offset, distinct=distinct, accuracy=accuracy
    )
    asked = Asked([*filter(None, [query]), *(like or [])], unlike or [], weight or [], text or [], not_text or [])
    if not (asked.like or asked.texts):
        raise typer.BadParameter("show it a picture, or say with --text what to look for", param_hint="QUERY")
    if explain:
        explaining.check(sheet, as_json=as_json)
    _search(
        asked,
        gallery,
        k,
        sheet,
        conditions,
        exclude_query=exclude_query,
        precision=precision,
        explain=explain,
        as_json=as_json,
    )


def demo(k: Count = 10, sheet: Sheet = Path("demo.png"), as_json: AsJson = False) -> None:
    """Search the sample gallery with one of the sample queries, and draw the sheet."""
    from similarity.query.filters import Conditions
    from similarity.sample import demo_query

    _search(Asked([demo_query().path]), SAMPLE, k, sheet, Conditions(), as_json=as_json)


def open_or_index(gallery: str) -> "Gallery":
    """Open a gallery; the sample is indexed first if it has not been."""
    from similarity.gallery import open_gallery
    from similarity.sample import ensure_sample, has_sample, is_ready

    if gallery != SAMPLE or not has_sample():
        return open_gallery(gallery)
    try:
        if is_ready():
            return open_gallery(gallery)
    except GalleryDamagedError as error:
        terminal.say(f"{error} It is indexed again now.", as_="Note")
    terminal.say("The sample gallery is indexed first, once.")
    with terminal.indexing() as progress:
        ensure_sample(progress, anew=True)
    opened = open_gallery(SAMPLE)
    if opened.manifest.note:
        terminal.say(opened.manifest.note, as_="Note")
    return opened


def _where(conditions: Sequence[str]) -> dict[str, list[str]]:
    """Conditions as `column=value`, by column."""
    found: dict[str, list[str]] = {}
    for condition in conditions:
        column, equals, value = condition.partition("=")
        if not (column and equals):
            raise typer.BadParameter(f"{condition!r} is not of the form column=value", param_hint="--where")
        found.setdefault(column, []).append(value)
    return found


def _search(
    asked: Asked,
    gallery: str,
    k: int,
    sheet: Path | None,
    conditions: "Conditions",
    *,
    exclude_query: bool = False,
    precision: float | None = None,
    explain: bool = False,
    as_json: bool,
) -> None:
    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter("its name must end in .png", param_hint="--sheet")
    examples, query = asked.read(), asked.first
    opened = open_or_index(gallery)
    _ = opened.embedder  # loaded here, so that the time below is that of a search
    started = time.perf_counter()
    hits = opened.search(examples, k, exclude_query=exclude_query, **conditions)
    took_ms = round(1000 * (time.perf_counter() - started), 1)
    chances = confidence.find(opened, examples, precision, conditions.get("accuracy", "balanced"))
    reasons = explaining.find(opened, examples, hits) if explain else None
    if sheet:
        from similarity.exports.sheet import draw_sheet, draw_words, save_sheet
        from similarity.images.picture import QueryFile

        first, pictures = examples.like[0], [opened.thumbnail(hit.item) for hit in hits]
        picture = first.decode() if isinstance(first, QueryFile) else draw_words(query)
        title = query.rstrip("/").rsplit("/", 1)[-1] if asked.like else "Words"
        heading = "Query"
        if reasons is not None:
            picture, pictures, heading = explaining.heated(picture, pictures, reasons)
        save_sheet(sheet, draw_sheet(picture, title, hits, pictures, heading=heading))
    if as_json:
        facts: dict[str, Any] = {
            "query": query,
            "gallery": opened.name,
            "model": opened.manifest.model,
            "took_ms": took_ms,
        }
        if chances and precision is not None:
            facts["confident"] = chances.are_confident(hits, precision)
        told = [_to_json(hit, chances) for hit in hits]
        if reasons is not None:
            told = [hit | {"explanation": explaining.to_json(one)} for hit, one in zip(told, reasons, strict=True)]
        terminal.print_json(facts | {"hits": told})
        return
    if chances and precision is not None:
        confidence.say_if_unsure(chances, hits, precision)
    if hits:
        _print(hits, chances)
    else:
        terminal.say("No picture meets these conditions.")
    if sheet:
        terminal.say(f"Sheet written to {sheet}")


def _to_json(hit: "Hit", chances: "Chances | None") -> dict[str, Any]:
    chance = chances.of(hit) if chances else None
    return {
        "rank": hit.rank,
        "score": hit.score,
        "id": hit.item.id,
        "path": hit.item.path,
        "label": hit.item.label,
        "probability": None if chance is None else round(chance, 4),
    }


def _print(hits: Sequence["Hit"], chances: "Chances | None") -> None:
    """A line for each hit; how likely it is right where that can be told."""
    columns = ("rank", "score", *(["likely"] if chances else []), "label", "path")
    told = [[confidence.tell(chances, hit)] if chances else [] for hit in hits]
    rows = [
        (str(hit.rank), f"{hit.score:.3f}", *one, hit.item.label or "", _whereabouts(hit.item))
        for hit, one in zip(hits, told, strict=True)
    ]
    terminal.print_table(columns, rows)


def _whereabouts(item: "Item") -> str:
    """A picture's path, and what has to be known of it."""
    copies = {0: "", 1: " (and a copy)"}.get(len(item.copies), f" (and {len(item.copies)} copies)")
    return item.path + copies + (" (the file is gone)" if item.is_gone else "")
