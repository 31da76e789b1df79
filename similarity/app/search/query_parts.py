"""The pictures and words of a query: where each comes from, what it looks like, and its embedding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from similarity.app.serving import previews, query_vectors, resources, session_uploads, visitors
from similarity.app.shell.links import ITEM, SAMPLE, TEXT, UPLOAD, URL, Part
from similarity.errors import ImageError, SearchError
from similarity.gallery import Gallery
from similarity.images.decoding import decode, read_file, thumbnail
from similarity.images.picture import QueryFile
from similarity.sample import sample_queries
from similarity.sources.originals import file_name, read_original
from similarity.vectors.arrays import Vectors


@dataclass(frozen=True, slots=True)
class Example:
    """A picture of a query, found.

    Attributes:
        part: as the address has it.
        title: what it is called.
        preview: a JPEG of it, whole.
        vector: its embedding, float32 (dim,), of unit length, or that of the part that is meant.
    """

    part: Part
    title: str
    preview: bytes
    vector: Vectors

    @property
    def seen(self) -> bytes:
        """A JPEG of the part that is meant."""
        if not self.part.box:
            return self.preview
        return thumbnail(self.part.box.cut(decode(self.preview, self.title)), side=previews.PREVIEW_SIDE)


def load(gallery: Gallery, part: Part) -> Example:
    """Get a picture of a query and embed it.

    Raises:
        ImageError, FetchError: it cannot be had. SearchError: it is not there any more. ModelError, GalleryError: the
            gallery's model does not understand words.
    """
    if part.kind == ITEM:
        return _of_gallery(gallery, part)
    if part.kind == TEXT:
        return Example(part, part.value, previews.card(part.value), query_vectors.embed_text(gallery, part.value))
    file = _file(part)
    vector = query_vectors.embed_query(gallery, file, part.box)
    return Example(part, file.name, previews.preview(file), vector)


def query_vector(gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example]) -> Vectors:
    """What is searched for, float32 (dim,), of unit length; see `Gallery.combine`. There must be an example."""
    asked = [*like, *unlike]
    vectors = np.array([one.vector for one in asked], np.float32)
    return gallery.combine(vectors, [one.part.kind == TEXT for one in asked], len(like))


def _of_gallery(gallery: Gallery, part: Part) -> Example:
    item = gallery.find(part.value)
    if not part.box:
        return Example(part, file_name(item), previews.preview_of_item(gallery, item), gallery.vector(item.id))
    file = read_original(item, fetch=resources.fetch_picture)
    return Example(part, file.name, previews.preview(file), query_vectors.embed_query(gallery, file, part.box))


def picture_file(gallery: Gallery, part: Part) -> QueryFile:
    """The file of a picture of a query, which is no words; raises as `find`."""
    if part.kind == ITEM:
        return read_original(gallery.find(part.value), fetch=resources.fetch_picture)
    return _file(part)


def _file(part: Part) -> QueryFile:
    if part.kind == URL:
        return QueryFile(resources.fetch_picture(part.value), part.value)
    if part.kind == UPLOAD:
        file = session_uploads.shared_uploads().find(visitors.current().session, part.value)
        if file is None:
            raise SearchError("This search was made with an uploaded picture. Uploads are not kept: show it again.")
        return file
    if part.kind == SAMPLE:
        for item in sample_queries():
            if item.id == part.value:
                return QueryFile(read_file(item.path)[0], file_name(item))
    raise ImageError(part.value, "is not one of the sample pictures.")
