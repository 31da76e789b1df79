"""Making a gallery of anybody's vectors: everything is checked before anything is written."""

import time
from dataclasses import replace
from pathlib import Path

from similarity.indexing.options import DEFAULTS, IndexOptions
from similarity.progress import OnProgress
from similarity.shards.to_gallery import base_manifest, write_gathered
from similarity.shards.vector_files.gathered import gather
from similarity.shards.vector_files.model import ModelOptions, are_compared, find_identity
from similarity.shards.vector_files.opening import open_vectors
from similarity.shards.vector_files.pictures import read_pictures
from similarity.storage.locks import writing
from similarity.storage.manifest import Report
from similarity.vectors.refinement import AUTO

COMPARED = "These vectors were projected or refined where they come from, and are compared as they are."


def index_vectors(
    vectors: str | Path,
    directory: Path,
    made_by: ModelOptions,
    options: IndexOptions = DEFAULTS,
    *,
    items: str | Path | None = None,
    thumbnails: bool = True,
    progress: OnProgress | None = None,
) -> Report:
    """Make a gallery of vectors, replacing one in its folder; they are scaled to unit length.

    Args:
        vectors: a file or a folder, see `opening.KINDS`.
        directory: the folder of the gallery.
        made_by: the model that embeds queries, see `ModelOptions`.
        options: of which recipe, refinement and store count.
        items: a list of the pictures of a .npy or .faiss file; by default the CSV of the same name.
        thumbnails: whether to make thumbnails of pictures that are files of this computer.
        progress: called as the work goes on.

    Raises:
        SourceError: the vectors cannot be used, or are not by this model; the gallery is not changed.
        ModelError: the model cannot be had. GalleryError, SearchError: as for `Gallery.build`.
    """
    started = time.perf_counter()
    gathered = gather(open_vectors(vectors, items), progress)
    find_identity(gathered, made_by)
    if are_compared(gathered.file) and options.refinement == AUTO:
        options = replace(options, refinement="none")  # they would be moved a second time
        gathered.notes.append(COMPARED)
    base = base_manifest(gathered, directory, options)
    with writing(directory, f"index {gathered.name}"):
        read_pictures(gathered, directory, thumbnails=thumbnails, progress=progress)
        run, report = write_gathered(gathered, base, directory, started, progress)
        run.clear_up()
    return replace(report, seconds=round(time.perf_counter() - started, 3))
