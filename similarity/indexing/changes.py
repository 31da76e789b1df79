"""All changes of a gallery, and what they would do; each module is imported by need, since a search needs none."""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.indexing.collecting import collect
    from similarity.indexing.operations import index, rebalance, rebuild, relocate, update
    from similarity.indexing.preview import Preview
    from similarity.indexing.relabelling import relabel
    from similarity.indexing.removing import remove
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "Preview": "similarity.indexing.preview",
            "collect": "similarity.indexing.collecting",
            "index": "similarity.indexing.operations",
            "rebalance": "similarity.indexing.operations",
            "rebuild": "similarity.indexing.operations",
            "relabel": "similarity.indexing.relabelling",
            "relocate": "similarity.indexing.operations",
            "remove": "similarity.indexing.removing",
            "update": "similarity.indexing.operations",
        },
    )

__all__ = ["Preview", "collect", "index", "rebalance", "rebuild", "relabel", "relocate", "remove", "update"]
