"""The plan: its arithmetic, that it follows the product's own choices, and that it names what it rests on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from similarity.bench.capacity import REFERENCE, Machine, Wish, make_plan, sizes
from similarity.bench.capacity.check import check_report
from similarity.bench.capacity.rates import fit_rates, lists_of, steps
from similarity.bench.synthetic import World
from similarity.cli import app
from similarity.errors import SearchError
from similarity.search import build_index, choose_recipe
from similarity.vectors.memmap import StoredVectors, write_vectors

MODEL = "efficientnet-lite2"
MACHINE = {"processor": "made up", "cores": 4}


def wish(images: int, **more: Any) -> Wish:
    return Wish(images, more.pop("qps", 10.0), MODEL, 1280, **more)


def search_report(n: int, *, dim: int = 1280) -> dict[str, Any]:
    """As `bench search` prints it, of a machine that follows the laws to the letter."""
    inverted = choose_recipe("ivf", n, dim).name
    read, compared = steps(n, dim)
    rows = [
        {"recipe": "flat", "index": "flat", "p50_ms": 4 * n * dim / 5e6, "build_s": n * dim / 1e8},
        {"recipe": "flat-sq8", "index": "flat-sq8", "p50_ms": n * dim / 5e6, "build_s": n * dim / 5e7},
        {"recipe": "auto", "index": inverted, "p50_ms": 0.4 + 0.002 * n**0.5, "build_s": 0.01 * read + 20 * compared},
    ]
    for row in rows:
        row |= {"recall@10": 0.99, "resident_mb": 1.0, "bytes_per_vector": 1}
    return {"n": n, "dim": dim, "recipes": rows, "machine": MACHINE}


def milvus_report(n: int, *, dim: int = 1280) -> dict[str, Any]:
    """As `bench milvus` prints it, of a server that follows the laws to the letter."""
    millions = n * dim / 1e6
    row = {
        "kind": "IVF_SQ8",
        "nlist": 1024,
        "server_cpu_s": 1.5 * millions,
        "p50_ms_1_client": 1.5 + 0.004 * millions,
        "queries_per_s_8_clients": 4000 / (2 + 0.01 * millions),
        "server_mb": 500 + (n * (dim + 8) + 4 * 1024 * dim) / 1e6,
        "recall@10": 0.99,
    }
    return {"n": n, "dim": dim, "send_s": 0.1 * millions, "kinds": [{"kind": "HNSW"}, row], "machine": MACHINE}


EMBEDDING = {"model": "mine", "images_per_s": 100.0, "with_thumbnails_images_per_s": 80.0, "machine": MACHINE}
QUERY = {"model": "mine", "p50_ms": 12.0, "queries_per_s_threads": 160.0, "machine": MACHINE}


def test_more_pictures_never_take_less() -> None:
    plans = [make_plan(wish(10**exponent)) for exponent in range(3, 11)]
    for figure in (
        "embed_core_hours",
        "embed_machines",
        "gallery_gb",
        "thumbnails_gb",
        "shards_gb",
        "cost_embed",
        "cost_hour",
        "galleries",
    ):
        values = [getattr(plan, figure) for plan in plans]
        assert values == sorted(values), figure
    assert plans[0].store == "faiss"
    assert plans[-1].store == "milvus"
    assert plans[-1].galleries > 1


def test_embedding_is_arithmetic() -> None:
    plan = make_plan(wish(3_600_000, machine=Machine(cores=10), hours=2.0))
    per_core = REFERENCE.images_per_s[MODEL] / REFERENCE.cores
    assert plan.embed_core_hours == pytest.approx(1000 / per_core)
    assert plan.embed_hours <= 2.0
    assert plan.embed_machines * 10 * plan.embed_hours == pytest.approx(plan.embed_core_hours)
    assert make_plan(wish(3_600_000, machine=Machine(cores=10), hours=200.0)).embed_machines == 1


def test_the_recipe_is_the_one_that_the_product_would_choose() -> None:
    for count in (1_000, 100_000, 1_000_000, 20_000_000):
        plan = make_plan(wish(count))
        free = int(0.5 * plan.wish.machine.memory_gb * 1e9)
        assert plan.recipe == choose_recipe("auto", plan.pictures_each, 1280, free=free).name
        assert plan.pictures_each * plan.galleries >= count


def test_what_a_machine_holds_fits_into_it() -> None:
    for memory in (16.0, 64.0, 256.0):
        for store in ("faiss", "milvus"):
            plan = make_plan(wish(2_000_000_000, store=store, machine=Machine(memory_gb=memory)))
            assert plan.app_memory_gb <= 0.8 * memory
            assert plan.app_machines >= plan.galleries, "each has the items of one gallery in its memory"
            assert plan.store_memory_gb <= 0.8 * memory * plan.store_machines


def test_many_questions_take_more_machines_and_each_costs_less_when_they_are_busy() -> None:
    few, many = (make_plan(wish(1_000_000, qps=qps)) for qps in (1.0, 2_000.0))
    assert few.app_machines == 1
    assert many.app_machines > 1
    assert many.cost_thousand < few.cost_thousand


@pytest.mark.exhaustive
@pytest.mark.parametrize("recipe", ["flat", "flat-sq8", "PCA32,IVF64,SQ8"])
def test_sizes_are_those_of_files_that_are_really_written(tmp_path: Path, recipe: str) -> None:
    world = World(96)
    vectors = np.concatenate([world.block(1_000, number) for number in range(1, 7)])
    stored = "float32" if not lists_of(recipe) else "float16"
    write_vectors(tmp_path / "embeddings.npy", vectors.shape, [vectors], stored)  # type: ignore[arg-type]
    build_index(recipe, StoredVectors(tmp_path / "embeddings.npy")).save(tmp_path / "index.faiss")
    count, dim = vectors.shape
    for name, planned in (
        ("embeddings.npy", sizes.embeddings_file(recipe, count, dim)),
        ("index.faiss", sizes.index_file(recipe, count, dim)),
    ):
        assert planned == pytest.approx((tmp_path / name).stat().st_size, rel=0.06), name


def test_laws_that_are_fitted_to_two_sizes_tell_a_third() -> None:
    rates = fit_rates([search_report(100_000), search_report(300_000), EMBEDDING, QUERY], REFERENCE)
    checked = check_report(search_report(1_000_000), rates)
    times = [one for one in checked if one.name.endswith((", ms", ", s"))]
    assert len(times) == 4
    for one in times:
        assert one.ratio == pytest.approx(1.0, abs=0.01), one.name
    assert rates.images_per_s["mine"] == 80.0
    assert rates.cores == 4
    plan = make_plan(replace(wish(1_000_000), model="mine"), rates)
    assert plan.query_ms == pytest.approx(12.0 + 0.4 + 2.0, abs=0.01)
    assert all(one.source != REFERENCE.source for one in plan.assumptions)


def test_laws_of_milvus_that_are_fitted_to_two_sizes_tell_a_third() -> None:
    rates = fit_rates([milvus_report(100_000), milvus_report(300_000)], REFERENCE)
    checked = check_report(milvus_report(1_000_000), rates)
    assert [one.name for one in checked] == [
        "to send, s", "to index, s of a core", "a query, ms", "a query, ms of a core", "memory, MB", "recall@10",
    ]  # fmt: skip
    for one in checked:
        assert one.ratio == pytest.approx(1.0, abs=0.01), one.name
    assert fit_rates([milvus_report(100_000)], REFERENCE).milvus.query_ms[0] == 0
    assert rates.flat_build_s == REFERENCE.flat_build_s


@pytest.mark.parametrize(
    ("took", "expected"), [([1, 3, 10], (0, 10)), ([1, 3.5, 13], (0, 12.8)), ([5, 4, 3], (4, 0)), ([2, 4, 11], (1, 10))]
)
def test_what_grows_faster_than_vectors_is_not_told_to_stay_as_it_is(
    took: list[float], expected: tuple[float, float]
) -> None:
    reports = [milvus_report(n) for n in (100_000, 300_000, 1_000_000)]
    for report, one in zip(reports, took, strict=True):
        report["kinds"][1]["p50_ms_1_client"] = one
    a, b = fit_rates(reports, REFERENCE).milvus.query_ms
    assert (a, 1280 * b) == pytest.approx(expected, abs=0.1)


@pytest.mark.filterwarnings("error")
def test_two_reports_of_milvus_at_one_size_are_as_one() -> None:
    one, two = (fit_rates([milvus_report(100_000)] * count, REFERENCE).milvus for count in (1, 2))
    assert one == two


@pytest.mark.parametrize("memory_gb", [0.5, 0.65125])
def test_a_machine_without_memory_for_milvus_itself_is_refused(memory_gb: float) -> None:
    with pytest.raises(SearchError, match="no use for Milvus, which takes 521 MB with no vectors"):
        make_plan(wish(100_000_000, store="milvus", machine=Machine(16, memory_gb)))


def test_a_report_of_milvus_without_the_index_that_galleries_have_is_refused() -> None:
    report = milvus_report(100_000) | {"kinds": [{"kind": "HNSW"}]}
    with pytest.raises(SearchError, match="no index IVF_SQ8"):
        fit_rates([report], REFERENCE)
    with pytest.raises(SearchError, match="no index IVF_SQ8"):
        check_report(report, REFERENCE)


def test_machines_of_milvus_are_for_its_memory_or_for_the_work() -> None:
    few, many = (make_plan(wish(1_000_000_000, store="milvus", qps=qps)) for qps in (0.1, 1_000.0))
    assert few.store_machines >= few.store_memory_gb / 0.8 / few.wish.machine.memory_gb
    assert many.store_machines > few.store_machines
    assert many.search_ms < few.search_ms
    assert any("Milvus" in one.name for one in few.assumptions)
    assert not any("Milvus" in one.name for one in make_plan(wish(1_000_000)).assumptions)


def test_laws_follow_whichever_part_of_the_work_was_measured() -> None:
    reports = [search_report(n) for n in (100_000, 300_000, 1_000_000)]
    for report in reports:  # as fast at any size: the root has nothing to do with it
        report["recipes"][2]["p50_ms"] = 2.0
    assert fit_rates(reports, REFERENCE).inverted_ms == pytest.approx((2.0, 0.0), abs=1e-6)


def test_every_assumption_says_where_it_is_from() -> None:
    for count in (1_000, 1_000_000, 10_000_000_000):
        for one in make_plan(wish(count)).assumptions:
            assert one.name
            assert one.source
            assert one.value >= 0


def test_limits_are_told() -> None:
    huge = make_plan(wish(10_000_000_000))
    assert any("is not implemented" in limit for limit in huge.limits)
    assert any("never measured" in limit for limit in huge.limits)
    assert any("from the disk" in limit for limit in huge.limits)
    few = make_plan(wish(1_000_000)).limits
    assert not any("is not implemented" in limit or "from the disk" in limit for limit in few)
    assert any(limit.startswith("Finding the neighbours of a gallery's pictures takes about ") for limit in few)
    assert not any("neighbours" in limit for limit in make_plan(wish(10_000)).limits)


@pytest.mark.parametrize(
    "wrong",
    [
        wish(0),
        wish(10, qps=0.0),
        wish(10, hours=0.0),
        wish(10, machine=Machine(cores=0)),
        wish(10, machine=Machine(memory_gb=0.01)),
        replace(wish(10), model="never-measured"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wrong: Wish) -> None:
    with pytest.raises(SearchError):
        make_plan(wrong)


def test_reports_of_different_computers_do_not_make_one_plan() -> None:
    other = EMBEDDING | {"machine": {"processor": "another", "cores": 4}}
    with pytest.raises(SearchError, match="different computers"):
        fit_rates([search_report(100_000), other], REFERENCE)
    with pytest.raises(SearchError, match="not a report"):
        fit_rates([{"p50_ms": 3}], REFERENCE)
    with pytest.raises(SearchError, match="not a report"):
        check_report({"n": 3}, REFERENCE)


def told(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["plan", *arguments])


@pytest.mark.parametrize(
    ("text", "count"),
    [("1M", 10**6), ("100m", 10**8), ("10B", 10**10), ("2.5k", 2500), ("1_000_000", 10**6), ("12", 12)],
)
def test_numbers_are_read_as_people_write_them(text: str, count: int) -> None:
    done = told("--images", text, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["wish"]["images"] == count


@pytest.mark.parametrize("text", ["many", "-3", "1e6", "3T", ""])
def test_what_is_no_number_is_wrong_usage(text: str) -> None:
    assert told("--images", text).exit_code == 2


def test_the_command_prints_the_plan_and_what_it_rests_on() -> None:
    done = told("--images", "100M", "--qps", "50")
    assert done.exit_code == 0
    for words in ("100,000,000", "machines", "thumbnails", "Assumptions:", "an example, unless given"):
        assert words in done.stdout


def test_a_report_is_compared_and_a_broken_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(search_report(1_000_000)))
    done = told("--images", "1M", "--check", str(tmp_path / "report.json"), "--json")
    names = {one["name"]: one["ratio"] for one in json.loads(done.stdout)["checked"]}
    assert {"flat: a query, ms", "auto: recall@10"} <= names.keys()
    (tmp_path / "report.json").write_text("not JSON")
    done = told("--images", "1M", "--check", str(tmp_path / "report.json"))
    assert done.exit_code == 1
    assert "cannot be read as a report" in done.stderr
    assert isinstance(done.exception, SystemExit), "told in a sentence"
