"""The query of a `search` and its conditions, as the command line names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from similarity.query.conditions import FORM, is_condition

if TYPE_CHECKING:
    from similarity.query.inputs import Examples


@dataclass(frozen=True, slots=True)
class QueryArguments:
    """The arguments of a query: paths or addresses of pictures, and words; see `inputs.Examples`."""

    like: Sequence[str]
    unlike: Sequence[str] = ()
    weights: Sequence[float] = ()
    texts: Sequence[str] = ()
    not_texts: Sequence[str] = ()

    @property
    def title(self) -> str:
        """The query's name in the output: its first picture, or its words."""
        return next(iter([*self.like, *self.texts]))

    def read(self) -> "Examples":
        """Read the files and fetch the addresses."""
        from similarity.query.inputs import Examples, Text, read_query

        like, unlike = ([read_query(name) for name in names] for names in (self.like, self.unlike))
        texts, not_texts = (list(map(Text, words)) for words in (self.texts, self.not_texts))
        return Examples([*like, *texts], [*unlike, *not_texts], self.weights)


def check_conditions(conditions: Sequence[str]) -> Sequence[str]:
    """Raise BadParameter for a condition without an operator; which columns there are is known by the gallery only."""
    for condition in conditions:
        if not is_condition(condition):
            raise typer.BadParameter(f"{condition!r} is not of the form {FORM}", param_hint="--where")
    return conditions
