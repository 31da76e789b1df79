"""Copies among the hits of a `search`, in words."""

from typing import TYPE_CHECKING

from similarity.query import copy_facts

if TYPE_CHECKING:
    from similarity.service.answers.copies import Found

NO_PIXELS = "only a picture has pixels to look at: give one"


def tell(found: "Found | None") -> str:
    """Return the verdict on a query of which a second look has found copies, without a full stop."""
    from similarity.service.answers.copies import proven

    return copy_facts.tell(proven(found))
