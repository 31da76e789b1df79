"""The sample gallery: a catalogue of products that this project rendered itself, indexed at first use."""

from functools import cache
from pathlib import Path

from similarity.errors import GalleryError, GalleryNotFoundError, GalleryUnreadableError
from similarity.paths import galleries_folder, program_folder
from similarity.progress import OnProgress
from similarity.sources import Item
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import UNSHARDED

SAMPLE = "sample"
NO_SAMPLE = "The sample pictures are not here: make a gallery with `python -m similarity index FOLDER --gallery NAME`."
DEMO_QUERY = "lamp-02-q"
FOLDER = program_folder() / "artifacts" / "sample"


def has_sample() -> bool:
    """Whether the catalogue came with this copy of the program."""
    return (FOLDER / "catalogue.csv").is_file()


def is_ready() -> bool:
    """Whether the sample gallery is indexed, by its manifest; one of an older version does not count.

    Raises:
        GalleryUnreadableError: this user may not read it, so that indexing it again would not help.
    """
    try:
        return read_live_manifest(galleries_folder() / SAMPLE).format == UNSHARDED
    except GalleryUnreadableError:
        raise
    except GalleryError:
        return False


def sample_queries() -> list[Item]:
    """Pictures of products of the catalogue that are not in it; their label is the category."""
    return _read_catalogue(FOLDER / "queries.csv")


@cache
def _read_catalogue(path: Path) -> list[Item]:
    from similarity.sources import open_source

    return open_source(path).items if path.is_file() else []


def demo_query() -> Item:
    """The sample query of demonstrations; raises GalleryNotFoundError if there are no sample queries."""
    queries = sample_queries()
    if not queries:
        raise GalleryNotFoundError(NO_SAMPLE)
    return next((item for item in queries if item.id == DEMO_QUERY), queries[0])


def ensure_sample(progress: OnProgress | None = None, *, anew: bool = False) -> Path:
    """Return the sample gallery's folder, indexing the gallery if necessary.

    Args:
        anew: index it again, because it is damaged.

    Nothing is downloaded: it uses ResNet-50 if its weights are on this computer, otherwise the bundled model.

    Raises:
        GalleryNotFoundError: this copy of the program has no catalogue.
    """
    directory = galleries_folder() / SAMPLE
    if is_ready() and not anew:
        return directory
    if not has_sample():
        raise GalleryNotFoundError(NO_SAMPLE)
    from similarity.embedding.backbones.weights import AUTO, choose_model
    from similarity.gallery import Gallery

    choice = choose_model(AUTO, may_download=False)
    Gallery.build(FOLDER / "catalogue.csv", directory, model=choice, progress=progress)
    return directory
