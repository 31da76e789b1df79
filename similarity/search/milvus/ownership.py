"""Which collections of a Milvus are a gallery's own, so that it may change and drop them.

A collection carries the id of its gallery. Whoever has read a gallery's files knows its id, and can put it into
another's: so it counts only in the folder that it was made for here, see `installation.owns`. The id is noted in that
folder with each collection, see `notes.py`.

Collections of earlier versions carry none. They are searched, and the next change of their gallery makes a new one. The
old one is then dropped only if it is named after the gallery's folder and no other gallery here is in it.
"""

import logging
import re
import secrets
import uuid
from collections.abc import Iterable
from pathlib import Path

from similarity.search.milvus.installation import owns, remember_gallery

logger = logging.getLogger(__name__)


def new_name(directory: Path) -> str:
    """For a new collection; others may have a gallery of the same name in the same Milvus."""
    return f"{name_stem(directory)}{secrets.token_hex(6)}"


def own_id(directory: Path, noted: Iterable[str]) -> str:
    """The id of the gallery in a folder: one of those noted there, if it was given to it, or a new one.

    Raises:
        StoreError: it cannot be kept outside of the gallery.
    """
    for identity in noted:
        if identity and owns(directory, identity):
            return identity
    identity = uuid.uuid4().hex
    remember_gallery(identity, directory)
    return identity


def name_stem(directory: Path) -> str:
    return f"similarity_{re.sub(r'[^0-9A-Za-z]+', '_', directory.name)[:100]}_"
