"""JSON of ours that may have become somebody else's: not too long, not too deep, and all its numbers finite."""

import json
import math
from pathlib import Path
from typing import Any

from similarity.files import read_own

# Up to so many bytes it may hold whatever it likes. Of more, every so many bytes there may be a bracket or a comma: in
# ours there is less, and each takes up to seventy times the memory that it takes in the file.
SMALL, PER_BRACKET, PER_COMMA = 1 << 20, 24, 8


def read_json(path: Path, most: int) -> Any:
    """What a file of up to `most` bytes holds; raises OSError, or ValueError if it is no JSON, or none of ours."""
    return parse_json(read_own(path, most))


def parse_json(data: bytes | str) -> Any:
    """What is in some JSON; raises ValueError if it is none, or none of ours."""
    raw = data.encode(errors="replace") if isinstance(data, str) else data
    if len(raw) > SMALL:
        brackets, commas = raw.count(b"[") + raw.count(b"{"), raw.count(b",")
        if PER_BRACKET * brackets > len(raw) or PER_COMMA * commas > len(raw):
            raise ValueError("it has more parts than ours have")
    try:
        return json.loads(data, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("its parts lie too deep in each other") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"it holds {constant}, which is no number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"it holds {text[:20]}, which is too large")
    return number
