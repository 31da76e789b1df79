"""The dataset of fine-tuning: pictures that are decoded once, and random views of them.

Pictures are in a file that is mapped into memory, so those of a large gallery need not fit into memory.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from similarity.embedding.backbones import Preprocessing
from similarity.embedding.engines import Pixels
from similarity.embedding.views import preprocess
from similarity.errors import FetchError, HeadError, ImageError
from similarity.finetuning.examples import Codes
from similarity.images.decoding import decode_scaled
from similarity.progress import OnProgress, Reporter
from similarity.search import Rows
from similarity.sources import Item
from similarity.sources.originals import read_original

# Bounds of random views: the share of the picture's area, the aspect ratio, and changes of colour.
AREA, SHAPE = (0.5, 1.0), (3 / 4, 4 / 3)
BRIGHTNESS = CONTRAST = SATURATION = 0.2
HUE = 0.02
# Batches of views that are made ahead of the network.
AHEAD = 2


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Decoded pictures with labels.

    Attributes:
        pixels: uint8 (n, resize, resize, 3): the network's input, with a margin for views.
        codes: their labels as numbers from 0, int32 (n,).
        preprocessing: the preprocessing of the network.
    """

    pixels: Pixels
    codes: Codes
    preprocessing: Preprocessing

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.codes)

    def middle(self, rows: Rows) -> Pixels:
        """Pictures preprocessed as in a gallery, uint8 (b, crop, crop, 3)."""
        margin = round((self.preprocessing.resize - self.preprocessing.crop) / 2)
        inner = slice(margin, margin + self.preprocessing.crop)
        return np.ascontiguousarray(self.pixels[rows][:, inner, inner])

    def view(self, row: int, random: np.random.Generator) -> Pixels:
        """Return a random view of a picture: a random crop, maybe mirrored, with changed colours.

        Returns:
            uint8 (crop, crop, 3).
        """
        import torch
        from torchvision.transforms.v2 import functional

        picture = torch.from_numpy(self.pixels[row].copy()).permute(2, 0, 1)
        part, side = _draw_part(self.preprocessing.resize, random), self.preprocessing.crop
        filters = {"bilinear": functional.InterpolationMode.BILINEAR, "bicubic": functional.InterpolationMode.BICUBIC}
        seen = functional.resized_crop(
            picture, *part, [side, side], filters[self.preprocessing.interpolation], antialias=True
        )
        if random.random() < 0.5:
            seen = functional.horizontal_flip(seen)
        seen = functional.adjust_brightness(seen, random.uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS))
        seen = functional.adjust_contrast(seen, random.uniform(1 - CONTRAST, 1 + CONTRAST))
        seen = functional.adjust_saturation(seen, random.uniform(1 - SATURATION, 1 + SATURATION))
        seen = functional.adjust_hue(seen, random.uniform(-HUE, HUE))
        pixels: Pixels = seen.permute(1, 2, 0).contiguous().numpy()
        return pixels

    def views(self, batches: Iterable[Rows], seed: Sequence[int]) -> Iterator[tuple[Rows, Pixels]]:
        """Yield batches of rows with a view of each, computed ahead in threads; the same for the same seed."""
        waiting: deque[tuple[Rows, list[Future[Pixels]]]] = deque()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, rows in enumerate(batches):
                drawn = [np.random.default_rng([*seed, number, place]) for place in range(len(rows))]
                waiting.append((rows, [pool.submit(self.view, *pair) for pair in zip(rows, drawn, strict=True)]))
                if len(waiting) > AHEAD:
                    yield _collect(*waiting.popleft())
            while waiting:
                yield _collect(*waiting.popleft())


def read_pictures(
    items: Sequence[Item], codes: Codes, preprocessing: Preprocessing, folder: Path, progress: OnProgress | None = None
) -> Pictures:
    """Decode pictures in threads; missing and changed ones are left out, and labels renumbered.

    Args:
        codes: their labels, int32 (n,).
        folder: the folder for the decoded pictures.

    Raises:
        HeadError: no picture can be read, or the disk has too little space.
    """
    shape = (len(items), preprocessing.resize, preprocessing.resize, 3)
    _check_space(folder, int(np.prod(shape, dtype=np.int64)))
    pixels = np.lib.format.open_memmap(folder / "pictures.npy", mode="w+", dtype=np.uint8, shape=shape)
    report = Reporter(len(items), progress, task="Reading pictures")

    def read(number: int) -> bool:
        try:
            pixels[number] = _decode(items[number], preprocessing)
        except (ImageError, FetchError):
            return False
        return True

    rows: list[int] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, is_read in enumerate(pool.map(read, range(len(items)))):
            if is_read:
                if len(rows) < number:  # fills the gap of a picture that could not be read
                    pixels[len(rows)] = pixels[number]
                rows.append(number)
            report.advance(1)
    if not rows:
        raise HeadError(
            "None of the pictures can be read any more, and a backbone is trained on the pictures themselves: put them "
            "back where they were, or index them again where they are now."
        )
    renumbered = np.unique(codes[rows], return_inverse=True)[1].astype(np.int32)
    return Pictures(pixels[: len(rows)], renumbered, preprocessing)


def _decode(item: Item, preprocessing: Preprocessing) -> Pixels:
    """Return a picture with its margin, uint8 (resize, resize, 3)."""
    return preprocess(
        decode_scaled(read_original(item).data, item.path, side=preprocessing.resize).image,
        replace(preprocessing, crop=preprocessing.resize),
    )


def _draw_part(side: int, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw top, left, height and width of a part of a square, in pixels."""
    area = random.uniform(*AREA) * side * side
    shape = np.exp(random.uniform(*np.log(SHAPE)))
    width, height = (min(side, max(1, round(length))) for length in (np.sqrt(area * shape), np.sqrt(area / shape)))
    return int(random.integers(side - height + 1)), int(random.integers(side - width + 1)), height, width


def _check_space(folder: Path, needed: int) -> None:
    """Raise HeadError if the disk has less free space; a full disk would kill this process."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise HeadError(
            f"The decoded pictures take {needed / 1e9:.1f} GB, and there are {free / 1e9:.1f} GB in {folder}: make "
            "room there, or train on a gallery with fewer pictures."
        )


def _collect(rows: Rows, views: list[Future[Pixels]]) -> tuple[Rows, Pixels]:
    return rows, np.stack([view.result() for view in views])
