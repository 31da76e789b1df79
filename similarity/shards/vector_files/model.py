"""The model that vectors are said to be of, and whether pictures that it embeds now have the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from similarity.embedding.backbones import Backbone, get_backbone
from similarity.embedding.backbones.weights import AUTO, ModelChoice, choose_model
from similarity.embedding.embedder import Embedder, EmbedderId
from similarity.embedding.precision import Precision
from similarity.embedding.view_names import VIEWS, View
from similarity.embedding.views import choose_view
from similarity.errors import ImageError, SourceError
from similarity.images.decoding import read_file
from similarity.shards.vector_files.gathered import Gathered, place_of
from similarity.shards.vector_files.vector_file import VectorFile
from similarity.shards.worker import identity_of
from similarity.storage.manifest import NO_MODEL
from similarity.vectors.arrays import Vectors

# Pictures that are embedded for comparison; the median of their cosines below which the vectors are not the model's,
# and below which scores of queries are doubtful. The same network in int8 or with another decoder stays above 0.95.
SAMPLES, LEAST, NEAR = 12, 0.9, 0.99
EMBEDDED = "Queries are embedded with {model} in the view {view}: {found}."
NOBODY_KNOWS = "that it made these vectors is taken on trust, since none of their pictures could be read"
VECTORS_ONLY = "These are vectors without a model: search with pictures of the gallery, by --item, or with a --vector."


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What is said of the model that made vectors.

    Attributes:
        model: the name of a backbone, or one that was found; none if no model is to embed queries; auto takes what the
            file says of itself.
        view: the view of pictures, see `embedding.views`; auto takes that of the file, or the one that fits best.
        precision: number format of the network, but not int8.
    """

    model: str | ModelChoice = AUTO
    view: str = AUTO
    precision: Precision = "auto"


def find_embedder(file: VectorFile, options: ModelOptions) -> Embedder | None:
    """Load the model that embeds queries for vectors; None if none does.

    Raises:
        SourceError: the file does not say which model made them, and nobody else does; or it cannot be that one.
        ModelError: it cannot be had.
    """
    told = str(file.origin.get("model", ""))
    if options.model == NO_MODEL or (options.model == AUTO and (are_compared(file) or told == NO_MODEL)):
        return None
    if options.model != AUTO:
        choice = options.model if isinstance(options.model, ModelChoice) else choose_model(options.model)
        check_can_be_of(file, choice.backbone)
        return Embedder.load(choice, precision=options.precision)
    if not told:
        raise SourceError(
            f"{file.name} does not say which model made its vectors: name it with --model, see `models`; with --model "
            "none they are searched by their own pictures and by vectors only."
        )
    check_can_be_of(file, get_backbone(told))
    precision = file.origin.get("precision") if options.precision == AUTO else options.precision
    return Embedder.restore(EmbedderId(told, str(file.origin.get("weights_sha256", "")), str(precision)))


def are_compared(file: VectorFile) -> bool:
    """Whether a file says that its vectors are not embeddings, but were projected and refined."""
    return bool(file.origin.get("vectors", "embeddings") != "embeddings")


def check_can_be_of(file: VectorFile, backbone: Backbone) -> None:
    """Raise SourceError if vectors are by another model, as the file says or as their length shows; loads nothing."""
    told, dim = file.origin.get("model", backbone.name), backbone.dim
    if are_compared(file):
        fault = "were projected or refined"
    elif told != backbone.name:
        fault = f"are by {told}"
    elif dim != file.dim:
        fault = f"have {file.dim:,} numbers"
    else:
        return
    raise SourceError(
        f"The vectors in {file.name} {fault}, and {backbone.name} makes others of {dim:,}: name the model that made "
        "them, or none."
    )


def find_identity(gathered: Gathered, options: ModelOptions) -> None:
    """Load the model of vectors, compare what it makes of some pictures, and note both.

    Raises:
        SourceError, ModelError: as `find_embedder`, and if the vectors of pictures are not those that it makes.
    """
    embedder = find_embedder(gathered.file, options)
    if embedder is None:
        gathered.identity = {"model": NO_MODEL, "weights_sha256": "", "preprocessing": {}, "precision": "f32"}
        gathered.notes.append(VECTORS_ONLY)
        return
    pictures = _read_samples(gathered, embedder)
    views = _views(gathered.file, options, embedder.backbone)
    found = {view: _cosines(embedder.with_view(view), pictures) for view in views} if pictures else {views[0]: []}
    view = max(found, key=lambda view: float(np.median(found[view] or [0.0])))
    gathered.identity = identity_of(embedder.with_view(view))
    gathered.notes.append(_judge(gathered.file, embedder.backbone.name, view, found[view]))


def _views(file: VectorFile, options: ModelOptions, backbone: Backbone) -> Sequence[View]:
    """Return the views that vectors may be of, the likeliest first."""
    told = file.origin.get("preprocessing")
    named = told.get("view") if isinstance(told, dict) else None
    if options.view == AUTO and named not in VIEWS:
        first = choose_view(AUTO, backbone)
        return [first, *(view for view in VIEWS if view != first)]
    return [choose_view(str(named) if options.view == AUTO else options.view, backbone)]


def _read_samples(gathered: Gathered, embedder: Embedder) -> Sequence[tuple[Image.Image, Vectors]]:
    """Read some of the pictures that are files of this computer, from all over the file."""
    read: list[tuple[Image.Image, Vectors]] = []
    for place in np.random.default_rng(0).permutation(len(gathered.samples)):
        item, vector = gathered.samples[place]
        path = place_of(item)
        if path is None or len(read) == SAMPLES:
            continue
        try:
            read.append((embedder.decode(read_file(path)[0], item.path).image, vector))
        except ImageError:
            continue
    return read


def _cosines(embedder: Embedder, pictures: Sequence[tuple[Image.Image, Vectors]]) -> list[float]:
    embedded = embedder.embed([image for image, _ in pictures])
    return [float(own @ vector) for own, (_, vector) in zip(embedded, pictures, strict=True)]


def _judge(file: VectorFile, model: str, view: View, cosines: Sequence[float]) -> str:
    """Return what the comparison says; raises SourceError if the vectors are of another model."""
    if not cosines:
        return EMBEDDED.format(model=model, view=view, found=NOBODY_KNOWS)
    median = float(np.median(cosines))
    if median < LEAST:
        raise SourceError(
            f"The vectors in {file.name} are not by {model}: of {len(cosines)} pictures that it embedded for "
            f"comparison, half have a cosine below {median:.2f}; name the model that made them, or none."
        )
    found = f"{len(cosines)} pictures that were embedded again have cosines of {min(cosines):.3f} to {max(cosines):.3f}"
    if median < NEAR:
        found += ", so they were prepared in another way, and scores of query pictures are lower"
    return EMBEDDED.format(model=model, view=view, found=found)
