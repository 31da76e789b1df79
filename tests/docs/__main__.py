"""Write what of the documentation is written from the code and from `docs/figures.json`: `python -m tests.docs`.

With `--measure NAME`, the command of that figure is run first, and its value, this machine and the date are noted.
"""

import argparse
from pathlib import Path

from similarity.app.about.figures import show_value

from . import figures
from .pages import write_all


def main() -> None:
    """Parse the options, measure what is asked for, and write all pages."""
    options = argparse.ArgumentParser(prog="python -m tests.docs", description=__doc__.partition("\n")[0])
    options.add_argument("--measure", metavar="NAME", nargs="+", default=[], choices=[*figures.load()])
    options.add_argument(
        "--photographs",
        type=Path,
        default=Path("PHOTOGRAPHS"),
        help="a folder with gallery/ and queries/, for its figures",
    )
    chosen = options.parse_args()
    for name in chosen.measure:
        print(show_value(figures.measure(name, chosen.photographs)), name)  # noqa: T201
    for path, text in write_all().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
