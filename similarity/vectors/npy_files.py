"""NumPy files of ours, of which nothing is believed: not their headers, nor that they are as long as these say."""

import math
import os
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from similarity.files import open_own

# Version 1.0, and a header as NumPy has always written it; it is looked at as text, and nothing in it is evaluated.
MAGIC = b"\x93NUMPY\x01\x00"
LONGEST = 1_000
HEADER = re.compile(
    rb"\{'descr': '(<f[248]|<i[48]|\|[iu]1)', 'fortran_order': False, "
    rb"'shape': \((\d{1,18}),(?: (\d{1,18}))?\), \} *\n"
)


def read_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array in a file, of one dimension or two, which is at its first number then.

    Raises:
        ValueError: it is none, or shorter or longer than it says. OSError: it cannot be read.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError("not a NumPy file of version 1.0")
    length = int.from_bytes(file.read(2), "little")
    found = HEADER.fullmatch(file.read(min(length, LONGEST)))
    if not found or length > LONGEST:
        raise ValueError("not an array of ours")
    dtype, shape = np.dtype(found[1].decode()), tuple(int(one) for one in found.groups()[1:] if one is not None)
    if os.fstat(file.fileno()).st_size != file.tell() + dtype.itemsize * math.prod(shape):
        raise ValueError("shorter or longer than its header says")
    return shape, dtype


def read_array(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An array that can only have one shape and type; raises OSError, or ValueError if it has another."""
    with open_own(path) as file:
        if read_header(file) != (shape, np.dtype(dtype)):
            raise ValueError(f"{path.name} holds another array")
        return np.frombuffer(file.read(), dtype).reshape(shape)


def read_rows(path: Path, count: int, dtype: npt.DTypeLike, widest: int) -> npt.NDArray[Any]:
    """An array of so many rows, each of up to `widest` numbers; raises as `read_array`."""
    with open_own(path) as file:
        shape, found = read_header(file)
    if len(shape) != 2 or shape[1] > widest or found != np.dtype(dtype):
        raise ValueError(f"{path.name} holds another array")
    return read_array(path, (count, shape[1]), dtype)
