"""The turn of the query of a `search`, in words."""

from typing import TYPE_CHECKING

from similarity.cli import terminal

if TYPE_CHECKING:
    from similarity.service.answers.turns import Outcome


def say(outcome: "Outcome") -> None:
    """Say in which turn the query looks most like its results, if others were tried and it looks like any."""
    from similarity.query.turns import describe

    if outcome.turned is not None and not outcome.is_stranger:
        terminal.say(describe(outcome.turned))
