"""What requests say that change a gallery; names and meanings are those of the command line's options."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from similarity.api.bodies import Line, Strict
from similarity.embedding.precision import Precision
from similarity.embedding.view_names import Quality
from similarity.errors import SourceError
from similarity.indexing.options import IndexOptions
from similarity.sources.excluding import check_patterns
from similarity.sources.splits import Split

MOST_FILES = 1_000
MOST_FIELDS = 100
LONGEST_PATTERN = 255
SEVERAL = frozenset({"exclude"})


def _check_pattern(pattern: str) -> str:
    try:
        check_patterns([pattern])
    except SourceError as error:
        raise ValueError(str(error)) from error
    return pattern


Names = Annotated[list[Line], Field(default_factory=list, max_length=20_000)]
Pattern = Annotated[str, Field(min_length=1, max_length=LONGEST_PATTERN), AfterValidator(_check_pattern)]
Patterns = Annotated[list[Pattern], Field(max_length=20, description="Files to leave out, as in .gitignore.")]


class AddForm(Strict):
    """How uploaded pictures are added; the files are in the field `file`, with folders in their names as labels."""

    exclude: Patterns | None = None


class IndexForm(AddForm):
    """How a gallery is made."""

    gallery: Line
    replace: bool = Field(False, description="Whether a gallery of this name is replaced.")
    model: Line = "auto"
    precision: Precision = "auto"
    view: Literal["auto", "crop", "fit", "both"] = "auto"
    quality: Quality = "standard"
    recipe: Line = "auto"
    refinement: Line = "auto"
    gps: bool = False
    parts: bool = False

    @property
    def options(self) -> IndexOptions:
        """The options that the gallery is made with."""
        return IndexOptions(
            self.model,
            self.precision,
            self.recipe,
            self.refinement,
            exclude=self.exclude or (),
            gps=self.gps,
            view=self.view,
            quality=self.quality,
            parts=self.parts,
        )


class Drawn(Strict):
    """Which pictures of Stanford Online Products are meant, where a source is that."""

    split: Split | None = None
    products: int | None = Field(None, ge=1)
    seed: int = 0

    @property
    def drawn(self) -> dict[str, Any]:
        """The arguments of `open_source` that this makes."""
        return {"split": self.split, "products": self.products, "seed": self.seed}


class AddBody(AddForm, Drawn):
    """Pictures of a folder, a zip or a list of the computer that the API runs on."""

    source: Line


class IndexBody(IndexForm, Drawn):
    """A gallery of the pictures of a folder, a zip or a list of the computer that the API runs on."""

    source: Line


class SyncBody(AddForm, Drawn):
    """The source that a gallery is brought in step with: the one that it was made of unless another one is named."""

    source: Line | None = None


class RemoveBody(Strict):
    """Pictures that leave a gallery: by id or SHA-256, by path or folder, or all with a label."""

    ids: Names
    paths: Names
    labels: Names

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse to remove nothing."""
        if not (self.ids or self.paths or self.labels):
            raise ValueError("name the pictures to remove in ids, paths or labels")
        return self


class ItemBody(Strict):
    """What is changed of a picture."""

    label: Line | None = Field(description="Its label from now on; null is that of its source again.")
