"""Searching the parts of pictures: what is found, what is said, and that parts stay with their pictures."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Run
from conftest import MODEL, draw
from made_heads import serving
from PIL import Image

from similarity import Gallery
from similarity.embedding.embedder import Embedder
from similarity.embedding.regions import REGIONS, check_has_regions, embed_regions, stream_with_maps
from similarity.errors import GalleryDamagedError, ModelError, SearchError
from similarity.gallery import restore, verify
from similarity.indexing.importing import import_gallery
from similarity.indexing.options import options_of
from similarity.paths import cache_folder
from similarity.sample import FOLDER
from similarity.search.stores import Store
from similarity.storage import part_files
from similarity.storage.cleanup import delete_gallery
from similarity.storage.journal import Journal

SCENE = "scene.png"


@pytest.fixture
def scene(own_pictures: Path) -> Path:
    """The pictures, and a scene with one of them on the left and another, which is not there alone, on the right."""
    canvas = Image.new("RGB", (600, 600), (200, 200, 200))
    canvas.paste(draw("stripes", 0).resize((270, 360)), (0, 120))
    canvas.paste(draw("stripes", 9).resize((270, 360)), (330, 120))
    canvas.save(own_pictures / "dots" / SCENE)
    return own_pictures


@pytest.fixture
def gallery(scene: Path, empty_home: Path) -> Gallery:
    return Gallery.build(scene, empty_home / "galleries" / "mine", model=MODEL, parts=True)


def place_of(gallery: Gallery, **options: object) -> tuple[int, float, object]:
    """Rank, score and part of the scene for one of the two pictures in it."""
    hits = gallery.search(draw("stripes", 9), 20, **options)  # type: ignore[arg-type]
    return next((hit.rank, hit.score, hit.part) for hit in hits if hit.item.path.endswith(SCENE))


def sample_picture(name: str) -> Path:
    return FOLDER / "gallery" / name.partition("-")[0] / f"{name}.jpg"


def stored(gallery: Gallery) -> dict[str, bytes]:
    """The stored parts of each picture."""
    parts = gallery._generation.parts
    assert parts is not None
    assert gallery.manifest.parts
    assert "parts.npy" in gallery.manifest.files
    return {item.sha256: parts.all[row].tobytes() for row, item in enumerate(gallery.items)}


def test_a_scene_is_found_by_what_is_in_it(gallery: Gallery) -> None:
    rank, score, part = place_of(gallery)
    better_rank, better, box = place_of(gallery, parts=True)
    assert part is None
    assert better > score + 0.05
    assert better_rank <= rank
    assert box is not None
    assert (box.left + box.right) / 2 > 0.5  # type: ignore[attr-defined]
    own = gallery.search(gallery.items[0].path, 1, parts=True)[0]
    assert (own.item.id, round(own.score, 3), own.part) == (gallery.items[0].id, 1.0, None)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
def test_another_view_of_a_thing_finds_the_scene_that_it_is_in_first(tmp_path: Path, empty_home: Path) -> None:
    folder, canvas = tmp_path / "photographs", Image.new("RGB", (640, 640), "white")
    folder.mkdir()
    for place, name in enumerate(("chair-04-1", "guitar-05-1")):
        canvas.paste(Image.open(sample_picture(name)).convert("RGB").resize((300, 300)), (330 * place, 170))
    canvas.save(folder / SCENE)
    for kind in ("bag", "bowl", "shoe", "mug", "clock"):
        for number in range(1, 5):
            shutil.copy(sample_picture(f"{kind}-{number:02d}-1"), folder)
    gallery = Gallery.build(folder, empty_home / "galleries" / "mine", model=MODEL, parts=True)
    whole, in_parts = (gallery.search(sample_picture("chair-04-4"), 21, parts=parts) for parts in (False, True))
    assert in_parts[0].item.path.endswith(SCENE)
    assert in_parts[0].part is not None
    assert in_parts[0].part.right < 0.7
    assert in_parts[0].score > 0.1 + next(hit.score for hit in whole if hit.item.path.endswith(SCENE))


def test_conditions_hold_and_pages_follow_when_parts_are_searched(gallery: Gallery) -> None:
    query, ids = draw("stripes", 9), [hit.item.id for hit in gallery.search(draw("stripes", 9), 16, parts=True)]
    assert len(set(ids)) == 16
    assert [hit.item.id for hit in gallery.search(query, 4, parts=True, offset=3)] == ids[3:7]
    dots = gallery.search(query, 20, parts=True, where={"label": "dots"}, exclude_ids=ids[:1])
    assert {hit.item.label for hit in dots} == {"dots"}
    assert not any(hit.item.id == ids[0] for hit in dots)
    scores = [hit.score for hit in gallery.search(query, 16, parts=True)]
    assert scores == sorted(scores, reverse=True)
    best = gallery.search(query, 16, parts=True, min_score=scores[2])
    assert len(best) == 3
    assert len(gallery.search(query, 16, parts=True, distinct=True)) <= 16


def test_regions_are_means_of_cells_and_the_whole_is_their_mean() -> None:
    cells = np.zeros((4, 4, 16), np.float32)
    cells[np.arange(16) // 4, np.arange(16) % 4, np.arange(16)] = 1
    regions = embed_regions(cells)
    assert regions.shape == (len(REGIONS), 16)
    np.testing.assert_allclose(np.linalg.norm(regions, axis=1), 1, atol=1e-6)
    assert set(np.flatnonzero(regions[0])) == {0, 1, 2, 4, 5, 6, 8, 9, 10}  # 60 % of four are 2.4 cells
    assert regions[0][0] > regions[0][2] > 0


def test_embeddings_are_the_same_with_parts_and_without(scene: Path, gallery: Gallery, tmp_path: Path) -> None:
    plain = Gallery.build(scene, tmp_path / "plain", model=MODEL)
    np.testing.assert_allclose(gallery.embeddings[:], plain.embeddings[:], atol=1e-5)
    image = Image.open(scene / "dots" / SCENE).convert("RGB")
    _, seen = plain.embedder.embed_with_map(image)
    row = next(row for row, item in enumerate(gallery.items) if item.path.endswith(SCENE))
    parts = gallery._generation.parts
    assert parts is not None
    np.testing.assert_allclose(parts[row].reshape(len(REGIONS), -1), embed_regions(seen.cells), atol=2e-3)


@pytest.mark.parametrize("view", ["crop", "fit", "both"])
def test_a_part_lies_in_the_picture_whatever_view_of_it_was_embedded(
    own_pictures: Path, empty_home: Path, view: str
) -> None:
    draw("rings", 9).resize((90, 300)).save(own_pictures / "long.png")
    made = Gallery.build(own_pictures, empty_home / "galleries" / view, model=MODEL, view=view, parts=True)
    queries = [draw(kind, 9).crop((0, 0, 120, 160)) for kind in ("rings", "dots", "stripes")]
    boxes = [hit.part for query in queries for hit in made.search(query, 16, parts=True) if hit.part]
    assert boxes
    for box in boxes:
        assert 0 <= box.left < box.right <= 1
        assert 0 <= box.top < box.bottom <= 1


def test_parts_stay_with_their_pictures_through_every_change(gallery: Gallery, scene: Path, tmp_path: Path) -> None:
    before = stored(gallery)
    draw("rings", 8).save(scene / "rings" / "new.jpg")
    added = gallery.add(scene)
    assert added.report
    assert added.report.embedded == 1
    after = stored(added)
    assert after.items() > before.items()
    assert len(after) == len(before) + 1

    (scene / "dots" / "dots-1.jpg").unlink()
    synced = added.sync(scene)
    assert stored(synced).items() < after.items()
    removed = synced.remove(ids=[synced.items[0].id])
    assert stored(removed).items() < stored(synced).items()
    relabelled = removed.relabel({removed.items[0].id: "another"})
    assert stored(relabelled) == stored(removed)
    rebuilt = relabelled.rebuild(refinement="centred")
    assert stored(rebuilt) == stored(removed)
    elsewhere = rebuilt.rebuild(into=tmp_path / "elsewhere")
    assert stored(elsewhere) == stored(removed)
    assert place_of(rebuilt, parts=True)[1] > place_of(rebuilt)[1]
    moved = rebuilt.relocate(scene, tmp_path / "moved")
    assert stored(moved) == stored(removed)
    assert stored(restore(moved.directory)) == stored(removed)
    assert options_of(moved.manifest).parts


@pytest.mark.parametrize("changes", [{"refinement": "neighbours"}, {"recipe": "flat-sq8"}])
def test_parts_are_refined_as_queries_are(gallery: Gallery, changes: dict[str, str]) -> None:
    for head in (None, serving(gallery)):
        rebuilt = gallery.rebuild(**changes, head=head)  # type: ignore[arg-type]
        vector, place = rebuilt.embed_query(draw("stripes", 9)), next(iter(rebuilt.items)).id
        row = next(row for row, item in enumerate(rebuilt.items) if item.path.endswith(SCENE))
        parts = rebuilt._generation.parts
        assert parts is not None
        best = (rebuilt.refine(parts[row].reshape(len(REGIONS), -1)) @ vector).max()
        whole = rebuilt.vectors[row] @ vector
        assert place_of(rebuilt, parts=True, accuracy="high")[1] == pytest.approx(max(best, whole), abs=0.01)
        assert rebuilt.search(rebuilt.find(place).path, 1, parts=True)[0].score == pytest.approx(1, abs=0.02)


def test_parts_are_imported(gallery: Gallery) -> None:
    taken = Gallery.open(import_gallery(gallery.directory, "taken").directory)
    assert stored(taken) == stored(gallery)
    assert place_of(taken, parts=True)[:2] == place_of(gallery, parts=True)[:2]


def test_an_interrupted_run_goes_on_with_the_parts_that_it_has(
    scene: Path, gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, count = Journal.add, 0

    def fail_at_the_sixth(self: Journal, *arguments: object) -> None:
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        add(self, *arguments)  # type: ignore[arg-type]

    directory = tmp_path / "interrupted"
    monkeypatch.setattr(Journal, "add", fail_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        Gallery.build(scene, directory, model=MODEL, parts=True)
    monkeypatch.setattr(Journal, "add", add)
    resumed = Gallery.build(scene, directory, model=MODEL, parts=True)
    assert resumed.report
    assert (resumed.report.resumed, resumed.report.embedded) == (5, 11)
    assert stored(resumed) == stored(gallery)
    assert not (directory / "unfinished").exists()


def test_parts_are_embedded_when_a_gallery_without_them_is_indexed_again(
    scene: Path, gallery: Gallery, tmp_path: Path
) -> None:
    plain = Gallery.build(scene, tmp_path / "plain", model=MODEL)
    assert not plain.manifest.parts
    assert "parts.npy" not in plain.manifest.files
    with_parts = Gallery.build(scene, tmp_path / "plain", model=MODEL, parts=True)
    assert with_parts.report
    assert with_parts.report.embedded == 16
    assert stored(with_parts) == stored(gallery)
    again = Gallery.build(scene, tmp_path / "plain", model=MODEL)
    assert again.report
    assert again.report.embedded == 0
    assert not again.manifest.parts


def test_a_gallery_without_parts_says_how_to_make_them(shapes: Gallery) -> None:
    with pytest.raises(SearchError, match=r"index PICTURES --gallery shapes --parts"):
        shapes.search(draw("dots", 0), parts=True)
    assert shapes.search(draw("dots", 0), 1)[0].part is None


def test_more_pictures_than_can_be_compared_are_refused_before_and_after(
    scene: Path, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_files, "MOST_PICTURES", 10)
    with pytest.raises(SearchError, match="up to 10 pictures, and there are 16"):
        gallery.search(draw("dots", 0), parts=True)
    with pytest.raises(SearchError, match="up to 10 pictures"):
        Gallery.build(scene, gallery.directory, model=MODEL, parts=True)
    with pytest.raises(SearchError, match="cannot be searched in Milvus"):
        part_files.check_can_be_searched(1, Store("milvus", "http://localhost:19530"))


def test_damage_to_parts_is_noticed(gallery: Gallery) -> None:
    path = gallery.directory / "generations" / "000001" / "parts.npy"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(GalleryDamagedError, match=r"parts\.npy"):
        verify(gallery.directory)


def test_what_is_prepared_is_made_anew_when_pictures_change_and_deleted_with_the_gallery(gallery: Gallery) -> None:
    place_of(gallery, parts=True)
    (first,) = (cache_folder() / "parts").iterdir()
    changed = gallery.remove(ids=[next(item.id for item in gallery.items if not item.path.endswith(SCENE))])
    assert place_of(changed, parts=True)[1] > 0
    (second,) = (cache_folder() / "parts").iterdir()
    assert second != first
    relabelled = changed.relabel({changed.items[0].id: "another"})
    assert place_of(relabelled, parts=True) == place_of(changed, parts=True)
    assert list((cache_folder() / "parts").iterdir()) == [second]
    second.unlink()  # the file that is open stays as it is
    second.write_bytes(b"damaged")
    reopened = Gallery.open(gallery.directory)
    assert place_of(reopened, parts=True) == place_of(changed, parts=True)
    assert place_of(gallery, parts=True)[1] > 0  # an earlier state that is still open
    delete_gallery(gallery.directory)
    assert not list((cache_folder() / "parts").iterdir())


def test_a_cache_that_cannot_be_written_costs_time_only(gallery: Gallery) -> None:
    (cache_folder() / "parts").write_text("in the way")
    assert place_of(gallery, parts=True)[1] > place_of(gallery)[1]


def test_a_model_without_regions_is_refused_in_words(standin_network: None, own_pictures: Path, tmp_path: Path) -> None:  # noqa: ARG001
    with pytest.raises(ModelError, match="does not look at regions"):
        Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL, parts=True)
    assert not (tmp_path / "gallery" / "CURRENT").exists()


def test_maps_that_are_computed_beside_the_embedding_give_the_same_regions(
    light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [light_embedder.prepare_views(draw("dots", seed)) for seed in range(3)]
    together = list(stream_with_maps(light_embedder, iter(batches)))
    monkeypatch.setattr(Embedder, "maps_come_along", False)
    apart = list(stream_with_maps(light_embedder, iter(batches)))
    for (vectors, maps), (other_vectors, other_maps) in zip(together, apart, strict=True):
        np.testing.assert_allclose(vectors, other_vectors, atol=1e-5)
        np.testing.assert_allclose(maps[0].cells, other_maps[0].cells, atol=1e-4)


def test_the_light_network_has_regions(light_embedder: Embedder) -> None:
    check_has_regions(light_embedder)


def test_the_command_line_finds_parts_and_says_where_they_are(run: Run, scene: Path, empty_home: Path) -> None:  # noqa: ARG001
    query = scene.parent / "query.png"
    draw("stripes", 9).save(query)
    indexed = run("index", scene, "--gallery", "mine", "--model", MODEL, "--parts", "--json")
    assert json.loads(indexed.stdout)["parts"] is True
    found = json.loads(run("search", query, "--gallery", "mine", "-k", "16", "--parts", "--json").stdout)
    (hit,) = [hit for hit in found["hits"] if hit["path"].endswith(SCENE)]
    left, _, right, _ = hit["part"]
    assert 0.5 < (left + right) / 2 <= 1
    assert {type(one["part"]) for one in found["hits"]} <= {list, type(None)}
    table = run("search", query, "--gallery", "mine", "-k", "16", "--parts").stdout
    assert "part" in table.splitlines()[0]
    assert "right" in next(line for line in table.splitlines() if SCENE in line)
    plain = run("search", query, "--gallery", "mine", "--json").stdout
    assert "part" not in json.loads(plain)["hits"][0]
    refused = run("search", query, "--gallery", "mine", "--parts", "--precision", "0.9")
    assert refused.returncode != 0
    assert "leave out --parts" in refused.stderr
