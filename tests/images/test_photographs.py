"""The whole path on real photographs of clothing; skipped where they are not."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, PHOTOGRAPHS, bundled_model
from PIL import Image

from similarity import Embedder, Gallery
from similarity.embedding.backbones import BACKBONES, build_network
from similarity.embedding.backbones.weights import obtain_weights
from similarity.embedding.engines import TorchEngine
from similarity.embedding.view_names import VIEWS
from similarity.finetuning import Settings, finetune
from similarity.images.decoding import decode_scaled, read_image
from similarity.vectors.arrays import Vectors, normalise

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="session")
def clothing(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("the clothing photographs are not here")
    with bundled_model():
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


def test_trims_of_photographs_find_their_kind_more_often_when_more_of_them_is_seen(
    photographs: Path, tmp_path: Path
) -> None:
    paths = sorted(photographs.glob("queries/*/*.jpg"))[::2]
    trims = [strip(read_image(path), 2 + number % 4 / 2) for number, path in enumerate(paths)]
    recalls = {}
    for view in VIEWS:
        with bundled_model():
            gallery = Gallery.build(PHOTOGRAPHS / "gallery", tmp_path / view, model=MODEL, view=view)
        scores = gallery.embedder.embed(trims) @ gallery.embeddings[:].T
        best = [gallery.items[row].label for row in scores.argmax(axis=1)]
        recalls[view] = np.mean([label == path.parent.name for label, path in zip(best, paths, strict=True)])
    assert recalls["fit"] >= recalls["crop"] + 0.05
    assert recalls["both"] >= recalls["crop"] + 0.03


def strip(image: Image.Image, ratio: float) -> Image.Image:
    """The middle of a picture, so narrow or low that its sides have this ratio."""
    width, height = image.size
    if width <= height:
        half = height / ratio / 2
        return image.crop((round(width / 2 - half), 0, round(width / 2 + half), height))
    half = width / ratio / 2
    return image.crop((0, round(height / 2 - half), width, round(height / 2 + half)))


@pytest.fixture(scope="session")
def pixels(clothing: Gallery) -> np.ndarray:  # type: ignore[type-arg]
    """The query photographs as the network takes them."""
    embedder = clothing.embedder
    paths = sorted(PHOTOGRAPHS.glob("queries/*/*.jpg"))
    return np.stack([embedder.prepare(embedder.decode(path.read_bytes(), path.name).image) for path in paths])


def embed_all(embedder: Embedder, pixels: np.ndarray) -> Vectors:  # type: ignore[type-arg]
    return np.concatenate(list(embedder.embed_stream(pixels[row : row + 4] for row in range(0, len(pixels), 4))))


def test_half_precision_finds_what_torch_in_full_precision_finds(clothing: Gallery, pixels: np.ndarray) -> None:  # type: ignore[type-arg]
    backbone = BACKBONES[MODEL]
    torch_engine = TorchEngine(build_network(backbone, obtain_weights(backbone)), device="cpu", precision="f32")
    chosen = pixels[::8]
    reference = normalise(
        np.concatenate([torch_engine.run(chosen[row : row + 16]) for row in range(0, len(chosen), 16)])
    )
    ours = embed_all(clothing.embedder, chosen)
    assert (ours * reference).sum(axis=1).min() >= 0.998
    overlaps = [
        len(
            {hit.item.id for hit in clothing.search_vector(one)}
            & {hit.item.id for hit in clothing.search_vector(other)}
        )
        for one, other in zip(ours, reference, strict=True)
    ]
    assert np.mean(overlaps) / 10 >= 0.97


def test_many_threads_get_exactly_the_answers_that_one_thread_gets(clothing: Gallery) -> None:
    paths = sorted(PHOTOGRAPHS.glob("*/*/*.jpg"))[::10]

    def answer(path: Path) -> list[tuple[str, float]]:
        return [(hit.item.id, hit.score) for hit in clothing.search(path)]

    alone = list(map(answer, paths))
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(answer, paths)) == alone


def test_a_photograph_twelve_times_as_large_is_found_by_the_small_one(clothing: Gallery) -> None:
    item = clothing.items[100]
    image = read_image(item.path)
    large = io.BytesIO()
    image.resize((image.width * 8, image.height * 8), Image.Resampling.BICUBIC).save(large, "JPEG", quality=92)
    assert decode_scaled(large.getvalue(), "large.jpg", side=292).image.width < 1000
    assert clothing.search(large.getvalue(), k=1)[0].item.id == item.id


def test_marking_one_right_and_one_wrong_result_makes_further_ones_better(clothing: Gallery, photographs: Path) -> None:
    before, after = [], []
    for path in sorted(photographs.glob("queries/*/*.jpg")):
        query, label = clothing.embed_query(path), path.parent.name
        first = clothing.search_vector(query)
        right = [hit.item.id for hit in first if hit.item.label == label][:1]
        wrong = [hit.item.id for hit in first if hit.item.label != label][:1]
        vectors = np.array([query, *(clothing.vector(one) for one in (*right, *wrong))])
        marked = clothing.combine(vectors, [False] * len(vectors), 1 + len(right))
        for vector, found in ((query, before), (marked, after)):
            further = clothing.search_vector(vector, but=[*right, *wrong])
            found.append(np.mean([hit.item.label == label for hit in further]))
    told = f"precision@10 of {len(after)} queries: {np.mean(before):.4f} before, {np.mean(after):.4f} after"
    assert np.mean(after) >= np.mean(before) + 0.03, told


def test_a_head_that_learned_the_labels_finds_more_of_what_is_right(
    clothing: Gallery,
    tmp_path: Path,
    pixels: np.ndarray,  # type: ignore[type-arg]
) -> None:
    head = finetune(clothing, Settings(members=2, folds=2))
    assert head.card.after["recall@1"] > head.card.before["recall@1"]
    taught = clothing.rebuild(head=head, into=tmp_path / "taught")
    asked, embeddings = sorted(PHOTOGRAPHS.glob("queries/*/*.jpg")), embed_all(clothing.embedder, pixels)
    rights = {}
    for name, gallery in (("before", clothing), ("after", taught)):
        answers = [gallery.search_vector(vector) for vector in gallery.refine(embeddings)]
        right = [
            [hit.item.label == path.parent.name for hit in hits] for hits, path in zip(answers, asked, strict=True)
        ]
        rights[name] = np.array(right)
    first, ten = rights["after"][:, 0].mean(), rights["after"].mean()
    assert first >= max(0.83, rights["before"][:, 0].mean() + 0.03)
    assert ten >= max(0.82, rights["before"].mean() + 0.08)
