import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import Run
from conftest import MODEL, draw

from similarity import Embedder
from similarity.embedding.backbones.weights import choose_model
from similarity.errors import ModelError, ShardError, SourceError
from similarity.progress import Progress
from similarity.shards.attempts import SUFFIX
from similarity.shards.chunks import cut, open_list
from similarity.shards.folder import read_shelf
from similarity.shards.run import Embedding, ShardOptions, embed
from similarity.shards.worker import Task, embed_chunk

Embed = Callable[..., Embedding]


@pytest.fixture
def embedding(light_shards: None) -> Embed:  # noqa: ARG001
    """Embeds a place into a folder with the light network, five pictures a shard."""

    def call(place: Path, out: Path, *, size: int = 5, progress: Any = None, **options: Any) -> Embedding:
        return embed(open_list(place), out, choose_model(MODEL), ShardOptions(size=size, **options), progress=progress)

    return call


def table(out: Path) -> pa.Table:
    """All shards of a folder, in order."""
    told = json.loads((out / "embeddings.json").read_text())
    return pa.concat_tables([pq.ParquetFile(out / one["file"]).read() for one in told["shards"]])


def times(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("shard-*.parquet")}


def test_every_picture_is_a_row_with_its_embedding(
    embedding: Embed, pictures: Path, tmp_path: Path, light_embedder: Embedder
) -> None:
    done = embedding(pictures, tmp_path / "out", size=4)
    assert (done.embedded, done.resumed, done.shards, done.engine) == (15, 0, 4, "local")
    assert 0 < done.working <= done.seconds
    rows = table(tmp_path / "out")
    assert rows.schema.field("vector").type == pa.list_(pa.float32(), light_embedder.dim)
    assert rows.column("id").to_pylist() == [f"{k}/{k}-{n}.jpg" for k in ("dots", "rings", "stripes") for n in range(5)]
    assert rows.column("label").to_pylist() == ["dots"] * 5 + ["rings"] * 5 + ["stripes"] * 5
    images = [light_embedder.decode(Path(path).read_bytes(), path).image for path in rows.column("path").to_pylist()]
    vectors = np.array(rows.column("vector").to_pylist(), np.float32)
    np.testing.assert_allclose(np.sum(vectors * light_embedder.with_view("fit").embed(images), axis=1), 1, atol=1e-5)
    assert rows.column("error").null_count == 15
    assert all(jpeg.startswith(b"\xff\xd8") for jpeg in rows.column("thumbnail").to_pylist())


def test_a_bad_file_is_a_row_with_the_reason_and_a_copy_has_the_same_vector(
    embedding: Embed, own_pictures: Path, tmp_path: Path
) -> None:
    (own_pictures / "dots" / "bad.jpg").write_bytes(b"no picture")
    (own_pictures / "dots" / "copy.jpg").write_bytes((own_pictures / "dots" / "dots-0.jpg").read_bytes())
    done = embedding(own_pictures, tmp_path / "out", size=100, thumbnails=False)
    assert (done.embedded, [one.path for one in done.skipped]) == (16, [str(own_pictures / "dots" / "bad.jpg")])
    rows = {row["id"]: row for row in table(tmp_path / "out").to_pylist()}
    bad, copy, first = (rows[f"dots/{name}.jpg"] for name in ("bad", "copy", "dots-0"))
    assert bad["vector"] is None
    assert bad["error"] == done.skipped[0].reason
    assert (copy["vector"], copy["width"], copy["sha256"]) == (first["vector"], first["width"], first["sha256"])
    assert "thumbnail" not in first


