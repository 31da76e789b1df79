"""A notice over the lower edge of the page, for a while: what has changed, with a button that answers it."""

from collections.abc import Callable

from similarity.app.components.loading import load

KEY = "notice"
_mount = load("notice", '<div class="notice" hidden><span role="status"></span><button type="button"></button></div>')


def show(text: str, action: str, act: Callable[[], None], *, name: str) -> None:
    """Draw the notice, which moves nothing and goes by itself.

    Args:
        action: what the button does, in a word.
        act: called when it is pressed, before anything is drawn again.
        name: of what has happened; drawn again under the same name, it stays no longer.
    """
    _mount(key=KEY, data={"text": text, "action": action, "name": name}, on_press_change=act)
