"""An evaluation with the labels and names that whoever is in front of the browser may know."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import overload

from similarity.app.serving.access import item_for_visitor
from similarity.evaluation import Evaluation
from similarity.sources import Item


class _Items(Sequence[Item]):
    """Pictures, each made one that may be seen when it is asked for."""

    def __init__(self, items: Sequence[Item], tell: Callable[[str], str]) -> None:
        self._items, self._tell = items, tell

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, key: int) -> Item: ...

    @overload
    def __getitem__(self, key: slice) -> list[Item]: ...

    def __getitem__(self, key: int | slice) -> Item | list[Item]:
        found = self._items[key]
        return (
            item_for_visitor(found, self._tell)
            if isinstance(found, Item)
            else [item_for_visitor(one, self._tell) for one in found]
        )

    def __iter__(self) -> Iterator[Item]:
        return (item_for_visitor(item, self._tell) for item in self._items)


def redact_evaluation(made: Evaluation, tell: Callable[[str], str]) -> Evaluation:
    """The same with other names of labels; the pictures' paths are as they were.

    Args:
        tell: gives the name to show for one.
    """
    if tell is str:
        return made
    return replace(
        made,
        model=tell(made.model),
        by=tell(made.by),
        caution=tell(made.caution),
        recipe=tell(made.recipe),
        refinement=tell(made.refinement),
        labels=tuple(map(tell, made.labels)),
        per_label=tuple(replace(one, label=tell(one.label)) for one in made.per_label),
        confusions=tuple(replace(one, label=tell(one.label), taken_for=tell(one.taken_for)) for one in made.confusions),
        items=_Items(made.items, tell),
        pictures_of_gallery=_Items(made.pictures_of_gallery, tell),
    )