def test_a_second_run_embeds_only_what_is_new_or_has_changed(
    embedding: Embed, own_pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    embedding(own_pictures, out)
    before = times(out)
    again = embedding(own_pictures, out)
    assert (again.embedded, again.resumed, again.images_per_second) == (0, 15, 0)
    assert times(out) == before
    draw("rings", 77).save(own_pictures / "rings" / "rings-2.jpg")
    draw("rings", 78).save(own_pictures / "stripes" / "stripes-9.jpg")
    third = embedding(own_pictures, out)
    assert (third.embedded, third.resumed) == (6, 10)
    assert len(set(times(out)) & set(before)) == 2, "the shard of what the list was before is gone"
    assert table(out).num_rows == 16


def test_an_interrupted_run_leaves_its_shards_and_the_next_goes_on_from_there(
    embedding: Embed, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def interrupt(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("similarity.progress.REPORT_EVERY", 0)  # every picture is told of, however fast they come
        with pytest.raises(KeyboardInterrupt):
            embedding(pictures, out, size=1, progress=interrupt)
    before = times(out)
    assert len(before) == 2, "the third picture was embedded, and not yet written"
    (out / ".shard-000009-0123456789abcdef.parquet.77.new").write_bytes(b"PAR1 half")
    assert json.loads((out / "embeddings.json").read_text())["shards"] is None
    done = embedding(pictures, out, size=1)
    assert (done.embedded, done.resumed) == (15 - len(before), len(before))
    assert before.items() <= times(out).items()
    assert not list(out.glob(".*.new"))
    assert sorted(table(out).column("id").to_pylist()) == sorted(set(table(out).column("id").to_pylist()))


def test_a_chunk_that_is_asked_for_twice_is_embedded_once(
    embedding: Embed, own_pictures: Path, tmp_path: Path, light_embedder: Embedder
) -> None:
    """As Ray does if a worker dies when its shard is there and its answer is not."""
    out = tmp_path / "out"
    (own_pictures / "dots" / "bad.jpg").write_bytes(b"no picture")
    embedding(own_pictures, out, size=100)
    origin, before = read_shelf(out).origin, times(out)
    ((chunk, _),) = [*cut(open_list(own_pictures), 100, {"thumbnails": origin.thumbnails} | origin.identity)][1:]
    assert chunk

    def refuse() -> Embedder:
        raise AssertionError("no model is needed")

    done = embed_chunk(chunk, refuse, Task(out, origin))
    assert (done.counts.rows, done.counts.pictures, [one.path for one in done.skipped]) == (
        16,
        15,
        [str(own_pictures / "dots" / "bad.jpg")],
    )
    assert times(out) == before
    (shard,) = out.glob("shard-*.parquet")
    shard.write_bytes(shard.read_bytes()[:-100])
    embed_chunk(chunk, lambda: light_embedder.with_view("fit"), Task(out, origin))
    assert table(out).num_rows == 16


def test_ctrl_c_is_held_against_no_picture_of_a_chunk_that_ended_a_worker_before(
    embedding: Embed, own_pictures: Path, tmp_path: Path, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, decode = tmp_path / "out", Embedder.decode
    for number in range(45):  # more than are decoded before the first is told of
        draw("dots", 100 + number).resize((60, 60)).save(own_pictures / "dots" / f"more-{number}.jpg")
    embedding(own_pictures, out, size=100)
    origin, source = read_shelf(out).origin, open_list(own_pictures)
    ((chunk, _),) = [*cut(source, 100, {"thumbnails": origin.thumbnails} | origin.identity)][1:]
    (shard,) = out.glob("shard-*.parquet")
    shard.unlink()
    record = shard.with_name(f"{shard.name}{SUFFIX}")
    record.write_bytes(bytes([1, *[0] * 60]))

    def slowly(*arguments: Any) -> Any:
        time.sleep(0.05)  # so that the next one is being decoded when the chunk ends
        return decode(*arguments)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Embedder, "decode", slowly)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            embed_chunk(chunk, lambda: light_embedder.with_view("fit"), Task(out, origin), advance=interrupt)  # type: ignore[arg-type]
        assert record.read_bytes() == bytes([1, *[0] * 60])


def test_a_shard_that_was_cut_short_is_embedded_again(embedding: Embed, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    embedding(pictures, out)
    shard = min(out.glob("shard-*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-100])
    done = embedding(pictures, out)
    assert (done.embedded, done.resumed) == (5, 10)
    assert table(out).num_rows == 15


def test_a_folder_of_another_model_list_or_use_is_refused_and_stays_as_it_is(
    embedding: Embed, pictures: Path, own_pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    embedding(pictures, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ShardError, match=r"contains embeddings of another model .*: choose another folder, or delete"):
        embedding(pictures, out, precision="f32" if choose(out) == "bf16" else "bf16")
    with pytest.raises(ShardError, match=f"contains embeddings of {pictures}, not of {own_pictures}"):
        embedding(own_pictures, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    with pytest.raises(ShardError, match="contains other files: choose a new or empty folder"):
        embedding(pictures, own_pictures)


def choose(out: Path) -> str:
    """The precision of a folder's embeddings."""
    told = json.loads((out / "embeddings.json").read_text())
    return str(told["origin"]["identity"]["precision"])


def test_one_process_at_a_time_embeds_into_a_folder(embedding: Embed, pictures: Path, tmp_path: Path) -> None:
    from similarity.shards.folder import holding

    with holding(tmp_path / "out"), pytest.raises(ShardError, match="Another process is embedding into"):
        embedding(pictures, tmp_path / "out")


def test_int8_is_refused(embedding: Embed, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="An int8 network is made for one gallery"):
        embedding(pictures, tmp_path / "out", precision="int8")


def test_a_list_of_nothing_but_bad_files_is_an_error(embedding: Embed, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"None of the pictures in .* can be used: .*1\.jpg: "):
        embedding(tmp_path / "bad", tmp_path / "out")


def test_a_parquet_list_is_embedded_row_by_row_with_what_it_says_of_each(
    embedding: Embed, pictures: Path, tmp_path: Path
) -> None:
    names = [f"rings-{number}.jpg" for number in range(5)]
    paths = [*(str(pictures / "rings" / name) for name in names), None, str(pictures / "gone.jpg")]
    columns = {"id": list("abcdefg"), "path": paths, "colour": ["red"] * 7}
    pq.write_table(pa.table(columns), tmp_path / "list.parquet", row_group_size=3)
    done = embedding(tmp_path / "list.parquet", tmp_path / "out", size=2)
    assert [one.path for one in done.skipped] == [
        f"{tmp_path / 'list.parquet'}, row 6",
        f"{pictures / 'gone.jpg'} ({tmp_path / 'list.parquet'}, row 7)",
    ]
    rows = table(tmp_path / "out")
    assert rows.column("id").to_pylist() == list("abcdeg")
    assert rows.column("metadata").to_pylist() == ['{"colour": "red"}'] * 6
    columns["colour"][4] = "blue"
    pq.write_table(pa.table(columns), tmp_path / "list.parquet")
    again = embedding(tmp_path / "list.parquet", tmp_path / "out", size=2)
    assert (again.embedded, again.resumed, len(again.skipped)) == (1, 4, 2)


@pytest.mark.usefixtures("bundled")
def test_the_command_tells_what_it_did(run: Run, pictures: Path, tmp_path: Path) -> None:
    command = ("embed", pictures, "--out", "out", "-m", MODEL)
    told = json.loads(run(*command, "--json").stdout)
    assert told | {"seconds": 0, "images_per_second": 0} == {
        "out": str(tmp_path / "here" / "out"),
        "model": MODEL,
        "dim": 1280,
        "embedded": 15,
        "resumed": 0,
        "skipped": [],
        "shards": 1,
        "seconds": 0,
        "images_per_second": 0,
        "engine": "local",
    }
    assert run(*command).stdout.startswith(f"0 embedded by {MODEL}, 15 taken over from earlier runs")
    assert run(*command, "--address", "x:1").returncode == 2
