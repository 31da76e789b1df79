"""`bench milvus`, with a Milvus Lite and, in the tier `cluster`, a server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

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
    assert set(client(milvus).list_collections()) == before


def test_an_index_that_is_not_measured_is_refused_at_once(milvus: Store) -> None:
    from similarity.bench.milvus import bench_milvus

    with pytest.raises(SearchError, match="'SCANN' is not a kind of index that is measured: choose from FLAT"):
        bench_milvus(milvus, 100, 16, kinds=["SCANN"])
