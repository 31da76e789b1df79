"""What tests do with a tab of the browser: wait until all is drawn, and read what is there."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# In milliseconds; only what never comes takes as long.
WAIT = 120_000
MOMENT = 10_000  # and this long what has most likely been missed
# There is something, the script has ended, nothing of an earlier run is left, no element waits for its code, and two
# frames later that is still so.
DRAWN = """async () => {
  const find = (selector) => document.querySelector(selector);
  const isDrawn = () => find('[data-testid="stApp"][data-test-script-state="notRunning"]')
    && find('[data-testid="stMainBlockContainer"] :is(h1, h2, h3, p)')
    && !find('[data-stale="true"], [data-testid="stSkeleton"]');
  for (let frame = 0; frame < 2; frame += 1) {
    if (!isDrawn()) return false;
    await new Promise(requestAnimationFrame);
  }
  return Boolean(isDrawn());
}"""
GO_ON = """(place) => {
  history.pushState({}, "", place);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
# Neither the page nor what scrolls in it is wider than that.
FITS = """(width) => [document.documentElement, document.scrollingElement,
  document.querySelector('[data-testid="stMain"]')].every((box) => box.scrollWidth <= width)"""


def drawn(tab: Any) -> None:
    """Wait until the app has nothing more to do; to be called once something of what is to come can be seen.

    Elements of our own may take a moment longer: what they come to show is waited for itself.
    """
    tab.wait_for_function(DRAWN)


def go_on(tab: Any, place: str) -> None:
    """Go to another place of the app without loading the app itself anew, as its own links and the way back do."""
    tab.evaluate(GO_ON, f"/{place}")


@contextmanager
def run_anew(tab: Any, connection: Any) -> Iterator[None]:
    """What is done in the block makes the app draw the page anew: wait until it has, though nothing may look different.

    That a page draws a part of itself from time to time does not count. `connection` is its web socket.
    """

    def is_end(data: str | bytes) -> bool:
        message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
        is_last = message.WhichOneof("type") == "script_finished"
        return is_last and message.script_finished == ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY

    with connection.expect_event("framereceived", is_end):
        yield
    drawn(tab)


def parameters(tab: Any) -> dict[str, list[str]]:
    """What stands in the address."""
    return parse_qs(urlsplit(tab.url).query)


def path(tab: Any) -> str:
    """Which page it is on."""
    return urlsplit(tab.url).path


def fits(tab: Any, width: int = 390) -> bool:
    """Whether a page is no wider than a screen."""
    return bool(tab.evaluate(FITS, width))


def come_to_fit(tab: Any, width: int = 390) -> None:
    """Wait until a page whose screen has become narrower is no wider than that."""
    tab.wait_for_function(FITS, arg=width)


def press(tab: Any, label: str) -> None:
    """Press a button."""
    tab.get_by_role("button", name=label, exact=True).click()


def press_until(tab: Any, label: str, sign: Any) -> None:
    """Press a button until something is there: one that is drawn anew at that very moment misses it, as a person's."""
    from playwright.sync_api import TimeoutError

    for _ in range(WAIT // MOMENT):
        press(tab, label)
        with suppress(TimeoutError):
            sign.wait_for(timeout=MOMENT)
            return
    raise AssertionError(f"{label} was pressed in vain")


def see(tab: Any, text: str) -> None:
    """Wait until a text is on the page."""
    tab.get_by_text(text).first.wait_for()


def rank(tab: Any, number: int) -> Any:
    """The result at a rank; it is waited for."""
    found = tab.locator(".st-key-results").get_by_alt_text(f"Rank {number}:")
    found.wait_for()
    return found


def names(tab: Any) -> list[str]:
    """The file names of the results, as they are now; who has changed them waits until `named` says so."""
    rank(tab, 1)
    return list(named(tab).all_inner_texts())


def named(tab: Any, **which: Any) -> Any:
    """The elements with these names, or those `which` have a text or not."""
    found = tab.locator(".st-key-results .name")
    return found.filter(**which) if which else found


def thumb(tab: Any, name: str, label: str) -> Any:
    """A button on the result with a file name."""
    return tab.locator(".st-key-results li", has_text=name).get_by_role("button", name=label)
