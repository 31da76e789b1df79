"""Decodes damaged pictures in a process of its own: typed errors only, no hang, no crash.

python mutate.py SEED[:FORMAT] COUNT PICTURE...    prints one JSON object: how often it ended in what, and the memory
that decoding took
"""

import io
import json
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pillow_heif
import pillow_jxl  # noqa: F401 - registers itself
from hostile import decode_bytes, peak_megabytes
from PIL import Image

FORMS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP")
# Ways to encode in the formats that are mutated by themselves, beside the usual one.
WAYS: dict[str, list[dict[str, object]]] = {
    "TIFF": [
        {"compression": way} for way in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "group4", "tiff_ccitt")
    ],
    "HEIF": [{"quality": 100, "chroma": "444"}],
    "JXL": [{"lossless": True}, {"use_container": True}],
}
BILEVEL = ("group4", "tiff_ccitt")
# Of the processor, which a busy machine does not change, and of the clock.
MOST_CPU_SECONDS, LONGEST_SECONDS = 2, 30


def encoded(path: Path, form: str) -> list[bytes]:
    """A picture in each format, or in one in several ways; small, so that there is time for many."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((160, 160))
    if form:
        return [save(small, form, way) for way in ({}, *WAYS[form])]
    return [path.read_bytes(), *(save(small, form, {}) for form in FORMS)]


def save(image: Image.Image, form: str, way: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    (image.convert("1") if way.get("compression") in BILEVEL else image).save(buffer, form, **way)
    return buffer.getvalue()


def flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 4, 32))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def flip_in_the_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 8))):
        data[chance.randrange(min(len(data), 600))] = chance.randrange(256)


def cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def take_out(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice((1, 7, 200))]


def repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + chance.choice((4, 64, 2_000))] * chance.choice((1, 50))


def blank(data: bytearray, chance: random.Random) -> None:
    at, length = chance.randrange(len(data)), chance.choice((4, 64, 1_000))
    data[at : at + length] = bytes([chance.choice((0, 255))]) * len(data[at : at + length])


def put_in_noise(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = chance.randbytes(chance.choice((1, 16, 300)))


def large_numbers(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(min(len(data), 300))
    data[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x00\x01\x00\x00"))


MUTATIONS = (flip_bits, flip_in_the_header, cut, take_out, repeat, blank, put_in_noise, large_numbers)


def main(seed: int, form: str, count: int, paths: list[Path]) -> None:
    if form:
        pillow_heif.register_heif_opener()
    chance, tally = random.Random(seed), Counter[str]()
    files = [data for path in paths for data in encoded(path, form)]
    before = peak_megabytes()
    for number in range(count):
        data = bytearray(files[number % len(files)])
        for _ in range(chance.choice((1, 1, 1, 3))):
            if data:
                chance.choice(MUTATIONS)(data, chance)
        signal.alarm(LONGEST_SECONDS)  # a picture that hangs ends the process
        signal.setitimer(signal.ITIMER_PROF, MOST_CPU_SECONDS)
        outcome = decode_bytes(bytes(data), "mutated.jpg")
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        tally["a picture" if outcome.startswith("RGB ") else outcome.partition(":")[0]] += 1
    print(json.dumps({**tally, "megabytes": round(peak_megabytes() - before)}))  # noqa: T201


if __name__ == "__main__":
    seed, _, form = sys.argv[1].partition(":")
    main(int(seed), form, int(sys.argv[2]), [Path(path) for path in sys.argv[3:]])
