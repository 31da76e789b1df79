"""`bench milvus`, with a Milvus Lite and, in the tier `cluster`, a server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from similarity.bench.milvus import _server
from similarity.cli import app
from similarity.errors import SearchError
from similarity.fetch.web import is_url
from similarity.search.milvus.bulk_insert import FILES
from similarity.search.milvus.client import client
from similarity.search.stores import Store

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")


@pytest.mark.exhaustive
def test_it_sends_indexes_searches_and_leaves_nothing_behind(
    milvus: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.bench.milvus.SECONDS", 0.3)
    if not is_url(milvus.uri):
        monkeypatch.setenv(FILES, str(tmp_path))  # which a Milvus Lite does not read
    before = set(client(milvus).list_collections())
    options = ["--uri", milvus.uri, "--n", "3000", "--dim", "16", "--kind", "IVF_SQ8", "--kind", "FLAT"]
    done = CliRunner().invoke(app, ["bench", "milvus", *options, "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["n"], report["dim"], report["sent"]) == (3000, 16, "by requests")
    approximate, exact = report["kinds"]
    assert exact["recall@10"] >= 0.99  # the vectors are in float16, and what is compared with them is not
    assert approximate["recall@10"] >= 0.98
    assert 1 <= approximate["nprobe"] <= approximate["nlist"]
    for row in report["kinds"]:
        assert row["queries_per_s_8_clients"] > 0
        assert row["p50_ms_1_client"] <= row["p95_ms_1_client"]
    shown = CliRunner().invoke(app, ["bench", "milvus", *options[:-2]])
    assert "IVF_SQ8" in shown.stdout
    assert "None" not in shown.stdout
    assert set(client(milvus).list_collections()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is not named after a link, or not shown")
def test_only_a_milvus_on_this_computer_is_looked_at_as_the_server(tmp_path: Path) -> None:
    """A program that is called milvus, and one of another name, listen each at a port of its own."""
    listen = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)"
    named = tmp_path / "milvus"
    named.symlink_to(Path(sys.executable).resolve())
    for program, host, is_found in [
        (str(named), "127.0.0.1", True),
        (str(named), "192.0.2.1", False),  # of nobody, by RFC 5737
        (sys.executable, "127.0.0.1", False),
    ]:
        command = [program, "-S", "-c", f"{listen}; time.sleep(60)"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            port = process.stdout.readline().strip()
            found = _server(Store("milvus", f"http://{host}:{port}"))
            process.kill()
        assert (found is not None and found.pid == process.pid) is is_found


def test_an_index_that_is_not_measured_is_refused_at_once(milvus: Store) -> None:
    from similarity.bench.milvus import bench_milvus

    with pytest.raises(SearchError, match="'SCANN' is not a kind of index that is measured: choose from FLAT"):
        bench_milvus(milvus, 100, 16, kinds=["SCANN"])
