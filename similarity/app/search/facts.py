"""What is known of a picture: its name, its facts, and last where it lies."""

from shlex import quote

import streamlit as st

from similarity.app.components.titles import title_of
from similarity.app.serving.access import item_for_visitor, may_manage, place_for_visitor, text_for_visitor
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown
from similarity.gallery import Gallery
from similarity.images.exif import PLACE
from similarity.sources import Item
from similarity.sources.locations import is_remote
from similarity.sources.originals import file_name
from similarity.text import plain

THIS = "this picture"


def name_of(item: Item) -> str:
    """Return what a person calls a picture: its name in the catalogue, its label, or its file's name if that says any.

    Args:
        item: as far as the visitor may see it.
    """
    title = title_of(item)
    return (title if title != file_name(item) else "") or item.label or title or "Picture"


def spoken_name(item: Item) -> str:
    """Return how a sentence calls a picture: by a name that says anything, else by its label, as in `this dress`.

    Args:
        item: as far as the visitor may see it.
    """
    if title := title_of(item):
        return plain.short(text_for_visitor(title))
    return f"this {plain.short(text_for_visitor(item.label))}" if item.label else THIS


def columns_of(item: Item) -> list[tuple[str, str]]:
    """Return the columns of a picture in its catalogue, its title first, without those that only repeat its label.

    Args:
        item: as far as the visitor may see it.
    """
    title, label = title_of(item), _plain(item.label or "")
    columns = [(name, value) for name, value in item.metadata.items() if _plain(value) != label]
    return sorted(columns, key=lambda column: column[1] != title)


def _plain(text: str) -> str:
    return text.strip().casefold()


def show(gallery: Gallery, item: Item) -> None:
    """Draw the facts, and below them the path or address of the file."""
    seen = item_for_visitor(item)
    known = {"Label": seen.label or ""}
    known |= {name.capitalize(): value for name, value in columns_of(seen)}
    known |= {"Size": f"{item.width:,} × {item.height:,} pixels, {wording.size(item.size)}"}
    known |= {name.capitalize(): seen.exif.get(name, "") for name in ("taken", "camera", *PLACE)}
    known |= {"Exact copies": ", ".join(place_for_visitor(copy) for copy in seen.copies)}
    st.table({as_markdown(name): as_markdown(value) for name, value in known.items() if value}, border="horizontal")
    _show_place(gallery, item)


def _show_place(gallery: Gallery, item: Item) -> None:
    place = place_for_visitor(item)
    with st.container(key="place", gap=None):
        st.caption("Address" if is_remote(item.path) else "File")
        st.code(text_for_visitor(place), language="uri", wrap_lines=True)  # its slashes are where lines break
    if item.is_gone:
        st.caption(":material/link_off: The file is gone; this small picture was made when it was indexed.")
        if may_manage():
            st.caption("If it has moved, sync the gallery with its new place. This command forgets it:")
            command = f"python -m similarity remove --gallery {quote(gallery.name)} --path {quote(item.path)}"
            st.code(text_for_visitor(command), language="bash", wrap_lines=True)
