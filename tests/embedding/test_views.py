"""Views: which part of a picture a network is given, and that explanations and galleries follow it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from PIL import Image, ImageDraw

from similarity import Embedder, Gallery
from similarity.embedding.backbones import BACKBONES, Preprocessing
from similarity.embedding.view_names import VIEWS
from similarity.embedding.views import (
    choose_view,
    crop_window,
    fit_window,
    merge,
    prepare_views,
    preprocess,
    seen_box,
    windows,
)
from similarity.errors import ModelError
from similarity.storage.manifest import read_manifest
from similarity.vectors.methods import CLOSER, POWER

HOW = Preprocessing(292, 260, "bicubic", (0.5,) * 3, (0.5,) * 3)
LONG, PORTRAIT = (900, 300), (300, 400)


def noise(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))


@pytest.mark.parametrize("view", VIEWS)
def test_a_square_picture_looks_the_same_in_every_view(view: str) -> None:
    image = noise((300, 300))
    assert np.array_equal(prepare_views(image, HOW, view), preprocess(image, HOW)[np.newaxis])  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [LONG, LONG[::-1], PORTRAIT, (640, 200), (50, 2_000), (2_000, 10)])
def test_a_window_that_fits_has_the_area_of_the_picture_times_the_share_of_a_crop(size: tuple[int, int]) -> None:
    window = fit_window(size, HOW)
    area = (window.right - window.left) * (window.bottom - window.top)
    assert area == pytest.approx(size[0] * size[1] * (HOW.crop / HOW.resize) ** 2)
    assert prepare_views(noise(size), HOW, "fit").shape == (1, 260, 260, 3)


def test_a_long_picture_is_shown_farther_out_with_white_above_and_below() -> None:
    image = Image.new("RGB", LONG, "red")
    crop, fit = crop_window(LONG, HOW), fit_window(LONG, HOW)
    assert (fit.right - fit.left) / (crop.right - crop.left) == pytest.approx(3**0.5, abs=0.01)
    rows = prepare_views(image, HOW, "fit")[0].reshape(260, -1, 3).mean(axis=1)
    shown = np.flatnonzero((rows == [255, 0, 0]).all(axis=1))
    assert len(shown) == shown[-1] - shown[0] + 1 == pytest.approx(260 * 300 / (fit.right - fit.left), abs=1)
    assert abs(shown[0] - (259 - shown[-1])) <= 1
    assert (np.delete(rows, shown, axis=0) == 255).all()


def test_the_window_that_fits_lies_in_the_middle() -> None:
    image = Image.new("RGB", LONG, "black")
    ImageDraw.Draw(image).rectangle((430, 130, 469, 169), "white")
    seen = prepare_views(image, HOW, "fit")[0][60:200].mean(axis=2) > 128  # without the bars
    rows, columns = np.flatnonzero(seen.any(axis=1)) + 60, np.flatnonzero(seen.any(axis=0))
    assert rows.mean() == pytest.approx(129.5, abs=1)
    assert columns.mean() == pytest.approx(129.5, abs=1)


def test_a_nearly_square_picture_has_one_window_and_others_have_two_in_the_view_both() -> None:
    assert [len(windows(size, HOW, "both")) for size in ((300, 300), (300, 320), (300, 340), LONG)] == [1, 1, 2, 2]


def test_two_windows_are_averaged_and_the_one_that_fits_counts_twice() -> None:
    vectors = np.eye(2, dtype=np.float32)
    np.testing.assert_allclose(merge(vectors), np.array([2, 1]) / 5**0.5, atol=1e-6)
    assert np.array_equal(merge(vectors[:1]), vectors[0])


def test_the_default_is_what_was_measured_for_a_network() -> None:
    averaging, transformer = BACKBONES["efficientnet-lite2"], BACKBONES["dinov2-s14"]
    assert [choose_view("auto", averaging), choose_view("auto", transformer)] == ["fit", "crop"]
    assert [choose_view("auto", averaging, "best"), choose_view("auto", transformer, "best")] == ["both", "crop"]
    assert choose_view("crop", averaging, "best") == "crop"
    with pytest.raises(ModelError, match="'whole' is no view of a picture: choose from auto, crop, fit, both"):
        choose_view("whole", averaging)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(300, 300), PORTRAIT, (640, 300), LONG, (300, 1_200)])
def test_the_cells_of_a_picture_have_its_embedding_as_their_mean_and_lie_in_the_picture(
    light_embedder: Embedder, view: str, size: tuple[int, int]
) -> None:
    image, embedder = noise(size), light_embedder.with_view(view)  # type: ignore[arg-type]
    seen = embedder.feature_map(image)
    mean = seen.cells.mean(axis=(0, 1))
    assert float(mean @ embedder.embed([image])[0]) == pytest.approx(float(np.linalg.norm(mean)), rel=1e-4)
    np.testing.assert_allclose(mean, seen.features, rtol=1e-3, atol=1e-5)
    box = seen_box(size, embedder.backbone.preprocessing, view)  # type: ignore[arg-type]
    assert embedder.seen_box(size) == box
    assert 0 <= box.left < box.right <= 1
    assert 0 <= box.top < box.bottom <= 1
    height, width = (box.bottom - box.top) * size[1], (box.right - box.left) * size[0]
    assert seen.cells.shape[0] / seen.cells.shape[1] == pytest.approx(height / width, rel=0.2)


@pytest.mark.parametrize("view", ["fit", "both"])
def test_heat_of_a_long_picture_lies_where_the_picture_has_something(light_embedder: Embedder, view: str) -> None:
    embedder = light_embedder.with_view(view)  # type: ignore[arg-type]
    image = Image.new("RGB", LONG, "white")
    image.paste(noise((150, 150)), (300, 75))
    seen = embedder.feature_map(image)
    energy = np.linalg.norm(seen.cells, axis=2)
    box = embedder.seen_box(LONG)
    columns = (np.arange(energy.shape[1]) + 0.5) / energy.shape[1] * (box.right - box.left) + box.left
    hottest = columns[energy.sum(axis=0).argmax()] * LONG[0]
    cell = LONG[0] * (box.right - box.left) / energy.shape[1]
    assert 300 - 1.5 * cell < hottest < 450 + 1.5 * cell


@pytest.fixture
def long_pictures(tmp_path: Path) -> Path:
    """Twelve pictures of different shapes in a folder."""
    folder = tmp_path / "pictures"
    for kind in ("dots", "rings"):
        for number, width in enumerate((320, 330, 400, 500, 700, 1_000)):
            path = folder / kind / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(kind, number).resize((width, 320)).save(path)
    return folder


@pytest.mark.many
@pytest.mark.parametrize("view", VIEWS)
def test_a_gallery_keeps_its_view_and_every_picture_finds_itself(
    light_embedder: Embedder,  # noqa: ARG001
    long_pictures: Path,
    tmp_path: Path,
    view: str,
) -> None:
    gallery = Gallery.build(long_pictures, tmp_path / "g", view=view)
    assert gallery.manifest.preprocessing.get("view", "crop") == view
    draw("dots", 99).resize((800, 300)).save(long_pictures / "dots" / "new.png")
    gallery = Gallery.open(tmp_path / "g").sync(long_pictures)
    assert len(gallery) == 13
    assert gallery.manifest.view == view
    for item in gallery.items:
        hit = gallery.search(long_pictures / item.path.split("/pictures/")[1], 1)[0]
        assert (hit.item.id, hit.score) == (item.id, pytest.approx(1, abs=1e-3))
    explanation = gallery.explain(long_pictures / "dots" / "5.png", "dots/4.png")
    assert explanation.is_exact
    for heat in (explanation.query, explanation.result):
        assert float(heat.cells.sum()) + heat.neighbours == pytest.approx(explanation.score, abs=1e-3)


def test_another_view_embeds_again_and_the_same_one_does_not(
    light_embedder: Embedder,  # noqa: ARG001
    long_pictures: Path,
    tmp_path: Path,
) -> None:
    embedded: Callable[[str], int] = lambda view: (  # noqa: E731
        Gallery.build(long_pictures, tmp_path / "g", view=view).manifest.last_run.embedded
    )
    assert [embedded("crop"), embedded("crop"), embedded("fit"), embedded("auto"), embedded("both")] == [
        12,
        0,
        12,
        0,
        12,
    ]


def test_the_best_quality_moves_pictures_farther_and_the_gallery_remembers_it(
    light_embedder: Embedder,  # noqa: ARG001
    long_pictures: Path,
    tmp_path: Path,
) -> None:
    options = {"model": "efficientnet-lite2", "refinement": "neighbours"}
    best = Gallery.build(long_pictures, tmp_path / "best", quality="best", **options)  # type: ignore[arg-type]
    usual = Gallery.build(long_pictures, tmp_path / "usual", view="both", **options)  # type: ignore[arg-type]
    assert (best.manifest.neighbour_power, usual.manifest.neighbour_power) == (CLOSER, POWER)
    assert best.manifest.view == "both"
    moved = [np.sum(gallery.vectors[:] @ gallery.vectors[:].T) for gallery in (best, usual)]
    assert moved[0] > moved[1]
    again = Gallery.open(tmp_path / "best")
    assert np.array_equal(again.vectors[:], best.vectors[:])
    assert again.search(long_pictures / "dots" / "1.png", 1)[0].score == pytest.approx(1, abs=1e-3)


def test_a_gallery_of_before_there_were_views_keeps_the_crop(
    light_embedder: Embedder,  # noqa: ARG001
    long_pictures: Path,
    tmp_path: Path,
) -> None:
    gallery = Gallery.build(long_pictures, tmp_path / "g", view="crop")
    folder = next((tmp_path / "g").rglob("manifest.json")).parent
    manifest, _ = read_manifest(folder)
    assert "view" not in manifest.preprocessing
    added = tmp_path / "more"
    added.mkdir()
    draw("rings", 55).resize((900, 300)).save(added / "long.png")
    gallery = gallery.add(added)
    assert gallery.manifest.view == "crop"
    own = gallery.embedder.embed([Image.open(added / "long.png").convert("RGB")])[0]
    assert float(np.max(gallery.embeddings[:] @ own)) == pytest.approx(1, abs=1e-4)
