"""Folders to choose from, with the number of pictures in each."""

import os
from pathlib import Path

import pytest
from conftest import draw

from similarity.errors import SourceError
from similarity.sources import browsing
from similarity.sources.browsing import Count, Listing, count_pictures, list_folders


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Folders with pictures, hidden ones, a link, and one without any."""
    for name in ("shoes/red", "bags", "empty", ".hidden", "@eaDir"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("shoes/1.jpg", "shoes/red/2.JPG", "bags/3.png", ".hidden/4.jpg", "5.jpg", "bags/.6.jpg", "bags/a.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "shoes")
    return tmp_path


def counted(folder: Path, seconds: float = browsing.SECONDS) -> tuple[Listing, dict[str, Count]]:
    listing = list_folders(folder)
    return listing, dict(zip(listing.folders, count_pictures(listing, seconds), strict=True))


def test_folders_are_listed_with_the_pictures_in_and_below_them(root: Path) -> None:
    listing, counts = counted(root)
    assert counts == {"bags": Count(1), "empty": Count(0), "shoes": Count(2)}
    assert (listing.total(counts.values()), listing.unreadable, listing.is_all) == (Count(4), (), True)


def test_of_a_huge_folder_a_part_is_listed_and_counted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "MOST_FOLDERS", 2)
    listing, counts = counted(root)
    assert (listing.folders, listing.is_all, listing.total(counts.values()).is_all) == (("bags", "empty"), False, False)
    monkeypatch.setattr(browsing, "MOST_PICTURES", 1)
    assert counted(root / "shoes")[1] == {"red": Count(1, is_all=False)}


def test_what_there_was_no_time_to_count_may_be_more(root: Path) -> None:
    listing, counts = counted(root, seconds=-1)
    assert not listing.total(counts.values()).is_all
    assert not listing.total([]).is_all


def test_a_folder_that_is_none_or_may_not_be_read_is_said_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (root / "nothing", root / "5.jpg"):
        with pytest.raises(SourceError, match="cannot be opened"):
            list_folders(place)
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "bags" not in str(path) and may(path, mode))
    listing = list_folders(root)
    assert (listing.folders, listing.unreadable) == (("empty", "shoes"), ("bags",))


def test_a_name_with_markup_is_a_name(root: Path) -> None:
    (root / "<b>*x*").mkdir()
    draw("dots", 1).save(root / "<b>*x*" / "1.jpg")
    assert counted(root)[1]["<b>*x*"] == Count(1)
