"""Filters that are set, each in a few words and with the address that is without it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.parameters import Link

CONDITION = re.compile(r"(?P<column>.+?)(?P<operator>[<>!]=|[<>=~])?", re.DOTALL)
SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "~": "contains", None: ":"}


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter.

    Attributes:
        text: what it lets pass, as in `Label: shoe`.
        remove: takes it out of the page's address; for a callback.
    """

    text: str
    remove: Callable[[], None]


def list_filters(link: Link) -> list[ActiveFilter]:
    """Return the filters of a search, in the order of the menu."""
    return [*_conditions(link), *_others(link)]


def _conditions(link: Link) -> Iterator[ActiveFilter]:
    for condition, values in link.where.items():
        match = CONDITION.fullmatch(condition)
        column, operator = match.groups() if match else (condition, None)
        sign = SIGNS.get(operator, operator)
        name = text_for_visitor(column).capitalize() + ("" if operator is None else " ")
        for value in values:
            left = tuple(other for other in values if other != value)
            text = f"{name}{sign} {text_for_visitor(value)}"
            yield ActiveFilter(text, partial(links.change_where, condition, left))


def _others(link: Link) -> Iterator[ActiveFilter]:
    if link.min_score:
        yield ActiveFilter(f"Score ≥ {link.min_score:.2f}", partial(links.change, min_score=0.0))
    if link.distinct:
        text = "One per product" if link.one_per_product else "Without copies"
        yield ActiveFilter(text, partial(links.change, distinct=False, one_per_product=False))
    if link.parts:
        yield ActiveFilter("In parts of pictures", partial(links.change, parts=False))
