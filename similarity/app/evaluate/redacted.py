"""Evaluations whose labels and names are redacted for visitors who may not see paths of pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import overload

from similarity.app.serving.access import item_for_visitor
from similarity.evaluation import Evaluation
from similarity.sources import Item


class _RedactedItems(Sequence[Item]):
    """A sequence of items, each redacted when it is read."""

    def __init__(self, items: Sequence[Item], redact: Callable[[str], str]) -> None:
        self._items, self._redact = items, redact

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, key: int) -> Item: ...

    @overload
    def __getitem__(self, key: slice) -> list[Item]: ...

    def __getitem__(self, key: int | slice) -> Item | list[Item]:
        if isinstance(key, slice):
            return [item_for_visitor(item, self._redact) for item in self._items[key]]
        return item_for_visitor(self._items[key], self._redact)

    def __iter__(self) -> Iterator[Item]:
        return (item_for_visitor(item, self._redact) for item in self._items)


def redact_evaluation(evaluation: Evaluation, redact: Callable[[str], str]) -> Evaluation:
    """Return a copy of an evaluation with its names and labels redacted; the paths of pictures stay.

    Args:
        redact: returns the text to show for a text; `str` if nothing is to be redacted.
    """
    if redact is str:
        return evaluation
    return replace(
        evaluation,
        model=redact(evaluation.model),
        by=redact(evaluation.by),
        caution=redact(evaluation.caution),
        recipe=redact(evaluation.recipe),
        refinement=redact(evaluation.refinement),
        labels=tuple(map(redact, evaluation.labels)),
        per_label=tuple(replace(row, label=redact(row.label)) for row in evaluation.per_label),
        confusions=tuple(
            replace(row, label=redact(row.label), taken_for=redact(row.taken_for)) for row in evaluation.confusions
        ),
        items=_RedactedItems(evaluation.items, redact),
        pictures_of_gallery=_RedactedItems(evaluation.pictures_of_gallery, redact),
    )
