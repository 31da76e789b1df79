"""What lies in a FAISS file, gone through before FAISS reads it.

FAISS believes its files: it takes as much memory as a number in one says, and opens other files that one names. So only
what this program writes passes here, and all that it asks for must be in the file itself. The formats are those of
FAISS's `index_write.cpp`, the same since 1.7:

    IxFI                  vectors                                                   flat
    IxSQ                  codes of 8 bits                                           flat-sq8
    IxPT, Pcam or LTra    principal components or OPQ, and then lists               PCA…, OPQ…
    IwFl, IwSq or IwPQ    lists: their centres as IxF2, how codes are made, ilar    IVF…
"""

import struct
from typing import Any, BinaryIO

import numpy as np

from similarity.search.faiss_library import faiss

# FAISS's kinds of codes, with the bits that they take for each number, and how many numbers are learned for it.
SCALARS = {
    faiss.ScalarQuantizer.QT_8bit: (8, 2),
    faiss.ScalarQuantizer.QT_6bit: (6, 2),
    faiss.ScalarQuantizer.QT_4bit: (4, 2),
    faiss.ScalarQuantizer.QT_fp16: (16, 0),
}
INNER_PRODUCT, L2 = int(faiss.METRIC_INNER_PRODUCT), int(faiss.METRIC_L2)
CODEBOOK = 256
# How many numbers are looked at together.
BLOCK = 1 << 20


def check_layout(file: BinaryIO, size: int, shape: tuple[int, int], kind: str) -> int:
    """See to it that a file is an index of so many vectors, made by this program, and is all there.

    Args:
        file: at its beginning.
        size: of the file, in bytes.
        shape: vectors, and numbers of each.
        kind: flat, flat-sq8, or anything else for lists.

    Returns:
        How many bytes FAISS takes beside what is in the file, unless it is told not to.

    Raises:
        ValueError: it is something else. OSError: it cannot be read.
    """
    walk = _Walk(file, size)
    if kind == "flat":
        _check_flat(walk, "IxFI", shape, INNER_PRODUCT)
        table = 0
    elif kind == "flat-sq8":
        _check_scan(walk, shape)
        table = 0
    else:
        table = _check_lists(walk, shape)
    if walk.left:
        raise ValueError("it is longer than it should be")
    return table


class _Walk:
    """A file that is read from its beginning to its end; ValueError if it is not as it should be."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self.left = file, size

    def read(self, size: int) -> bytes:
        """So many bytes."""
        self._pass(size)
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("it is cut short")
        return data

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        self._pass(size)
        self._file.seek(size, 1)

    def word(self, *known: str) -> str:
        """What comes next, one of some words of four letters."""
        found = self.read(4).decode("latin-1")
        if found not in known:
            raise ValueError(f"it has a part {found!r} that no index of ours has")
        return found

    def numbers(self, layout: str) -> tuple[Any, ...]:
        """What comes next, as `struct` calls it, in little-endian order and without gaps."""
        return struct.unpack(f"<{layout}", self.read(struct.calcsize(f"<{layout}")))

    def expect(self, layout: str, *values: Any) -> None:
        """What comes next, which can only be this."""
        if self.numbers(layout) != values:
            raise ValueError("its parts do not fit together")

    def floats(self, count: int) -> None:
        """An array of so many float32, all of them finite."""
        self.expect("Q", count)
        self.finite(count)

    def finite(self, count: int) -> None:
        """So many float32, all of them finite."""
        if 4 * count > self.left:
            raise ValueError("it asks for more than is in the file")
        for start in range(0, count, BLOCK):
            if not np.isfinite(np.frombuffer(self.read(4 * min(count - start, BLOCK)), "<f4")).all():
                raise ValueError("it holds values that are not finite numbers")

    def _pass(self, size: int) -> None:
        if size > self.left:
            raise ValueError("it asks for more than is in the file")
        self.left -= size


def _check_header(walk: _Walk, shape: tuple[int, int], metric: int) -> None:
    """What every index begins with: dimension, count, two numbers of no use, whether it was trained, and the metric."""
    dim, count, _, _, trained, compared_by = walk.numbers("iqqqBi")
    if (count, dim) != shape or trained != 1 or compared_by != metric:
        raise ValueError("it is of other embeddings")


def _check_flat(walk: _Walk, word: str, shape: tuple[int, int], metric: int) -> None:
    walk.word(word)
    _check_header(walk, shape, metric)
    walk.expect("Q", shape[0] * shape[1])
    walk.skip(4 * shape[0] * shape[1])


def _check_scan(walk: _Walk, shape: tuple[int, int]) -> None:
    count, dim = shape
    walk.word("IxSQ")
    _check_header(walk, shape, INNER_PRODUCT)
    if _check_scalars(walk, dim, (faiss.ScalarQuantizer.QT_8bit,)) != dim:
        raise ValueError("its parts do not fit together")
    walk.expect("Q", count * dim)
    walk.skip(count * dim)


def _check_scalars(walk: _Walk, dim: int, known: tuple[int, ...] = tuple(SCALARS)) -> int:
    """How scalars are coded: kind, range, its argument, dimension, size of a code, and what was learned."""
    kind, _, argument, found, width = walk.numbers("iifQQ")
    if kind not in known or found != dim or not np.isfinite(argument):
        raise ValueError("it has codes that no index of ours has")
    bits, learned = SCALARS[kind]
    if width != (bits * dim + 7) // 8:
        raise ValueError("its parts do not fit together")
    walk.floats(learned * dim)
    return int(width)


def _check_lists(walk: _Walk, shape: tuple[int, int]) -> int:
    """Lists, maybe behind a transform; returns the bytes of FAISS's table of distances."""
    count, dim = shape
    word = walk.word("IxPT", "IwFl", "IwSq", "IwPQ")
    if word == "IxPT":
        _check_header(walk, shape, L2)
        walk.expect("i", 1)
        dim = _check_transform(walk, dim)
        word = walk.word("IwFl", "IwSq", "IwPQ")
    _check_header(walk, (count, dim), L2)
    lists, _ = walk.numbers("QQ")
    if not 0 < lists <= walk.left // (4 * dim):
        raise ValueError("it asks for more than is in the file")
    walk.word("IxF2")
    _check_header(walk, (lists, dim), L2)
    walk.floats(lists * dim)
    walk.expect("BQ", 0, 0)  # no map from rows to places
    width, table = _check_codes(walk, word, dim, lists)
    walk.word("ilar")
    walk.expect("QQ", lists, width)
    _check_sizes(walk, lists, count)
    walk.skip(count * (width + 8))
    return table


