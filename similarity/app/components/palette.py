"""A palette: a list of places and actions that `/` or Ctrl-K opens and typing narrows."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from similarity.app.components.loading import load
from similarity.text.plain import LONGEST

KEY = "palette"
Kind = Literal["page", "gallery", "sample", "action"]
Choice = tuple[str, str]

_mount = load(
    "palette",
    """
<button type="button" class="open" aria-haspopup="dialog" aria-keyshortcuts="/ Control+K Meta+K">
  Go to <kbd aria-hidden="true">/</kbd>
</button>
<dialog aria-label="Go to">
  <input type="text" role="combobox" aria-expanded="true" aria-controls="options" aria-autocomplete="list"
    aria-label="Galleries, pages, samples and actions" placeholder="Galleries, pages, samples and actions"
    autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="200">
  <div class="options" id="options" role="listbox" aria-label="Go to"></div>
  <p class="said" role="status"></p>
  <div class="keys" role="group" tabindex="0" aria-label="Keyboard shortcuts"></div>
</dialog>
""",
    scripts=("clipboard", "palette"),
)


class Entry(TypedDict):
    """A line of the palette.

    Attributes:
        kind, value: what is returned when it is chosen.
        group: the heading it stands below.
        name: its text.
    """

    kind: Kind
    value: str
    group: str
    name: str


def show(entries: Sequence[Entry]) -> Choice | None:
    """Draw the palette, closed; returns kind and value of the entry that has just been chosen, if any."""
    return _choice(_mount(key=KEY, data={"entries": list(entries)}, on_choose_change=_take).choose)


def _take() -> None:
    """Let Streamlit know the trigger; its value is read where the palette is drawn."""


def _choice(value: Any) -> Choice | None:
    """Return a message of the browser as a choice, if it is valid."""
    match value:
        case {"kind": str(kind), "value": str(chosen)} if len(chosen) <= LONGEST:
            return kind, chosen
    return None
