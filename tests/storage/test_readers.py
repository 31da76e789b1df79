"""Readers while somebody writes: each answer is one generation's, and nothing is taken away under a reader."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import standin
from commands import started
from tiers import Share

from similarity.errors import GalleryBusyError
from similarity.gallery import Gallery
from similarity.indexing import operations, removing
from similarity.indexing.options import IndexOptions
from similarity.sources import open_source
from similarity.storage.locks import writing

READERS, SWAPS, LONGEST_SECONDS = 16, 50, 60


pytestmark = pytest.mark.usefixtures("standin_network")


def write_table(path: Path, pictures: Path, turn: int) -> int:
    """A CSV whose rows all say which turn it is; how many there are depends on it too."""
    chosen = sorted(pictures.rglob("*.jpg"))[: 8 + turn % 7]
    path.write_text("path,label\n" + "".join(f"{one},turn {turn}\n" for one in chosen))
    return len(chosen)


@pytest.mark.parametrize("shards", [None, 3], ids=["gallery", "set"])
@pytest.mark.usefixtures("one_earlier_state")
def test_each_answer_is_wholly_one_generations_while_many_are_swapped(
    own_pictures: Path, tmp_path: Path, share: Share, shards: int | None
) -> None:
    table, directory = tmp_path / "table.csv", tmp_path / "gallery"
    readers, swaps = share.count(READERS, parts=4), share.count(SWAPS, parts=10)
    sizes = {"turn 0": write_table(table, own_pictures, 0)}
    operations.index(open_source(table), directory, IndexOptions(standin.CHOICE, shards=shards))
    done = threading.Event()
    answered = {f"turn {turn}": threading.Event() for turn in range(swaps + 1)}

    def search(number: int) -> int:
        """Search until the end; every answer must be all of one turn's pictures and no others."""
        answers, gallery = 0, Gallery.open(directory, load=standin.load)
        while not done.is_set():
            if not gallery.is_live:
                gallery = Gallery.open(directory, load=standin.load)
            hits = gallery.search_vector(gallery.vectors[number % len(gallery)], k=100)
            (turn,) = {hit.item.label for hit in hits}
            assert len(hits) == sizes[str(turn)]
            assert hits[0].item.id == gallery.items[number % len(gallery)].id
            answered[str(turn)].set()
            answers += 1
            time.sleep(0.001)  # or the writer hardly gets a turn
        return answers

    with ThreadPoolExecutor(readers) as pool:
        searching = [pool.submit(search, number) for number in range(readers)]
        try:
            for turn in range(1, swaps + 1):
                sizes[f"turn {turn}"] = write_table(table, own_pictures, turn)
                operations.update("sync", open_source(table), directory, standin.load)
                if turn % 2:  # now and then a generation that nobody has opened is swapped as well
                    assert answered[f"turn {turn}"].wait(LONGEST_SECONDS) or any(one.done() for one in searching)
        finally:
            done.set()
        answers = [one.result() for one in searching]
    assert sum(answers) > swaps
    del pool, searching
    removing.remove(directory, ids=[str(sorted(own_pictures.rglob("*.jpg"))[0])])
    assert len(list((directory / "generations").iterdir())) <= 3


HOLD = """
import sys
from similarity.storage.generations import read_generation
from pathlib import Path
held = read_generation(Path(sys.argv[1]))
print(held.manifest.generation, flush=True)
sys.stdin.read()
"""


def generations(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "generations").iterdir())


@pytest.mark.usefixtures("one_earlier_state")
def test_a_generation_stays_as_long_as_another_process_reads_it_and_no_longer_than_it_lives(
    own_pictures: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    directory = tmp_path / "gallery"
    operations.index(open_source(own_pictures), directory, IndexOptions(standin.CHOICE))
    command = [sys.executable, "-c", HOLD, str(directory)]
    with started(command, env=child_environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout
        assert reader.stdout.readline() == "1\n"
        for number in range(3):
            removing.remove(directory, ids=[f"dots/dots-{number}.jpg"])
        assert generations(directory) == ["000001", "000003", "000004"]
        reader.kill()
    removing.remove(directory, ids=["dots/dots-3.jpg"])
    assert generations(directory) == ["000004", "000005"]


def test_an_open_gallery_notices_that_it_is_not_the_live_one_any_more(own_pictures: Path, tmp_path: Path) -> None:
    directory = tmp_path / "gallery"
    operations.index(open_source(own_pictures), directory, IndexOptions(standin.CHOICE))
    opened = Gallery.open(directory, load=standin.load)
    assert opened.is_live
    newer = opened.remove(labels=["dots"])
    assert (opened.is_live, newer.is_live) == (False, True)
    assert (len(opened), len(newer)) == (15, 10)


def test_a_second_writer_is_told_at_once_who_the_first_one_is(own_pictures: Path, tmp_path: Path) -> None:
    directory = tmp_path / "gallery"
    operations.index(open_source(own_pictures), directory, IndexOptions(standin.CHOICE))
    with (
        writing(directory, "sync /photos"),
        pytest.raises(
            GalleryBusyError, match=rf"is being written by process {os.getpid()} on .* \(sync /photos, since "
        ),
    ):
        removing.remove(directory, labels=["dots"])
    removing.remove(directory, labels=["dots"])


WRITE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from similarity.storage.locks import writing
with writing(Path(sys.argv[1]), "index"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_lock_that_a_killed_process_left_blocks_nobody(
    own_pictures: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    directory = tmp_path / "gallery"
    operations.index(open_source(own_pictures), directory, IndexOptions(standin.CHOICE))
    killed = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(directory)], env=child_environment, check=False)
    assert killed.returncode < 0
    assert (directory / ".writer.json").exists()
    assert removing.remove(directory, labels=["dots"]).removed == 5
    assert not (directory / ".writer.json").exists()
