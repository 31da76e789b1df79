"""Key figures: `docs/figures.json`, each with its command, and the places of the documentation that show them."""

import datetime
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from similarity.app.about.figures import show_value

from . import DOCS, ROOT

FILE = DOCS / "figures.json"
# Parts of pages that are written by hand otherwise, between two such lines.
BEGIN, END = "<!-- figures: written by `python -m tests.docs` -->", "<!-- end of figures -->"
# A figure in the text of a page, with a comment behind it that names it.
PLACE = re.compile(r"([\d.,]+(?: %)?)<!-- figure: ([\w-]+) -->")


def load() -> dict[str, dict[str, Any]]:
    """All figures by their names."""
    return {figure["name"]: figure for figure in json.loads(FILE.read_text("utf-8"))["figures"]}


def write_figures() -> dict[Path, str]:
    """The text of the pages that show figures, by their paths."""
    page, readme = DOCS / "benchmarks.md", ROOT / "README.md"
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    figures = load()
    return {
        page: f"{before}{BEGIN}\n\n{_table(figures)}\n\n{END}{after}",
        readme: PLACE.sub(lambda found: _placed(figures, found[2]), readme.read_text("utf-8")),
    }


def _placed(figures: dict[str, Any], name: str) -> str:
    return f"{show_value(figures[name])}<!-- figure: {name} -->"


def _table(figures: dict[str, Any]) -> str:
    rows = [
        f"| [{one['text']}]({one['page'].removeprefix('benchmarks.md')}) | {show_value(one)} | `{one['command']}` "
        f"| {one['machine']} | {one['date']} |"
        for one in figures.values()
    ]
    return "\n".join(["| What | Figure | Command | Machine | Date |", "|---|---:|---|---|---|", *rows])


def measure(name: str, photographs: Path) -> dict[str, Any]:
    """Run the command of a figure, and write its value, this machine and today's date into the file."""
    figures = load()
    words = shlex.split(figures[name]["command"].replace("PHOTOGRAPHS", shlex.quote(str(photographs))))
    command = [sys.executable, "-m", "similarity", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    figures[name] |= {
        "value": take(json.loads(done.stdout), figures[name]["key"]),
        "machine": _machine(),
        "date": datetime.date.today().isoformat(),
    }
    FILE.write_text(json.dumps({"figures": [*figures.values()]}, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return figures[name]


def take(report: Any, key: list[str]) -> float:
    """The value in a command's report that a key leads to; `name=VALUE` is the object of a list that has it."""
    for step in key:
        name, is_choice, value = step.partition("=")
        report = next(one for one in report if str(one[name]) == value) if is_choice else report[step]
    return round(float(report), 4)


def _machine() -> str:
    from similarity.bench.machine import describe_machine

    machine = describe_machine()
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:g} GB"
