"""Parts of a query, loaded: the picture or words, a preview, and the embedding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from similarity.app.components.titles import is_readable
from similarity.app.serving import previews, query_vectors, resources, session_uploads
from similarity.app.shell.parameters import ITEM, SAMPLE, TEXT, UPLOAD, URL, Part
from similarity.errors import ImageError
from similarity.gallery import Gallery
from similarity.images.decoding import decode, read_file, thumbnail
from similarity.images.picture import QueryFile
from similarity.query.turns import name, turn
from similarity.sample import sample_queries
from similarity.sources.originals import file_name, read_original
from similarity.vectors.arrays import Vectors


@dataclass(frozen=True, slots=True)
class Example:
    """A part of a query, loaded.

    Attributes:
        part: the part in the address.
        title: its file name, its address or its words.
        preview: a JPEG of the whole picture.
        vector: the embedding of the picture or of its box, float32 (dim,), of unit length.
        embedding: the same before it is projected and refined; None for words.
        sha256: of its file, in hex; empty for words.
        turned: by how many degrees clockwise the picture or its box was turned before it was embedded.
    """

    part: Part
    title: str
    preview: bytes
    vector: Vectors
    embedding: Vectors | None = None
    sha256: str = ""
    turned: int = 0

    @property
    def name(self) -> str:
        """Its title, if that says anything to people; else empty, as for a file that is called by a long number."""
        return self.title if self.part.kind == TEXT or is_readable(self.title) else ""

    @property
    def described(self) -> str:
        """What is searched with, as in `Part of hats.jpg, turned by 90° to the right`."""
        whole = self.name or "a picture"
        subject = f"Part of {whole}" if self.part.box else whole
        return f"{subject}, {name(self.turned)}" if self.turned else subject

    @property
    def cropped(self) -> bytes:
        """A JPEG of the picture, or of its box, in the turn that is searched with."""
        if not (self.part.box or self.turned):
            return self.preview
        image = decode(self.preview, self.title)
        image = self.part.box.cut(image) if self.part.box else image
        return thumbnail(turn(image, self.turned), side=previews.PREVIEW_SIDE)


def load(gallery: Gallery, part: Part) -> Example:
    """Load a part of a query and embed it.

    Raises:
        ImageError, FetchError: the picture cannot be read or fetched. SearchError: it no longer exists.
        ModelError, GalleryError: the gallery's model does not accept words.
    """
    if part.kind == ITEM:
        return _of_gallery(gallery, part)
    if part.kind == TEXT:
        return Example(part, part.value, previews.card(part.value), query_vectors.embed_text(gallery, part.value))
    file = _file(part)
    return _of_file(gallery, part, file)


def query_vector(gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example]) -> Vectors:
    """Combine examples, at least one, and counter-examples: float32 (dim,), of unit length; see `Gallery.combine`."""
    examples = [*like, *unlike]
    vectors = np.array([example.vector for example in examples], np.float32)
    return gallery.combine(vectors, [example.part.kind == TEXT for example in examples], len(like))


def _of_gallery(gallery: Gallery, part: Part) -> Example:
    item = gallery.find(part.value)
    if not part.box:
        embedding = gallery.embedding(item.id)
        preview = previews.preview_of_item(gallery, item)
        return Example(part, file_name(item), preview, gallery.vector(item.id), embedding, item.sha256)
    return _of_file(gallery, part, read_original(item, fetch=resources.fetch_picture))


def _of_file(gallery: Gallery, part: Part, file: QueryFile) -> Example:
    vector = query_vectors.embed_query(gallery, file, part.box)
    embedding = query_vectors.embed_picture(gallery, file, part.box)
    return Example(part, file.name, previews.preview(file), vector, embedding, file.sha256)


def picture_file(gallery: Gallery, part: Part) -> QueryFile:
    """Read the file of a picture of a query, not of words; raises as `load`."""
    if part.kind == ITEM:
        return read_original(gallery.find(part.value), fetch=resources.fetch_picture)
    return _file(part)


def _file(part: Part) -> QueryFile:
    if part.kind == URL:
        return QueryFile(resources.fetch_picture(part.value), part.value)
    if part.kind == UPLOAD:
        if file := session_uploads.find_upload(part.value):
            return file
        raise session_uploads.UploadGoneError
    if part.kind == SAMPLE:
        for item in sample_queries():
            if item.id == part.value:
                return QueryFile(read_file(item.path)[0], file_name(item))
    raise ImageError(part.value, "is not one of the sample pictures.")
