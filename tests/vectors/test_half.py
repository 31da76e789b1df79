"""Numbers of float16 made float32."""

import warnings

import numpy as np
import pytest

from similarity.vectors.half import PART, widen

EVERY = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


def test_every_finite_number_of_float16_is_the_same_in_float32() -> None:
    finite = EVERY[np.isfinite(EVERY)].reshape(2, -1)
    wide = np.empty(finite.shape, np.float32)
    widen(finite, wide)
    assert np.array_equal(wide.view(np.uint32), finite.astype(np.float32).view(np.uint32))


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_what_is_no_number_is_none_afterwards(odd: float) -> None:
    half = np.ones((3, PART), np.float16)  # a part a row
    half[1, 7] = odd
    wide = np.empty(half.shape, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        widen(half, wide)
    assert np.array_equal(wide, half.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (3, 0), (2 * PART + 1, 1)])
def test_arrays_of_any_shape_are_filled(shape: tuple[int, int]) -> None:
    half = np.full(shape, -1.5, np.float16)
    wide = np.zeros(shape, np.float32)
    widen(half, wide)
    assert (wide == -1.5).all()
