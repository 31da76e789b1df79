"""Vectors and index of a generation, read from its folder."""

from pathlib import Path

from similarity.embedding.regions import REGIONS
from similarity.paths import PARTS
from similarity.search import VectorIndex, load_index
from similarity.search.engines import FILES
from similarity.storage.manifest import Manifest
from similarity.vectors.mapped import MappedRows
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.placed import read_placed
from similarity.vectors.refinement import read_refined


def read_vectors(folder: Path, manifest: Manifest, projected: StoredVectors) -> StoredVectors:
    """Read the refinement of vectors; raises OSError or ValueError."""
    if manifest.is_shard and manifest.refinement == "neighbours":
        return read_placed(folder, projected, manifest.neighbour_power)
    return read_refined(folder, projected, manifest.refinement, manifest.neighbour_power)


def read_parts(folder: Path, manifest: Manifest) -> MappedRows:
    """Open the embeddings of regions; raises OSError or ValueError."""
    parts = MappedRows(folder / PARTS)
    if parts.shape != (manifest.count, len(REGIONS) * manifest.dim):
        raise ValueError("parts of other pictures")
    return parts


def read_index(folder: Path, manifest: Manifest, vectors: StoredVectors) -> VectorIndex:
    """Read the index in a generation's folder; raises OSError, ValueError, LookupError, TypeError or SearchError."""
    path = folder / FILES[manifest.store.kind]
    if manifest.store.kind == "faiss":
        return load_index(manifest.recipe, path, manifest.search, vectors)
    from similarity.search.milvus.index import MilvusIndex

    return MilvusIndex.load(manifest.store, manifest.recipe, path, manifest.search, vectors)
