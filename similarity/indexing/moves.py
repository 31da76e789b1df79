"""Files that were moved or renamed together with their source, which a sync recognises by their content."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from similarity.indexing.plan import Plan, Reading, free_id
from similarity.sources import Item
from similarity.sources.base import files_of

Taken = list[tuple[Reading, Item]]


def follow_moves(plan: Plan, taken: Taken, unreadable: Sequence[Item], source: str) -> Taken:
    """Let new files of a source take the places of files with the same content that are gone from other sources.

    Those leave `plan.kept` for `plan.removed`, so that a report counts them as moved. A file that is still there stays:
    the new one is then a copy of it.

    Args:
        taken: files that were read, with their future entries.
        unreadable: files that could not be read and keep their entries.
        source: name of the source that is synchronised.

    Returns:
        `taken`, with the ids that have become free.
    """
    moved = _find_moved(plan, taken, source)
    if not moved:
        return taken
    numbers = {id(file) for file in moved}
    plan.kept = [file for file in plan.kept if id(file) not in numbers]
    plan.removed += moved
    contents = {file.sha256 for file in moved}
    ids = {file.id for file in (*plan.kept, *unreadable)}
    ids |= {file.id for reading, file in taken if not _is_in(contents, reading, file)}
    return [
        (reading, replace(file, id=free_id(reading.item, ids)) if _is_in(contents, reading, file) else file)
        for reading, file in taken
    ]


def count_leaving(before: Iterable[Item], files: Iterable[Item]) -> int:
    """Return how many files of a gallery have neither their path nor their content among other files."""
    known = {value for file in files for value in (file.path, file.sha256)}
    return sum(not known & {file.path, file.sha256} for file in files_of(before))


def _find_moved(plan: Plan, taken: Taken, source: str) -> list[Item]:
    """Return the files of other sources that are gone, as many of a content as there are new files with it."""
    new = [(reading.item.id, file.sha256) for reading, file in taken if not reading.before and file.sha256]
    wanted = Counter(sha256 for _, sha256 in new)
    wanted -= Counter(file.sha256 for file in plan.removed)  # renamed within the source
    gone: dict[str, list[Item]] = defaultdict(list)
    for file in plan.kept:
        if wanted[file.sha256] > 0 and file.source != source and file.is_gone:
            gone[file.sha256].append(file)
    same = set(new)
    return [
        file
        for sha256, files in gone.items()
        for file in sorted(files, key=lambda file: (file.id, file.sha256) not in same)[: wanted[sha256]]
    ]


def _is_in(contents: set[str], reading: Reading, file: Item) -> bool:
    """Whether a file is new and has one of these contents."""
    return not reading.before and file.sha256 in contents
