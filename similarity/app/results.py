"""The right side of the search page: the ranked gallery, and what is shown before there is a query."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from similarity.app.messages import as_text
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.sources import Item

PREVIEWED = 10


def show_hits(gallery: Gallery, hits: Sequence[Hit]) -> None:
    """The hits in a grid, best first: picture, rank and score, label, file name."""
    with _grid():
        for hit in hits:
            heading = f":primary-badge[{hit.rank}] **{hit.score:.3f}** &nbsp;{as_text(hit.item.label or '')}"
            _show_item(gallery, hit.item, heading, f"Rank {hit.rank}")


def show_samples(samples: Sequence[Item], take: Callable[[Item], None]) -> None:
    """Pictures to try, each with a button that makes it the query."""
    st.markdown("**Try one of these,** or upload a picture of your own, or paste the address of one.")
    with st.container(key="samples").grid(min_column_width=120, gap="small"):
        for item in samples:
            name = (item.label or "picture").replace("-", " ").capitalize()
            with st.container(key=f"sample-tile-{item.id}", gap="xxsmall"):
                st.image(item.path, alt=f"Sample: {name}", width="stretch")
                st.button(name, key=f"sample-{item.id}", on_click=take, args=(item,), width="stretch")


def show_preview(gallery: Gallery) -> None:
    """Some of a gallery's pictures, evenly spread over it, so that one sees what a query is compared with."""
    st.markdown(
        "**Upload a picture, or paste the address of one.** It is compared with every picture of this gallery, such as:"
    )
    step = max(1, len(gallery) // PREVIEWED)
    with _grid():
        for item in gallery.items[::step][:PREVIEWED]:
            _show_item(gallery, item, as_text(item.label or ""), "In the gallery")


def _grid() -> st.delta_generator.DeltaGenerator:
    return st.container(key="results").grid(min_column_width=150, gap="medium")


def _show_item(gallery: Gallery, item: Item, heading: str, alt: str) -> None:
    name = Path(item.path).name
    with st.container(gap="xxsmall"):
        st.image(gallery.thumbnail(item), alt=f"{alt}: {item.label or name}", width="stretch")
        if heading:
            st.markdown(heading)
        st.caption(as_text(name))
        if item.is_gone:
            st.caption(":material/link_off: the file is gone")
