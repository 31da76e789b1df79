"""Copies among the hits of a gallery: the second look, with the local features that lie beside its thumbnails."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from similarity.query.copies import Copy, QueryKeypoints, find_copies
from similarity.sources import Item
from similarity.storage.keypoint_files import read_or_find_keypoints, read_pixels

if TYPE_CHECKING:
    from similarity.query.searcher import Searcher


def look_again(gallery: "Searcher", query: QueryKeypoints, items: Iterable[Item]) -> list[Copy | None]:
    """Look at pictures a second time; see `Gallery.find_copies`.

    Args:
        query: the local features of the query's picture, which are worth keeping where there are several searches.
    """
    read_keypoints = partial(read_or_find_keypoints, gallery.directory)
    read = partial(read_pixels, gallery.directory)
    return find_copies(query, items, keypoints_of=read_keypoints, pixels_of=read)
