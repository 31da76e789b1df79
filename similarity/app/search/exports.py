"""What can be taken along of the results on a page: table, JSON, pictures, and the sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from similarity.app.search.query_parts import Example
from similarity.app.serving import previews, visitors
from similarity.app.serving.access import item_for_visitor, place_for_visitor, redactor
from similarity.exports.results import to_csv, to_json, to_rows, to_zip
from similarity.exports.sheet import draw_sheet
from similarity.fetch.redaction import redact_sentence
from similarity.gallery import Gallery
from similarity.images.decoding import decode
from similarity.search import Hit
from similarity.service import turns
from similarity.service.turns import Visitor
from similarity.text import plain

# A sheet of more is larger than anybody prints.
ON_SHEET = 20


@dataclass(frozen=True)
class Export:
    """The results on a page, ready to be made into a file when somebody asks for it.

    That is then done where nothing is known of the visitor any more.

    Attributes:
        places: where each picture is, as the visitor may know it.
        tell: what makes of a name, a label or a fact what the visitor may know of it.
        visitor: whose share of time it takes.
    """

    gallery: Gallery
    hits: Sequence[Hit]
    like: Sequence[Example]
    places: Sequence[str]
    tell: Callable[[str], str]
    visitor: Visitor

    def csv(self) -> bytes:
        """A table."""
        return to_csv(self._rows())

    def json(self) -> bytes:
        """What the command line prints, with the metadata."""
        titles = [self.tell(one.title) for one in self.like]
        return to_json(titles, self.gallery.name, self.tell(self.gallery.manifest.model), self._rows())

    def zip(self) -> bytes:
        """The pictures."""
        explain = str if self.tell is str else self._explain
        with visitors.acting_for(self.visitor), turns.shared_turns().counting(self.visitor):
            return to_zip(self.hits, previews.original, explain)

    def sheet(self) -> bytes:
        """The query beside the first results."""
        hits = self.hits[:ON_SHEET]
        query = self.like[0]
        with turns.shared_turns().take(self.visitor):
            picture = decode(query.seen, query.title)
            pictures = [self.gallery.thumbnail(hit.item) for hit in hits]
            return draw_sheet(picture, self.tell(query.title), hits, pictures, tell=self.tell)

    def _rows(self) -> list[dict[str, Any]]:
        hits = [replace(hit, item=item_for_visitor(hit.item, self.tell)) for hit in self.hits]
        return to_rows(hits, self.places)

    def _explain(self, reason: str) -> str:
        return redact_sentence(reason, *(hit.item.path for hit in self.hits))


def show(gallery: Gallery, hits: Sequence[Hit], like: Sequence[Example]) -> None:
    """Draw a menu of files; each is made when it is asked for."""
    places = [place_for_visitor(hit.item) for hit in hits]
    export = Export(gallery, hits, like, places, redactor(), visitors.current())
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
