"""Check of the layout of a FAISS file, before FAISS reads it.

FAISS trusts its files: a number in a file can make it allocate any memory, and a name can make it open another file. So
only layouts that this program writes are accepted, and all their contents must be in the file itself. The formats are
those of FAISS's `index_write.cpp`, the same since 1.7:

    IxFI                  vectors                                                   flat
    IxSQ                  codes of 8 bits                                           flat-sq8
    IxRF                  the same behind a head: IxPT, LTra, IxSQ                  flat-sq8
    IxPT, Pcam or LTra    principal components or OPQ, and then lists               PCA…, OPQ…
    IwFl, IwSq or IwPQ    lists: their centres as IxF2, how codes are made, ilar    IVF…
"""

import struct
from typing import Any, BinaryIO

import numpy as np

from similarity.search.faiss_library import faiss

# FAISS's kinds of codes, with bits per number, and learned numbers per dimension.
SCALARS = {
    faiss.ScalarQuantizer.QT_8bit: (8, 2),
    faiss.ScalarQuantizer.QT_6bit: (6, 2),
    faiss.ScalarQuantizer.QT_4bit: (4, 2),
    faiss.ScalarQuantizer.QT_fp16: (16, 0),
}
INNER_PRODUCT, L2 = int(faiss.METRIC_INNER_PRODUCT), int(faiss.METRIC_L2)
CODEBOOK = 256
# Numbers that are checked at a time.
BLOCK = 1 << 20


def check_layout(file: BinaryIO, size: int, shape: tuple[int, int], kind: str) -> int:
    """Check that a file is a complete index of this shape as this program writes it.

    Args:
        file: at its beginning.
        size: size of the file, in bytes.
        shape: vectors, and numbers of each.
        kind: flat, flat-sq8, or anything else for lists.

    Returns:
        Bytes of the table that FAISS precomputes by default.

    Raises:
        ValueError: it is another kind of file. OSError: it cannot be read.
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


def flat_shape(file: BinaryIO, size: int) -> tuple[int, int]:
    """Return the shape of a flat index of inner products, (vectors, numbers of each), as its header claims it.

    Raises:
        ValueError: it is another kind of file.
    """
    walk = _Walk(file, size)
    walk.word("IxFI")
    dim, count = walk.numbers("iq")
    return count, dim


class _Walk:
    """A file that is read from beginning to end; methods raise ValueError on unexpected contents."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self.left = file, size

    def read(self, size: int) -> bytes:
        """Read a number of bytes."""
        self._pass(size)
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("it is cut short")
        return data

    def skip(self, size: int) -> None:
        """Skip a number of bytes."""
        self._pass(size)
        self._file.seek(size, 1)

    def word(self, *expected: str) -> str:
        """Read a word of four letters, one of the expected ones."""
        word = self.read(4).decode("latin-1")
        if word not in expected:
            raise ValueError(f"it has an unexpected part {word!r}")
        return word

    def numbers(self, layout: str) -> tuple[Any, ...]:
        """Read numbers in a layout of `struct`, little-endian and without gaps."""
        return struct.unpack(f"<{layout}", self.read(struct.calcsize(f"<{layout}")))

    def expect(self, layout: str, *values: Any) -> None:
        """Read numbers that must equal these values."""
        if self.numbers(layout) != values:
            raise ValueError("its parts contradict each other")

    def floats(self, count: int) -> None:
        """Skip an array of `count` finite float32, with its length."""
        self.expect("Q", count)
        self.finite(count)

    def finite(self, count: int) -> None:
        """Skip `count` finite float32."""
        if 4 * count > self.left:
            raise ValueError("it claims more contents than the file has")
        for start in range(0, count, BLOCK):
            if not np.isfinite(np.frombuffer(self.read(4 * min(count - start, BLOCK)), "<f4")).all():
                raise ValueError("it contains values that are not finite numbers")

    def _pass(self, size: int) -> None:
        if size > self.left:
            raise ValueError("it claims more contents than the file has")
        self.left -= size


def _check_header(walk: _Walk, shape: tuple[int, int], metric: int) -> None:
    """Check the header: dimension, count, two unused numbers, whether the index is trained, and the metric."""
    dim, count, _, _, trained, compared_by = walk.numbers("iqqqBi")
    if (count, dim) != shape or trained != 1 or compared_by != metric:
        raise ValueError("it belongs to other embeddings")


def _check_flat(walk: _Walk, word: str, shape: tuple[int, int], metric: int) -> None:
    walk.word(word)
    _check_header(walk, shape, metric)
    walk.expect("Q", shape[0] * shape[1])
    walk.skip(4 * shape[0] * shape[1])


