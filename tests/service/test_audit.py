"""The record of changes: whole lines whoever writes at once, rotation, and what happens where it cannot be written."""

import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from commands import Run

from similarity.service import audit
from similarity.service.audit import Actor, file_of_changes, record
from similarity.service.jobs import Jobs

WRITE = """
import sys
from similarity.service.audit import Actor, record
for number in range(40):
    record(Actor(f"key {sys.argv[1]}"), "add", "done", gallery="shoes", job=number)
"""


def lines(path: Path) -> list[dict[str, object]]:
    """What a file of the record has."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_several_processes_write_at_once_is_all_there(empty_home: Path, child_environment: dict[str, str]) -> None:
    assert empty_home.is_dir()
    started = [
        subprocess.Popen([sys.executable, "-c", WRITE, name], env=child_environment, cwd=Path(__file__).parents[2])
        for name in ("a", "b")
    ]
    assert [one.wait(60) for one in started] == [0, 0]
    written = [(line["who"], line["job"]) for line in lines(file_of_changes())]
    assert sorted(written) == sorted((f"key {name}", number) for name in ("a", "b") for number in range(40))  # type: ignore[type-var]


def test_a_full_file_is_rotated_and_nothing_of_it_is_lost(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST_BYTES", 500)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: record(Actor("key shop"), "sync", "done", job=number), range(12)))
    files = sorted(empty_home.glob("audit.jsonl*"))
    kept = [line["job"] for path in files if path.suffix != ".lock" for line in lines(path)]
    assert sorted(kept) == list(range(12))  # type: ignore[type-var]
    assert len(files) > 3
    assert all(
        path.stat().st_size <= 500 and not path.stat().st_mode & 0o077 for path in files if path.suffix != ".lock"
    )


def test_a_name_cannot_begin_a_line_of_its_own(empty_home: Path) -> None:
    record(Actor('key "\n{"who": "nobody"}'), "add", "done", gallery="a\nb\u2028c")
    assert [line["gallery"] for line in lines(empty_home / "audit.jsonl")] == ["a\nb\u2028c"]


def test_a_change_is_made_where_it_cannot_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SIMILARITY_AUDIT_LOG", str(tmp_path))
    with caplog.at_level(logging.ERROR):
        job = Jobs().start(tmp_path / "mine", "sync", lambda _: None, Actor("key shop"))
        assert job.wait(10)
    assert job.status.state == "done"
    assert "is not in the record" in caplog.text
    assert "key shop" in caplog.text


def test_jobs_that_change_nothing_are_not_recorded(empty_home: Path) -> None:
    assert Jobs().start(empty_home / "mine", "verify", lambda _: None).wait(10)
    assert not file_of_changes().exists()


def test_keys_that_are_made_and_revoked_are_recorded_without_their_secrets(run: Run, empty_home: Path) -> None:
    made = run("key", "add", "shop", "--write", "shoes").stdout.strip()
    run("key", "revoke", "shop")
    run("key", "revoke", "nobody")
    assert [(line["who"], line["what"]) for line in lines(empty_home / "audit.jsonl")] == [
        ("this computer", "key add shop"), ("this computer", "key revoke shop"),
    ]  # fmt: skip
    assert made.rpartition("_")[2] not in file_of_changes().read_text()
