"""Files of a generation that is being written: its head and network, and the manifest of all of them."""

import shutil
from dataclasses import replace
from pathlib import Path

from similarity.files import confirm
from similarity.paths import HEAD, NETWORK_FILES, PROJECTED
from similarity.search import Recipe
from similarity.storage.checksums import fingerprints
from similarity.storage.manifest import Manifest, write_manifest
from similarity.vectors.heads import Head
from similarity.vectors.memmap import StoredVectors, write_vectors


def copy_network(quantised: Path, target: Path) -> None:
    """Copy the files of an int8 network, and no other files from its folder."""
    target.mkdir()
    for name in NETWORK_FILES:
        if (quantised / name).exists():
            shutil.copy2(quantised / name, target / name)


def write_projected(folder: Path, embeddings: StoredVectors, head: Head, recipe: Recipe) -> StoredVectors:
    """Write the head, and the embeddings that it transformed."""
    head.write(folder / HEAD)
    blocks = (head.project(block) for _, block in embeddings.blocks())
    write_vectors(folder / PROJECTED, (len(embeddings), head.dim), blocks, recipe.stored)
    return StoredVectors(folder / PROJECTED)


def seal(folder: Path, manifest: Manifest) -> str:
    """Write the manifest of all files, and sync them to disk; returns the manifest's checksum."""
    checksum = write_manifest(folder, replace(manifest, files=fingerprints(folder)))
    for path in [*folder.rglob("*"), folder, folder.parent]:
        confirm(path)
    return checksum
