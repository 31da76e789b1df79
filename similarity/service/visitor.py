"""A visitor of the app, as far as one is told from another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor for whom work is done.

    Attributes:
        session: of the browser's tab; empty if it is unknown.
        address: the network address of the visitor's computer, if it is known; many visitors may share one.
    """

    session: str = ""
    address: str = ""
