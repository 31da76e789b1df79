"""Key figures that were measured, from `docs/figures.json`: each with its command, its machine and its date."""

import json
import logging
from dataclasses import dataclass
from typing import Any

from similarity.paths import program_folder

FILE = ("docs", "figures.json")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that was measured.

    Attributes:
        name: by which the documentation names it.
        text: what was measured.
        value: as people read it, such as 98 % or 1.3.
        command: that measures it, behind `python -m similarity`.
        machine: where it was measured.
        date: when, as 2026-11-30.
    """

    name: str
    text: str
    value: str
    command: str
    machine: str
    date: str


def load_figures() -> list[Figure]:
    """Read all figures; none where the file is not there or is damaged, since a page can do without."""
    path = program_folder().joinpath(*FILE)
    try:
        return [_figure(entry) for entry in json.loads(path.read_text("utf-8"))["figures"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        logger.exception("The figures in %s cannot be read", path)
        return []


def show_value(entry: dict[str, Any]) -> str:
    """The value of an entry of the file, as people read it."""
    return str(entry["shown"]).format(value=entry["value"]).replace("%", " %")


def _figure(entry: dict[str, Any]) -> Figure:
    return Figure(
        name=entry["name"],
        text=entry["text"],
        value=show_value(entry),
        command=entry["command"],
        machine=entry["machine"],
        date=entry["date"],
    )
