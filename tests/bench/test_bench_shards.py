"""`bench shards`: a set beside one gallery of the same pictures."""

import json

import pytest
from commands import Run

from similarity import Gallery
from similarity.bench.shards import bench_shards
from similarity.errors import SearchError


def test_shards_of_exact_galleries_find_the_same_with_the_same_scores(shapes: Gallery, empty_home: object) -> None:
    assert empty_home
    centred = shapes.rebuild(refinement="centred", into=str(empty_home) + "/galleries/centred")
    report = bench_shards(centred, shards=3, count=40)
    assert [row["refinement"] for row in report["compared"]] == ["none", "centred"]
    for row in report["compared"]:
        assert (row["same_hits"], row["recall@10"]) == (1, 1)
        assert row["largest_difference"] < 1e-6
        assert row["one_p50_ms"] > 0
    assert not centred.manifest.shards


def test_it_is_a_command_with_a_table_and_json(run: Run, shapes: Gallery) -> None:
    done = run("bench", "shards", "-g", shapes.directory, "--shards", 2, "-n", 3)
    assert done.returncode == 0
    assert "3 queries" in done.stdout
    answer = json.loads(run("bench", "shards", "-g", shapes.directory, "--shards", 2, "-n", 3, "--json").stdout)
    assert (answer["shards"], answer["pictures"]) == (2, 15)


@pytest.mark.parametrize("shards", [1, 0, 300])
def test_what_cannot_be_a_set_is_refused(shapes: Gallery, shards: int) -> None:
    with pytest.raises(SearchError, match="shards"):
        bench_shards(shapes, shards=shards, count=2)
