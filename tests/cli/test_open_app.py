"""`app` serves the pages from where the program is, in a clone or installed."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Run

from similarity import paths


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What the process became, instead of becoming it."""
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, command: became.append(command))
    return lambda: became.pop()


@pytest.mark.skipif(os.name != "posix", reason="a process becomes another one")
def test_the_app_is_served_for_this_computer_and_its_browser_is_opened(
    run: Run, served: Callable[[], list[str]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = run("app", "--port", str(taken.getsockname()[1]))
    assert (refused.returncode, "choose another --port" in refused.stderr) == (1, True)
    run("app", "--port", "8765")
    assert served() == [
        sys.executable, "-m", "streamlit", "run", str(paths.program_folder() / "streamlit_app.py"),
        "--server.address=127.0.0.1", "--server.port=8765", "--server.headless=false",
    ]  # fmt: skip
    run("app", "--no-browser", "--host", "0.0.0.0")
    assert {"--server.address=0.0.0.0", "--server.headless=true"} <= set(served())


def test_an_installed_program_has_its_files_with_it_and_its_galleries_in_the_users_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SIMILARITY_HOME", raising=False)
    assert paths.home() == paths.program_folder() / "artifacts", "a clone keeps all to itself"
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "site-packages" / "similarity")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert paths.program_folder() == tmp_path / "site-packages" / "similarity" / "bundled"
    assert paths.home().name == "similarity"
    assert not paths.home().is_relative_to(tmp_path / "site-packages")
