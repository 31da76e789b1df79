"""The options that a gallery is indexed with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, Unpack

from similarity.embedding.backbones import get_backbone
from similarity.embedding.backbones.weights import AUTO, ModelChoice, choose_model
from similarity.embedding.precision import Precision
from similarity.embedding.view_names import Quality
from similarity.fetch.web import DownloadProgress
from similarity.search import AUTO as AUTO_RECIPE
from similarity.search import choose_recipe
from similarity.search.stores import Store
from similarity.vectors.methods import CLOSER
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import choose_refinement

if TYPE_CHECKING:
    from similarity.storage.manifest import Manifest

VERY_MANY = 1 << 30  # pictures, for which every kind of index can be trained


class IndexKeywords(TypedDict, total=False):
    """Keyword arguments of `Gallery.build`: fields of `IndexOptions`."""

    model: str | ModelChoice
    precision: Precision
    recipe: str
    refinement: str
    store: Store | None
    exclude: Sequence[str]
    gps: bool
    view: str
    quality: Quality
    parts: bool
    shards: int | None


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """Options of indexing, with their defaults.

    Attributes:
        model: a backbone's name or `auto`, or the result of `choose_model`.
        precision: number format of the network; int8 is the fastest, and calibrated on up to 300 of the pictures.
        recipe: kind of index, see `search.recipes`.
        refinement: refinement of the embeddings, see `vectors.refinement`.
        store: store of the index, see `search.stores`; None keeps the store of a gallery, or takes that of new ones.
        exclude: patterns of files to leave out, in the syntax of .gitignore; a sync remembers them.
        gps: whether to keep where pictures were taken, if they say so; `add` and `sync` do as the gallery does.
        view: the view of a picture that the network sees: crop, fit, both or `auto`, see `embedding.views`.
        quality: `best` takes more time for better results, where model and view are `auto`.
        parts: whether to embed regions of pictures, too, for things that are in them; see `query.part_search`.
        shards: number of galleries that share out the pictures, see `storage.shard_places`; 1 for none. None keeps the
            number of a gallery, or takes none.
    """

    model: str | ModelChoice = AUTO
    precision: Precision = "auto"
    recipe: str = AUTO_RECIPE
    refinement: str = AUTO_REFINEMENT
    store: Store | None = None
    exclude: Sequence[str] = ()
    gps: bool = False
    view: str = AUTO
    quality: Quality = "standard"
    parts: bool = False
    shards: int | None = None

    def updated(self, **keywords: Unpack[IndexKeywords]) -> "IndexOptions":
        """The same options with some others; raises TypeError for one that does not exist."""
        return replace(self, **keywords)

    def check(self) -> None:
        """Check model, recipe and refinement before the pictures are known; a model left to `auto` may suit any recipe.

        Raises:
            ModelError: there is no such model. SearchError: no gallery can have the recipe or the refinement.
        """
        choose_refinement(self.refinement, 2, 1, is_exact=True)
        if self.model != AUTO:
            backbone = get_backbone(self.model) if isinstance(self.model, str) else self.model.backbone
            choose_recipe(self.recipe, VERY_MANY, backbone.dim)

    def choose_model(self, progress: DownloadProgress | None = None) -> ModelChoice:
        """Find the model's weights, and download them if necessary; raises ModelError if that fails."""
        if isinstance(self.model, ModelChoice):
            return self.model
        return choose_model(self.model, quality=self.quality, progress=progress)


DEFAULTS = IndexOptions()


def options_of(manifest: "Manifest") -> IndexOptions:
    """Return the options that make another gallery like this one, with the model still to be chosen.

    Recipe and refinement are those that were asked for, such as `auto`. The store is left to the caller, and so are
    patterns of files to leave out, since the pictures of a gallery lack those already.
    """
    # As when its model is loaded again: arithmetic that this processor lacks is replaced by what it has.
    precision: Precision = "f32" if manifest.precision == "f32" else "auto"
    return IndexOptions(
        precision="int8" if manifest.precision == "int8" else precision,
        recipe=manifest.recipe_asked,
        refinement=manifest.refinement_asked,
        gps=manifest.gps,
        view=manifest.view,
        # Where model and view are given, only the power of neighbours depends on the quality.
        quality="best" if manifest.neighbour_power == CLOSER else "standard",
        parts=manifest.parts,
    )


def index_arguments(manifest: "Manifest", options: IndexOptions, model: Sequence[str]) -> list[str]:
    """Return arguments of `index` that make a gallery of another with these options.

    Args:
        manifest: that of the other gallery, which has the patterns of files that are left out of its source.
        model: the arguments of the model, such as ("--weights", "made.safetensors").
    """
    before = {"--view": options.view, "--quality": "" if options.quality == "standard" else options.quality}
    after = {
        "--precision": options.precision if options.precision == "int8" else AUTO,
        "--recipe": options.recipe,
        "--refinement": options.refinement,
    }
    patterns = manifest.excluded.get(manifest.source, ())
    return [
        *_given(before),
        *model,
        *_given(after),
        *(word for pattern in patterns for word in ("--exclude", pattern)),
        *(["--gps"] if manifest.gps else []),
        *(["--parts"] if options.parts else []),
    ]


def _given(arguments: dict[str, str]) -> list[str]:
    """Return the arguments that are not left to their defaults."""
    return [word for name, value in arguments.items() if value not in ("", AUTO) for word in (name, value)]
