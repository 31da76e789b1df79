"""The pages of the app and the setup that they share."""

from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from similarity.app.about import page as about_page
from similarity.app.components import cropper, focus, menu, scroll
from similarity.app.duplicates import conflicts, groups
from similarity.app.duplicates import page as duplicates_page
from similarity.app.evaluate import page as evaluate_page
from similarity.app.everywhere import page as everywhere_page
from similarity.app.faceoff import page as faceoff_page
from similarity.app.galleries import job_strip
from similarity.app.galleries import page as galleries_page
from similarity.app.map import page as map_page
from similarity.app.search import page as search_page
from similarity.app.search import selection
from similarity.app.serving import access, drawing, login, sessions, uploads
from similarity.app.shell import bottom_bar, links, navigation, palette, style, tab_title
from similarity.app.train import page as train_page
from similarity.app.wording.messages import show_error
from similarity.errors import SimilarityError

Visibility = Literal["visible", "hidden"]
# Pages for whoever runs the app, in a menu of their own.
LAB = ("evaluate", "train", "faceoff", "duplicates")
# Of all pages at once, in the document that is loaded first: none moves when its own comes. See `first_paint.py`.
STYLE = "".join(
    one.CSS for one in (style, cropper, selection, galleries_page, job_strip, map_page, about_page, groups, conflicts)
)
ICON, LOGO = (Path(__file__).with_name(name) for name in ("icon.svg", "logo.svg"))


def show() -> None:
    """Draw the page that the visitor has opened, in turn, or say that very many people are waiting."""
    sessions.note_current()
    drawing.draw_in_turn(_draw)


def _draw() -> None:
    # A local file: the browser would fetch one of Streamlit's own symbols from the internet.
    st.set_page_config(page_title=tab_title.last(), page_icon=str(ICON), layout="wide")
    login.stop_if_logged_out()
    uploads.keep_in_memory()
    st.logo(str(LOGO))
    menu.mend()
    pages = _pages()
    navigation.register(pages)
    listed = [page for name, page in pages.items() if name not in LAB]
    page = st.navigation({"": listed, "Lab": [pages[name] for name in LAB]}, position="top")
    tab_title.begin("" if page is pages["search"] else page.title)
    bottom_bar.show(pages)
    links.refuse_too_long()
    navigation.restore_last_search(page)
    palette.show(pages)
    focus.keep()
    scroll.keep()
    try:
        page.run()
    except SimilarityError as error:  # galleries that this user may not list, or a wrong SIMILARITY_HOME
        show_error(error)


def _pages() -> dict[str, StreamlitPage]:
    """Return the pages by name; those of the lab are in the menu of whoever manages galleries, and open to all."""
    lab: Visibility = "visible" if access.may_manage() else "hidden"
    return {
        "search": st.Page(search_page.show, title="Search", icon=":material/image_search:", default=True),
        "map": st.Page(map_page.show, title="Map", icon=":material/scatter_plot:", url_path="map"),
        "galleries": st.Page(
            galleries_page.show, title="Galleries", icon=":material/photo_library:", url_path="galleries"
        ),
        "everywhere": st.Page(
            everywhere_page.show,
            title="Everywhere",
            icon=":material/travel_explore:",
            url_path="everywhere",
            visibility="visible" if navigation.has_several_galleries() else "hidden",
        ),
        "about": st.Page(about_page.show, title="About", icon=":material/info:", url_path="about"),
        "evaluate": st.Page(
            evaluate_page.show, title="Evaluate", icon=":material/speed:", url_path="evaluate", visibility=lab
        ),
        "train": st.Page(
            train_page.show, title="Train", icon=":material/model_training:", url_path="train", visibility=lab
        ),
        "faceoff": st.Page(
            faceoff_page.show, title="Face-off", icon=":material/compare:", url_path="faceoff", visibility=lab
        ),
        "duplicates": st.Page(
            duplicates_page.show,
            title="Duplicates",
            icon=":material/content_copy:",
            url_path="duplicates",
            visibility=lab,
        ),
    }
