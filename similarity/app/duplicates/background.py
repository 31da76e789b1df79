"""Duplicates of galleries, each kind found once in the background, for all sessions that look at them."""

from collections.abc import Collection, Sequence

from similarity.app.components.waiting import wait_with_bar, was_cancelled
from similarity.app.duplicates.kinds import find_groups, without
from similarity.app.serving import access, visitors
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.query.near_duplicates import Group
from similarity.query.presets import EXACT, LOOK_ALIKES, PRESETS, SAME, Preset
from similarity.service import turns
from similarity.service.singleton import singleton

# Results of each kind that are kept in memory. Each has the files of its groups, of about 1 kB.
MAX_CACHED = 3
# Among up to this many pictures duplicates are looked for without a request, which takes seconds; a second look at all
# pairs that look alike takes a minute.
AT_ONCE: dict[Preset, int] = {EXACT: 1_000_000, LOOK_ALIKES: 20_000, SAME: 2_000}


@singleton
def duplicates() -> dict[Preset, SingleFlight[Sequence[Group]]]:
    """Return the duplicates that this process has found, by kind: no kind waits for a slower one."""
    return {kind: SingleFlight(MAX_CACHED) for kind in PRESETS}


def find(gallery: Gallery, kind: Preset) -> Computation[Sequence[Group]] | None:
    """Return the search for duplicates that runs or is done; None if there is none."""
    return duplicates()[kind].find(_name(gallery))


def start(gallery: Gallery, kind: Preset) -> Computation[Sequence[Group]]:
    """Start looking for duplicates, unless that runs already or is done."""
    visitor = visitors.current()

    def work(progress: OnProgress) -> Sequence[Group]:
        with turns.shared_turns().counting(visitor):
            return find_groups(gallery, kind, progress)

    return duplicates()[kind].start(_name(gallery), work)


def carry_over(gallery: Gallery, before: str, taken: Collection[str]) -> None:
    """Keep what was found before files were taken out of a gallery, without these.

    Looking again could find a few more look-alikes, since a picture is in one group only; but each click would wait.

    Args:
        before: the gallery's state before they were taken out.
        taken: the ids of these files.
    """
    for kind in PRESETS:
        known = duplicates()[kind].find(_name(gallery, before))
        if known and known.result.done():
            duplicates()[kind].keep(_name(gallery), without(known.result.result(), taken))


def starts_by_itself(gallery: Gallery, kind: Preset) -> bool:
    """Whether a gallery is so small that looking takes no minutes."""
    return len(gallery) <= AT_ONCE[kind]


def begins(gallery: Gallery, kind: Preset) -> bool:
    """Whether to look without being asked, or to go on; the visitor may have cancelled it."""
    if find(gallery, kind):
        return True
    return starts_by_itself(gallery, kind) and not was_cancelled(_visited(gallery, kind))


def may_start(gallery: Gallery, kind: Preset) -> bool:
    """Whether the visitor may start looking: what takes minutes is for those who manage galleries."""
    return starts_by_itself(gallery, kind) or access.may_manage()


def wait_for(gallery: Gallery, kind: Preset) -> Sequence[Group] | None:
    """Wait for the duplicates, with a progress bar on the page; None after an unexpected error, which is in the log.

    Raises:
        SimilarityError: the gallery's store cannot be asked, or a file is missing.
    """
    return wait_with_bar(start(gallery, kind), "Looking", gallery.name, name=_visited(gallery, kind))


def _visited(gallery: Gallery, kind: Preset) -> str:
    return f"duplicates\n{kind}\n{_name(gallery)}"


def _name(gallery: Gallery, state: str = "") -> str:
    return f"{gallery.directory}\n{state or gallery.state}"
