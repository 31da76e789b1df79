"""Formats that the vectors of a gallery are written in, and which vectors; this module imports nothing heavy."""

from pathlib import Path
from typing import Literal

from similarity.errors import GalleryError

Format = Literal["parquet", "npy", "faiss", "tensorboard"]
Which = Literal["embeddings", "compared"]
SUFFIXES: dict[str, Format] = {".parquet": "parquet", ".npy": "npy", ".faiss": "faiss"}
# Key of the facts in the footer of a Parquet file, and their version.
KEY, VERSION = b"similarity.vectors", 1
# The column of vectors, and the files of a folder for TensorBoard.
EMBEDDING = "embedding"
VECTORS, METADATA, SPRITE, CONFIG = "vectors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt"


def format_of(out: Path) -> Format:
    """Return the format that the name of a file stands for; raises GalleryError if it stands for none."""
    if (found := SUFFIXES.get(out.suffix.lower())) is None:
        raise GalleryError(
            f"{out} does not say its format: let its name end in {', '.join(SUFFIXES)}, or ask for the format "
            "tensorboard, which is a folder."
        )
    return found
