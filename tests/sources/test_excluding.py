"""Files that a person excludes from a source, with patterns as in .gitignore."""

import shutil
from pathlib import Path

import pytest
from conftest import MODEL, draw

from similarity import Gallery
from similarity.errors import SourceError
from similarity.sources import open_source
from similarity.sources.excluding import check_patterns, exclude
from similarity.storage.manifest import Report


def ids(place: Path, *patterns: str) -> list[str]:
    return [item.id for item in exclude(open_source(place), patterns).items]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in ("a.jpg", "b.png", "thumbs/c.jpg", "shoes/thumbs/d.jpg", "shoes/e.png", "shoes/keep.png"):
        (tmp_path / "files" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / place).write_bytes(b"x")
    return tmp_path / "files"


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["*.png"], ["a.jpg", "shoes/thumbs/d.jpg", "thumbs/c.jpg"]),
        (["thumbs/"], ["a.jpg", "b.png", "shoes/e.png", "shoes/keep.png"]),
        (["/thumbs"], ["a.jpg", "b.png", "shoes/e.png", "shoes/keep.png", "shoes/thumbs/d.jpg"]),
        (["shoes/*.png", "!keep.png"], ["a.jpg", "b.png", "shoes/keep.png", "shoes/thumbs/d.jpg", "thumbs/c.jpg"]),
    ],
)
def test_patterns_mean_what_they_mean_to_git(folder: Path, patterns: list[str], left: list[str]) -> None:
    assert ids(folder, *patterns) == left
    archive = Path(shutil.make_archive(str(folder.parent / "packed"), "zip", folder))
    assert ids(archive, *patterns) == left


def test_rows_of_a_csv_are_excluded_by_their_paths(folder: Path) -> None:
    table = folder.parent / "table.csv"
    table.write_text("path,id\nfiles/a.jpg,1\nfiles/b.png,2\nhttps://pictures.example/thumbs/c.jpg,3\n")
    assert ids(table, "*.png", "thumbs/") == ["1"]


def test_what_is_excluded_is_counted_by_pattern(folder: Path) -> None:
    left = exclude(open_source(folder), ["*.png", "thumbs/"])
    assert vars(left)["passed_over"] == {"excluded by *.png": 3, "excluded by thumbs/": 2}


def test_patterns_that_are_none_or_match_everything_are_errors(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"'!' is not a pattern in the syntax of .gitignore"):
        ids(folder, "*.png", "!")
    with pytest.raises(SourceError, match=r"All pictures in .* are excluded by \*: use other patterns"):
        ids(folder, "*")


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*ab", "a/**/a/**/a/**/b", "/a*/b*/c*/d*", "!*a*a*a*b", "a" * 1_025])
def test_a_pattern_that_could_take_very_long_is_refused(folder: Path, pattern: str) -> None:
    with pytest.raises(SourceError, match=r"too (long a pattern|many stars)"):
        ids(folder, "*.png", pattern)


@pytest.mark.parametrize(
    "pattern", ["**/*_small*.jp*g", "**/thumbs/**", "a/**/*_small*.jp*", "!/**/*a*b*", "x" * 1_024]
)
def test_patterns_as_people_write_them_are_not_refused(pattern: str) -> None:
    check_patterns([pattern])


def test_of_an_address_that_no_file_could_have_start_and_end_are_compared(tmp_path: Path) -> None:
    addresses = [f"https://pictures.example/{'a' * 1_500}/{'b' * 300}.{kind}" for kind in ("jpg", "png")]
    (tmp_path / "table.csv").write_text("path,id\n" + "".join(f"{one},{one[-3:]}\n" for one in addresses))
    assert ids(tmp_path / "table.csv", "*.png") == ["jpg"]
    with pytest.raises(SourceError, match="All pictures"):
        ids(tmp_path / "table.csv", "https:/")


def counts(report: Report | None) -> dict[str, int]:
    assert report
    return {name: count for name, count in report.counts.items() if count}


def test_a_gallery_remembers_what_is_excluded_until_it_is_told_otherwise(
    own_pictures: Path, tmp_path: Path, light_embedder
) -> None:  # type: ignore[no-untyped-def]
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL, exclude=["rings/"])
    gallery = Gallery.open(built.directory, load=lambda _: light_embedder)
    assert len(gallery) == 10
    assert gallery.manifest.last_run.passed_over == {"excluded by rings/": 5}
    draw("rings", 70).save(own_pictures / "rings" / "new.jpg")
    assert counts(gallery.sync(own_pictures).report) == {"unchanged": 10}
    assert gallery.is_live, "nothing was written"
    assert counts(gallery.preview.sync(own_pictures, exclude=["dots/"])) == {
        "added": 6,
        "removed": 5,
        "unchanged": 5,
        "embedded": 6,
    }
    everything = gallery.sync(own_pictures, exclude=[])
    assert counts(everything.report) == {"added": 6, "unchanged": 10, "embedded": 6}
    later = everything.sync(own_pictures, exclude=["*.png"])
    assert later.manifest.excluded == {str(own_pictures): ["*.png"]}, "for the next time, though none matches now"
    elsewhere = later.relocate(own_pictures, tmp_path / "new")
    assert elsewhere.manifest.excluded == {str(tmp_path / "new"): ["*.png"]}


def test_a_folder_that_was_moved_keeps_what_is_excluded(own_pictures: Path, tmp_path: Path, light_embedder) -> None:  # type: ignore[no-untyped-def]
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL, exclude=["rings/"])
    gallery = Gallery.open(built.directory, load=lambda _: light_embedder)
    new = own_pictures.rename(tmp_path / "archive")
    assert counts(gallery.preview.sync(new)) == {"moved": 10}
    synced = gallery.sync(new)
    assert counts(synced.report) == {"moved": 10}
    assert synced.manifest.excluded[str(new)] == ["rings/"]
