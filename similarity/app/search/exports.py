"""What can be taken along of the results on a page: table, JSON, pictures, and the sheet."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from similarity.app import resources, visitors
from similarity.app.access import may_manage, place_for_visitor
from similarity.app.messages import without_paths
from similarity.app.search.examples import Example
from similarity.exporting import to_csv, to_json, to_rows, to_zip
from similarity.gallery import Gallery
from similarity.images import decode
from similarity.search import Hit
from similarity.service.turns import Visitor
from similarity.sheet import draw_sheet

# A sheet of more is larger than anybody prints.
ON_SHEET = 20


@dataclass(frozen=True)
class Export:
    """The results on a page, ready to be made into a file when somebody asks for it.

    That is then done where nothing is known of the visitor any more.

    Attributes:
        places: where each picture is, as the visitor may know it.
        tells_all: whether the visitor may know more.
        visitor: whose share of time it takes.
    """

    gallery: Gallery
    hits: Sequence[Hit]
    like: Sequence[Example]
    places: Sequence[str]
    tells_all: bool
    visitor: Visitor

    def csv(self) -> bytes:
        """A table."""
        return to_csv(to_rows(self.hits, self.places))

    def json(self) -> bytes:
        """What the command line prints, with the metadata."""
        titles = [one.title for one in self.like]
        return to_json(titles, self.gallery.name, self.gallery.manifest.model, to_rows(self.hits, self.places))

    def zip(self) -> bytes:
        """The pictures."""
        explain = str if self.tells_all else without_paths
        with visitors.acting_for(self.visitor), visitors.turns().counting(self.visitor):
            return to_zip(self.hits, resources.take_along, explain)

    def sheet(self) -> bytes:
        """The query beside the first results."""
        hits = self.hits[:ON_SHEET]
        query = self.like[0]
        with visitors.turns().take(self.visitor):
            picture = decode(query.seen, query.title)
            return draw_sheet(picture, query.title, hits, [self.gallery.thumbnail(hit.item) for hit in hits])


def show(gallery: Gallery, hits: Sequence[Hit], like: Sequence[Example]) -> None:
    """Draw a menu of files; each is made when it is asked for."""
    export = Export(
        gallery, hits, like, [place_for_visitor(hit.item) for hit in hits], may_manage(), visitors.current()
    )
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
                file_name=f"{gallery.name}-results.{kind}",
                mime=mime,
                key=f"export-{kind}",
                on_click="ignore",
                width="stretch",
                disabled=kind == "png" and not like,
            )
