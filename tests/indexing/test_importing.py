"""Galleries from elsewhere are taken in whole and sound, or not at all."""

import errno
import io
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
from commands import Run
from conftest import MODEL, Site, draw
from foreign import Harm, seal_with
from harms import HARMS, contents
from made_heads import serving
from PIL import Image

from similarity import Gallery
from similarity.errors import GalleryBusyError, GalleryDamagedError, GalleryError, GalleryNotFoundError
from similarity.images.picture import Box
from similarity.indexing import importing, incoming
from similarity.indexing.importing import import_gallery
from similarity.paths import galleries_folder
from similarity.progress import Progress
from similarity.search.stores import Store
from similarity.storage.checksums import fingerprint
from similarity.storage.cleanup import delete_gallery
from similarity.storage.feedback import FEEDBACK, FeedbackQuery, add_feedback, read_feedback
from similarity.storage.generations import read_generation
from similarity.storage.inventory import list_galleries, take_inventory
from similarity.storage.items import write_items
from similarity.storage.manifest import Manifest
from similarity.storage.thumbnails import read_thumbnail


@pytest.fixture
def source(shapes: Gallery, tmp_path: Path, empty_home: Path) -> Iterator[Path]:  # noqa: ARG001 - needs the home
    """A sound gallery from elsewhere, to change."""
    yield Path(shutil.copytree(shapes.directory, tmp_path / "elsewhere" / "shoes"))
    subprocess.run(["rm", "-rf", tmp_path / "elsewhere"], check=True)  # Python cannot delete very deep folders


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the new owner's, which a gallery that means harm leads to."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("holiday.jpg", f"{'0' * 64}.jpg", "000009"):
        (folder / name).write_text(name)
    return folder


def is_clean() -> bool:
    """Whether nothing of an import is left, neither a gallery nor a part of one."""
    return not galleries_folder().exists() or not list(galleries_folder().iterdir())


def generation(directory: Path) -> Path:
    (folder,) = (directory / "generations").iterdir()
    return folder