def _check_transform(walk: _Walk, dim: int) -> int:
    """Principal components or OPQ; returns how many numbers come out."""
    if walk.word("Pcam", "LTra") == "Pcam":
        power, epsilon, _, _ = walk.numbers("ffBi")
        if not np.isfinite((power, epsilon)).all():
            raise ValueError("it holds values that are not finite numbers")
        for _ in ("mean", "eigenvalues", "all components"):  # of no use any more
            walk.skip(4 * walk.numbers("Q")[0])
    has_bias, count = walk.numbers("BQ")
    made = count // dim
    if not 1 <= made <= dim or made * dim != count or has_bias > 1:
        raise ValueError("its parts do not fit together")
    walk.finite(count)
    walk.floats(made if has_bias else 0)
    walk.expect("iiB", dim, made, 1)
    return int(made)


def _check_codes(walk: _Walk, word: str, dim: int, lists: int) -> tuple[int, int]:
    """How vectors are coded in lists; returns the size of a code, and of the table of distances."""
    if word == "IwFl":
        return 4 * dim, 0
    if word == "IwSq":
        width = _check_scalars(walk, dim)
        walk.expect("Q", width)
        (by_residual,) = walk.numbers("B")
        table = 0
    else:
        by_residual, width, found, blocks, bits = walk.numbers("BQQQQ")
        if found != dim or not 0 < blocks <= dim or dim % blocks or bits != 8 or width != blocks:
            raise ValueError("it has codes that no index of ours has")
        walk.floats(dim * CODEBOOK)
        table = 4 * lists * blocks * CODEBOOK if by_residual else 0
    if by_residual > 1:
        raise ValueError("its parts do not fit together")
    return width, table


def _check_sizes(walk: _Walk, lists: int, count: int) -> None:
    """How many vectors are in each list: of all lists, or pairs of a list and its size where most are empty."""
    word = walk.word("full", "sprs")
    (length,) = walk.numbers("Q")
    found = np.frombuffer(walk.read(8 * length), "<u8")
    sizes = found if word == "full" else found[1::2]
    if word == "full":
        fits = length == lists
    else:
        numbers = found[::2]
        fits = length % 2 == 0 and bool((numbers < lists).all()) and bool((numbers[1:] > numbers[:-1]).all())
    if not fits or (sizes > count).any() or int(sizes.sum()) != count:
        raise ValueError("its parts do not fit together")
