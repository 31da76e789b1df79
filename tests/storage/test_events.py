"""Events: each change of a gallery is told once, by whichever door, and nothing waits for who is told."""

import hashlib
import hmac
import json
import logging
import os
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from commands import Run

from similarity import Gallery
from similarity.errors import FetchError, GalleryError
from similarity.fetch import webhook
from similarity.gallery import restore
from similarity.indexing.importing import import_gallery
from similarity.storage import events, outbox
from similarity.storage.cleanup import delete_gallery
from similarity.storage.locks import writing
from similarity.storage.renaming import rename_gallery

SECRET = "a secret of whoever runs this"


class Receiver:
    """A server that takes events.

    Attributes:
        url: its address.
        taken: the headers and the body of each request.
        statuses: what the next requests are answered with; 204 after that.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.taken.append((dict(self.headers), body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?token=hidden"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def told(self) -> list[tuple[str, str, str]]:
        """The gallery, the task and the state of each event."""
        bodies = [json.loads(body) for _, body in self.taken]
        return [(body["gallery"], body["task"], body["state"]) for body in bodies]

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A server that takes events, which SIMILARITY_WEBHOOK names; failures are tried again at once."""
    opened = Receiver()
    monkeypatch.setenv("SIMILARITY_WEBHOOK", opened.url)
    monkeypatch.setenv("SIMILARITY_WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr(webhook._send.retry, "sleep", lambda _: None)  # type: ignore[attr-defined]
    yield opened
    outbox._courier.wait(10)
    opened.close()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that SIMILARITY_EVENTS_LOG names."""
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("SIMILARITY_EVENTS_LOG", str(path))
    return path


@pytest.fixture
def mine(empty_home: Path, shapes: Gallery) -> Gallery:
    """A gallery of the test's own."""
    return Gallery.open(shutil.copytree(shapes.directory, empty_home / "galleries" / "mine"))


def lines(log: Path) -> list[dict[str, Any]]:
    """The events in a log."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def waiting(home: Path) -> list[Path]:
    """The events that are still to be sent."""
    return list((home / "events" / "outbox").glob("*.json"))


def test_every_change_is_a_line_and_a_signed_request(mine: Gallery, log: Path, receiver: Receiver, run: Run) -> None:
    first = mine.remove(ids=[mine.items[0].id])
    second = first.relabel({first.items[0].id: "another"})
    assert run("remove", "--gallery", "mine", "--id", second.items[0].id).returncode == 0
    third = Gallery.open(mine.directory)
    back = restore(mine.directory)
    third.preview.remove(ids=[third.items[0].id])
    with pytest.raises(GalleryError):
        back.remove(ids=["nowhere"])
    outbox.send_all()
    outbox._courier.wait(10)
    expected = [
        ("mine", task, gallery.state)
        for task, gallery in (("remove", first), ("relabel", second), ("remove", third), ("restore", back))
    ]
    assert receiver.told() == expected
    assert [(one["gallery"], one["task"], one["state"]) for one in lines(log)] == expected
    assert [one["count"] for one in lines(log)] == [len(first), len(second), len(third), len(back)]
    for headers, body in receiver.taken:
        signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Similarity-Signature"] == f"sha256={signed}"
    assert len({headers["X-Similarity-Delivery"] for headers, _ in receiver.taken}) == len(expected)


def test_a_gallery_that_is_made_renamed_imported_or_deleted_is_told_of(
    mine: Gallery, log: Path, shapes: Gallery
) -> None:
    collected = mine.collect([item.id for item in mine.items[:3]], mine.directory.with_name("few"))
    renamed = rename_gallery(collected.directory, "several")
    delete_gallery(renamed)
    imported = import_gallery(shapes.directory, "theirs").directory
    assert [(one["gallery"], one["task"], one["state"] is None, one["count"]) for one in lines(log)] == [
        ("few", "collect", False, 3),
        ("few", "rename", True, 0),
        ("several", "rename", False, 3),
        ("several", "delete", True, 0),
        ("theirs", "import", False, len(shapes)),
    ]
    assert lines(log)[-1]["state"] == Gallery.open(imported).state


def test_nobody_is_told_where_nothing_is_set(mine: Gallery, empty_home: Path) -> None:
    mine.remove(ids=[mine.items[0].id])
    assert not (empty_home / "events").exists()


def test_a_change_whose_process_was_killed_before_it_was_told_is_told_of_later_and_once(
    mine: Gallery, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = mine.remove(ids=[mine.items[0].id])
    with monkeypatch.context() as killed:
        killed.setattr(events, "tell", lambda *_: None)
        changed = changed.remove(ids=[changed.items[0].id])
    assert len(lines(log)) == 1
    for _ in range(3):
        events.catch_up()
    assert [(one["task"], one["state"]) for one in lines(log)][1:] == [("remove", changed.state)]
    shutil.rmtree(mine.directory)
    events.catch_up()
    assert lines(log)[-1]["state"] is None
    assert len(lines(log)) == 3


def test_galleries_that_were_there_before_are_no_news(mine: Gallery, log: Path) -> None:
    events.catch_up()
    assert not log.exists()
    other = mine.collect([mine.items[0].id], mine.directory.with_name("other"))
    assert [one["state"] for one in lines(log)] == [other.state]


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_memory_of_what_was_told_stops_no_event(mine: Gallery, log: Path, damage: bytes) -> None:
    changed = mine.remove(ids=[mine.items[0].id])
    (mine.directory.parents[1] / "events" / "told.json").write_bytes(damage)
    again = changed.remove(ids=[changed.items[0].id])
    assert [one["state"] for one in lines(log)] == [changed.state, again.state]


def test_a_change_waits_for_no_server_and_what_that_does_not_take_is_kept(
    mine: Gallery, empty_home: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [500, 302, 404, 503]
    with caplog.at_level(logging.WARNING):
        changed = mine.remove(ids=[mine.items[0].id])
        outbox._courier.wait(10)
    assert len(receiver.taken) == webhook.ATTEMPTS
    assert "127.0.0.1 answered 503" in caplog.text
    assert "hidden" not in caplog.text
    assert len(waiting(empty_home)) == 1
    events.catch_up()
    outbox._courier.wait(10)
    assert receiver.told() == [("mine", "remove", changed.state)] * (webhook.ATTEMPTS + 1)
    assert not waiting(empty_home)


def keep_two() -> None:
    """Have two events wait to be sent."""
    for number in (1, 2):
        outbox.put(json.dumps({"gallery": f"g{number}", "task": "add", "state": "s"}).encode())


def test_an_event_that_a_server_refuses_is_set_aside_and_the_next_ones_are_sent(
    receiver: Receiver, empty_home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_EVENTS", 2)
    keep_two()
    receiver.statuses = [400] * webhook.ATTEMPTS
    outbox.send_all()
    assert not waiting(empty_home)
    assert [name for name, *_ in receiver.told()] == ["g1"] * webhook.ATTEMPTS + ["g2"]
    keep_two()
    receiver.statuses = [413] * 2 * webhook.ATTEMPTS
    outbox.send_all()
    refused = sorted((empty_home / "events" / "refused").iterdir())
    assert [json.loads(path.read_bytes())["gallery"] for path in refused] == ["g1", "g2"], "the latest are kept"
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3
    assert "127.0.0.1 answered 400" in errors[0]


@pytest.mark.parametrize("status", [302, 408, 425, 429, 500])
def test_an_event_waits_while_a_server_cannot_take_it(receiver: Receiver, empty_home: Path, status: int) -> None:
    keep_two()
    receiver.statuses = [status] * webhook.ATTEMPTS
    with pytest.raises(FetchError, match=str(status)):
        outbox.send_all()
    assert len(waiting(empty_home)) == 2


def test_that_events_wait_is_an_error_in_the_log_once_in_each_outage(
    receiver: Receiver, empty_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def rounds(*statuses: int) -> int:
        caplog.clear()
        keep_two()
        receiver.statuses = [status for status in statuses for _ in range(webhook.ATTEMPTS)]
        for _ in statuses:
            events.catch_up()
            outbox._courier.wait(10)
        return [record.levelno for record in caplog.records].count(logging.ERROR)

    rounds(204)  # so that the outage of another test is over
    assert rounds(503, 503, 503) == 1
    assert rounds(502, 204) == 0
    assert not waiting(empty_home)
    assert rounds(503, 503) == 1
    outbox.send_all()


def test_where_nobody_listens_a_change_is_made_all_the_same(
    mine: Gallery, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook._send.retry, "sleep", lambda _: None)  # type: ignore[attr-defined]
    for address in ("http://127.0.0.1:1/hook", "no address", "file:///etc/passwd"):
        monkeypatch.setenv("SIMILARITY_WEBHOOK", address)
        before = len(Gallery.open(mine.directory))
        Gallery.open(mine.directory).remove(ids=[Gallery.open(mine.directory).items[0].id])
        assert len(Gallery.open(mine.directory)) == before - 1
        outbox._courier.wait(10)
    assert len(waiting(empty_home)) == 3


def test_a_log_that_cannot_be_written_stops_no_change(
    mine: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SIMILARITY_EVENTS_LOG", str(tmp_path))
    assert len(mine.remove(ids=[mine.items[0].id])) == len(mine) - 1
    assert "cannot be written" in caplog.text


def test_what_a_log_could_not_take_is_told_once_it_can_and_the_webhook_does_not_wait_for_it(
    mine: Gallery,
    empty_home: Path,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    blocked = empty_home / "logs"
    blocked.write_text("a file where a folder is to be")
    log = blocked / "galleries" / "events.jsonl"
    monkeypatch.setenv("SIMILARITY_EVENTS_LOG", str(log))
    events._log_outage.worked()
    few = mine.collect([item.id for item in mine.items[:3]], mine.directory.with_name("few"))
    changed = mine.remove(ids=[mine.items[0].id])
    delete_gallery(few.directory)
    for _ in range(3):
        events.catch_up()
    outbox._courier.wait(10)
    expected = [("few", "collect", few.state), ("mine", "remove", changed.state), ("few", "delete", None)]
    assert receiver.told() == expected
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "SIMILARITY_EVENTS_LOG cannot be written" in errors[0]
    blocked.unlink()
    for _ in range(2):
        events.catch_up()
    assert [(one["gallery"], one["state"]) for one in lines(log)] == [("few", None), ("mine", changed.state)]
    outbox._courier.wait(10)
    assert receiver.told() == expected


def test_the_log_may_be_a_link_or_a_pipe_and_no_pipe_is_waited_for(
    mine: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(pipe)
    os.mkfifo(pipe)
    monkeypatch.setenv("SIMILARITY_EVENTS_LOG", str(link))
    changed = mine.remove(ids=[mine.items[0].id])  # nobody reads yet
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        events.catch_up()
        assert json.loads(os.read(reader, 10_000))["state"] == changed.state
    finally:
        os.close(reader)


def test_a_log_for_which_a_disk_has_no_room_gets_whole_lines_only(
    log: Path, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert empty_home.is_dir()
    log.write_text(f"{json.dumps('x' * 100_000)}\n")
    before, limits = log.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        for _ in range(2):
            with pytest.raises(OSError, match=r"no room|File too large"):
                events._append(b'{"gallery": "shoes"}')
            assert log.read_bytes() == before
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    events._append(b'{"gallery": "shoes"}')
    assert lines(log)[1] == {"gallery": "shoes"}
    monkeypatch.setenv("SIMILARITY_EVENTS_LOG", str(tmp_path / "new" / "folder" / "log"))
    events._append(b"{}")
    assert lines(tmp_path / "new" / "folder" / "log") == [{}]


def test_a_log_in_the_home_of_nobody_stops_no_change(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILARITY_EVENTS_LOG", "~no-such-user/events.jsonl")
    assert len(mine.remove(ids=[mine.items[0].id])) == len(mine) - 1


def test_events_that_are_a_day_old_or_too_many_are_given_up(
    mine: Gallery, receiver: Receiver, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(mine)
    folder = empty_home / "events" / "outbox"
    folder.mkdir(parents=True)
    now = time.time_ns()
    monkeypatch.setattr(outbox, "MOST_EVENTS", 2)
    for age in (25 * 3600, 3, 2, 1):
        (folder / f"{now - age * 10**9:023d}-{age}.json").write_text(json.dumps({"age": age}))
    (folder / "not ours-x.json").write_text("{}")
    outbox.send_all()
    assert [json.loads(body)["age"] for _, body in receiver.taken] == [2, 1]
    assert [path.name for path in folder.glob("*.json")] == ["not ours-x.json"]


@pytest.mark.exhaustive
def test_a_process_that_ends_after_a_change_has_told_of_it(mine: Gallery, receiver: Receiver, run_process: Run) -> None:
    done = run_process("remove", "--gallery", str(mine.directory), "--id", mine.items[0].id)
    assert done.returncode == 0, done.stderr
    assert receiver.told() == [("mine", "remove", Gallery.open(mine.directory).state)]


def test_a_change_that_failed_after_it_was_made_is_told_of(mine: Gallery, log: Path) -> None:
    state = mine.remove(ids=[mine.items[0].id]).state

    def go_back_and_fail() -> None:
        with writing(mine.directory, "restore"):
            (mine.directory / "CURRENT").write_text(f"{mine.state}\n")
            raise GalleryError("It failed after that.")

    with pytest.raises(GalleryError):
        go_back_and_fail()
    assert [one["state"] for one in lines(log)] == [state, mine.state]
