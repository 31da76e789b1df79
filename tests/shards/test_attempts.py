"""A picture that ends its worker is found, and given up after three times."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MODEL, draw
from ray_nodes import CRASHING, FAULT, KILLED
from test_shards import table

from similarity import Item
from similarity.errors import ShardError
from similarity.shards.attempts import BUSY, DEATHS, SUFFIX, Attempts

ROOT = Path(__file__).resolve().parents[2]
ITEMS = [Item(name, f"{name}.jpg") for name in "abcdef"]
REASON = "it ended its worker three times"
# Decodes pictures at the same time, and dies.
DYING = """
import contextlib, os, signal, sys
from pathlib import Path
from similarity import Item
from similarity.shards.attempts import Attempts

shard, *busy = sys.argv[1:]
items = [Item(name, f"{name}.jpg") for name in "abcdef"]
with Attempts(Path(shard), items) as attempts, contextlib.ExitStack() as stack:
    for name in "ace":
        with attempts.decoding(Item(name, "")):
            pass
    for name in busy:
        stack.enter_context(attempts.decoding(Item(name, "")))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def die(shard: Path, *busy: str) -> None:
    """A worker that dies while it decodes these pictures."""
    command = [sys.executable, "-c", DYING, str(shard), *busy]
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == -signal.SIGKILL, told.stderr


def given_up(shard: Path) -> set[str]:
    """What the next worker would leave out, if it failed."""
    with pytest.raises(ZeroDivisionError), Attempts(shard, ITEMS) as attempts:
        raise ZeroDivisionError
    return set(attempts.given_up)


def test_a_picture_at_which_three_workers_died_is_given_up_and_those_decoded_beside_it_are_not(tmp_path: Path) -> None:
    shard = tmp_path / "shard-000000-0.parquet"
    die(shard, "b", "d", "f")
    assert given_up(shard) == set()
    die(shard, "d")
    assert given_up(shard) == set()
    die(shard, "d")
    assert given_up(shard) == {"d"}
    die(shard, "f")
    assert given_up(shard) == {"d"}
    die(shard, "f")
    assert given_up(shard) == {"d", "f"}
    with Attempts(shard, ITEMS):
        pass
    assert list(tmp_path.iterdir()) == [], "a chunk that is done leaves no record"


def test_an_error_is_not_held_against_the_picture_that_was_decoded(tmp_path: Path) -> None:
    shard = tmp_path / "shard-000000-0.parquet"
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt), Attempts(shard, ITEMS) as attempts, attempts.decoding(ITEMS[2]):
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []
    with Attempts(shard, ITEMS) as attempts:
        assert attempts.given_up == frozenset()


def test_a_record_of_other_pictures_or_of_nothing_counts_for_nothing(tmp_path: Path) -> None:
    shard = tmp_path / "shard-000000-0.parquet"
    for found in (b"", b"\x03\x03", b"\x03" * 9):
        (tmp_path / f"{shard.name}{SUFFIX}").write_bytes(found)
        assert given_up(shard) == set()


def test_workers_that_die_again_and_again_at_no_picture_are_an_error_and_may_be_tried_again(tmp_path: Path) -> None:
    shard = tmp_path / "shard-000000-0.parquet"
    die(shard)
    (record,) = tmp_path.iterdir()
    assert record.read_bytes() == bytes([0] * 6 + [BUSY])
    die(shard)
    assert record.read_bytes() == bytes([0] * 6 + [BUSY | 1])
    record.write_bytes(bytes([0] * 6 + [BUSY | DEATHS - 1]))
    with pytest.raises(
        ShardError, match=r"100 workers died while they embedded shard-000000-0\.parquet, at no picture"
    ):
        Attempts(shard, ITEMS)
    with Attempts(shard, ITEMS) as attempts:
        assert attempts.given_up == frozenset()


def test_a_record_that_cannot_be_written_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"shard-000000-0.parquet.attempts cannot be written \(No such file"):
        Attempts(tmp_path / "gone" / "shard-000000-0.parquet", ITEMS)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("comment", "ending"), [(FAULT, signal.SIGSEGV), (KILLED, signal.SIGKILL)])
@pytest.mark.usefixtures("home")
def test_a_command_that_dies_at_a_picture_three_times_leaves_it_out_the_fourth_time(
    comment: bytes, ending: signal.Signals, own_pictures: Path, tmp_path: Path
) -> None:
    draw("rings", 99).save(own_pictures / "rings" / "crashing.jpg", comment=comment)
    command = [sys.executable, "-m", "similarity", "embed", str(own_pictures), "--out", str(tmp_path / "out")]
    command += ["-m", MODEL, "--json", "--shard-size", "4"]
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(map(str, (CRASHING, ROOT)))}
    for _ in range(3):
        told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert told.returncode == -ending, told.stderr
    last = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    report = json.loads(last.stdout)
    assert (report["embedded"] + report["resumed"], report["resumed"]) == (15, 4), "shards before it were kept"
    assert report["skipped"] == [{"path": str(own_pictures / "rings" / "crashing.jpg"), "reason": REASON}]
    assert [row["error"] for row in table(tmp_path / "out").to_pylist() if row["vector"] is None] == [REASON]
    assert not list((tmp_path / "out").glob(f"*{SUFFIX}"))
