"""`search` with many queries: folders and lists of them, to files and as JSON lines."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import Run, started

from similarity import Gallery
from similarity.query.bulk import BulkSearcher

pytestmark = pytest.mark.usefixtures("shapes")
# The same picture scores otherwise by so much in a batch.
NEAR = 2e-3


@pytest.fixture
def few(own_pictures: Path) -> Path:
    """A folder of three queries, one of which is no picture."""
    folder = own_pictures / "few"
    folder.mkdir()
    for kind in ("dots", "rings"):
        (own_pictures / kind / f"{kind}-1.jpg").rename(folder / f"{kind}.jpg")
    (folder / "broken.jpg").write_text("no picture")
    return folder


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_picture_of_a_folder_is_searched_with_as_it_is_alone(run: Run, few: Path) -> None:
    options = ("-g", "shapes", "-k", 3, "--where", "label=dots", "--min-score", 0.1, "--json")
    done = run("search", few, *options)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [line["query"] for line in lines] == ["broken.jpg", "dots.jpg", "rings.jpg"]
    assert lines[0]["hits"] == []
    assert "broken.jpg is not a picture" in lines[0]["error"]
    for line in lines[1:]:
        alone = json.loads(run("search", few / line["query"], *options).stdout)
        assert {**line, "took_ms": 0, "query": "", "hits": [], "belongs": 0} == {
            **alone, "took_ms": 0, "query": "", "hits": [], "belongs": 0
        }  # fmt: skip
        for hit, other in zip(line["hits"], alone["hits"], strict=True):
            assert hit.pop("metadata") == {}
            assert hit | {"score": 0} == other | {"score": 0}
            assert hit["score"] == pytest.approx(other["score"], abs=NEAR)


def test_files_of_all_kinds_say_the_same(run: Run, few: Path, tmp_path: Path) -> None:
    tables: list[list[dict[str, Any]]] = []
    for kind in ("parquet", "csv", "jsonl"):
        out = tmp_path / f"answers.{kind}"
        done = run("search", few, "-g", "shapes", "-k", 2, "--out", out)
        assert done.returncode == 0
        assert "2 pictures searched with" in done.stdout
        assert "4 results" in done.stdout
        assert "Skipped: broken.jpg: is not a picture" in done.stderr
        if kind == "csv":
            tables.append(read_csv(out))
        elif kind == "parquet":
            table = pq.read_table(out)
            assert str(table.schema.field("rank").type) == "int64"
            tables.append([{k: "" if v is None else str(v) for k, v in row.items()} for row in table.to_pylist()])
        else:
            lines = map(json.loads, out.read_text().splitlines())
            ids = [hit["id"] for line in lines for hit in line["hits"]]
    assert tables[0] == tables[1]
    assert [row["id"] for row in tables[0]] == ["", *ids]
    assert [row["query"] for row in tables[0]] == ["broken.jpg", "dots.jpg", "dots.jpg", "rings.jpg", "rings.jpg"]
    assert [bool(row["error"]) for row in tables[0]] == [True, False, False, False, False]
    assert [row["rank"] for row in tables[0]] == ["", "1", "2", "1", "2"]


def test_a_list_names_paths_relative_to_itself_addresses_and_pictures_of_the_gallery(run: Run, few: Path) -> None:
    queries = few / "queries.csv"
    queries.write_text("path,shop\ndots.jpg,1\ngone.jpg,2\n,3\nhttp://127.0.0.1:1/a.jpg,4\n")
    done = run("search", "--queries", queries, "-g", "shapes", "-k", 1, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(line["hits"]) for line in lines] == [1, 0, 0, 0]
    assert [line["query"] for line in lines[:3]] == ["dots.jpg", "gone.jpg", "http://127.0.0.1:1/a.jpg"]
    assert lines[3]["error"].endswith("queries.csv, line 4 has no path.")
    assert "Skipped: http://127.0.0.1:1/a.jpg: leads to a private network address" in done.stderr
    queries.write_text("item\ndots/dots-0.jpg\nnothing\n")
    done = run("search", "--queries", queries, "-g", "shapes", "-k", 1, "--json")
    own, lost = (json.loads(line) for line in done.stdout.splitlines())
    assert own["hits"][0]["id"] == "dots/dots-0.jpg"
    assert "nothing" in lost["error"]


def test_json_beside_a_file_is_one_object_with_the_counts(run: Run, few: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"
    facts = json.loads(run("search", few, "-g", "shapes", "-k", 2, "--out", out, "--json").stdout)
    assert (facts["out"], facts["gallery"], facts["searched"], facts["hits"]) == (str(out), "shapes", 2, 4)
    assert [one["path"] for one in facts["skipped"]] == ["broken.jpg"]
    alone = run("search", few / "dots.jpg", "-g", "shapes", "-k", 2, "--out", out)
    assert "1 picture searched with" in alone.stdout
    assert {row["query"] for row in read_csv(out)} == {str(few / "dots.jpg")}
    shown = run("search", few, "-g", "shapes", "-k", 1)
    assert len(shown.stdout.splitlines()) == 3
    assert shown.stdout.startswith("query")


def test_options_and_files_that_do_not_suit_many_searches_are_refused(run: Run, few: Path, tmp_path: Path) -> None:
    queries = few / "queries.csv"
    queries.write_text("path\ndots.jpg\n")
    for options, sentence in (
        ((few, "--sheet", "a.png"), "is for one search"),
        ((few, "--not-text", "red"), "is for one search"),
        ((few / "dots.jpg", "--queries", queries), "not both"),
        (("--out", tmp_path / "a.csv"), "give the pictures"),
        ((few, "--out", tmp_path / "a.xlsx"), "must end in .parquet"),
        (("--queries", queries, "--out", queries), "is the list of the queries"),
    ):
        done = run("search", *options, "-g", "shapes")
        assert (done.returncode, done.stdout) == (2, "")
        assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert queries.read_text() == "path\ndots.jpg\n"


def test_what_fails_is_said_and_leaves_an_older_file_as_it_was(run: Run, few: Path) -> None:
    out = few.parent / "answers.csv"
    out.write_text("before")
    for options, sentence in ((("--where", "colour=red"), "colour"), (("--where", "label=dots", "-k", 1), "")):
        done = run("search", few, "-g", "shapes", "--out", out, *options)
        assert done.returncode == (1 if sentence else 0)
        assert (out.read_text() == "before") == bool(sentence)
        assert sentence in done.stderr
    for picture in few.glob("[dr]*.jpg"):
        picture.unlink()
    done = run("search", few, "-g", "shapes", "--out", out)
    assert done.returncode == 1
    assert "None of the queries" in done.stderr
    assert [row["query"] for row in read_csv(out)] == ["broken.jpg"]
    done = run("search", few, "-g", "shapes", "--out", few / "no" / "a.csv")
    assert done.returncode == 1
    assert "could not be written" in done.stderr


def test_an_interrupted_search_leaves_no_half_file(run: Run, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = BulkSearcher.encode_many

    def interrupted(self: BulkSearcher, *arguments: Any, **named: Any) -> Any:
        yield next(encode(self, *arguments, **named))
        raise KeyboardInterrupt

    monkeypatch.setattr(BulkSearcher, "encode_many", interrupted)
    out = few.parent / "answers.csv"
    done = run("search", few, "-g", "shapes", "--out", out)
    assert done.returncode == 130
    assert "Interrupted" in done.stderr
    assert not list(few.parent.glob("answers*"))


@pytest.mark.exhaustive
def test_control_c_ends_a_search_with_many_pictures(shapes: Gallery, few: Path) -> None:
    queries, out = few / "queries.csv", few.parent / "answers.parquet"
    queries.write_text("path,id\n" + "".join(f"dots.jpg,{number}\n" for number in range(20_000)))
    command = [sys.executable, "-m", "similarity", "search", "--queries", queries, "-g", shapes.directory, "--out", out]
    with started(list(map(str, command)), stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        while not list(few.parent.glob("answers*")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert not list(few.parent.glob("answers*"))
