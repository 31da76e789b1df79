"""The train page of the real app in a real browser: heads are really trained there, on few pictures in few epochs."""

from collections.abc import Callable
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, parameters, press, press_until, see
from similarity import Gallery

pytestmark = pytest.mark.browser


def train(tab: Any, gallery: Gallery, epochs: int) -> None:
    """Begin, with another number of epochs, which the page has not been drawn anew with when the button is pressed."""
    tab.goto(f"train?gallery={gallery.name}")
    drawn(tab)
    tab.get_by_text("More settings").click()
    tab.get_by_role("spinbutton", name="Epochs at most").fill(str(epochs))
    press_until(tab, "Train", tab.get_by_role("button", name="Cancel", exact=True))


@pytest.mark.exhaustive
def test_a_head_is_trained_while_one_is_elsewhere_and_kept_and_searched_with(
    tab: Any, own_gallery: Callable[[str], Gallery]
) -> None:
    mine = own_gallery("shapes")
    train(tab, mine, 2)
    see(tab, "Training a head for")
    tab.get_by_role("link", name="Galleries").click()
    tab.get_by_role("heading", name="Galleries").wait_for()
    see(tab, f"A head was trained for {mine.name}")
    button = tab.get_by_role("button", name="See how good it is", exact=True)
    notices = tab.get_by_test_id("stLayoutWrapper").filter(has_text=f"A head was trained for {mine.name}")
    notices.filter(has=button).last.get_by_role("button", name="See how good it is", exact=True).click()
    tab.wait_for_url(f"**/train?gallery={mine.name}")
    tab.locator("canvas").nth(1).wait_for()  # both curves are drawn
    assert tab.get_by_test_id("stMetric").count() == 2
    see(tab, "15 pictures")
    assert Gallery.open(mine.directory).head is None
    press(tab, "Keep it")
    see(tab, f"{mine.name} now uses the trained head")
    assert Gallery.open(mine.directory).head is not None
    press(tab, "Search it")
    tab.wait_for_url(f"**/?gallery={mine.name}")
    tab.goto(f"?gallery={mine.name}&like=item:dots/dots-0.jpg")
    tab.get_by_alt_text("Rank 1:").first.wait_for()
    tab.goto(f"train?gallery={mine.name}")
    press(tab, "Take the head off")
    see(tab, f"{mine.name} no longer uses a head")
    assert Gallery.open(mine.directory).head is None


@pytest.mark.exhaustive
def test_curves_grow_while_it_trains_another_tab_watches_and_it_is_cancelled(
    tab: Any, new_tab: NewTab, own_gallery: Callable[[str], Gallery]
) -> None:
    other = own_gallery("sample")  # it has enough pictures for that to take a while
    train(tab, other, 1000)
    tab.locator("canvas").nth(1).wait_for()
    see(tab, "Trying it with some held out: epoch")
    see(tab, "so far")
    second = new_tab(f"train?gallery={other.name}")
    assert parameters(second)["gallery"] == [other.name]
    press(second, "Cancel")
    see(tab, f"Training a head for {other.name} was cancelled: {other.name} is as it was.")
    assert Gallery.open(other.directory).state == other.state
