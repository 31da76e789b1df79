"""Vectors as TensorBoard's Embedding Projector reads them: two tables, and all pictures in one.

vectors.tsv             a line for each vector
metadata.tsv            the names of columns, and a line for each picture
sprite.png              the pictures, small, in rows of as many as there are rows
projector_config.pbtxt  which names the other three
"""

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from similarity.exports.vectors.kinds import CONFIG, METADATA, SPRITE, VECTORS
from similarity.exports.vectors.table import VectorTable
from similarity.text.plain import cell, one_line

# The side of a picture in the sprite and of the sprite as a whole, in pixels, as the projector takes them.
SIDE, SMALLEST, SPRITE_SIDE = 64, 16, 8192
GROUND = (235, 235, 235)
CONFIG_TEXT = 'embeddings {{\n  tensor_path: "{vectors}"\n  metadata_path: "{metadata}"\n{sprite}}}\n'
SPRITE_TEXT = (
    '  sprite {{\n    image_path: "{name}"\n    single_image_dim: {side}\n    single_image_dim: {side}\n  }}\n'
)

Writer = Callable[[BinaryIO], object]


def files_of_projector(table: VectorTable) -> dict[str, Writer]:
    """Return a function for each file of the folder, which writes it; there is no sprite of very many pictures."""
    across = math.ceil(math.sqrt(len(table)))
    side = min(SIDE, SPRITE_SIDE // across)
    has_sprite = side >= SMALLEST
    sprite = SPRITE_TEXT.format(name=SPRITE, side=side) if has_sprite else ""
    config = CONFIG_TEXT.format(vectors=VECTORS, metadata=METADATA, sprite=sprite)
    files: dict[str, Writer] = {METADATA: lambda file: _write_metadata(file, table)}
    if has_sprite:
        files[SPRITE] = lambda file: _draw_sprite(table, across, side).save(file, "PNG")
    files[VECTORS] = lambda file: _write_vectors(file, table)
    return files | {CONFIG: lambda file: file.write(config.encode())}


def is_projector_folder(folder: Path) -> bool:
    """Whether a folder has nothing but files that are written here."""
    return {path.name for path in folder.iterdir()} <= {VECTORS, METADATA, SPRITE, CONFIG}


def _write_vectors(file: BinaryIO, table: VectorTable) -> None:
    for block in table.blocks():
        np.savetxt(file, block, fmt="%.9g", delimiter="\t")


def _write_metadata(file: BinaryIO, table: VectorTable) -> None:
    """Write the table of pictures; the projector knows no quotation marks, so a tab in a text is written as \\t."""

    def write(values: list[object]) -> None:
        file.write("\t".join(one_line(str(cell(value))) for value in values).encode(errors="backslashreplace") + b"\n")

    write(list(table.columns))
    for rows in table.rows():
        for row in rows:
            write(["" if row.get(name) is None else row[name] for name in table.columns])


def _draw_sprite(table: VectorTable, across: int, side: int) -> Image.Image:
    sprite = Image.new("RGB", (across * side, across * side), GROUND)
    for number, item in enumerate(table.items):
        if (jpeg := table.thumbnail(item)) is None:
            continue
        try:
            small = Image.open(io.BytesIO(jpeg)).convert("RGB")
        except (OSError, UnidentifiedImageError):
            continue
        small.thumbnail((side, side))
        left, top = number % across * side, number // across * side
        sprite.paste(small, (left + (side - small.width) // 2, top + (side - small.height) // 2))
    return sprite
