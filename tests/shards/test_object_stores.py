"""Embedding what lies in an object store: listed, read and gone on with, through s3fs and an S3 on loopback."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import started
from conftest import MODEL, draw
from objectstore import ObjectStore
from test_shards import Embed, table, times
from test_shards import embedding as embedding

from similarity.errors import SourceError
from similarity.progress import Progress
from similarity.shards.chunks import open_list

ROOT = Path(__file__).resolve().parents[2]
PLACE, LISTING = "s3://shop/clothes", "s3://shop/lists/all.parquet"


def jpeg(seed: int) -> bytes:
    file = io.BytesIO()
    draw("rings", seed).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def filled(store: ObjectStore, pictures: Path) -> ObjectStore:
    """The store has the pictures below one place, told of four at a time, and a list of them, with relative paths."""
    store.page = 4
    names = [path.relative_to(pictures).as_posix() for path in sorted(pictures.rglob("*.jpg"))]
    store.objects |= {f"shop/clothes/{name}": (pictures / name).read_bytes() for name in names}
    listing = pa.BufferOutputStream()
    pq.write_table(
        pa.table({"path": [f"../clothes/{name}" if "rings" in name else f"{PLACE}/{name}" for name in names]}), listing
    )
    store.objects["shop/lists/all.parquet"] = listing.getvalue().to_pybytes()
    return store


@pytest.mark.parametrize("place", [PLACE, f"{PLACE}/", LISTING])
def test_pictures_of_a_store_are_embedded_and_an_interrupted_run_goes_on(
    embedding: Embed, filled: ObjectStore, pictures: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 7:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("similarity.progress.REPORT_EVERY", 0)  # every picture is told of, however fast they come
        with pytest.raises(KeyboardInterrupt):
            embedding(place, tmp_path / "out", size=3, progress=interrupt)
    before = times(tmp_path / "out")
    filled.asked.clear()
    done = embedding(place, tmp_path / "out", size=3)
    assert (len(before), done.embedded, done.resumed, done.skipped) == (2, 9, 6, [])
    assert before.items() <= times(tmp_path / "out").items()
    asked = {line for line in filled.asked if line.startswith("GET") and line.endswith(".jpg")}
    assert len(asked) == 9, "pictures of finished shards are not fetched again"
    rows, embedded = table(tmp_path / "out"), embedding(pictures, tmp_path / "local")
    assert embedded.embedded == 15
    assert rows.column("vector").equals(table(tmp_path / "local").column("vector"))
    names = [path.relative_to(pictures).as_posix() for path in sorted(pictures.rglob("*.jpg"))]
    assert rows.column("path").to_pylist() == [f"{PLACE}/{name}" for name in names] or place == LISTING


def test_what_is_below_a_place_is_listed_as_a_folder_would_be(
    embedding: Embed, store: ObjectStore, tmp_path: Path
) -> None:
    names = ["a & b/é.jpg", "top.jpeg", ".hidden/1.jpg", "notes.txt", "a & b/secret.jpg", "page.png", "top.jpeg2"]
    store.objects |= {f"shop/x/{name}": jpeg(number) for number, name in enumerate(names)}
    store.objects |= {
        "shop/x/a & b/secret.jpg": None,
        "shop/x/page.png": b"<html></html>",
        "shop/xylophone.jpg": jpeg(9),
    }
    done = embedding("s3://shop/x", tmp_path / "out")
    secret = "s3://shop/x/a & b/secret.jpg"
    reasons = {one.path: one.reason for one in done.skipped}
    assert reasons == {
        secret: f"{secret} may not be read with the credentials of this computer.",
        "s3://shop/x/page.png": reasons["s3://shop/x/page.png"],
    }
    rows = {row["id"]: row for row in table(tmp_path / "out").to_pylist()}
    assert set(rows) == {"a & b/é.jpg", "a & b/secret.jpg", "page.png", "top.jpeg"}
    assert (rows["a & b/é.jpg"]["label"], rows["top.jpeg"]["label"]) == ("a & b", None)


def test_objects_whose_names_are_nearly_the_same_are_pictures_of_their_own(
    embedding: Embed, store: ObjectStore, tmp_path: Path
) -> None:
    names = ["K\u00f6ln.jpg", "Ko\u0308ln.jpg", "a/b.jpg", "a//b.jpg"]
    store.objects |= {f"shop/y/{name}": jpeg(number) for number, name in enumerate(names)}
    assert embedding("s3://shop/y", tmp_path / "out").embedded == 4
    assert sorted(table(tmp_path / "out").column("id").to_pylist()) == sorted(names)


def test_an_object_that_has_changed_is_embedded_again_with_its_shard(
    embedding: Embed, filled: ObjectStore, tmp_path: Path
) -> None:
    embedding(PLACE, tmp_path / "out", size=5)
    filled.objects["shop/clothes/rings/rings-1.jpg"] = jpeg(77)
    again = embedding(PLACE, tmp_path / "out", size=5)
    assert (again.embedded, again.resumed) == (5, 10)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("s3://", "s3:// names no bucket: write s3://bucket, or s3://bucket/beginning"),
        ("s3://shop/none", "There are no pictures in s3://shop/none: check the bucket and the beginning of the keys"),
        ("s3://shop/1.jpg", "There are no pictures in s3://shop/1.jpg: check the bucket and the beginning of the keys"),
        ("s3://shop/texts", "There are no pictures in s3://shop/texts: check the bucket and the beginning of the keys"),
        ("s3://shop/none.parquet", "s3://shop/none.parquet is not there: check the bucket and the key"),
        ("s3://shop/texts/a.parquet", "s3://shop/texts/a.parquet is not a readable Parquet file"),
    ],
)
def test_what_is_not_there_or_no_list_is_an_error_in_a_sentence(store: ObjectStore, place: str, sentence: str) -> None:
    store.objects |= {"shop/texts/1.txt": b"text", "shop/texts/a.parquet": b"PAR1 half", "shop/1.jpg": jpeg(1)}
    with pytest.raises(SourceError, match=sentence):
        open_list(place)


def test_a_place_in_a_store_has_no_split(store: ObjectStore) -> None:
    with pytest.raises(SourceError, match="s3://shop is not Stanford Online Products"):
        open_list("s3://shop", split="test")
    assert store.asked == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", [PLACE, LISTING])
def test_a_command_that_is_killed_while_it_reads_a_store_goes_on(
    filled: ObjectStore, tmp_path: Path, place: str
) -> None:
    command = [sys.executable, "-m", "similarity", "embed", place, "--out", str(tmp_path / "out"), "-m", MODEL]
    command += ["--json", "--shard-size", "3"]
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    reached, goes_on = threading.Event(), threading.Event()

    def wait(key: str) -> None:
        if key.endswith("rings-4.jpg"):
            reached.set()
            goes_on.wait()

    filled.before = wait
    with started(command, env=environment, stdout=subprocess.DEVNULL) as first:
        assert reached.wait(120)
        first.send_signal(signal.SIGKILL)
    goes_on.set()
    before = times(tmp_path / "out")
    last = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    told = json.loads(last.stdout)
    assert (told["resumed"], told["embedded"]) == (3 * len(before), 15 - 3 * len(before))
    assert len(before) == 3
    assert before.items() <= times(tmp_path / "out").items()
