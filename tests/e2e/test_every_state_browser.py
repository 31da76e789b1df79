"""Every page and state, light and dark, wide and on a telephone: nothing that keeps somebody out, no error in the
console.

The states are those of `states.py`, which `screenshots.py` takes; the rules are axe-core's.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2e.states import STATES, settle

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

SIZES = {"wide": (1440, 900), "telephone": (390, 844)}
GRAVE = ("serious", "critical")
# Faults of Streamlit's own elements that we cannot mend: rule, a part of the element's HTML or selector, and why.
STREAMLITS = (
    ("list", "stSidebarNavItems", "the menu of a telephone puts headings of sections into a list"),
    ("listitem", "<li", "likewise: its items are inside these sections"),
)


def violations(tab: Any) -> Iterator[str]:
    """What axe-core finds grave, a line for each element."""
    from axe_playwright_python.sync_playwright import Axe

    for found in Axe().run(tab).response["violations"]:
        for node in found["nodes"] if found["impact"] in GRAVE else ():
            where = f"{node['html']} {node['target']}"
            if not any(found["id"] == rule and part in where for rule, part, _ in STREAMLITS):
                yield f"{found['id']}: {where[:300]}"


def console_errors(tab: Any) -> list[str]:
    """A list that grows with each error on the tab's console."""
    errors: list[str] = []
    tab.on("console", lambda said: said.type == "error" and errors.append(f"{said.text} {said.location['url']}"))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    return errors


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return SIZES[request.param]


@pytest.mark.parametrize(("place", "act"), [state[1:] for state in STATES], ids=[state[0] for state in STATES])
def test_nothing_in_any_state_keeps_somebody_out_or_is_an_error_in_the_console(
    new_tab: Callable[..., Any], place: str, act: Callable[[Any], Any], size: tuple[int, int], scheme: str
) -> None:
    is_touched = size[0] < 500
    tab = new_tab(width=size[0], height=size[1], color_scheme=scheme, has_touch=is_touched, is_mobile=is_touched)
    errors = console_errors(tab)
    tab.goto(place)
    act(tab)
    settle(tab)
    assert [*violations(tab)] == []
    assert errors == []
