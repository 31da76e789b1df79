"""Which index is made of how many vectors."""

import pytest

from similarity.errors import SearchError
from similarity.search import choose_recipe

GB = 10**9


@pytest.mark.parametrize(
    ("count", "dim", "free", "chosen"),
    [
        (0, 1280, 8 * GB, "flat"),
        (1_000, 1280, 8 * GB, "flat"),
        (100_000, 2048, 8 * GB, "flat-sq8"),
        (200_000, 2048, 8 * GB, "flat-sq8"),
        (200_000, 2048, GB // 5, "PCA256,IVF2048,SQ8"),
        (1_000_000, 2048, 8 * GB, "PCA256,IVF4096,SQ8"),
        (10_000_000, 2048, 8 * GB, "PCA256,IVF16384,SQ8"),
        (10_000_000, 2048, 2 * GB, "PCA128,IVF16384,SQ8"),
        (10_000_000, 128, 2 * GB, "IVF16384,SQ8"),
    ],
)
def test_auto_takes_what_is_fast_enough_and_fits_into_memory(count: int, dim: int, free: int, chosen: str) -> None:
    recipe = choose_recipe("auto", count, dim, free=free)
    assert recipe.name == chosen
    assert f"{count:,} x {dim}" in recipe.reason
    assert recipe.stored == ("float32" if recipe.is_exact else "float16")


def test_what_is_asked_for_is_taken() -> None:
    assert choose_recipe("flat", 10**6, 2048).name == "flat"
    assert choose_recipe("ivf", 10**6, 2048).name == "PCA256,IVF4096,SQ8"
    assert choose_recipe("ivf", 1_000, 2048).name == "PCA256,IVF16,SQ8", "no more lists than it can learn"
    assert choose_recipe("ivf", 130, 2048).name == "PCA64,IVF2,SQ8", "and no more components"
    assert choose_recipe("ivf", 100, 2048).name == "IVF2,SQ8"
    assert choose_recipe("OPQ32_64,IVF256,PQ32", 10**6, 2048).name == "OPQ32_64,IVF256,PQ32"


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "best",
        "IVF",
        "HNSW32",
        "PCA64",
        "IVF64,PQ32x4fs",
        "PCA4096,IVF16,SQ8",
        "SQ8",
        "IDMap,IVF4,Flat",
        "IVF1k,Flat",
        "IVF0,Flat",
        "L2norm,IVF4,Flat",
        "IVF8,PQ4+4",
        "IVF32(IVF4,Flat),SQ8",
        "IMI2x8,Flat",
        "IVF200000000,Flat",
        "IVF16,PQ5",
        "OPQ0_64,IVF16,SQ8",
        "PCA64,IVF16,PQ5",
    ],
)
def test_what_is_no_recipe_is_an_error_that_says_what_is(asked: str) -> None:
    with pytest.raises(SearchError, match="choose one of auto, flat, flat-sq8, ivf, or a FAISS factory string"):
        choose_recipe(asked, 10**6, 128)


def test_too_few_pictures_for_a_recipe_are_an_error_that_says_how_many_it_takes() -> None:
    with pytest.raises(SearchError, match="needs at least 81,920 pictures, and there are 1,192"):
        choose_recipe("PCA256,IVF4096,SQ8", 1_192, 1280)
    for name in ("PCA200,IVF2,SQ8", "IVF2,PQ8", "OPQ8_64,IVF2,SQ8"):
        with pytest.raises(SearchError, match=r"needs at least 2\d\d pictures, and there are 100"):
            choose_recipe(name, 100, 256)
