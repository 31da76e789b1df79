"""Writing NumPy files, and reading ours and anybody's, with checks, since they may have been made to do harm."""

import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError, SourceError
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


def write_array(
    file: BinaryIO, shape: tuple[int, int], blocks: Iterable[npt.NDArray[np.float32]], stored: str = "float32"
) -> None:
    """Write float32 (any, dim), block by block, to an open file, in this type.

    Raises:
        SearchError: a number is not finite.
    """
    dtype = np.dtype(stored).newbyteorder("<")
    np.lib.format.write_array_header_1_0(file, {"descr": dtype.str, "fortran_order": False, "shape": shape})
    for block in blocks:
        if not np.isfinite(block).all():
            raise SearchError("An embedding contains values that are not finite numbers.")
        file.write(np.ascontiguousarray(block, dtype).data)


def map_array(path: Path) -> npt.NDArray[np.floating]:
    """Map anybody's NumPy file into memory, read only, in its own order and type; nothing in it is unpickled.

    Returns:
        floats, (n, dim) or (dim,).

    Raises:
        SourceError: it is not there, damaged, or has no floats.
    """
    if not path.is_file():
        raise SourceError(f"{path} is not a file: give the .npy file of the vectors.")
    try:
        array = np.lib.format.open_memmap(path, mode="r")  # which refuses objects and archives
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror or error}).") from error
    except (ValueError, TypeError, EOFError, OverflowError, MemoryError, RecursionError) as error:
        raise SourceError(
            f"{path} is not a NumPy file of numbers, or is cut short: write the vectors alone with numpy.save."
        ) from error
    if not np.issubdtype(array.dtype, np.floating) or array.dtype.itemsize > 8:
        raise SourceError(
            f"{path} has numbers of the type {array.dtype}: write the vectors as float16, float32 or float64."
        )
    if array.offset + array.nbytes != path.stat().st_size or array.ndim not in (1, 2) or not array.size:
        raise SourceError(f"{path} has other contents than a row of numbers for each picture: write them again.")
    return array


def read_vector(path: Path) -> npt.NDArray[np.floating]:
    """Read one vector out of a NumPy file, (dim,); raises SearchError if it has none, or several."""
    try:
        rows = np.atleast_2d(map_array(path))
    except SourceError as error:
        raise SearchError(str(error)) from error
    if len(rows) != 1:
        raise SearchError(f"{path} has {len(rows):,} vectors: give a file of one.")
    return np.array(rows[0])
