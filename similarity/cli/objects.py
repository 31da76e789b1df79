"""Objects in the query of a `search --objects`: the hits of each, as tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from similarity.cli import terminal
from similarity.query.copy_facts import corners

if TYPE_CHECKING:
    from similarity.cli.query_arguments import QueryArguments
    from similarity.service.answers.objects import ObjectHits

NONE_FOUND = "No single objects stand out in this picture: these are the results for all of it."


def check(query: "QueryArguments", **others: bool) -> None:
    """Raise BadParameter if `--objects` cannot be combined with the rest of a search.

    Args:
        query: with the words and pictures that were given.
        others: for each option that it cannot be combined with, whether it was given.
    """
    others_given = query.unlike or query.texts or query.not_texts or query.vector
    if len([*query.like, *query.items]) != 1 or others_given:
        raise typer.BadParameter("give one picture, and nothing else", param_hint="--objects")
    if other := next((name for name, is_given in others.items() if is_given), None):
        raise typer.BadParameter(f"cannot be combined with --{other}", param_hint="--objects")


def show(found: "Sequence[ObjectHits] | None") -> bool:
    """Print a table for each object, with its box in per cent, or say that there is none.

    Returns:
        Whether there is any.
    """
    if found is None:
        return False
    if not found:
        terminal.say(NONE_FOUND)
    for number, one in enumerate(found, 1):
        if number > 1:
            terminal.print_line("")
        left, top, right, bottom = (round(100 * edge) for edge in corners(one.box))
        terminal.print_line(
            f"Object {number} of {len(found)}: from {left} % to {right} % across, from {top} % to {bottom} % down"
        )
        rows = [(str(hit.rank), f"{hit.score:.3f}", hit.item.label or "", hit.item.path) for hit in one.hits]
        if rows:
            terminal.print_table(("rank", "score", "label", "path"), rows)
        else:
            terminal.print_line("No picture meets these conditions.")
    return bool(found)
