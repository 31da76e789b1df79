"""Ownership of collections in Milvus: which ones a gallery may change and drop.

A collection carries the id of its gallery. Anybody who has read a gallery's files knows its id, and can copy it into
another one: so it counts only in the folder that it was made for here, see `installation.owns`. The id is listed in
that folder with each collection, see `ledger.py`.

Collections of earlier versions carry no id. They are searched, and the next change of their gallery makes a new one.
The old one is then dropped only if it is named after the gallery's folder and no other gallery here uses it.
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
    """A name for a new collection, unique even if several galleries of the same name share a Milvus."""
    return f"{name_stem(directory)}{secrets.token_hex(6)}"


def own_id(directory: Path, noted: Iterable[str]) -> str:
    """The id of the gallery in a folder: one listed there that belongs to it, or a new one.

    Raises:
        StoreError: it cannot be recorded outside of the gallery.
    """
    for identity in noted:
        if identity and owns(directory, identity):
            return identity
    identity = uuid.uuid4().hex
    remember_gallery(identity, directory)
    return identity


def name_stem(directory: Path) -> str:
    """The beginning of the names of a gallery's collections."""
    return f"similarity_{re.sub(r'[^0-9A-Za-z]+', '_', directory.name)[:100]}_"
