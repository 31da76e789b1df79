"""Pictures of a source that a person excludes, by patterns in the syntax of .gitignore."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from pathlib import PurePath
from typing import Any

from pathspec import GitIgnoreSpec

from similarity.errors import SourceError
from similarity.sources.base import Source


def exclude(source: Source, patterns: Sequence[str]) -> Source:
    """Return a source without the files that patterns match; they are counted in its `passed_over`.

    A pattern is compared with the path below the source, or with the whole path or address if a list names it.

    Raises:
        SourceError: a pattern is invalid, or they match all pictures.
    """
    if not patterns:
        return source
    compiled, counts, kept = _compile(patterns), Counter[str](), []
    for item in source.items:
        result = compiled.check_file(_below(source.name, item.path))
        if result.include and result.index is not None:
            counts[f"excluded by {patterns[result.index]}"] += 1
        else:
            kept.append(item)
    if not kept:
        raise SourceError(f"All pictures in {source.name} are excluded by {', '.join(patterns)}: use other patterns.")
    others: Any = copy(source)  # a source need not count what is left out
    others.items = kept
    others.skipped = [file for file in source.skipped if not compiled.match_file(_below(source.name, file.path))]
    others.passed_over = {**getattr(source, "passed_over", {}), **counts}
    remaining: Source = others
    return remaining


def _compile(patterns: Sequence[str]) -> GitIgnoreSpec:
    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise SourceError(f"{pattern!r} is not a pattern in the syntax of .gitignore, such as *.png.") from error
    return GitIgnoreSpec.from_lines(patterns)


def _below(source: str, path: str) -> str:
    """Return a path below a source, or a path or an address without its first slash."""
    place = PurePath(path)
    return place.relative_to(source).as_posix() if place.is_relative_to(source) else path.lstrip("/")
