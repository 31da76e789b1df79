"""Groups of duplicates of a gallery by three presets: exact copies, copies of one picture, and look-alikes."""

from pathlib import Path
from typing import TYPE_CHECKING

from similarity.errors import SearchError
from similarity.progress import OnProgress
from similarity.query.near_duplicates import Group, check_threshold, find_duplicates, largest_first
from similarity.query.near_pairs import choose_candidates
from similarity.query.presets import EXACT, LOOK_ALIKES, PRESETS, SAME, Preset
from similarity.query.thresholds import THRESHOLD
from similarity.search import Recipe, VectorIndex
from similarity.sources.base import files_of
from similarity.storage.thumbnails import has_thumbnail

if TYPE_CHECKING:
    from similarity.query.searcher import Searcher


def find_groups(
    gallery: "Searcher",
    preset: Preset = LOOK_ALIKES,
    threshold: float = THRESHOLD,
    *,
    index: VectorIndex | None = None,
    progress: OnProgress | None = None,
) -> list[Group]:
    """Group the files of a gallery, largest groups first.

    Args:
        preset: `exact`, files with the same bytes; `same`, also copies of one picture that are turned, mirrored, cut,
            resized or saved again, proven by local features (see `same_pictures.py`); or `look-alikes`, pictures whose
            embeddings are near to each other, by complete links (see `find_duplicates`).
        threshold: the lowest cosine similarity of two look-alikes, above 0 and up to 1.
        index: the gallery's own; None makes one where it is needed.
        progress: called as the work goes on.

    Raises:
        SearchError: there is no such preset, the threshold is not in that range, or no picture can be looked at.
            StoreError: its store cannot be asked.
    """
    if preset not in PRESETS:
        raise SearchError(f"The preset {preset!r} is not one of {', '.join(PRESETS)}.")
    check_threshold(threshold)  # before an index is made
    if preset == EXACT:
        return largest_first(Group(list(files_of([item])), 1.0) for item in gallery.items if item.copies)
    if preset == SAME:
        _check_can_be_looked_at(gallery)
        # OpenCV is loaded only where it is needed.
        from similarity.query.same_pictures import find_same_pictures

        return find_same_pictures(gallery, progress)
    own = None if Recipe(gallery.manifest.recipe, "").is_exact else index
    # Among more than MOST_COMPARED, only pictures that an index finds near to each other are compared.
    candidates = choose_candidates(gallery.embeddings, gallery.vectors, own, progress)
    return find_duplicates(gallery.items, gallery.embeddings, threshold, candidates=candidates, progress=progress)


def _check_can_be_looked_at(gallery: "Searcher") -> None:
    """Raise SearchError unless any picture has a thumbnail, or a file on this computer to make one of."""
    for item in gallery.items:
        if has_thumbnail(gallery.directory, item.sha256) or (Path(item.path).is_absolute() and not item.is_gone):
            return
    raise SearchError(
        f"None of the pictures of {gallery.name} is here to be looked at: compare their vectors, as {LOOK_ALIKES} does."
    )
