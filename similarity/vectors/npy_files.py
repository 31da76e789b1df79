"""Reading NumPy files with checks of header and length, since they may have been made to do harm."""

import math
import os
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from similarity.files import open_own

# Version 1.0, with a header as NumPy has always written it; it is matched as text and never evaluated.
MAGIC = b"\x93NUMPY\x01\x00"
LONGEST = 1_000
HEADER = re.compile(
    rb"\{'descr': '(<f[248]|<i[48]|\|[iu]1)', 'fortran_order': False, "
    rb"'shape': \((\d{1,18}),(?: (\d{1,18}))?\), \} *\n"
)


def read_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read shape and type of an array with one or two dimensions, up to its first number.

    Raises:
        ValueError: the file is not such an array, or its length is wrong. OSError: it cannot be read.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError("not a NumPy file of version 1.0")
    length = int.from_bytes(file.read(2), "little")
    match = HEADER.fullmatch(file.read(min(length, LONGEST)))
    if not match or length > LONGEST:
        raise ValueError("not an array that this program writes")
    dtype, shape = np.dtype(match[1].decode()), tuple(int(size) for size in match.groups()[1:] if size is not None)
    if os.fstat(file.fileno()).st_size != file.tell() + dtype.itemsize * math.prod(shape):
        raise ValueError("shorter or longer than its header says")
    return shape, dtype


def read_array(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Read an array of a given shape and type; raises OSError, or ValueError if it has another."""
    with open_own(path) as file:
        if read_header(file) != (shape, np.dtype(dtype)):
            raise ValueError(f"{path.name} contains another array")
        return np.frombuffer(file.read(), dtype).reshape(shape)


def read_rows(path: Path, count: int, dtype: npt.DTypeLike, widest: int) -> npt.NDArray[Any]:
    """Read an array of `count` rows, each of up to `widest` numbers; raises as `read_array`."""
    with open_own(path) as file:
        shape, stored = read_header(file)
    if len(shape) != 2 or shape[1] > widest or stored != np.dtype(dtype):
        raise ValueError(f"{path.name} contains another array")
    return read_array(path, (count, shape[1]), dtype)
