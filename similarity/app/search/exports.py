"""Downloads of results, all of them or those that are selected: a table, JSON, the pictures, and a contact sheet."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from similarity.app.search.copies import NOT_LOOKED, Found
from similarity.app.search.query_parts import Example
from similarity.app.search.turns import Asked
from similarity.app.serving import previews, visitors
from similarity.app.serving.access import item_for_visitor, place_for_visitor, redactor
from similarity.app.shell.parameters import Link
from similarity.evaluation.confidence.estimate import Chances
from similarity.evaluation.confidence.verdict import find_verdict
from similarity.exports.results import MAX_ZIP_BYTES, to_csv, to_json, to_rows, to_zip
from similarity.exports.sheet import draw_sheet
from similarity.fetch.redaction import redact_sentence
from similarity.gallery import Gallery
from similarity.images.decoding import decode
from similarity.query import copy_facts
from similarity.query.belonging import NOTHING_LIKE_IT
from similarity.query.copies import Copy
from similarity.search import Hit
from similarity.service import turns
from similarity.service.visitor import Visitor
from similarity.text import plain

# A sheet of more results is too large to print.
ON_SHEET = 20
ALL, SELECTED = "all", "selected"
ABOUT_ZIP = f"Up to {MAX_ZIP_BYTES // 1_000_000:d} MB; a list in it names pictures that are left out."
MIME = {"csv": "text/csv", "json": "application/json", "zip": "application/zip", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Download:
    """A file that can be downloaded.

    Attributes:
        label: what the button says.
        kind: the suffix of its name, one of MIME.
        make: makes it once it is asked for, outside of the page.
        note: what else is to be known.
        is_possible: whether there is anything to make it of.
    """

    label: str
    kind: str
    make: Callable[[], bytes]
    note: str | None = None
    is_possible: bool = True


@dataclass(frozen=True)
class Export:
    """Results from which a file is made when the visitor downloads it.

    Files are made outside of the page, where the visitor is no longer known.

    Attributes:
        places: path or address of each picture, redacted for the visitor.
        redact: redacts a text for the visitor; `str` if nothing is secret.
        visitor: whose time is used.
        chances: what is known of how likely the results are right.
        found: what a second look found.
        turned: the degrees clockwise that the query is turned by; None if no other turn was tried.
        conditions: what results had to meet, and their order; see `conditions_of`.
    """

    gallery: Gallery
    hits: Sequence[Hit]
    like: Sequence[Example]
    places: Sequence[str]
    redact: Callable[[str], str]
    visitor: Visitor
    chances: Chances | None = None
    found: Found = NOT_LOOKED
    turned: int | None = None
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def csv(self) -> bytes:
        """Make a CSV table of the results, of which each row repeats the conditions that are not the default ones."""
        conditions = _in_words(self.conditions)
        return to_csv([row | {"conditions": conditions} for row in self._rows(copy_facts.describe)])

    def json(self) -> bytes:
        """Make the JSON that the command line prints, with metadata and conditions."""
        titles = [self.redact(example.title) for example in self.like]
        belongs = self.chances.belongs if self.chances else None
        model = self.redact(self.gallery.manifest.model)
        rows, further = self._rows(copy_facts.to_json), self._further()
        return to_json(titles, self.gallery.name, model, rows, belongs, turned=self.turned, further=further)

    def zip(self) -> bytes:
        """Make a zip of the pictures."""
        explain = str if self.redact is str else self._explain
        with visitors.acting_for(self.visitor), turns.shared_turns().counting(self.visitor):
            return to_zip(self.hits, previews.original, explain)

    def sheet(self) -> bytes:
        """Draw a PNG of the query beside the first results."""
        hits = self.hits[:ON_SHEET]
        query = self.like[0]
        with turns.shared_turns().take(self.visitor):
            picture = decode(query.cropped, query.title)
            pictures = [self.gallery.thumbnail(hit.item) for hit in hits]
            is_stranger = self.chances is not None and self.chances.is_stranger
            proven = self.found.proven
            note = copy_facts.tell(proven) if proven else NOTHING_LIKE_IT if is_stranger else ""
            return draw_sheet(picture, self.redact(query.title), hits, pictures, note=note, format_label=self.redact)

    def _rows(self, format_copy: Callable[[Copy | None], object]) -> list[dict[str, Any]]:
        """Make a row for each result, with what a second look found of it if there was one."""
        hits = [replace(hit, item=item_for_visitor(hit.item, self.redact)) for hit in self.hits]
        rows = to_rows(hits, self.places, [self._probability(hit) for hit in self.hits])
        if not self.found.is_made:
            return rows
        found = [format_copy(self.found.copies.get(hit.item.id)) for hit in self.hits]
        return [row | {"copy": copy} for row, copy in zip(rows, found, strict=True)]

    def _probability(self, hit: Hit) -> float | None:
        """The probability that a result is right; none of a proven copy, as on the page."""
        return None if self.chances is None or self.found.of(hit.item.id) else self.chances.of(hit)

    def _further(self) -> dict[str, Any]:
        """The verdict on the results, named as the command line does, and what they had to meet."""
        ranked, precision = sorted(self.hits, key=lambda hit: hit.rank), self.conditions.get("precision")
        verdict = None if self.found.proven else find_verdict(ranked, self.chances, precision)
        further: dict[str, Any] = {"verdict": verdict.kind if verdict else None}
        if self.chances and precision is not None:
            further["confident"] = self.chances.are_confident(ranked, precision)
        unlike = [self.redact(text) for text in self.conditions.get("unlike", ())]
        return further | {"conditions": {**self.conditions, "unlike": unlike}}

    def _explain(self, reason: str) -> str:
        return redact_sentence(reason, *(hit.item.path for hit in self.hits))


def conditions_of(link: Link) -> dict[str, Any]:
    """Return what the results of a search had to meet, and their order, named as options of the library are."""
    return {
        "where": {column: list(values) for column, values in link.where.items()},
        "min_score": link.min_score or None,
        "distinct": link.distinct,
        "one_per_product": link.one_per_product,
        "exclude_query": link.exclude_query,
        "unlike": [part.value for part in link.unlike],
        "parts": link.parts,
        "copies": link.copies,
        "accuracy": link.accuracy,
        "sort": link.sort or None,
        "precision": link.precision,
    }


def _in_words(conditions: Mapping[str, Any]) -> str:
    """Write conditions in one line, such as `label=shoe|boot; min_score=0.5; sort=-taken`."""
    default = conditions_of(Link())
    where: Mapping[str, Sequence[str]] = conditions.get("where", {})
    texts = [f"{name if name[-1:] in '<>=~' else name + '='}{'|'.join(values)}" for name, values in where.items()]
    others = {name: value for name, value in conditions.items() if name not in ("where", "unlike")}
    texts += [f"{name}={value}" for name, value in others.items() if value != default.get(name)]
    return "; ".join(texts)


def show(
    gallery: Gallery,
    hits: Sequence[Hit],
    asked: Asked,
    found: Found = NOT_LOOKED,
    link: Link | None = None,
    *,
    selected: Collection[str] = (),
) -> None:
    """Draw the menu of downloads, for all results or those that are selected.

    Args:
        hits: all results, in the order that is shown.
        link: the search, of which the conditions are exported.
        selected: public ids of the selected pictures.
    """
    chosen = selected_among(hits, selected)
    with st.popover("Export", icon=":material/download:"):
        if chosen:
            names = {ALL: f"All results ({len(hits):,})", SELECTED: f"Selected ({len(chosen):,})"}
            what = st.segmented_control(
                "Export",
                (SELECTED, ALL),
                format_func=names.__getitem__,
                default=SELECTED,
                key="export-what",
                required=True,
                label_visibility="collapsed",
            )
            shown = chosen if what == SELECTED else hits
        else:
            st.caption(f"All {len(hits):,} results" if len(hits) != 1 else "The one result")
            shown = hits
        show_kinds(gallery, shown, asked, found, link)


def selected_among(hits: Sequence[Hit], selected: Collection[str]) -> list[Hit]:
    """Return the results that are selected, in their order."""
    return [hit for hit in hits if hit.item.public_id in selected] if selected else []


def show_kinds(
    gallery: Gallery, hits: Sequence[Hit], asked: Asked, found: Found, link: Link | None, *, key: str = "export"
) -> None:
    """Draw a button for each kind of file."""
    redact, like, conditions = redactor(), asked.like, conditions_of(link or Link())
    places, visitor = [place_for_visitor(hit.item, redact) for hit in hits], visitors.current()
    export = Export(gallery, hits, like, places, redact, visitor, asked.chances, found, asked.turned, conditions)
    sheet = f"Sheet of the first {ON_SHEET} (PNG)" if len(hits) > ON_SHEET else "Sheet (PNG)"
    show_downloads(
        f"{gallery.name}-results",
        (
            Download("Table (CSV)", "csv", export.csv),
            Download("Data (JSON)", "json", export.json),
            Download("Pictures (ZIP)", "zip", export.zip, ABOUT_ZIP),
            Download(sheet, "png", export.sheet, is_possible=bool(like)),
        ),
        key,
    )


def show_downloads(name: str, files: Sequence[Download], key: str) -> None:
    """Draw a button for each of some files.

    Args:
        name: that of all of them, without a suffix.
        key: begins the keys of the buttons.
    """
    for file in files:
        st.download_button(
            file.label,
            file.make,
            file_name=plain.entry(f"{name}.{file.kind}"),
            mime=MIME[file.kind],
            key=f"{key}-{file.kind}",
            on_click="ignore",
            width="stretch",
            disabled=not file.is_possible,
            help=file.note,
        )
