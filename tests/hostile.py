"""Decodes files in a process of its own, as a query is, and says what became of each, how soon, and in what memory.

python hostile.py FOLDER    prints one JSON object, by file name
"""

import json
import resource
import sys
import time
from pathlib import Path

from similarity.embedding.backbones import BACKBONES
from similarity.embedding.views import preprocess
from similarity.errors import ImageError
from similarity.images.decoding import decode_scaled, thumbnail

HOW = BACKBONES["efficientnet-lite2"].preprocessing


def decode_bytes(data: bytes, name: str) -> str:
    """The name of the error, or the size of the picture and its middle pixel; anything else ends the process."""
    try:
        decoded = decode_scaled(data, name, side=HOW.resize)
    except ImageError as error:
        return f"{type(error).__name__}: {error.reason}"
    preprocess(decoded.image, HOW)
    thumbnail(decoded.image)
    middle = decoded.image.getpixel((decoded.image.width // 2, decoded.image.height // 2))
    return f"{decoded.image.mode} {decoded.width}x{decoded.height} {middle}"


def peak_megabytes() -> float:
    """The most that this process ever had; what a file takes beyond those before it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder: Path) -> None:
    results, before = {}, peak_megabytes()
    for path in sorted(folder.iterdir()):
        started = time.perf_counter()
        outcome = decode_bytes(path.read_bytes(), path.name)
        seconds = time.perf_counter() - started
        results[path.name] = {"outcome": outcome, "seconds": seconds, "megabytes": peak_megabytes() - before}
    print(json.dumps(results))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
