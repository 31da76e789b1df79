"""All pages, or parts of pages, that a command writes."""

from pathlib import Path

from .commands import write_commands
from .figures import write_figures
from .licences import write_licences
from .tables import write_tables


def write_all() -> dict[Path, str]:
    """The text of each page that is written from the code or has figures, by its path."""
    return write_commands() | write_tables() | write_licences() | write_figures()
