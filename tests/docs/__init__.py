"""The documentation: what of it is written by a command (`python -m tests.docs`), and the tests of all of it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NOTE = "<!-- Written by `python -m tests.docs`. Change the code that it is written from, not this page. -->"
