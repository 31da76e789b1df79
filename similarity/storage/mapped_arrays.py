"""Arrays of files that are mapped into memory, and that keep no file open: a set may have thousands of them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def map_array(path: Path) -> npt.NDArray[Any]:
    """Map the array of a file that `np.save` wrote; raises OSError or ValueError if there is none."""
    with pa.memory_map(str(path)) as file:
        np.lib.format.read_magic(file)
        shape, _, number = np.lib.format.read_array_header_1_0(file)
        return np.frombuffer(file.read_buffer(), number).reshape(shape)


def map_numbers(path: Path, number: npt.DTypeLike) -> npt.NDArray[Any]:
    """Map a file of nothing but numbers, of which an empty one has none; raises OSError or ValueError."""
    if not path.stat().st_size:
        return np.empty(0, number)
    with pa.memory_map(str(path)) as file:
        return np.frombuffer(file.read_buffer(), number)
