import contextlib
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from commands import Run, started
from rights import without

from similarity import Gallery, cli
from similarity.cli import _explain, streams
from similarity.errors import GalleryDamagedError

# Runs the program, and prints a line when its import begins: before that, Python itself prints a traceback.
ANNOUNCED = """
import runpy, sys
class Announcer:
    def find_spec(self, name, *_):
        if name == "similarity.cli":
            print(flush=True)
sys.meta_path.insert(0, Announcer())
runpy.run_module("similarity", run_name="__main__", alter_sys=True)
"""


def run_closed(closed: Sequence[int], words: Sequence[object], environment: dict[str, str]) -> tuple[int, str]:
    """Run a command with some of its streams closed, as `>&-` does in a shell; returns its status and its errors."""
    marks = "".join(f" {number}>&-" if number else " <&-" for number in closed)
    command = ["sh", "-c", f'exec "$@"{marks}', "sh", sys.executable, "-m", "similarity", *map(str, words)]
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", [["list"], ["--help"], ["search", "{query}", "-g", "{gallery}", "--json"]])
def test_a_closed_output_is_an_error_in_one_sentence(
    shapes: Gallery, child_environment: dict[str, str], words: list[str]
) -> None:
    words = [word.format(query=shapes.items[0].path, gallery=shapes.directory) for word in words]
    status, errors = run_closed([1], words, child_environment)
    assert (status, errors) == (1, "Error: The output could not be written (Bad file descriptor).\n")


@pytest.mark.exhaustive
def test_closed_streams_do_not_let_files_take_their_numbers(
    own_pictures: Path, empty_home: Path, child_environment: dict[str, str], run: Run
) -> None:
    words = ["index", own_pictures, "-g", "own", "-m", "efficientnet-lite2"]
    status, _ = run_closed([0, 1, 2], words, child_environment | {"SIMILARITY_HOME": str(empty_home)})
    assert status in (0, 1)  # it has nowhere to print its last line to
    assert run("verify", "-g", "own").returncode == 0


@pytest.mark.many
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_terminal_shows_any_name(own_pictures: Path, tmp_path: Path, run_process: Run, encoding: str) -> None:
    place = own_pictures.rename(tmp_path / "Müller 鞋")
    Gallery.build(place, tmp_path / "gallery")
    query = place / "dots" / "dots-0.jpg"
    done = run_process(
        "search", query, "-g", tmp_path / "gallery", "-k", 1, PYTHONIOENCODING=f"{encoding}:surrogateescape"
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "dots-0.jpg" in done.stdout


def test_signs_of_our_own_sentences_become_plain_ones(monkeypatch: pytest.MonkeyPatch, run_process: Run) -> None:
    done = run_process("plan", "--help", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "\\u" not in done.stdout
    assert "".join(map(streams._plain, "1–2 … ü\u00a0鞋")) == r"1-2 ... \xfc \u978b"
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-1")
    assert "set PYTHONUTF8=1" in streams.misread_names()
    monkeypatch.undo()
    assert not streams.misread_names()


def test_an_error_of_a_file_is_not_called_one_of_the_output() -> None:
    assert (
        _explain(PermissionError(13, "Permission denied", "/a.json")) == "/a.json cannot be used (Permission denied)."
    )
    assert _explain(OSError(28, "No space left")) == "The output could not be written (No space left)."


@pytest.mark.parametrize("configured", ["a-file", "a-file/below", "~nobody-of-this-name/home"])
@pytest.mark.parametrize("words", [["list"], ["models"], ["search", "a.jpg", "-g", "g"]])
def test_a_home_that_cannot_be_a_folder_is_named(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, configured: str, words: list[str]
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").touch()
    done = run(*words, SIMILARITY_HOME=configured)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: SIMILARITY_HOME is {configured}, which ")
    assert "no galleries" not in done.stderr


@pytest.mark.parametrize("error", [TypeError("unexpected argument"), OSError(5, "interrupted read", "file")])
def test_ctrl_c_that_a_library_turns_into_an_error_of_its_own_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def swallow(**_: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise error

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(cli, "app", swallow)
    monkeypatch.setattr(cli.plain, "log", lambda _: None)
    monkeypatch.setattr(cli.streams, "prepare_streams", lambda: None)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 130
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_that_a_library_turns_into_an_error_does_not_make_a_gallery_damaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise GalleryDamagedError(tmp_path)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("similarity.storage.inventory.list_galleries", damaged)
    monkeypatch.setattr(cli.plain, "log", lambda _: None)
    monkeypatch.setattr(cli.streams, "prepare_streams", lambda: None)
    monkeypatch.setattr(sys, "argv", ["similarity", "list"])
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.value.code == 130
    assert "damaged" not in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["", "missing"])
def test_a_home_that_is_empty_or_not_there_yet_has_no_galleries(tmp_path: Path, run: Run, folder: str) -> None:
    done = run("list", SIMILARITY_HOME=str(tmp_path / folder))
    assert done.returncode == 0
    assert "There are no galleries yet" in done.stderr


def test_weights_in_the_cache_of_another_user_are_passed_over(tmp_path: Path, run: Run) -> None:
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    with without(tmp_path / "hub"):
        done = run("models", TORCH_HOME=str(tmp_path), HF_HUB_CACHE=str(tmp_path / "hub" / "a"))
    assert done.returncode == 0, done.stderr
    assert "resnet50" in done.stdout


@pytest.mark.many
@pytest.mark.parametrize("words", [["list"], ["search", "{query}", "-g", "{gallery}"]])
def test_ctrl_c_while_the_program_is_being_loaded_shows_no_traceback(
    shapes: Gallery, child_environment: dict[str, str], words: list[str]
) -> None:
    words = [word.format(query=shapes.items[0].path, gallery=shapes.directory) for word in words]
    command = [sys.executable, "-c", ANNOUNCED, *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    statuses = []
    for after in (0.0, 0.03, 0.06, 0.1, 0.2, 0.4):
        with started(command, env=child_environment, **pipes) as process:
            assert process.stdout
            process.stdout.readline()
            try:
                process.wait(timeout=after)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
            _, errors = process.communicate()
        assert "Traceback" not in errors, after
        statuses.append(process.returncode)
    assert 130 in statuses
    assert set(statuses) <= {0, 130, -signal.SIGINT}


def test_ctrl_c_that_comes_where_errors_are_forgotten_comes_again() -> None:
    program = """
import signal, time
from similarity.cli.interrupts import Interrupts
class Late:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
Interrupts().watch()
try:
    Late()
    time.sleep(20)
except KeyboardInterrupt:
    print("heard")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("heard\n", "")
