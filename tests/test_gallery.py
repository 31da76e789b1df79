import inspect
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
from conftest import MODEL, change_manifest, draw
from PIL import Image

from similarity import Embedder, Gallery
from similarity.errors import (
    GalleryBusyError,
    GalleryDamagedError,
    GalleryError,
    GalleryNotFoundError,
    SearchError,
    SourceError,
)
from similarity.gallery import open_gallery
from similarity.progress import Progress
from similarity.search.faiss.flat import FlatIndex
from similarity.storage.current import live_number
from similarity.storage.inventory import find_gallery, list_galleries
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import FORMAT


@pytest.fixture
def built(own_pictures: Path, tmp_path: Path) -> Gallery:
    """A gallery of its own, for tests that change it."""
    return Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)


def ids(gallery: Gallery, query: Path, k: int = 10) -> list[str]:
    return [hit.item.id for hit in gallery.search(query, k)]


def test_every_picture_of_a_gallery_finds_itself_first(shapes: Gallery) -> None:
    for item in shapes.items:
        best = shapes.search(item.path, k=1)[0]
        assert best.item.id == item.id
        assert best.score >= 0.999
        assert best.rank == 1


def test_a_build_is_five_frames_deep(own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames: list[str] = []
    build = FlatIndex.build

    def noted(*arguments: Any) -> FlatIndex:
        modules = [(one.frame.f_globals["__name__"], one.function) for one in inspect.stack()]
        frames.extend(f"{module}.{function}" for module, function in modules if module.startswith("similarity."))
        return build(*arguments)

    monkeypatch.setattr(FlatIndex, "build", noted)
    Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    assert frames == [
        "similarity.search.engines.make_index",
        "similarity.storage.writing.write_generation",
        "similarity.indexing.operations.index",
        "similarity.gallery.build",
    ]


def test_hits_are_ranked_by_score_and_no_more_than_there_are(shapes: Gallery, pictures: Path) -> None:
    hits = shapes.search(pictures / "dots" / "dots-1.jpg", k=100)
    assert [hit.rank for hit in hits] == list(range(1, 16))
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_a_query_may_be_a_path_bytes_an_image_or_an_address(shapes: Gallery, pictures: Path, site) -> None:  # type: ignore[no-untyped-def]
    path = pictures / "rings" / "rings-2.jpg"
    site.pages["/r.jpg"] = (200, {}, path.read_bytes())
    from similarity.images.decoding import read_image

    expected = ids(shapes, path)
    for query in (str(path), path.read_bytes(), read_image(path), site.url("/r.jpg")):
        assert [hit.item.id for hit in shapes.search(query)] == expected


def test_a_new_picture_finds_pictures_of_its_kind(bundled: None, built: Gallery) -> None:  # noqa: ARG001 - first
    for kind in ("dots", "rings", "stripes"):
        labels = [hit.item.label for hit in built.search(draw(kind, 99), k=3)]
        assert labels.count(kind) >= 2


def test_zero_results_cannot_be_asked_for(shapes: Gallery, pictures: Path) -> None:
    with pytest.raises(SearchError, match="at least 1, not 0"):
        shapes.search(pictures / "dots" / "dots-0.jpg", k=0)


def test_items_are_stored_with_all_that_is_known_of_them(shapes: Gallery, pictures: Path) -> None:
    item = Gallery.open(shapes.directory).items[0]
    file = pictures / "dots" / "dots-0.jpg"
    assert (item.id, item.label, item.path) == ("dots/dots-0.jpg", "dots", str(file))
    assert (item.width, item.height, item.size) == (240, 320, file.stat().st_size)
    assert item.mtime == file.stat().st_mtime
    assert len(item.sha256) == 64


def test_thumbnails_are_made_while_indexing(built: Gallery) -> None:
    Path(built.items[0].path).unlink()
    assert built.thumbnail(built.items[0]).startswith(b"\xff\xd8")


def test_a_lost_thumbnail_is_made_anew_from_the_picture_or_is_grey(built: Gallery) -> None:
    for path in built.directory.glob("thumbnails/*/*.jpg"):
        path.unlink()
    assert built.thumbnail(built.items[0]).startswith(b"\xff\xd8")
    Path(built.items[0].path).unlink()
    with Image.open(io.BytesIO(built.thumbnail(built.items[0]))) as grey:
        assert grey.size == (240, 320)
        assert grey.getpixel((5, 5)) == (211, 211, 211)


ANSWERS = """
import json, sys
from similarity import Gallery
gallery = Gallery.open(sys.argv[1])
print(json.dumps([[(h.rank, h.score, h.item.id) for h in gallery.search(q, 15)] for q in sys.argv[2:]]))
"""


def test_a_new_process_gives_exactly_the_same_answers(
    built: Gallery, pictures: Path, child_environment: dict[str, str]
) -> None:
    queries = [str(path) for path in sorted(pictures.glob("*/*-1.jpg"))]
    here = [[(hit.rank, hit.score, hit.item.id) for hit in built.search(query, 15)] for query in queries]
    there = subprocess.run(
        [sys.executable, "-c", ANSWERS, str(built.directory), *queries],
        env=child_environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(there) == json.loads(json.dumps(here))


def test_files_that_are_no_pictures_are_skipped_by_name_and_the_rest_is_indexed(
    own_pictures: Path, tmp_path: Path
) -> None:
    (own_pictures / "dots" / "notes.jpg").write_text("buy milk")
    (own_pictures / "dots" / "empty.jpg").touch()
    whole = (own_pictures / "dots" / "dots-0.jpg").read_bytes()
    (own_pictures / "dots" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    gallery = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    reasons = {Path(skipped.path).name: skipped.reason for skipped in gallery.manifest.skipped}
    assert len(gallery) == 15
    assert reasons.keys() == {"notes.jpg", "empty.jpg", "cut.jpg"}
    assert reasons["empty.jpg"] == "is empty (0 bytes)."
    assert "is not a picture" in reasons["notes.jpg"]
    assert "is damaged or incomplete" in reasons["cut.jpg"]
    assert Gallery.open(tmp_path / "gallery").manifest.skipped == gallery.manifest.skipped


def test_progress_counts_every_file_to_the_last(own_pictures: Path, tmp_path: Path) -> None:
    (own_pictures / "dots" / "empty.jpg").touch()
    seen: list[Progress] = []
    Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL, progress=seen.append)
    assert seen[0] == Progress("Preparing the model EfficientNet-Lite2")
    assert seen[-1].task == "Building the index"
    last = next(one for one in reversed(seen) if one.task == "Indexing")
    assert (last.task, last.done, last.total, last.seconds_left) == ("Indexing", 16, 16, 0)
    assert last.images_per_second == pytest.approx(16 / last.seconds)
    assert Progress("Indexing", 4, 16, 2.0).seconds_left == 6


def test_a_gallery_with_no_readable_picture_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jpg").write_text("no picture")
    with pytest.raises(SourceError, match="None of the 1 pictures"):
        Gallery.build(tmp_path / "bad", tmp_path / "deep" / "down" / "gallery", model=MODEL)
    assert not (tmp_path / "deep").exists()


def test_an_interrupted_build_leaves_nothing_and_an_interrupted_rebuild_leaves_the_old(
    built: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Gallery.build(own_pictures, tmp_path / "new", model=MODEL, progress=interrupt)
    assert not (tmp_path / "new").exists()
    with pytest.raises(KeyboardInterrupt):
        Gallery.build(own_pictures, built.directory, model=MODEL, progress=interrupt)
    assert live_number(built.directory) == 1
    assert len(Gallery.open(built.directory)) == 15


def test_a_failed_build_does_not_touch_the_gallery_beside_it(own_pictures: Path, tmp_path: Path) -> None:
    galleries = tmp_path / "new" / "galleries"

    def build_another_and_be_interrupted(*_: object) -> None:
        Gallery.build(own_pictures, galleries / "other", model=MODEL)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Gallery.build(own_pictures, galleries / "mine", model=MODEL, progress=build_another_and_be_interrupted)
    assert [path.name for path in galleries.iterdir()] == ["other"]
    assert len(Gallery.open(galleries / "other")) == 15


@pytest.mark.usefixtures("one_earlier_state")
def test_what_a_killed_build_left_behind_is_cleared_by_the_next_one(own_pictures: Path, tmp_path: Path) -> None:
    directory = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL).directory
    (directory / "generations" / "000002").mkdir()
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    Gallery.build(own_pictures, directory, model=MODEL)
    assert sorted(path.name for path in directory.glob("generations/*")) == ["000001", "000003"]
    Gallery.build(own_pictures, directory, model=MODEL)
    assert len(list(directory.glob("thumbnails/*/*.jpg"))) == 14


def test_files_with_odd_names_cost_only_themselves(own_pictures: Path, tmp_path: Path) -> None:
    data = (own_pictures / "dots" / "dots-0.jpg").read_bytes() + b"another content"
    for name in (b"caf\xe9.jpg", "é $x^ 'quote' [b].jpg".encode()):
        try:
            Path(os.fsdecode(os.fsencode(own_pictures) + b"/" + name)).write_bytes(data)
        except OSError:
            pytest.skip("this file system takes no such names")
    gallery = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    assert [item.id for item in gallery.items if item.label is None] == ["é $x^ 'quote' [b].jpg"]
    assert [skipped.reason for skipped in gallery.manifest.skipped] == ["has a name that is not UTF-8: rename it."]


def test_an_open_image_is_read_as_its_file_would_be(built: Gallery, tmp_path: Path) -> None:
    half_clear = Image.new("RGBA", (200, 200), (255, 0, 0, 90))
    half_clear.save(tmp_path / "clear.png")
    deep = Image.fromarray(np.tile(np.linspace(0, 65535, 200, dtype=np.uint16), (200, 1)))
    deep.save(tmp_path / "deep.png")
    for path in (tmp_path / "clear.png", tmp_path / "deep.png"):
        with Image.open(path) as image:
            assert built.search(image) == built.search(path)


def test_an_empty_folder_that_was_there_before_stays(own_pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (own_pictures / "only").mkdir()
    (own_pictures / "only" / "bad.jpg").write_text("no")
    with pytest.raises(SourceError):
        Gallery.build(own_pictures / "only", tmp_path / "mine", model=MODEL)
    assert list((tmp_path / "mine").iterdir()) == []


def test_building_again_replaces_the_gallery_and_an_open_one_goes_on(built: Gallery, own_pictures: Path) -> None:
    query = own_pictures / "rings" / "rings-0.jpg"
    before = ids(built, query)
    for path in (own_pictures / "dots").iterdir():
        path.unlink()
    for expected in (2, 3):
        assert len(Gallery.build(own_pictures, built.directory, model=MODEL)) == 10
        assert live_number(built.directory) == expected
    assert ids(built, query) == before
    # The first is kept as long as somebody has it open.
    assert sorted(path.name for path in (built.directory / "generations").iterdir()) == ["000001", "000002", "000003"]


def test_a_folder_of_something_else_is_never_written_into(own_pictures: Path) -> None:
    before = sorted(own_pictures.rglob("*"))
    with pytest.raises(GalleryError, match="contains other files: choose a new or empty folder"):
        Gallery.build(own_pictures, own_pictures, model=MODEL)
    assert sorted(own_pictures.rglob("*")) == before


def test_a_second_writer_is_turned_away(built: Gallery, own_pictures: Path) -> None:
    with (
        filelock.FileLock(built.directory / ".lock"),
        pytest.raises(GalleryBusyError, match="is being written by another process: wait for it, or stop it"),
    ):
        Gallery.build(own_pictures, built.directory, model=MODEL)


def test_a_disk_that_fails_leaves_the_old_gallery(
    built: Gallery, own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("similarity.storage.writing.write_items", full)
    with pytest.raises(GalleryError, match="could not be written \\(No space left on device\\)"):
        Gallery.build(own_pictures, built.directory, model=MODEL)
    assert len(Gallery.open(built.directory)) == 15
    assert [path.name for path in (built.directory / "generations").iterdir()] == ["000001"]


@pytest.mark.many
@pytest.mark.parametrize("name", ["items.parquet", "embeddings.npy", "index.faiss"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_file_is_an_error_that_names_it(built: Gallery, name: str, damage: str) -> None:
    path = built.directory / "generations" / "000001" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    if damage != "gone":
        path.write_bytes(data if damage == "flipped" else data[:-1])
    with pytest.raises(GalleryDamagedError, match=f"{name} is damaged or missing: index the gallery again"):
        Gallery.open(built.directory)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', "null"])
def test_a_damaged_manifest_is_an_error_that_names_it(built: Gallery, content: str) -> None:
    (built.directory / "generations" / "000001" / "manifest.json").write_text(content)
    with pytest.raises(GalleryError, match=r"manifest\.json is damaged or missing"):
        read_live_manifest(built.directory)


def test_a_gallery_of_a_newer_version_is_refused(built: Gallery) -> None:
    change_manifest(built, format=FORMAT + 1)
    with pytest.raises(GalleryError, match="was made by a newer version: update this program"):
        Gallery.open(built.directory)


def test_a_gallery_of_the_first_version_is_told_to_be_indexed_again(built: Gallery) -> None:
    change_manifest(built, format=1)
    (built.directory / "generations" / "000001" / "manifest.json.sha256").unlink()
    (built.directory / "CURRENT").write_text("000001\n")
    with pytest.raises(GalleryError, match="was made by an older version: index it again"):
        Gallery.open(built.directory)


def test_other_weights_than_those_a_gallery_was_made_with_are_refused(built: Gallery, own_pictures: Path) -> None:
    change_manifest(built, weights_sha256="0" * 64)
    with pytest.raises(GalleryError, match="The weights of efficientnet-lite2 on this computer differ"):
        Gallery.open(built.directory).search(own_pictures / "dots" / "dots-0.jpg")


@pytest.mark.usefixtures("empty_home")
def test_a_model_that_nobody_knows_is_said_and_not_replaced(built: Gallery, own_pictures: Path) -> None:
    change_manifest(built, model="resnet51")
    with pytest.raises(GalleryError, match=r"was made with resnet51, which cannot be loaded: There is no model named"):
        Gallery.open(built.directory).search(own_pictures / "dots" / "dots-0.jpg")


@pytest.mark.exhaustive
def test_a_model_that_cannot_be_loaded_is_said_and_not_replaced(
    built: Gallery, own_pictures: Path, empty_home: Path
) -> None:
    """Which takes an import of torch."""
    change_manifest(built, model="resnet50")
    (empty_home / "models").mkdir()
    (empty_home / "models" / "resnet50-0676ba61.pth").write_text("no weights")
    with pytest.raises(GalleryError, match=r"was made with resnet50, which cannot be loaded: .* is damaged"):
        Gallery.open(built.directory).search(own_pictures / "dots" / "dots-0.jpg")


def test_a_name_stands_for_a_folder_in_the_home_and_anything_with_a_slash_for_a_path(
    home: Path, tmp_path: Path
) -> None:
    assert find_gallery("shoes-2026.v1") == home / "galleries" / "shoes-2026.v1"
    assert find_gallery(str(tmp_path / "x")) == tmp_path / "x"
    assert find_gallery("./x") == Path.cwd() / "x"
    assert find_gallery("e\N{COMBINING ACUTE ACCENT}té 2026") == home / "galleries" / "été 2026"
    for name in ("", "a ", " a", "a?b", "-x", ".hidden", "a\0b", "ä:b"):
        with pytest.raises(GalleryError, match="cannot name a gallery"):
            find_gallery(name)


def test_an_unknown_gallery_is_an_error_that_lists_the_known_ones(shapes: Gallery) -> None:
    assert shapes.directory in list_galleries()
    with pytest.raises(GalleryNotFoundError, match=r"There is no gallery named shose; there are: .*shapes"):
        open_gallery("shose")


@pytest.mark.usefixtures("empty_home")
def test_where_there_is_no_gallery_the_error_says_how_to_make_one() -> None:
    with pytest.raises(GalleryNotFoundError, match="make one with `python -m similarity index FOLDER --gallery NAME`"):
        open_gallery("shapes")


@pytest.fixture
def read_only(tmp_path: Path) -> Path:
    """A place where no folder can be made, whoever runs the tests: below a file."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "gallery"


def test_a_place_that_cannot_be_written_is_an_error(own_pictures: Path, read_only: Path) -> None:
    with pytest.raises(GalleryError, match="cannot be written"):
        Gallery.build(own_pictures, read_only, model=MODEL)


def test_the_embedder_can_be_handed_in(built: Gallery, light_embedder: Embedder, own_pictures: Path) -> None:
    opened = Gallery.open(built.directory, load=lambda _: light_embedder)
    assert opened.embedder is light_embedder.with_view("fit")
    assert ids(opened, own_pictures / "dots" / "dots-3.jpg", 1) == ["dots/dots-3.jpg"]


def test_so_many_near_identical_pictures_are_told_of_as_are_wanted(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture = draw("dots", 1)
    for number in range(6):
        picture.putpixel((0, number), (number, number, number))
        picture.save(folder / f"{number}.png")
    draw("rings", 2).save(folder / "other.png")
    gallery = Gallery.build(folder, tmp_path / "gallery", model=MODEL)
    for most in (1, 3, 5):
        assert len(gallery.near_identical("0.png", most)) == most
    assert {hit.item.id for hit in gallery.near_identical("0.png", 24)} == {f"{number}.png" for number in range(1, 6)}


def test_a_gallery_that_a_change_gave_has_the_report_of_it(own_pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (own_pictures / "rings").rename(tmp_path / "more" / "rings")
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    assert built.report
    assert (built.report.task, built.report.added) == ("index", 10)
    grown = built.add(tmp_path / "more")
    assert grown.report
    assert (grown.report.task, grown.report.added) == ("add", 5)
    same = grown.add(tmp_path / "more")
    assert same.report
    assert not same.report.changes, "nothing was written, and it is reported all the same"
    left = same.remove(labels=["dots"])
    assert left.report
    assert (left.report.task, left.report.removed) == ("remove", 5)
    moved = left.rebuild("flat", into=tmp_path / "other")
    assert moved.report
    assert (moved.report.task, moved.directory) == ("rebuild", tmp_path / "other")
    assert Gallery.open(tmp_path / "gallery").report is None
