"""Items as somebody may see them who may not see where pictures lie."""

from collections.abc import Callable
from dataclasses import replace

from similarity.fetch.redaction import redact, redact_address
from similarity.images.exif import without_place
from similarity.sources import Item
from similarity.sources.locations import is_remote
from similarity.sources.originals import file_name


def redact_item(item: Item, redact_text: Callable[[str], str] = redact) -> Item:
    """Return an item with its label, metadata and facts redacted; its path stays."""
    return replace(
        item,
        label=redact_text(item.label) if item.label else item.label,
        metadata={redact_text(name): redact_text(value) for name, value in item.metadata.items()},
        exif={name: redact_text(value) for name, value in without_place(item.exif).items()},
        copies=tuple(redact_item(copy, redact_text) for copy in item.copies),
    )


def redact_place(item: Item) -> str:
    """Return the name of an item's file, with the host of its address if that is public."""
    return redact_address(item.path) if is_remote(item.path) else file_name(item)
