"""The code of README and tutorial, run as it stands there."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import make_home

from . import DOCS, ROOT
from .blocks import blocks, is_in

PAGES = (ROOT / "README.md", DOCS / "tutorial.md")


@pytest.fixture
def clone(tmp_path: Path, home: Path) -> Path:
    """A folder that looks to a command like a clone with its environment, and has a home of its own."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    make_home(tmp_path / "artifacts", home)
    (tmp_path / "artifacts" / "sample").symlink_to(ROOT / "artifacts" / "sample")
    return tmp_path


@pytest.mark.exhaustive
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_runs_and_prints_what_the_page_says(
    page: Path, clone: Path, child_environment: dict[str, str]
) -> None:
    environment = child_environment | {
        "SIMILARITY_HOME": str(clone / "artifacts"),
        "PATH": f"{clone / '.venv' / 'bin'}:{child_environment['PATH']}",
    }
    output = ""
    for block in blocks(page):
        if block.reason:
            continue
        if block.language == "text":
            missing = [line for line in block.code.splitlines() if not is_in(line, output)]
            assert missing == [], output
            continue
        command = ["bash", "-euc", block.code] if block.language == "bash" else [sys.executable, "-c", block.code]
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{block.code}\n{output}"
    assert {path.name for path in clone.iterdir()} >= {"demo.png", "why.png", "report.html"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    found = list(blocks(page))
    assert page.read_text("utf-8").count("```") == 2 * len(found)
    assert {block.language for block in found if not block.reason} <= {"bash", "python", "text"}
    assert sum(not block.reason for block in found) > len(found) / 2


@pytest.mark.parametrize(
    ("line", "is_printed"),
    [
        ("1 0.988 lamp gallery/lamp-02-2.jpg", True),
        ("1 0.990 lamp", True),
        ("1 0.911 lamp", False),
        ("1 0.988 vase", False),
        ("1 0.988 lamp lery/lamp-02-2.jpg", False),
    ],
)
def test_a_line_of_a_page_is_compared_word_by_word(line: str, is_printed: bool) -> None:
    assert is_in(line, "rank score\n   1  0.988  lamp  /home/ann/gallery/lamp-02-2.jpg\n") is is_printed
