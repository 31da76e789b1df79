"""What pictures say of themselves, as columns of a gallery."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from commands import Run
from conftest import MODEL
from foreign import seal
from PIL import ExifTags, Image

from similarity import Gallery
from similarity.errors import SearchError
from similarity.evaluation import evaluate

BASE, GPS = ExifTags.Base, ExifTags.GPS
# Name: width, height, when it was taken, camera, orientation.
PICTURES = {
    "a.jpg": (60, 40, "2023:12:31 23:59:59", "Alpha", 1),
    "b.jpg": (80, 40, "2024:05:01 00:00:00", "Beta", 6),
    "c.jpg": (120, 90, "2024:06:10 12:00:00", "Beta", 1),
    "d.jpg": (100, 30, None, None, None),
}


def write(folder: Path) -> Path:
    """Write the pictures."""
    folder.mkdir()
    for number, (name, (width, height, taken, camera, orientation)) in enumerate(PICTURES.items()):
        exif = Image.Exif()
        if taken:
            exif[BASE.Model], exif[BASE.Orientation] = camera, orientation
            exif.get_ifd(ExifTags.IFD.Exif)[BASE.DateTimeOriginal] = taken
            place = {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0 + number, 0.0, 0.0)}
            place |= {GPS.GPSLongitudeRef: "E", GPS.GPSLongitude: (11.0, 30.0, 0.0)}
            exif.get_ifd(ExifTags.IFD.GPSInfo).update(place)
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name, exif=exif)
    return folder


@pytest.fixture
def taken(tmp_path: Path) -> Gallery:
    """A gallery of the pictures, without places."""
    return Gallery.build(write(tmp_path / "taken"), tmp_path / "gallery", model=MODEL)


def found(gallery: Gallery, where: dict) -> list[str]:
    return sorted(hit.item.id for hit in gallery.search_vector(gallery.vectors[0], 10, where=where))


def test_pictures_are_found_by_their_size_date_camera_and_orientation(taken: Gallery) -> None:
    assert found(taken, {"taken>=": "2024-05"}) == ["b.jpg", "c.jpg"]
    assert found(taken, {"taken": "2024-05"}) == ["b.jpg"]
    assert found(taken, {"width>": 40, "width<": 110}) == ["a.jpg", "d.jpg"], "as seen upright: b.jpg lies on its side"
    assert found(taken, {"height": 80}) == ["b.jpg"]
    assert found(taken, {"camera~": "bet", "orientation": 6}) == ["b.jpg"]
    assert found(taken, {"camera!=": "Beta"}) == ["a.jpg", "d.jpg"]


def test_places_are_kept_only_if_they_are_asked_for_and_as_the_gallery_does_from_then_on(
    taken: Gallery, tmp_path: Path
) -> None:
    with pytest.raises(SearchError, match=r"No picture of the gallery has a 'latitude': .* indexed with --gps"):
        taken.facets.rows({"latitude>": 0})
    assert not any("latitude" in item.exif for item in taken.items)
    located = Gallery.build(tmp_path / "taken", tmp_path / "gallery", model=MODEL, gps=True)
    assert located.report
    assert located.report.embedded == 0, "only what is new is read"
    assert found(located, {"latitude>=": 49, "longitude": "11.5"}) == ["b.jpg", "c.jpg"]
    shutil.copy(tmp_path / "taken" / "c.jpg", tmp_path / "taken" / "e.jpg")
    (tmp_path / "taken" / "e.jpg").write_bytes((tmp_path / "taken" / "c.jpg").read_bytes() + b"\0")
    assert found(located.add(tmp_path / "taken"), {"latitude>": 49.5}) == ["c.jpg", "e.jpg"]
    again = Gallery.build(tmp_path / "taken", tmp_path / "gallery", model=MODEL)
    assert not any("latitude" in item.exif for item in again.items), "and forgotten when it is not asked for any more"


def test_columns_of_a_table_take_the_place_of_the_pictures_own(tmp_path: Path) -> None:
    write(tmp_path / "pictures")
    (tmp_path / "list.csv").write_text("path,label,width\npictures/a.jpg,x,narrow\npictures/b.jpg,y,wide\n")
    gallery = Gallery.build(tmp_path / "list.csv", tmp_path / "gallery", model=MODEL)
    assert found(gallery, {"width": "wide"}) == ["pictures/b.jpg"]
    assert found(gallery, {"width>": "o"}) == ["pictures/b.jpg"], "words are compared as such"
    assert found(gallery, {"width": 60}) == []
    assert gallery.facets.columns == ["label", "width"]
    assert found(gallery, {"height>": 50}) == ["pictures/b.jpg"], "no column of the table has this name"


def test_what_pictures_know_is_neither_a_label_nor_a_filter_with_a_thousand_values(taken: Gallery) -> None:
    assert taken.facets.columns == []
    assert [taken.facets.value_rows(name) for name in ("width", "taken", "camera")] == [{}, {}, {}]
    with pytest.raises(SearchError, match=r"No picture of .* has a 'camera': they have neither labels nor columns"):
        evaluate(taken, by="camera")
    assert taken.facets.names == ["width", "height", "taken", "camera", "orientation"]


def test_a_gallery_of_an_older_version_goes_on_and_learns_when_it_is_indexed_again(
    taken: Gallery, tmp_path: Path
) -> None:
    (path,) = taken.directory.glob("generations/*/items.parquet")
    older = pq.read_table(path).drop_columns(["exif"])
    del taken
    pq.write_table(older, path, use_dictionary=["label", "source"])
    seal(tmp_path / "gallery", {"format": 6})
    old = Gallery.open(tmp_path / "gallery")
    assert found(old, {"width>": 50}) == ["a.jpg", "c.jpg", "d.jpg"]
    with pytest.raises(SearchError, match=r"has a 'taken': its files do not say it, or .* older version"):
        old.facets.rows({"taken>": "2024"})
    synced = old.sync(tmp_path / "taken")
    assert synced.report
    assert (synced.report.unchanged, synced.report.changes) == (4, False)
    new = Gallery.build(tmp_path / "taken", tmp_path / "gallery", model=MODEL)
    assert new.report
    assert (new.report.embedded, found(new, {"taken>": "2024-05"})) == (0, ["c.jpg"])


def test_shards_carry_what_pictures_say(run: Run, tmp_path: Path, empty_home: Path) -> None:
    write(tmp_path / "pictures")
    assert run("embed", tmp_path / "pictures", "--out", tmp_path / "shards", "--model", MODEL).returncode == 0
    gathered = ("index", "--from-embeddings", tmp_path / "shards", "-g", "gathered")
    refused = run(*gathered, "--gps")
    assert (refused.returncode, "--gps" in refused.stderr) == (2, True), "shards have no places"
    done = run(*gathered)
    assert done.returncode == 0, done.stderr
    assert found(Gallery.open(empty_home / "galleries" / "gathered"), {"taken>=": "2024-06"}) == ["c.jpg"]


@pytest.mark.usefixtures("empty_home")
def test_the_command_line_filters_by_what_pictures_know(run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures")
    assert run("index", folder, "-g", "mine", "--model", MODEL, "--gps").returncode == 0
    asked = ("search", folder / "a.jpg", "-g", "mine", "--json")
    done = run(*asked, "--where", "taken>=2024-05", "--where", "latitude < 50")
    assert [hit["id"] for hit in json.loads(done.stdout)["hits"]] == ["b.jpg"], done.stderr
    done = run(*asked, "--sort", "-taken")
    hits = json.loads(done.stdout)["hits"]
    assert [hit["id"] for hit in hits] == ["c.jpg", "b.jpg", "a.jpg", "d.jpg"], done.stderr
    assert [hit.get("taken", "")[:4] for hit in hits] == ["2024", "2024", "2023", ""]
    assert {hit["id"]: hit["rank"] for hit in hits}["a.jpg"] == 1, "ranks are those of the similarity"
    assert (hits[1]["width"], hits[1]["height"], hits[1]["latitude"]) == (40, 80, "49.000000")
    shown = run(*asked[:-1], "--sort", "width").stdout.splitlines()
    assert [line.split()[-2] for line in shown[-4:]] == ["40", "60", "100", "120"]
    failed = run(*asked, "--sort", "size")
    assert failed.returncode == 1
    assert "No picture of the gallery has a 'size': choose from width, height, taken" in failed.stderr
