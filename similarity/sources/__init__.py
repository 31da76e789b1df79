"""Sources of pictures. `open_source` opens any of them as a list of items with a way to read their bytes."""

from typing import TYPE_CHECKING

from similarity.lazy import public_names
from similarity.sources.base import FileBytes, Item, Skipped, Source, Stamp
from similarity.sources.splits import Split

if TYPE_CHECKING:
    from similarity.sources.opening import LISTINGS, open_source
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "LISTINGS": "similarity.sources.opening",
            "open_source": "similarity.sources.opening",
        },
    )

__all__ = ["LISTINGS", "FileBytes", "Item", "Skipped", "Source", "Split", "Stamp", "open_source"]
