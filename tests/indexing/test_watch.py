import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest
import standin
from commands import started
from conftest import MODEL, draw

from similarity import Gallery
from similarity.errors import GalleryBusyError, SourceError
from similarity.indexing import operations
from similarity.indexing.options import IndexOptions
from similarity.indexing.watch import watch
from similarity.sources import open_source
from similarity.storage.manifest import Report


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path, standin_network: None) -> Gallery:  # noqa: ARG001
    operations.index(open_source(own_pictures), tmp_path / "gallery", IndexOptions(standin.CHOICE))
    return Gallery.open(tmp_path / "gallery", load=standin.load)


class Watching:
    """A watch in a thread of its own; `next` waits for its next result that changed something or failed."""

    def __init__(self, directory: Path, folder: Path) -> None:
        self._stop = threading.Event()
        self._results = watch(directory, folder, load=standin.load, stop=self._stop)

    def next(self) -> object:
        return next(one for one in self._results if not isinstance(one, Report) or one.changes)

    def begin(self) -> None:
        """Wait until it looks at the folder: the second sync comes when it does."""
        for _ in range(2):
            assert isinstance(next(self._results), Report)

    def end(self) -> None:
        self._stop.set()
        assert list(self._results) == []


@pytest.fixture
def watching(gallery: Gallery, own_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    monkeypatch.setattr("similarity.indexing.watch.RETRY_MS", 100)
    monkeypatch.setattr("similarity.indexing.watch.QUIET_MS", 20)
    watched = Watching(gallery.directory, own_pictures)
    yield watched
    watched.end()


def test_what_is_put_into_a_watched_folder_is_in_the_gallery_and_what_leaves_it_is_not(
    watching: Watching, gallery: Gallery, own_pictures: Path
) -> None:
    watching.begin()
    draw("dots", 90).save(own_pictures / "dots" / "new.jpg")
    report = watching.next()
    assert isinstance(report, Report)
    assert (report.added, report.removed, report.embedded) == (1, 0, 1)
    shutil.rmtree(own_pictures / "rings")
    report = watching.next()
    assert isinstance(report, Report)
    assert report.removed == 5
    assert len(Gallery.open(gallery.directory)) == 11


def test_what_could_not_be_done_is_said_and_tried_again(
    watching: Watching, gallery: Gallery, own_pictures: Path
) -> None:
    watching.begin()
    with filelock.FileLock(gallery.directory / ".lock"):
        draw("dots", 90).save(own_pictures / "dots" / "new.jpg")
        assert isinstance(watching.next(), GalleryBusyError)
    while isinstance(report := watching.next(), GalleryBusyError):
        pass
    assert isinstance(report, Report)
    assert report.added == 1


def test_a_folder_that_is_exchanged_for_another_is_watched_on(
    watching: Watching, gallery: Gallery, own_pictures: Path
) -> None:
    watching.begin()
    own_pictures.rename(own_pictures.with_name("away"))
    assert isinstance(watching.next(), SourceError)
    shutil.copytree(own_pictures.with_name("away"), own_pictures)
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    report = watching.next()
    assert isinstance(report, Report)
    assert report.removed == 1
    draw("dots", 91).save(own_pictures / "dots" / "later.jpg")
    report = watching.next()
    assert isinstance(report, Report)
    assert report.added == 1
    assert len(Gallery.open(gallery.directory)) == 15


def test_a_folder_with_a_dot_in_its_name_is_noticed(watching: Watching, own_pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "summer.2023").mkdir()
    draw("dots", 92).save(tmp_path / "summer.2023" / "beach.jpg")
    watching.begin()
    (tmp_path / "summer.2023").rename(own_pictures / "summer.2023")
    report = watching.next()
    assert isinstance(report, Report)
    assert report.added == 1


def test_only_a_folder_can_be_watched(gallery: Gallery, own_pictures: Path) -> None:
    with pytest.raises(SourceError, match="is not a folder: only a folder can be watched"):
        next(watch(gallery.directory, own_pictures / "dots" / "dots-0.jpg"))


# The command line, which looks again sooner.
SOON = """
from similarity.indexing import watch as watching
watching.QUIET_MS, watching.RETRY_MS = 20, 100
from similarity.cli import main
main()
"""


def test_the_command_goes_on_until_ctrl_c(
    own_pictures: Path, empty_home: Path, child_environment: dict[str, str]
) -> None:
    Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    draw("dots", 90).save(own_pictures / "dots" / "new.jpg")
    command = [sys.executable, "-c", SOON, "watch", str(own_pictures), "-g", "mine", "--json"]
    with started(
        command,
        env=child_environment | {"SIMILARITY_HOME": str(empty_home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        first = json.loads(process.stdout.readline())
        assert (first["added"], first["indexed"]) == (1, 16)
        (own_pictures / "dots" / "new.jpg").unlink()
        second = json.loads(process.stdout.readline())
        assert (second["removed"], second["indexed"]) == (1, 15)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert errors.splitlines() == [
        f"Keeping mine in sync with {own_pictures}. Press Ctrl-C to stop.",
        "Stopped.",
    ]
