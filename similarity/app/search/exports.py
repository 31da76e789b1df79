"""What can be taken along of the results on a page: table, JSON, pictures, and the sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from similarity.app import resources
from similarity.app.access import may_manage
from similarity.app.search.examples import Example
from similarity.exporting import to_csv, to_json, to_rows, to_zip
from similarity.fetch import is_url
from similarity.gallery import Gallery
from similarity.images import decode
from similarity.originals import file_name, read_original
from similarity.search import Hit
from similarity.sheet import draw_sheet
from similarity.sources import Item

# A sheet of more is larger than anybody prints.
ON_SHEET = 20


@dataclass(frozen=True)
class Export:
    """The results on a page, ready to be made into a file when somebody asks for it."""

    gallery: Gallery
    hits: Sequence[Hit]
    like: Sequence[Example]
    place: Callable[[Item], str]

    def csv(self) -> bytes:
        """A table."""
        return to_csv(to_rows(self.hits, self.place))

    def json(self) -> bytes:
        """What the command line prints, with the metadata."""
        titles = [one.title for one in self.like]
        return to_json(titles, self.gallery.name, self.gallery.manifest.model, to_rows(self.hits, self.place))

    def zip(self) -> bytes:
        """The pictures."""
        return to_zip(self.hits, lambda item: read_original(item, fetch=resources.fetch_picture).data)

    def sheet(self) -> bytes:
        """The query beside the first results."""
        hits = self.hits[:ON_SHEET]
        query = self.like[0]
        picture = decode(query.seen, query.title)
        return draw_sheet(picture, query.title, hits, [self.gallery.thumbnail(hit.item) for hit in hits])


def show(gallery: Gallery, hits: Sequence[Hit], like: Sequence[Example]) -> None:
    """Draw a menu of files; each is made when it is asked for."""
    export = Export(gallery, hits, like, place_for_visitor)
    kinds = (
        ("Table (CSV)", export.csv, "csv", "text/csv"),
        ("Data (JSON)", export.json, "json", "application/json"),
        ("Pictures (ZIP)", export.zip, "zip", "application/zip"),
        ("Sheet (PNG)", export.sheet, "png", "image/png"),
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


def place_for_visitor(item: Item) -> str:
    """Where a picture is, as far as whoever is in front of the browser may know."""
    return item.path if is_url(item.path) or may_manage() else file_name(item)
