"""Downloads of the results on a page: a table, JSON, the pictures, and a contact sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from similarity.app.search.copies import NOT_LOOKED, Found
from similarity.app.search.query_parts import Example
from similarity.app.search.turns import Asked
from similarity.app.serving import previews, visitors
from similarity.app.serving.access import item_for_visitor, place_for_visitor, redactor
from similarity.evaluation.confidence.estimate import Chances
from similarity.exports.results import to_csv, to_json, to_rows, to_zip
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


@dataclass(frozen=True)
class Export:
    """The results on a page, from which a file is made when the visitor downloads it.

    Files are made outside of the page, where the visitor is no longer known.

    Attributes:
        places: path or address of each picture, redacted for the visitor.
        redact: redacts a text for the visitor; `str` if nothing is secret.
        visitor: whose time is used.
        chances: what is known of how likely the results are right.
        found: what a second look found.
        turned: the degrees clockwise that the query is turned by; None if no other turn was tried.
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

    def csv(self) -> bytes:
        """Make a CSV table of the results."""
        return to_csv(self._rows(copy_facts.describe))

    def json(self) -> bytes:
        """Make the JSON that the command line prints, with metadata."""
        titles = [self.redact(example.title) for example in self.like]
        belongs = self.chances.belongs if self.chances else None
        rows = self._rows(copy_facts.to_json)
        model = self.redact(self.gallery.manifest.model)
        return to_json(titles, self.gallery.name, model, rows, belongs, turned=self.turned)

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
        rows = to_rows(hits, self.places)
        if not self.found.is_made:
            return rows
        found = [format_copy(self.found.copies.get(hit.item.id)) for hit in self.hits]
        return [row | {"copy": copy} for row, copy in zip(rows, found, strict=True)]

    def _explain(self, reason: str) -> str:
        return redact_sentence(reason, *(hit.item.path for hit in self.hits))


def show(gallery: Gallery, hits: Sequence[Hit], asked: Asked, found: Found = NOT_LOOKED) -> None:
    """Draw the menu of downloads."""
    places, like = [place_for_visitor(hit.item) for hit in hits], asked.like
    visitor = visitors.current()
    export = Export(gallery, hits, like, places, redactor(), visitor, asked.chances, found, asked.turned)
    sheet = f"Sheet of the first {ON_SHEET} (PNG)" if len(hits) > ON_SHEET else "Sheet (PNG)"
    kinds = (
        ("Table (CSV)", export.csv, "csv", "text/csv"),
        ("Data (JSON)", export.json, "json", "application/json"),
        ("Pictures (ZIP)", export.zip, "zip", "application/zip"),
        (sheet, export.sheet, "png", "image/png"),
    )
    with st.popover("Export", icon=":material/download:"):
        st.caption(f"The {len(hits)} results on this page" if len(hits) != 1 else "The result on this page")
        for label, make, kind, mime in kinds:
            st.download_button(
                label,
                make,
                file_name=plain.entry(f"{gallery.name}-results.{kind}"),
                mime=mime,
                key=f"export-{kind}",
                on_click="ignore",
                width="stretch",
                disabled=kind == "png" and not like,
            )
