"""`bench duplicates`: what is planted, what counts as found or joined, and its report."""

import json

import numpy as np
import pytest
from commands import Run

from similarity.bench.duplicates import plant, score
from similarity.query.thresholds import THRESHOLD


@pytest.mark.exhaustive
def test_what_is_planted_has_the_similarities_that_it_should() -> None:
    planted = plant(3_000, 256)
    assert (len(planted.groups), len(planted.chains)) == (30, 6)
    assert np.linalg.norm(planted.vectors, axis=1) == pytest.approx(np.ones(3_000), abs=1e-5)
    rows = np.concatenate([*planted.groups, *planted.chains])
    assert len(rows) == len(set(rows.tolist()))
    for group in planted.groups:
        vectors = planted.vectors[group]
        assert 2 <= len(group) <= 5
        assert (vectors @ vectors.T).min() > 0.96
    for chain in planted.chains:
        vectors = planted.vectors[chain]
        near = vectors @ vectors.T >= THRESHOLD
        apart = np.abs(np.subtract.outer(np.arange(len(chain)), np.arange(len(chain))))
        assert np.array_equal(near, apart <= 1)
    assert np.array_equal(plant(3_000, 256).vectors, planted.vectors)


def test_a_split_group_is_not_found_and_a_chain_with_more_than_neighbours_in_a_group_is_joined() -> None:
    planted = plant(3_000, 256)
    groups = [rows.tolist() for rows in planted.groups]
    pairs = [rows[:2].tolist() for rows in planted.chains]
    counts = {"planted": 30, "chains": 6}
    assert score(groups + pairs, planted) == counts | {"found": 30, "chains_joined": 0}
    assert score([], planted) == counts | {"found": 0, "chains_joined": 0}
    assert score([*groups[1:], groups[0][:1]], planted)["found"] == 29
    assert score([planted.chains[0][[0, 2]].tolist()], planted)["chains_joined"] == 1
    assert score([planted.chains[0].tolist()], planted)["chains_joined"] == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("is_large", [False, True])
def test_bench_duplicates_finds_all_planted_groups_and_joins_no_chain(
    run: Run, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    if is_large:
        monkeypatch.setattr("similarity.bench.duplicates.MOST_COMPARED", 1_000)
    report = json.loads(run("bench", "duplicates", "--n", 2_000, "--dim", 64, "--json").stdout)
    assert (
        report.items() >= {"n": 2_000, "dim": 64, "planted": 20, "found": 20, "chains": 4, "chains_joined": 0}.items()
    )
    assert report["compared"] == ("with candidates of inverted lists" if is_large else "all with all")
    assert report["seconds"] >= report["pairs_s"] >= 0


def test_bench_duplicates_prints_a_table_and_what_was_found(run: Run) -> None:
    lines = run("bench", "duplicates", "--n", 1_000).stdout.splitlines()
    assert lines[0] == "1,000 vectors of 256, compared all with all"
    assert lines[-2:] == ["10 of 10 planted groups were found.", "0 of 2 planted chains were joined; none should be."]


def test_too_few_vectors_are_refused_in_a_sentence(run: Run) -> None:
    done = run("bench", "duplicates", "--n", 10)
    assert (done.returncode, done.stderr) == (1, "Error: 10 vectors are too few to measure: take at least 1,000.\n")
