"""Groups whose other files were taken out in this session: they keep their places, so that nothing moves up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from similarity.app.duplicates.choices import Kept
from similarity.gallery import Gallery
from similarity.query.presets import Preset
from similarity.service.taking_out import TakingOut

TAKEN = "duplicates_taken"


@dataclass(frozen=True, slots=True)
class Taken:
    """A group whose other files were taken out.

    Attributes:
        place: its place among all groups of its kind, those taken included; from 0.
        kept: the group as it was, and the file that stayed.
        work: what took the others out; of several groups at once all have the same.
        is_alone: whether it took out those of this group only.
    """

    place: int
    kept: Kept
    work: TakingOut
    is_alone: bool


def note(gallery: Gallery, kind: Preset, groups: Sequence[tuple[int, Kept]], work: TakingOut) -> None:
    """Keep the places of groups, which are given with them, whose other files are being taken out."""
    known = _all().setdefault((gallery.name, kind), [])
    known += [Taken(place, kept, work, is_alone=len(groups) == 1) for place, kept in groups]


def of(gallery: Gallery, kind: Preset) -> list[Taken]:
    """Return the groups that were taken out, by their places, as far as a gallery is still as that left it.

    What was undone is none of them any more, and after any other change none is.
    """
    known = _all().get((gallery.name, kind), [])
    last = max((number for number, one in enumerate(known, start=1) if one.work.after == gallery.state), default=0)
    _all()[gallery.name, kind] = known[:last]
    return sorted(known[:last], key=lambda one: one.place)


def merge(kept: Iterable[Kept], taken: Iterable[Taken]) -> list[Kept | Taken]:
    """Return all groups, with those that were taken out at their places."""
    rows: list[Kept | Taken] = list(kept)
    for one in taken:
        rows.insert(one.place, one)
    return rows


def _all() -> dict[tuple[str, Preset], list[Taken]]:
    known: dict[tuple[str, Preset], list[Taken]] = st.session_state.setdefault(TAKEN, {})
    return known
