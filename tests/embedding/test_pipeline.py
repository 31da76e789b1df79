import os
import threading
from pathlib import Path

import numpy as np
import pytest

from similarity import Embedder, Item
from similarity.embedding.calibration import read_pixels
from similarity.embedding.pipeline import AHEAD, Embedded, embed_source
from similarity.errors import FetchError
from similarity.progress import Progress
from similarity.sources import FileBytes, Skipped, Stamp, open_source


class Watched:
    """The files of a source, with a count of how many were read before anybody took a result."""

    def __init__(self, folder: Path, copies: int) -> None:
        self._files = open_source(folder)
        self.name = self._files.name
        self.items = self._files.items * copies
        self.skipped: list[Skipped] = []
        self.readers = 4
        self.begun = 0
        self.taken = 0
        self.furthest_ahead = 0
        self._lock = threading.Lock()

    def read(self, item: Item) -> FileBytes:
        with self._lock:
            self.begun += 1
            self.furthest_ahead = max(self.furthest_ahead, self.begun - self.taken)
            number = self.begun
        file = self._files.read(item)
        return FileBytes(file.data + number.to_bytes(4), file.mtime)  # the same picture with another content

    def stamp(self, item: Item) -> Stamp | None:
        return self._files.stamp(item)

    def whereabouts(self, item: Item) -> str:
        return self._files.whereabouts(item)


def test_items_keep_their_order_and_get_their_own_vectors(pictures: Path, light_embedder: Embedder) -> None:
    source = open_source(pictures)
    results = list(embed_source(source, light_embedder))
    assert [result.item.id for result in results if isinstance(result, Embedded)] == [item.id for item in source.items]
    for result in results:
        assert isinstance(result, Embedded)
        image = light_embedder.decode(Path(result.item.path).read_bytes(), "").image
        assert result.vector @ light_embedder.embed([image])[0] > 0.9999
        assert result.thumbnail.startswith(b"\xff\xd8")


def test_however_many_there_are_only_so_many_are_read_ahead(pictures: Path, light_embedder: Embedder) -> None:
    source = Watched(pictures, copies=20)
    for _ in embed_source(source, light_embedder, thumbnails=False):
        source.taken += 1
    assert source.taken == source.begun == 300
    in_the_network = light_embedder.batch * (2 * (os.cpu_count() or 1) + 2)
    assert source.furthest_ahead <= AHEAD + in_the_network


def test_a_file_that_vanishes_while_its_folder_is_indexed_costs_only_itself(
    own_pictures: Path, light_embedder: Embedder
) -> None:
    source = open_source(own_pictures)
    Path(source.items[3].path).unlink()
    Path(source.items[7].path).write_bytes(b"")
    results = list(embed_source(source, light_embedder))
    skipped = {index: result for index, result in enumerate(results) if isinstance(result, Skipped)}
    assert {index: result.path for index, result in skipped.items()} == {
        index: source.items[index].path for index in (3, 7)
    }
    assert len(results) == 15


def test_a_source_in_which_nothing_can_be_read_ends(own_pictures: Path, light_embedder: Embedder) -> None:
    source = open_source(own_pictures)
    for item in source.items:
        Path(item.path).write_bytes(b"no picture")
    results = list(embed_source(source, light_embedder))
    assert len(results) == 15
    assert all(isinstance(result, Skipped) for result in results)


class Gone(Watched):
    """A source in which nothing can be read."""

    def read(self, item: Item) -> FileBytes:
        super().read(item)
        raise FetchError(f"{item.path} does not answer.")


class StoppedError(Exception):
    """Raised by whoever is told of the progress, as by a job that was cancelled."""


def test_where_nothing_can_be_read_one_may_stop_after_the_first(
    pictures: Path, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.progress.REPORT_EVERY", 0.0)
    source, told = Gone(pictures, copies=20), list[int]()

    def stop(progress: Progress) -> None:
        told.append(progress.done)
        raise StoppedError

    with pytest.raises(StoppedError):
        list(embed_source(source, light_embedder, progress=stop))
    assert told == [1]
    assert source.begun <= AHEAD
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]


def test_each_item_is_counted_once_whether_it_can_be_read_or_not(
    own_pictures: Path, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.progress.REPORT_EVERY", 0.0)
    source = open_source(own_pictures)
    for number in (0, 6, 14):
        Path(source.items[number].path).write_bytes(b"no picture")
    told: list[int] = []
    assert len(list(embed_source(source, light_embedder, progress=lambda progress: told.append(progress.done)))) == 15
    assert told == sorted(told)
    assert (told[-1], told.count(15)) == (15, 1)


class Slow(Watched):
    """A source whose last picture comes only when `go_on` is set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, copies=20)
        self.go_on = threading.Event()

    def read(self, item: Item) -> FileBytes:
        file = super().read(item)
        if file.data.endswith(len(self.items).to_bytes(4)):
            assert self.go_on.wait(60)
        return file


def test_while_a_picture_takes_long_it_is_told_again_how_many_are_done(
    pictures: Path, light_embedder: Embedder
) -> None:
    source, told = Slow(pictures), list[int]()
    in_the_network = light_embedder.batch * (2 * (os.cpu_count() or 1) + 2)

    def tell(progress: Progress) -> None:
        told.append(progress.done)
        if told.count(told[-1]) > 3 and told[-1] >= 300 - in_the_network:
            source.go_on.set()

    assert len(list(embed_source(source, light_embedder, progress=tell))) == 300
    assert (told[-1], told == sorted(told)) == (300, True)


def test_one_may_stop_while_a_picture_takes_long(pictures: Path, light_embedder: Embedder) -> None:
    source, told = Slow(pictures), list[int]()

    def stop(progress: Progress) -> None:
        told.append(progress.done)
        if source.begun == 300 and told.count(progress.done) > 3:
            source.go_on.set()  # since what is being read is waited for
            raise StoppedError

    with pytest.raises(StoppedError):
        list(embed_source(source, light_embedder, progress=stop))
    assert source.go_on.is_set()


def test_whoever_stops_half_way_leaves_no_thread_behind(pictures: Path, light_embedder: Embedder) -> None:
    results = embed_source(Watched(pictures, copies=20), light_embedder)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]


def test_pixels_for_calibration_come_from_all_over_a_source(own_pictures: Path, light_embedder: Embedder) -> None:
    source = open_source(own_pictures)
    Path(source.items[0].path).write_bytes(b"no picture")
    pixels = read_pixels(source, light_embedder.backbone.preprocessing, 5)
    assert pixels.shape == (4, 260, 260, 3)
    third = light_embedder.decode(Path(source.items[6].path).read_bytes(), "").image
    assert np.array_equal(pixels[1], light_embedder.prepare(third))
