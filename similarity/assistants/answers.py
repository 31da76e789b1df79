"""What assistants may do with the galleries of this computer: list them and search them, and change nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from similarity.embedding.backbones import understands_text
from similarity.errors import GalleryNotFoundError, SearchError
from similarity.query.inputs import Examples, ItemId, Query, Text, read_query
from similarity.query.options import SearchOptions
from similarity.service.answers.answer import Answer, find_answer
from similarity.service.answers.request import SearchRequest
from similarity.service.answers.to_json import one_of_many
from similarity.service.loaded import load_gallery
from similarity.storage.inventory import named_gallery, take_inventory

NONE_THERE = "There are no galleries: make one with `python -m similarity index FOLDER --gallery NAME`."


@dataclass(frozen=True, slots=True)
class GalleryFacts:
    """A gallery, in the words of `list --json`.

    Attributes:
        gallery: its name.
        model: that it was indexed with.
        count: of its pictures.
        created: when.
        words: whether it can be searched with words.
    """

    gallery: str
    model: str
    count: int
    created: str
    words: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search.

    Attributes:
        facts: as `search --json` has them.
        thumbnails: a small JPEG of each hit.
    """

    facts: dict[str, Any]
    thumbnails: Sequence[bytes]


def list_galleries() -> dict[str, Any]:
    """Return the galleries that can be searched; raises GalleryUnreadableError if this user may not list them."""
    sound = [(entry.name, entry.manifest) for entry in take_inventory() if entry.condition == "sound"]
    facts = [
        GalleryFacts(name, manifest.model, manifest.count, manifest.created, understands_text(manifest.model))
        for name, manifest in sound
        if manifest is not None
    ]
    return {"galleries": [asdict(one) for one in facts]} | ({} if facts else {"note": NONE_THERE})


def search(
    gallery: str, picture: str = "", item: str = "", text: str = "", k: int = 10, where: Sequence[str] = ()
) -> Found:
    """Search a gallery with a picture, a picture of its own, words, or several of these together.

    Args:
        gallery: its name.
        picture: the path of a file, or an http(s) address.
        item: the id of a picture of the gallery.
        text: words, if the gallery's model understands them.
        k: how many hits are wanted.
        where: conditions as `search --where` takes them.

    Raises:
        SearchError: there is no query, or an option makes no sense. ImageError, FetchError: the picture cannot be read.
        GalleryError: there is no such gallery, or it cannot be searched so.
    """
    parts: list[Query] = [*([ItemId(item)] if item else []), *([Text(text)] if text else [])]
    if picture:
        parts.insert(0, read_query(picture))
    if not parts:
        raise SearchError("Give a picture, the id of a picture of the gallery in `item`, or words in `text`.")
    try:
        opened = load_gallery(named_gallery(gallery))
    except GalleryNotFoundError:
        known = ", ".join(one["gallery"] for one in list_galleries()["galleries"])
        raise GalleryNotFoundError(
            f"There is no gallery named {gallery}; there are: {known}." if known else NONE_THERE
        ) from None
    request = SearchRequest(Examples(parts), picture or item or text, k, SearchOptions(), where=where)
    answer: Answer = find_answer(opened, request)
    return Found(one_of_many(answer), [opened.thumbnail(hit.item) for hit in answer.hits])
