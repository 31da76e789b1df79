"""The pages of settings and of errors, written from the code."""

import inspect
from pathlib import Path

from similarity import errors
from similarity.settings import TOPICS

from . import DOCS, NOTE

ERRORS = """All errors that the package raises on purpose are a `SimilarityError`. Each message is a sentence for
people. It names the fault, the file or address, and the remedy. The command line prints it and exits with status 1; the
API sends it as a problem by RFC 9457; the app shows it. What to do about the most frequent ones: see
[troubleshooting](troubleshooting.md)."""


def write_tables() -> dict[Path, str]:
    """The text of each page, by its path."""
    return {DOCS / "settings.md": _settings(), DOCS / "errors.md": _errors()}


def _settings() -> str:
    lines = ["# Settings", "", NOTE, ""]
    lines += ["Settings are environment variables. `python -m similarity doctor` prints those that are set.", ""]
    for topic, settings in TOPICS.items():
        lines += [f"## {topic}", "", "| Variable | Unless set | What it does |", "|---|---|---|"]
        lines += [f"| `{setting.name}` | {setting.unset} | {setting.about} |" for setting in settings]
        lines.append("")
    return "\n".join(lines)


def _errors() -> str:
    lines = ["# Errors", "", NOTE, ""]
    lines += [
        ERRORS,
        "",
        "```text",
        *(line.removeprefix("    ") for line in _tree()),
        "```",
        "",
        "| Error | Is a | What it means |",
        "|---|---|---|",
    ]
    for error in vars(errors).values():
        if inspect.isclass(error) and issubclass(error, errors.SimilarityError):
            parent = error.__bases__[0].__name__
            lines.append(f"| `{error.__name__}` | `{parent}` | {(error.__doc__ or '').partition(chr(10))[0]} |")
    return "\n".join(lines) + "\n"


def _tree() -> list[str]:
    """The tree of errors, as the docstring of their module draws it."""
    return [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
