"""The whole path on real photographs of clothing; skipped where they are not."""

from pathlib import Path

import pytest
from conftest import MODEL

from similarity import Gallery
from similarity.images import read_image


@pytest.fixture(scope="module")
def clothing(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    from conftest import PHOTOGRAPHS

    if not PHOTOGRAPHS.is_dir():
        pytest.skip("the clothing photographs are not here")
    return Gallery.build(PHOTOGRAPHS / "gallery", tmp_path_factory.mktemp("galleries") / "clothing", model=MODEL)


def test_all_photographs_are_indexed(clothing: Gallery) -> None:
    assert len(clothing) == 1192
    assert clothing.manifest.skipped == []
    assert len({item.label for item in clothing.items}) == 10


def test_a_photograph_of_the_gallery_finds_itself(clothing: Gallery) -> None:
    for item in clothing.items[::24]:
        hits = clothing.search(item.path, k=2)
        assert hits[0].score >= 0.999
        same = {hit.item.sha256 for hit in hits if hit.score >= 0.999}
        assert item.sha256 in same


def test_unseen_photographs_find_their_own_kind_first(clothing: Gallery, photographs: Path) -> None:
    queries = sorted(photographs.glob("queries/*/*.jpg"))
    right = 0
    for start in range(0, len(queries), 64):
        batch = queries[start : start + 64]
        vectors = clothing.embedder.embed([read_image(path) for path in batch])
        best = [clothing.search_vector(vector, k=1)[0].item.label for vector in vectors]
        right += sum(label == path.parent.name for label, path in zip(best, batch, strict=True))
    recall = right / len(queries)
    assert recall >= 0.73, f"recall@1 is {recall:.4f}"
