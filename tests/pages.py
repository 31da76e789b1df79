"""What tests read off the pages of the app, driven without a browser."""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.caching.cache_utils import CachedFunc
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[1] / "streamlit_app.py")

# Each AppTest would look through all packages that are installed for elements of pages, which takes longer than to draw
# most of ours. None is installed while tests run.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


def forget() -> None:
    """Nothing is cached any more but models and what they see in a picture, which are the same in every home."""
    from similarity.app import pages as _  # noqa: F401 - imports all that caches anything
    from similarity.app.search import copies
    from similarity.app.serving import drawing, query_objects
    from similarity.service import loaded

    drawing.BROWSER_DRAWS = 0  # there is none
    kept = (loaded.load_embedder, query_objects.find, copies._find_keypoints)
    modules = [
        module for name, module in sys.modules.items() if name.startswith(("similarity.app", "similarity.service"))
    ]
    for cached in [value for module in modules for value in vars(module).values()]:
        if any(cached is one for one in kept):
            continue
        if isinstance(cached, CachedFunc):
            cached.clear()
        elif hasattr(cached, "cache_clear") and hasattr(cached, "cache_lock"):
            cached.cache_clear()


def open_app(**address: str | list[str]) -> AppTest:
    """The app at an address, nothing cached but models; not drawn yet."""
    forget()
    page = AppTest.from_file(APP, default_timeout=60)
    for name, value in address.items():
        page.query_params[name] = value
    return page


def draw_alone(show: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A page without the others: AppTest cannot go to a page that is a function. Where it would go is kept in `went`.

    Args:
        show: imports the page's own and calls it; only the text of this function is taken.
    """
    from similarity.app.shell import navigation

    forget()

    def go(name: str, parameters: object = None) -> None:
        st.session_state["went"] = (name, parameters)
        st.stop()

    monkeypatch.setattr(navigation, "go", go)
    return AppTest.from_function(show, default_timeout=60)


def texts(page: AppTest) -> str:
    """All that is written on a page, without what makes it safe as markdown."""
    elements = [*page.markdown, *page.caption, *page.subheader, *page.info, *page.warning]
    helps = [element.proto.help for element in page.caption]
    return "\n".join([*(element.value for element in elements), *helps]).replace("\\", "").replace("\u00a0", " ")


def errors(page: AppTest) -> str:
    """All errors that are shown."""
    return "\n".join(error.value for error in page.error).replace("\\", "")


def tiles(page: AppTest) -> list[dict[str, Any]]:
    """All pictures that can be clicked on."""
    return [tile for data in components(page, "similarity_tiles") for tile in data["tiles"]]


def ranking(page: AppTest) -> list[dict[str, Any]]:
    """The results, as they are shown."""
    return [tile for tile in tiles(page) if tile["rank"]]


def components(page: AppTest, name: str) -> list[dict[str, Any]]:
    """What the elements of our own are given to draw."""
    found = [element.proto for element in page.get("bidi_component")]
    return [json.loads(proto.json) for proto in found if proto.component_name == name]


def address(page: AppTest) -> dict[str, list[str]]:
    """What stands in the address of a page."""
    return {name: [one] if isinstance(one, str) else list(one) for name, one in page.query_params.items()}
