"""The query of a `search` and its conditions, as the command line names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from similarity.query.conditions import FORM, is_condition

if TYPE_CHECKING:
    from similarity.query.inputs import Examples


@dataclass(frozen=True, slots=True)
class QueryArguments:
    """The arguments of a query; see `inputs.Examples`.

    Attributes:
        like, unlike: paths or addresses of pictures.
        weights: of `like`, `texts`, `items` and the vector, in this order.
        texts, not_texts: words.
        items: ids of pictures of the gallery.
        vector: a file of an embedding.
    """

    like: Sequence[str]
    unlike: Sequence[str] = ()
    weights: Sequence[float] = ()
    texts: Sequence[str] = ()
    not_texts: Sequence[str] = ()
    items: Sequence[str] = ()
    vector: Path | None = None

    @property
    def title(self) -> str:
        """The query's name in the output: its first picture, its words, or the name of its vector's file."""
        return next(iter([*self.like, *self.items, *self.texts, str(self.vector)]))

    @property
    def is_empty(self) -> bool:
        """Whether it has no example."""
        return not (self.like or self.texts or self.items or self.vector)

    @property
    def given(self) -> dict[str, bool]:
        """For each option of a query of several parts whether it was given."""
        return {
            "like": bool(self.like),
            "unlike": bool(self.unlike),
            "weight": bool(self.weights),
            "text": bool(self.texts),
            "not_text": bool(self.not_texts),
            "item": bool(self.items),
            "vector": self.vector is not None,
        }

    def read(self) -> "Examples":
        """Read the files and fetch the addresses."""
        from similarity.query.inputs import Examples, ItemId, Text, Vector, read_query
        from similarity.vectors.npy_files import read_vector

        like, unlike = ([read_query(name) for name in names] for names in (self.like, self.unlike))
        texts, not_texts = (list(map(Text, words)) for words in (self.texts, self.not_texts))
        vectors = [Vector(read_vector(self.vector))] if self.vector else []
        return Examples([*like, *texts, *map(ItemId, self.items), *vectors], [*unlike, *not_texts], self.weights)


def check_conditions(conditions: Sequence[str]) -> Sequence[str]:
    """Raise BadParameter for a condition without an operator; which columns there are is known by the gallery only."""
    for condition in conditions:
        if not is_condition(condition):
            raise typer.BadParameter(f"{condition!r} is not of the form {FORM}", param_hint="--where")
    return conditions
