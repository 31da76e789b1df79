"""Routes of galleries: their list, and the facts of one."""

import logging
from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from similarity.api.answers import Galleries, GalleryFacts, Json
from similarity.api.caching import is_fresh, unchanged
from similarity.api.callers import Admitted
from similarity.api.opening import open_named
from similarity.errors import GalleryError
from similarity.storage.current import live_state
from similarity.storage.inventory import Entry, take_inventory

# Facts that say nothing of where pictures lie.
PUBLIC = frozenset({
    "gallery", "model", "count", "created", "state", "dim", "precision", "recipe", "refinement", "preprocessing",
    "weights_sha256", "parts",
})  # fmt: skip
router = APIRouter(tags=["galleries"])
logger = logging.getLogger(__name__)


@router.get("/galleries", response_model=Galleries)
def list_galleries(caller: Admitted) -> Json:
    """List the galleries that the caller may search."""
    entries = [entry for entry in take_inventory() if entry.condition == "sound" and caller.may_read(entry.name)]
    return {"galleries": [facts for entry in entries if (facts := _facts(entry))]}


@router.get("/galleries/{gallery}", response_model=GalleryFacts)
def get_gallery(gallery: str, caller: Admitted, request: Request, response: Response) -> Json | Response:
    """Return the facts of a gallery, as `info --json` has them; places only to those who may see them."""
    opened = open_named(gallery)
    if is_fresh(request, response, opened, caller):
        return unchanged(response)
    facts = asdict(opened.manifest) | {"gallery": opened.name, "state": opened.state, "drift": opened.drift}
    if caller.sees_places:
        return facts | {"directory": str(opened.directory)}
    return {name: value for name, value in facts.items() if name in PUBLIC}


def _facts(entry: Entry) -> Json | None:
    """Return the facts of a gallery in the list; None if it has vanished meanwhile."""
    assert entry.manifest is not None
    try:
        state = live_state(entry.directory)
    except GalleryError as error:
        logger.info("A gallery is not listed: %s", error)
        return None
    manifest = entry.manifest
    facts = {"gallery": entry.name, "model": manifest.model, "count": manifest.count}
    return facts | {"created": manifest.created, "state": state}
