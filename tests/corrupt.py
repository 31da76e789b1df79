"""Damages a gallery's files one after the other, in a process of its own, and says what became of each damage.

python corrupt.py GALLERY SEED FLIPS    prints one JSON object
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import standin

from similarity.errors import GalleryError
from similarity.storage.generations import read_generation

STEP = 4096


def files_of_a_generation(directory: Path) -> list[Path]:
    """CURRENT, and every file of the generation that it names."""
    number = (directory / "CURRENT").read_text().split()[0]
    return [
        directory / "CURRENT",
        *sorted(path for path in (directory / "generations" / number).rglob("*") if path.is_file()),
    ]


def damages(path: Path, chance: random.Random, flips: int) -> Iterator[tuple[str, bytes]]:
    """A file cut at every 4 KiB, and with single bits flipped."""
    whole = path.read_bytes()
    for length in range(0, len(whole), STEP):
        yield "cut", whole[:length]
    for _ in range(flips):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        yield "flip", bytes(flipped)


def is_refused(read: object, *arguments: object, **options: object) -> bool:
    """Whether it is a typed error; any other exception ends the process."""
    try:
        read(*arguments, **options)  # type: ignore
    except GalleryError:
        return True
    return False


def main(directory: Path, seed: int, flips: int) -> None:
    chance = random.Random(seed)
    expected = standin.answers(directory)
    files = files_of_a_generation(directory)
    tally: Counter[str] = Counter()
    for path in files:
        whole = path.read_bytes()
        for kind, damaged in damages(path, chance, flips // len(files) + 1):
            path.write_bytes(damaged)
            tally[kind] += 1
            tally["found by verify"] += is_refused(read_generation, directory, thorough=True)
            try:
                tally["answers changed"] += standin.answers(directory) != expected
            except GalleryError:
                tally["found by opening"] += 1
            path.write_bytes(whole)
    tally["sound again"] = standin.answers(directory) == expected
    print(json.dumps(tally))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
