"""Routes of a gallery's pictures: the facts of one, and its thumbnail."""

from fastapi import APIRouter, HTTPException, Request, Response

from similarity.api import waiting
from similarity.api.answers import ItemFacts, Json
from similarity.api.caching import is_fresh, unchanged
from similarity.api.callers import Admitted, Caller
from similarity.api.opening import open_named
from similarity.errors import SearchError
from similarity.gallery import Gallery
from similarity.images.exif import facts_of
from similarity.service.turns import HEAVY_PIXELS, shared_turns
from similarity.sources import Item
from similarity.sources.locations import is_remote
from similarity.storage.thumbnails import read_thumbnail

# A picture that is named by its content stays as it is; one with an id may become another.
CACHED, REVALIDATED = "private, max-age=31536000, immutable", "private, no-cache"
NOT_KEPT = "The thumbnail of this picture is gone, and the picture is at a web address."
router = APIRouter(tags=["items"])


@router.get("/galleries/{gallery}/items/{item:path}/thumbnail", response_class=Response)
async def get_thumbnail(gallery: str, item: str, caller: Admitted) -> Response:
    """Return a small JPEG of a picture."""
    return await waiting.run(_thumbnail, gallery, item, caller)


def _thumbnail(gallery: str, item: str, caller: Caller) -> Response:
    opened = open_named(gallery)
    found = find_item(opened, item)
    headers = {"Cache-Control": CACHED if item == found.sha256 else REVALIDATED, "ETag": f'"{found.sha256}"'}
    picture = read_thumbnail(opened.directory, found.sha256) or _make_again(opened, found, caller)
    return Response(picture, media_type="image/jpeg", headers=headers)


def _make_again(gallery: Gallery, item: Item, caller: Caller) -> bytes:
    if is_remote(item.path):
        raise HTTPException(404, NOT_KEPT)  # a request for a thumbnail must not make this fetch an address
    with shared_turns().take(caller.visitor, heavy=item.width * item.height > HEAVY_PIXELS):
        return gallery.thumbnail(item)


@router.get("/galleries/{gallery}/items/{item:path}", response_model=ItemFacts)
def get_item(gallery: str, item: str, caller: Admitted, request: Request, response: Response) -> Json | Response:
    """Return the facts of a picture, named by its id or its SHA-256."""
    opened = open_named(gallery)
    found = caller.seen(find_item(opened, item))
    if is_fresh(request, response, opened, caller):
        return unchanged(response)
    facts: Json = {"id": found.id, "path": found.path, "label": found.label, "sha256": found.sha256}
    facts |= {"width": found.width, "height": found.height, "metadata": dict(found.metadata)}
    return facts | facts_of(found.width, found.height, found.exif)


def find_item(gallery: Gallery, item: str) -> Item:
    """Return a picture of a gallery, named by its id or its SHA-256; raises HTTPException if there is none."""
    try:
        return gallery.find(item)
    except SearchError as error:
        raise HTTPException(404, str(error)) from error
