"""Why two pictures are similar: regions add up to scores."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import randomised
from conftest import MODEL, draw, make_home
from PIL import Image, ImageDraw

from similarity import Embedder, Gallery
from similarity.errors import ImageError, SearchError
from similarity.exports.heat import overlay_heat, relative_heat
from similarity.images.picture import Box
from similarity.query.explain import APPROXIMATE, EXACT, Explanation, Look, explain, look
from similarity.sample import FOLDER
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.heads import Card, Head
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refinement import refine

TOLERANCE = 1e-3
METHODS = ("none", "centred", "neighbours")
SIDE, OBJECT = 400, 180


def is_sum(explanation: Explanation) -> bool:
    """Whether everything adds up to the score."""
    sums = [float(heat.cells.sum()) + heat.neighbours for heat in (explanation.query, explanation.result)]
    sums.append(explanation.own + explanation.neighbours)
    return all(abs(one - explanation.score) < TOLERANCE for one in sums)


def pairs_add_up(explanation: Explanation, query: Look, result: Look) -> bool:
    """Whether cell by cell the same comes out as region by region, but for what neighbours add."""
    own_query = explanation.pairs.sum(axis=(2, 3)) + query.cells @ result.context
    own_result = explanation.pairs.sum(axis=(0, 1)) + result.cells @ query.context
    return np.allclose(own_query, explanation.query.cells, atol=TOLERANCE) and np.allclose(
        own_result, explanation.result.cells, atol=TOLERANCE
    )


def heads(dim: int) -> dict[str, Head]:
    """A linear head, one that keeps principal components, and one with a hidden layer, all made of chance."""
    random = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> Vectors:
        return (random.standard_normal((rows, columns)) / columns**0.5).astype(np.float32)

    card = Card(model="any", weights_sha256="any", loss="none")
    centre = np.full(dim, 0.5 / dim**0.5, np.float32)
    basis = np.linalg.qr(matrix(dim, 96))[0].T.astype(np.float32)
    return {
        "linear": Head(centre, basis, matrix(64, 96), card),
        "kept": Head(centre, basis, matrix(64, 96), card, kept=48, share=0.5),
        "hidden": Head(centre, basis, matrix(32, 128), card, first=matrix(128, 96), kept=48, share=0.3),
    }


def stored(folder: Path, vectors: Vectors, method: str) -> StoredVectors:
    folder.mkdir(exist_ok=True)
    write_vectors(folder / "embeddings.npy", vectors.shape, [vectors])
    return refine(folder, StoredVectors(folder / "embeddings.npy"), method)  # type: ignore[arg-type]


def pictures_of_shapes(count: int) -> list[Image.Image]:
    return [draw(("dots", "rings", "stripes")[seed % 3], seed) for seed in range(count)]


@pytest.fixture(scope="module")
def joined(home: Path) -> Embedder:  # noqa: ARG001 - where its network is kept
    return Embedder.load(randomised.JOINED)


@pytest.fixture(scope="module")
def resnet50(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Embedder:
    """ResNet-50 with random weights."""
    folder = make_home(tmp_path_factory.mktemp("resnet50") / "home", home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMILARITY_HOME", str(folder))
        patch.setenv("TORCH_HOME", str(folder / "torch"))
        randomised.publish_weights("resnet50", folder, pictures_of_shapes(16))
        return Embedder.load("resnet50")


# The arithmetic is the same for all networks, which differ in where their map is and how it is pooled.
CASES = [
    pytest.param(model, method, head, marks=[] if model == "light" or is_quick else pytest.mark.exhaustive)
    for model in ("light", MODEL, randomised.JOINED, "resnet50")
    for method in METHODS
    for head in (None, "linear", "kept", "hidden")
    for is_quick in [model == MODEL and (method, head) == ("neighbours", "hidden")]
]


@pytest.mark.many
@pytest.mark.parametrize(("model", "method", "head"), CASES)
def test_regions_add_up_to_the_score_that_a_search_gives(  # type: ignore[no-untyped-def]
    request, tmp_path: Path, model: str, method: str, head: str | None
) -> None:
    fixtures = {"light": "light_embedder", MODEL: "embedder", randomised.JOINED: "joined"}
    embedder = request.getfixturevalue(fixtures.get(model, model))
    learned = heads(embedder.dim)[head] if head else None
    images = pictures_of_shapes(14)
    embeddings = embedder.embed(images)
    projected = learned.project(embeddings) if learned else embeddings
    vectors = stored(tmp_path / "vectors", projected[2:], method)
    looks = [look(image, embedder, vectors, learned) for image in images[:4]]
    np.testing.assert_allclose(vectors.refine(projected[:4]), [one.vector for one in looks], atol=TOLERANCE)
    for one in looks:
        np.testing.assert_allclose(one.cells.sum(axis=(0, 1)) + one.context, one.vector, atol=TOLERANCE)
    found = explain(looks[0], looks[3], vectors[1])
    score = float(vectors.refine(projected[:1])[0] @ vectors[1])
    assert found.score == pytest.approx(score, abs=TOLERANCE)
    assert found.is_exact
    assert embedder.backbone.averages_cells
    assert found.note == EXACT
    assert is_sum(found)
    assert pairs_add_up(found, looks[0], looks[3])
    assert found.query.cells.shape == ((7, 7) if model == "resnet50" else (9, 9))
    if method != "neighbours":
        assert abs(found.neighbours) < TOLERANCE
        assert found.summary.endswith("from the two pictures themselves.")


def test_a_gallery_explains_its_own_hits(sample: Gallery) -> None:
    query = FOLDER / "queries" / "lamp-02-q.jpg"
    asked = sample.look(query)
    for hit in sample.search(query, 5):
        found = sample.explain(asked, hit.item.id)
        assert found.score == pytest.approx(hit.score, abs=TOLERANCE)
        assert is_sum(found)
        assert found.is_exact
        assert f"Of the score of {found.score:.2f}, {found.own:.2f} comes from the two pictures" in found.summary
    again = sample.explain(query, hit.item.id)
    np.testing.assert_array_equal(again.query.cells, found.query.cells)


def test_what_a_picture_of_the_gallery_has_of_itself_is_its_own(sample: Gallery) -> None:
    item = sample.items[0]
    found = sample.explain(item.path, item.id)
    assert found.score == pytest.approx(1, abs=TOLERANCE)
    assert is_sum(found)
    np.testing.assert_allclose(found.query.cells, found.result.cells, atol=TOLERANCE)


def test_a_part_of_a_picture_is_explained_as_it_is_searched_with(sample: Gallery) -> None:
    query, box = FOLDER / "queries" / "lamp-02-q.jpg", Box(0.05, 0.2, 0.7, 0.95)
    whole, part = sample.look(query), sample.look(query, box)
    assert not np.allclose(whole.vector, part.vector, atol=0.01)
    assert is_sum(sample.explain(part, "lamp-02-1"))


def test_most_of_the_heat_is_on_an_object_that_two_pictures_have_in_common(sample: Gallery) -> None:
    """The same thing is cut out of one photograph and pasted onto two others, of other things, in different places."""
    paths: dict[str, list[str]] = {}
    for item in sample.items:
        paths.setdefault(item.labels[0], []).append(item.path)
    shares = []
    for number in range(6):
        random = np.random.default_rng(number)
        kinds = random.choice(sorted(paths), 3, replace=False)
        thing, *grounds = (Image.open(random.choice(paths[kind])).convert("RGB") for kind in kinds)
        places = [tuple(int(one) for one in random.integers(30, SIDE - OBJECT - 30, 2)) for _ in grounds]
        pasted = [paste(thing, ground, place) for ground, place in zip(grounds, places, strict=True)]
        looks = [look(picture, sample.embedder, sample.vectors, sample.head) for picture in pasted]
        found = explain(*looks)
        shares += [
            share_on(heat.cells, heat.box, at) for heat, at in zip((found.query, found.result), places, strict=True)
        ]
    assert min(shares) >= 0.7
    assert np.mean(shares) >= 0.85


def paste(thing: Image.Image, ground: Image.Image, place: tuple[int, ...]) -> Image.Image:
    """The middle of a picture, round, on another picture."""
    width, height = thing.size
    cut = thing.crop((width // 5, height // 5, width * 4 // 5, height * 4 // 5)).resize((OBJECT, OBJECT))
    mask = Image.new("L", cut.size)
    ImageDraw.Draw(mask).ellipse((0, 0, OBJECT - 1, OBJECT - 1), fill=255)
    picture = ground.resize((SIDE, SIDE))
    picture.paste(cut, (place[0], place[1]), mask)
    return picture


def share_on(cells: np.ndarray, box: Box, place: tuple[int, ...]) -> float:
    """Which share of the positive heat is in cells that the object lies in, which is as fine as a map is."""
    fine = 40
    rows, columns = cells.shape
    down = (np.arange(rows * fine) + 0.5) / (rows * fine) * (box.bottom - box.top) + box.top
    across = (np.arange(columns * fine) + 0.5) / (columns * fine) * (box.right - box.left) + box.left
    middle = [one + OBJECT / 2 for one in place]
    inside = (across * SIDE - middle[0]) ** 2 + (down[:, np.newaxis] * SIDE - middle[1]) ** 2 <= (OBJECT / 2) ** 2
    is_on = inside.reshape(rows, fine, columns, fine).any(axis=(1, 3))
    assert is_on.mean() < 0.45
    positive = np.maximum(cells, 0)
    return float(positive[is_on].sum() / positive.sum())


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["dino-s16", "siglip2-b16", "vit-b16"])
def test_a_transformer_is_approximate_and_says_so(name: str, empty_home: Path, tmp_path: Path) -> None:
    images = pictures_of_shapes(8)
    randomised.publish_weights(name, empty_home, images)
    embedder = Embedder.load(name)
    vectors = stored(tmp_path / name, embedder.embed(images), "neighbours")
    found = explain(*(look(image, embedder, vectors) for image in images[:2]))
    randomised.forget(empty_home)
    assert not embedder.backbone.averages_cells
    assert found.query.cells.shape == (14, 14)
    assert_is_approximate(found)


def assert_is_approximate(found: Explanation) -> None:
    assert not found.is_exact
    assert found.note == APPROXIMATE
    assert "approximation" in found.note
    assert is_sum(found)


def test_maps_of_any_network_add_up_approximately() -> None:
    random, box = np.random.default_rng(0), Box(0, 0, 1, 1)
    cells = [random.standard_normal((size, size, 24)).astype(np.float32) for size in (5, 7)]
    query, result, context = normalise(random.standard_normal((3, 8)))
    looks = [
        Look(vector, vector, map_, 0.3 * context, box, is_exact=False)
        for vector, map_ in zip((query, result), cells, strict=True)
    ]
    found = explain(*looks)
    assert_is_approximate(found)
    assert found.pairs.shape == (5, 5, 7, 7)
    assert explain(looks[0], looks[0]).score == pytest.approx(1, abs=1e-6)


def test_pictures_that_are_gone_or_changed_are_said_to_be(own_pictures: Path, tmp_path: Path) -> None:
    gallery = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    first, second = gallery.items[0], gallery.items[1]
    shutil.copy(gallery.items[10].path, first.path)
    with pytest.raises(ImageError, match="has changed since it was indexed"):
        gallery.explain(second.path, first.id)
    Path(first.path).unlink()
    with pytest.raises(ImageError, match="cannot be read"):
        gallery.explain(second.path, first.id)
    with pytest.raises(SearchError, match="is not in the gallery"):
        gallery.explain(second.path, "no such picture")


def test_heat_is_where_cells_are_and_what_speaks_against_a_match_has_none() -> None:
    picture = Image.new("RGB", (200, 100), (120, 120, 120))
    cells = np.array([[1, -5], [0, 0]], np.float32)
    warm = np.asarray(overlay_heat(picture, cells, Box(0.5, 0, 1, 1))).astype(int)
    assert (warm[:, :99] == 120).all()
    assert warm[10, 110, 0] - warm[10, 110, 2] > 60
    assert abs(warm[20, 190] - 120).max() <= 2
    np.testing.assert_array_equal(relative_heat(cells), [[1, 0], [0, 0]])
    np.testing.assert_array_equal(relative_heat(-cells * 0), np.zeros((2, 2)))


def test_a_thumbnail_and_its_original_get_the_same_heat(sample: Gallery) -> None:
    found = sample.explain(FOLDER / "queries" / "mug-01-q.jpg", "mug-01-1")
    item = sample.find("mug-01-1")
    with Image.open(item.path) as whole, Image.open(io.BytesIO(sample.thumbnail(item))) as small:
        shown = [overlay_heat(one.convert("RGB"), found.result.cells, found.result.box) for one in (whole, small)]
    difference = np.abs(np.asarray(shown[0].resize((64, 64))).astype(int) - np.asarray(shown[1].resize((64, 64))))
    assert difference.mean() < 6