def restate(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest, and vouch for it as our own is."""
    manifest = json.loads((generation(directory) / "manifest.json").read_text())
    change(manifest)
    seal_with(directory, json.dumps(manifest).encode())


def put(directory: Path, name: str, data: bytes) -> None:
    """Put a file into a generation, in place of another or new, with its right hash."""
    path = generation(directory) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    restate(directory, lambda manifest: manifest["files"].update({name: fingerprint(path)}))


def test_a_sound_gallery_is_taken_in_and_answers_as_it_did(source: Path, shapes: Gallery) -> None:
    before = contents(source)
    taken = import_gallery(source)
    assert taken.directory == galleries_folder() / "shoes"
    assert (taken.thumbnails, taken.feedback, taken.reindexed) == (15, 0, False)
    gallery = Gallery.open(taken.directory)
    assert gallery.state == shapes.state
    assert gallery.items == shapes.items
    assert gallery.search_vector(gallery.vectors[2], 15) == shapes.search_vector(shapes.vectors[2], 15)
    read_generation(taken.directory, thorough=True)
    assert [path.name for path in galleries_folder().iterdir()] == ["shoes"]
    assert len(gallery.remove(labels=["dots"])) == 10
    assert contents(source) == before, "it was only read"


@pytest.mark.parametrize("how", ["centred", "neighbours", "head", "flat-sq8", "IVF1,SQ8"])
def test_whatever_a_gallery_is_compared_by_comes_with_it(
    source: Path, tmp_path: Path, own_pictures: Path, how: str
) -> None:
    for seed in range(10, 16):  # lists need some more
        draw("rings", seed).save(own_pictures / f"{seed}.jpg")
    gallery = Gallery.open(source).add(own_pictures)
    changes = {"refinement": how} if how in ("centred", "neighbours") else {"recipe": how}
    head = serving(gallery) if how == "head" else None
    made = gallery.rebuild(into=tmp_path / "made", head=head, **({} if head else changes))
    taken = Gallery.open(import_gallery(made.directory).directory)
    assert taken.manifest == made.manifest
    assert taken.search_vector(taken.vectors[1], 15) == made.search_vector(made.vectors[1], 15)
    assert (taken.head is None) == (head is None)


def test_an_int8_network_comes_along(source: Path) -> None:
    for name in ("model.xml", "model.bin", "sha256"):
        put(source, f"network/{name}", name.encode())
    taken = import_gallery(source)
    assert (generation(taken.directory) / "network" / "model.bin").read_bytes() == b"model.bin"


@pytest.mark.many
@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_gallery_that_means_harm_is_not_taken_in_and_leaves_nothing(source: Path, outside: Path, harm: Harm) -> None:
    harm(source, outside)
    before = contents(outside)
    with pytest.raises(GalleryError):
        import_gallery(source)
    assert is_clean()
    assert contents(outside) == before


def bad_item(directory: Path, _: Path) -> None:
    """A picture whose SHA-256 is a path."""
    items = Gallery.open(directory).items[:]
    path = generation(directory) / "items.parquet"
    write_items(path, [replace(items[0], sha256="../../../../outside/holiday"), *items[1:]])
    put(directory, "items.parquet", path.read_bytes())


LISTED: dict[str, Harm] = {
    "another file": lambda directory, _: put(directory, "run.sh", b"rm -rf /"),
    "another network": lambda directory, _: put(directory, "network/run.so", b"\x7fELF"),
    "the manifest itself": lambda directory, _: put(directory, "manifest.json.sha256", b"x"),
    "a size that cannot be": lambda directory, _: restate(
        directory, lambda manifest: manifest["files"]["items.parquet"].update(size=-1)
    ),
    "a size that nobody has": lambda directory, _: restate(
        directory, lambda manifest: manifest["files"]["items.parquet"].update(size=1 << 60)
    ),
    "a size that is too small": lambda directory, _: restate(
        directory, lambda manifest: manifest["files"]["embeddings.npy"].update(size=100)
    ),
    "a size that is too large": lambda directory, _: restate(
        directory, lambda manifest: manifest["files"]["embeddings.npy"].update(size=1_000_000)
    ),
    "a hash that is none": lambda directory, _: restate(
        directory, lambda manifest: manifest["files"]["items.parquet"].update(sha256="x")
    ),
    "a file with no hash": lambda directory, _: restate(
        directory, lambda manifest: manifest["files"]["items.parquet"].pop("sha256")
    ),
    "a file less": lambda directory, _: restate(directory, lambda manifest: manifest["files"].pop("embeddings.npy")),
    "a flipped bit": lambda directory, _: flip(generation(directory) / "embeddings.npy"),
    "a flipped bit in the manifest": lambda directory, _: flip(generation(directory) / "manifest.json"),
    "a picture whose hash is a path": bad_item,
}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", LISTED.values(), ids=LISTED)
def test_a_file_that_is_not_as_a_gallery_of_ours_has_it_is_told(source: Path, outside: Path, harm: Harm) -> None:
    harm(source, outside)
    with pytest.raises(GalleryError, match=r"nothing was imported|not enough room"):
        import_gallery(source)
    assert is_clean()


def test_what_is_copied_is_compared_with_its_hash_while_it_is_copied(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip(generation(source) / "embeddings.npy")
    monkeypatch.setattr(importing, "_verify", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(GalleryDamagedError, match=r"embeddings\.npy is damaged or missing: nothing was imported"):
        import_gallery(source)


def test_a_copy_that_the_disk_spoiled_does_not_appear(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(source: Path, state: str, staged: Path, *more: Any) -> Manifest:
        manifest = incoming.copy_generation(source, state, staged, *more)
        flip(generation(staged) / "embeddings.npy")
        return manifest

    monkeypatch.setattr(importing, "copy_generation", spoiled)
    with pytest.raises(GalleryDamagedError, match=r"embeddings\.npy is damaged or missing: nothing was imported"):
        import_gallery(source)
    assert is_clean()


@pytest.mark.parametrize(
    ("version", "what"), [(1, "an older version: index it again"), (99, "a newer version: update")]
)
def test_a_gallery_of_another_version_is_told(source: Path, version: int, what: str) -> None:
    restate(source, lambda manifest: manifest.update(format=version))
    with pytest.raises(GalleryError, match=f"^The gallery in {source} was made by {what}"):
        import_gallery(source)
    assert is_clean()


def test_nothing_but_what_a_gallery_has_is_copied(source: Path) -> None:
    names = ("holiday.jpg", "generations/000001/run.sh", "thumbnails/note.txt", f"thumbnails/00/{'0' * 64}.jpg")
    for name in (*names, ".bashrc"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes(b"of somebody's")
    taken = import_gallery(source).directory
    assert {path for path in contents(taken) if not path.startswith("thumbnails/")} == {
        "CURRENT",
        *(f"generations/000001/{name}" for name in ("manifest.json", "manifest.json.sha256")),
        *(f"generations/000001/{name}" for name in Gallery.open(source).manifest.files),
    }
    assert len(list(taken.glob("thumbnails/*/*"))) == 15


def test_thumbnails_are_pictures_again_and_nothing_else(source: Path) -> None:
    paths = sorted(source.glob("thumbnails/*/*.jpg"))
    exif = Image.Exif()
    exif[0x010E] = "hidden"
    with Image.open(paths[0]) as image:
        image.save(paths[1], "JPEG", exif=exif, comment=b"hidden")
    paths[2].write_bytes(paths[2].read_bytes() + b"hidden" * 1000 + b"\xff\xd9")
    paths[3].write_bytes(b"hidden\xff\xd9")
    draw("dots", 3).save(paths[4], "PNG")
    Image.new("RGB", (5_000, 5_000)).save(paths[5], "JPEG")
    paths[6].write_bytes(paths[6].read_bytes() + bytes(1_000_000) + b"\xff\xd9")
    paths[7].unlink()
    taken = import_gallery(source)
    assert taken.thumbnails == 10
    kept = [read_thumbnail(taken.directory, path.stem) for path in paths]
    assert [jpeg is None for jpeg in kept[:9]] == [False] * 3 + [True] * 5 + [False]
    for jpeg in filter(None, kept):
        assert b"hidden" not in jpeg
        assert max(Image.open(io.BytesIO(jpeg)).size) <= 320


def test_marks_come_along_if_they_are_sound(source: Path) -> None:
    gallery = Gallery.open(source)
    sha256 = gallery.items[0].sha256
    asked = [
        FeedbackQuery("a query", sha256),
        FeedbackQuery("cut out", sha256, Box(0.1, 0.2, 0.5, 1), gallery.embeddings[0]),
    ]
    for one in asked:
        add_feedback(gallery.directory, gallery.manifest, one, gallery.items[5], wanted=True)
    sound = read_feedback(source)
    lines = (source / FEEDBACK).read_text().splitlines()
    line = json.loads(lines[0])
    bad = ({"wanted": "yes"}, {"item": ["a"]}, {"sha256": "../x"}, {"when": 5}, {"model": {}}, {"box": [0, 0, "1", 1]})
    worse = ["{", "[1]", "[" * 90_000, '{"query": ' + '"x"' * 200_000, ""]
    others = [json.dumps(line | {"query": f"{number:064x}"} | more) for number, more in enumerate(bad)]
    (source / FEEDBACK).write_text("\n".join([*lines, *others, *worse]))
    taken = import_gallery(source)
    assert taken.feedback == 2
    assert read_feedback(taken.directory) == sound
    assert len((taken.directory / FEEDBACK).read_text().splitlines()) == 2


def test_a_gallery_in_milvus_is_indexed_anew_and_its_address_is_not_connected_to(source: Path, site: Site) -> None:
    put(source, "keys.npy", b"")
    np.save(generation(source) / "keys.npy", (1 << 32) + np.arange(15))
    put(source, "keys.npy", (generation(source) / "keys.npy").read_bytes())
    store = {"kind": "milvus", "uri": site.url("")}
    restate(source, lambda manifest: manifest.update(store=store, search={"collection": "mine", "gallery": "0" * 32}))
    (source / "collections.json").write_text(json.dumps([{"uri": site.url(""), "name": "mine", "gallery": "0" * 32}]))
    before = Gallery.open(source)
    taken = import_gallery(source)
    assert (taken.reindexed, taken.thumbnails) == (True, 15)
    gallery = Gallery.open(taken.directory)
    assert gallery.manifest.store == Store()
    assert gallery.items == before.items
    assert gallery.search_vector(gallery.vectors[2], 3)[0].score == pytest.approx(1)
    assert [path.name for path in taken.directory.glob("generations/*/index.faiss")] == ["index.faiss"]
    assert not (taken.directory / "collections.json").exists()
    assert [path.name for path in galleries_folder().iterdir()] == ["shoes"]
    assert site.asked == []


@pytest.mark.parametrize("kind", ["gallery", "folder", "file", "link"])
def test_a_name_that_is_taken_is_refused(source: Path, kind: str) -> None:
    place = galleries_folder() / "shoes"
    place.parent.mkdir(parents=True)
    if kind == "gallery":
        shutil.copytree(source, place)
    elif kind == "folder":
        place.mkdir()
    elif kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to("nowhere")
    before = contents(galleries_folder())
    with pytest.raises(GalleryError, match=r"shoes exists already in .*: give another name with --name"):
        import_gallery(source)
    assert contents(galleries_folder()) == before
    assert import_gallery(source, "boots").directory.name == "boots"


def test_a_name_that_cannot_be_one_is_refused(source: Path) -> None:
    for name in ("../shoes", ".importing", "", "a/b", "a?b"):
        with pytest.raises(GalleryError, match="cannot name a gallery"):
            import_gallery(source, name)
    odd = source.rename(source.with_name("my shoes!"))
    with pytest.raises(GalleryError, match=r"cannot name a gallery: .* Give it a name with --name"):
        import_gallery(odd)
    assert import_gallery(odd, "shoes").thumbnails == 15


def test_what_is_no_gallery_is_told(tmp_path: Path, empty_home: Path) -> None:
    for place in (tmp_path / "nothing", empty_home):
        with pytest.raises(GalleryNotFoundError, match="Give the folder that contains the file CURRENT"):
            import_gallery(place, "new")
    assert is_clean()


@pytest.mark.parametrize("swap", ["file", "folder", "bytes"])
def test_a_gallery_that_changes_while_it_is_copied_is_not_taken_in(
    source: Path, outside: Path, swap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = generation(source) / "network"
    for name in ("model.xml", "model.bin"):
        put(source, f"network/{name}", name.encode())

    def change(*_: object) -> None:
        if swap == "file":
            shutil.copy(inside / "model.bin", outside / "model.bin")
            (inside / "model.bin").unlink()
            (inside / "model.bin").symlink_to(outside / "model.bin")
        elif swap == "folder":
            inside.rename(outside / "network")
            inside.symlink_to(outside / "network")
        else:
            (inside / "model.bin").write_bytes(b"MODEL.BIN")

    monkeypatch.setattr(incoming, "_check_room", change)  # after all was looked at, before it is copied
    with pytest.raises(GalleryDamagedError, match=r"model.* is damaged or missing: nothing was imported"):
        import_gallery(source)
    assert is_clean()


def test_without_room_nothing_is_copied(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "copy", lambda *_: pytest.fail("it was copied"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    with pytest.raises(GalleryError, match=r"not enough room in .*galleries: 0\.10 GB are needed, 0\.00 GB are free"):
        import_gallery(source)
    assert is_clean()


def test_a_disk_that_is_full_after_all_is_told(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for module, name in ((incoming, "copy"), (incoming, "write_thumbnail"), (importing, "confirm")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, full)
            with pytest.raises(GalleryError, match=r"could not be imported \(No space left on device\)"):
                import_gallery(source)
        assert is_clean()
    assert import_gallery(source).thumbnails == 15


def test_there_is_one_import_at_a_time(source: Path, empty_home: Path) -> None:
    is_busy = pytest.raises(GalleryBusyError, match="Another gallery is being imported")
    with filelock.FileLock(empty_home / "cache" / "importing.lock"), is_busy:
        import_gallery(source)
    assert import_gallery(source).thumbnails == 15


KILLED = """
import os, signal, sys
from similarity.indexing import importing
def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(importing, sys.argv[2], kill)
importing.import_gallery(sys.argv[1])
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("step", ["_verify", "_publish"])
def test_an_import_that_is_killed_leaves_nothing_that_is_listed_and_the_next_one_clears_up(
    source: Path, child_environment: dict[str, str], step: str
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(source), step], env=child_environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (galleries_folder() / ".importing" / "copy" / "shoes" / "CURRENT").exists()
    assert take_inventory() == []
    assert list_galleries() == []
    taken = import_gallery(source)
    assert [path.name for path in galleries_folder().iterdir()] == ["shoes"]
    read_generation(taken.directory, thorough=True)


def test_progress_is_told(source: Path) -> None:
    told: list[Progress] = []
    import_gallery(source, progress=told.append)
    size = sum(file["size"] for file in Gallery.open(source).manifest.files.values())
    last = {one.task: one for one in told}
    assert list(last) == ["Copying", "Checking the copy", "Checking small pictures"]
    assert (last["Copying"].done, last["Copying"].total, last["Copying"].unit) == (size, size, "bytes")
    assert (last["Checking small pictures"].done, last["Checking small pictures"].total) == (15, 15)


def test_the_command_says_what_came_along(source: Path, run: Run) -> None:
    done = run("import", source, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["refinement"] == Gallery.open(source).manifest.refinement
    facts = {"gallery": "shoes", "model": MODEL, "dim": 1280, "indexed": 15, "recipe": "flat"}
    assert (facts | {"thumbnails": 15, "marks": 0, "reindexed": False}).items() <= made.items()
    assert [one["gallery"] for one in json.loads(run("list", "--json").stdout)["galleries"]] == ["shoes"]
    again = run("import", source)
    assert again.returncode == 1
    assert again.stderr.startswith("Error: shoes exists already in")
    assert again.stderr.count("\n") == 1
    named = run("import", source, "--name", "boots")
    assert named.stdout == "boots has 15 pictures; 15 small pictures and 0 marks came along.\n"
    found = run("search", Gallery.open(source).items[3].path, "-g", "boots", "--json")
    assert json.loads(found.stdout)["hits"][0]["score"] > 0.999
    assert run("verify", "-g", "boots").returncode == 0


def test_an_imported_gallery_is_nobody_else_s(source: Path) -> None:
    first, second = import_gallery(source, "first"), import_gallery(source, "second")
    delete_gallery(first.directory)
    read_generation(second.directory, thorough=True)
    read_generation(source, thorough=True)
