"""The file of a head: safetensors with one JSON text in its header, and nothing that is read of it is believed.

8 bytes    length of the header
header     JSON: where each array lies, and under `about` the card and the two numbers of a head
arrays     float32, one after the other, without gaps
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from safetensors.numpy import save

from similarity.errors import HeadError
from similarity.files import parse_json
from similarity.vectors.arrays import Vectors

FORMAT = 1
ABOUT = "about"
CENTRE, BASIS, FIRST, LAST = "centre", "basis", "first", "last"
# A longer header, which holds the card, was not written by this package, and is not read.
MOST_HEADER = 1 << 22
# Raised on malformed files.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array lies in a file, counted from the end of the header."""

    shape: tuple[int, ...]
    begin: int
    end: int

    def read(self, data: bytes) -> Vectors:
        """The array, without a copy of it."""
        return np.frombuffer(data, "<f4", (self.end - self.begin) // 4, self.begin).reshape(self.shape)


def pack(parts: Mapping[str, Vectors], about: Mapping[str, Any]) -> bytes:
    """The bytes of a file with these arrays; `about` is in JSON's own types."""
    # In one word, because several would be written in any order, and a head would be another file each time.
    header = {ABOUT: json.dumps({"format": FORMAT, **about}, ensure_ascii=False, sort_keys=True)}
    data: bytes = save({name: np.ascontiguousarray(part) for name, part in parts.items()}, header)
    return data


def unpack(file: BinaryIO, size: int, name: str, dim_in: int | None) -> tuple[dict[str, Vectors], dict[str, Any]]:
    """Read the result of `pack` from a file of a given size; arrays are read after their shapes are checked.

    Args:
        name: the file, as errors call it.
        dim_in: length of the embeddings that it has to be for, if that is known.

    Raises:
        HeadError: it is of another version, or for other embeddings. Any of MALFORMED: it is damaged.
    """
    header, length = _header(file, size)
    about = parse_json(dict(header.pop("__metadata__", {})).get(ABOUT, "{}"))
    if about.get("format") != FORMAT:
        raise HeadError(f"{name} is not a head, or one of another version of this program: train it again.")
    places = _places(header, size - 8 - length)
    if dim_in not in (None, *places[CENTRE].shape):
        raise HeadError(f"{name} takes other embeddings than those that it lies beside: train it again.")
    data = file.read(size)
    return {name: one.read(data) for name, one in places.items()}, about


def _header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file and its length: 8 bytes that say it, then JSON."""
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= min(size - 8, MOST_HEADER):
        raise ValueError("no header")
    return dict(parse_json(file.read(length))), length


def _places(header: Mapping[str, Any], size: int) -> dict[str, _Place]:
    """Where the arrays of a head lie; raises ValueError, LookupError or TypeError if they are not as we write them."""
    places = {}
    for name, entry in header.items():
        shape, (begin, end) = tuple(map(int, entry["shape"])), map(int, entry["data_offsets"])
        if name not in (CENTRE, BASIS, FIRST, LAST) or entry["dtype"] != "F32" or min(shape, default=0) < 1:
            raise ValueError("arrays of something else")
        if end - begin != 4 * math.prod(shape):
            raise ValueError("an array of another size")
        places[name] = _Place(shape, begin, end)
    ordered = sorted(places.values(), key=lambda one: one.begin)
    ends = [0, *(one.end for one in ordered)]
    if [one.begin for one in ordered] != ends[:-1] or ends[-1] != size:
        raise ValueError("arrays with gaps between them")
    return places
