import os
import zipfile
from pathlib import Path

import pytest
from conftest import draw

from similarity.errors import ImageError, SimilarityError, SourceError
from similarity.sources import open_source
from similarity.sources.folder import Files
from similarity.sources.zip_archive import Archive


def test_a_folder_is_listed_with_all_below_it_in_a_stable_order(pictures: Path) -> None:
    folder = open_source(pictures)
    assert [item.id for item in folder.items] == sorted(item.id for item in folder.items)
    assert len(folder.items) == 15
    assert folder.items[0].id == "dots/dots-0.jpg"
    assert folder.items[0].path == str(pictures / "dots" / "dots-0.jpg")


def test_the_folder_a_picture_lies_in_is_its_label(tmp_path: Path) -> None:
    for place in ("top.jpg", "shoes/a.JPG", "shoes/red/b.png"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"x")
    labels = {item.id: item.label for item in open_source(tmp_path).items}
    assert labels == {"top.jpg": None, "shoes/a.JPG": "shoes", "shoes/red/b.png": "red"}


def test_hidden_files_and_other_kinds_of_files_are_left_out(tmp_path: Path) -> None:
    for place in ("a.jpg", ".b.jpg", ".trash/c.jpg", "notes.txt", "clip.mp4"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"x")
    assert [item.id for item in open_source(tmp_path).items] == ["a.jpg"]


def test_a_folder_that_is_missing_empty_or_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file.jpg").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="There is no folder or file"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="is not a folder, a zip or a CSV"):
        open_source(tmp_path / "file.jpg")
    with pytest.raises(SourceError, match="There are no pictures in"):
        open_source(tmp_path / "empty")


def refuse_to_list(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have the system refuse one folder. A mock, because the tests may run as root, whom no permission stops."""
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_an_unreadable_folder_is_an_error(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_to_list(monkeypatch, pictures)
    with pytest.raises(SourceError, match=r"cannot be read \(Permission denied\)"):
        open_source(pictures)


def test_an_unreadable_folder_below_is_reported_and_the_rest_is_listed(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_list(monkeypatch, pictures / "rings")
    folder = open_source(pictures)
    assert len(folder.items) == 10
    assert [skipped.path for skipped in folder.skipped] == [str(pictures / "rings")]


def test_linked_folders_are_followed_once(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "linked").symlink_to(pictures / "dots")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [item.id for item in open_source(tmp_path).items] == [f"linked/dots-{n}.jpg" for n in range(5)]


def test_a_place_that_is_no_path_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for place in (tmp_path / "a", "~no-such-user/pictures", "a\0b"):
        with pytest.raises(SimilarityError):
            open_source(place)


def test_a_picture_that_is_gone_or_no_file_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    draw("dots", 1).save(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    folder = open_source(tmp_path)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(ImageError, match="No such file"):
        folder.read(folder.items[0])
    with pytest.raises(ImageError, match="is not a regular file"):
        folder.read(folder.items[1])


@pytest.mark.parametrize(
    "folder",
    ["@eaDir", "#recycle", "$RECYCLE.BIN", ".Trash-1000", "lost+found", "__MACOSX", ".git", "a/@EADIR", ".@__thumb"],
)
def test_folders_of_thumbnails_and_recycle_bins_are_passed_over_and_counted(tmp_path: Path, folder: str) -> None:
    for place in ("a.jpg", f"{folder}/b.jpg", f"{folder}/deeper/c.jpg", "@eaDirectory/d.jpg", "recycled/e.jpg"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"x")
    found = open_source(tmp_path)
    assert isinstance(found, Files)
    assert [item.id for item in found.items] == ["@eaDirectory/d.jpg", "a.jpg", "recycled/e.jpg"]
    assert list(found.passed_over.values()) == [2]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(tmp_path.rglob("*.jpg")):
            archive.write(path, path.relative_to(tmp_path).as_posix())
    zipped = open_source(tmp_path / "all.zip")
    assert isinstance(zipped, Archive)
    assert [item.id for item in zipped.items] == [item.id for item in found.items]
    assert list(zipped.passed_over.values()) == [2]


def test_a_folder_in_one_of_these_can_be_indexed_itself(tmp_path: Path) -> None:
    (tmp_path / ".git" / "@eaDir").mkdir(parents=True)
    (tmp_path / ".git" / "@eaDir" / "a.jpg").write_bytes(b"x")
    assert [item.id for item in open_source(tmp_path / ".git" / "@eaDir").items] == ["a.jpg"]


@pytest.mark.parametrize("name", ["alias", "zebra"])
def test_a_link_does_not_name_the_pictures_of_a_folder_that_is_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "shoes" / "red").mkdir(parents=True)
    for place in ("shoes/a.jpg", "shoes/red/b.jpg"):
        (tmp_path / place).write_bytes(b"x")
    (tmp_path / name).symlink_to(tmp_path / "shoes")
    (tmp_path / "shoes" / "aaa").symlink_to(tmp_path / "shoes" / "red")
    assert {item.id: item.label for item in open_source(tmp_path).items} == {
        "shoes/a.jpg": "shoes",
        "shoes/red/b.jpg": "red",
    }
