"""Reports of `bench` that a person gives back to it, or to `plan`."""

import json
from pathlib import Path
from typing import Any

from similarity.errors import SearchError


def read_report(path: Path) -> dict[str, Any]:
    """Read what a `bench` command printed with --json; raises SearchError if it cannot be read."""
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SearchError(f"{path} cannot be read as a report of `bench` ({error}).") from error
    if not isinstance(report, dict):
        raise SearchError(f"{path} is not a report of `bench`.")
    return report