def _check_scan(walk: _Walk, shape: tuple[int, int]) -> None:
    """Check codes of 8 bits, perhaps of a head and then of whole vectors."""
    if walk.word("IxSQ", "IxRF") == "IxSQ":
        _check_scan_codes(walk, shape)
        return
    _check_header(walk, shape, INNER_PRODUCT)
    walk.word("IxPT")
    _check_header(walk, shape, INNER_PRODUCT)
    walk.expect("i", 1)
    length = _check_transform(walk, shape[1], "LTra")
    for dim in (length, shape[1]):
        walk.word("IxSQ")
        _check_scan_codes(walk, (shape[0], dim))
    (factor,) = walk.numbers("f")
    if not np.isfinite(factor):
        raise ValueError("it contains values that are not finite numbers")


def _check_scan_codes(walk: _Walk, shape: tuple[int, int]) -> None:
    count, dim = shape
    _check_header(walk, shape, INNER_PRODUCT)
    if _check_scalars(walk, dim, (faiss.ScalarQuantizer.QT_8bit,)) != dim:
        raise ValueError("its parts contradict each other")
    walk.expect("Q", count * dim)
    walk.skip(count * dim)


def _check_scalars(walk: _Walk, dim: int, kinds: tuple[int, ...] = tuple(SCALARS)) -> int:
    """Check a scalar quantiser: kind, range, argument, dimension, code size, learned numbers; returns the code size."""
    kind, _, argument, stored_dim, width = walk.numbers("iifQQ")
    if kind not in kinds or stored_dim != dim or not np.isfinite(argument):
        raise ValueError("it has an unexpected kind of codes")
    bits, learned = SCALARS[kind]
    if width != (bits * dim + 7) // 8:
        raise ValueError("its parts contradict each other")
    walk.floats(learned * dim)
    return int(width)


def _check_lists(walk: _Walk, shape: tuple[int, int]) -> int:
    """Check inverted lists, perhaps after a transform; returns the bytes of FAISS's table of distances."""
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
        raise ValueError("it claims more contents than the file has")
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


def _check_transform(walk: _Walk, dim: int, *words: str) -> int:
    """Check a transform, of PCA or OPQ unless other words are given; returns its output dimension."""
    if walk.word(*(words or ("Pcam", "LTra"))) == "Pcam":
        power, epsilon, _, _ = walk.numbers("ffBi")
        if not np.isfinite((power, epsilon)).all():
            raise ValueError("it contains values that are not finite numbers")
        for _ in ("mean", "eigenvalues", "all components"):  # not needed any more
            walk.skip(4 * walk.numbers("Q")[0])
    has_bias, count = walk.numbers("BQ")
    components = count // dim
    if not 1 <= components <= dim or components * dim != count or has_bias > 1:
        raise ValueError("its parts contradict each other")
    walk.finite(count)
    walk.floats(components if has_bias else 0)
    walk.expect("iiB", dim, components, 1)
    return int(components)


def _check_codes(walk: _Walk, word: str, dim: int, lists: int) -> tuple[int, int]:
    """Check the codes of lists; returns the size of a code, and of the table of distances."""
    if word == "IwFl":
        return 4 * dim, 0
    if word == "IwSq":
        width = _check_scalars(walk, dim)
        walk.expect("Q", width)
        (by_residual,) = walk.numbers("B")
        table = 0
    else:
        by_residual, width, stored_dim, blocks, bits = walk.numbers("BQQQQ")
        if stored_dim != dim or not 0 < blocks <= dim or dim % blocks or bits != 8 or width != blocks:
            raise ValueError("it has an unexpected kind of codes")
        walk.floats(dim * CODEBOOK)
        table = 4 * lists * blocks * CODEBOOK if by_residual else 0
    if by_residual > 1:
        raise ValueError("its parts contradict each other")
    return width, table


def _check_sizes(walk: _Walk, lists: int, count: int) -> None:
    """Check the sizes of lists: of all lists, or pairs of a list and its size if most are empty."""
    word = walk.word("full", "sprs")
    (length,) = walk.numbers("Q")
    values = np.frombuffer(walk.read(8 * length), "<u8")
    sizes = values if word == "full" else values[1::2]
    if word == "full":
        fits = length == lists
    else:
        numbers = values[::2]
        fits = length % 2 == 0 and bool((numbers < lists).all()) and bool((numbers[1:] > numbers[:-1]).all())
    if not fits or (sizes > count).any() or int(sizes.sum()) != count:
        raise ValueError("its parts contradict each other")
