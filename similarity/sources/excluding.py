"""Pictures of a source that a person excludes, by patterns in the syntax of .gitignore."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from similarity.errors import SourceError
from similarity.sources.base import Source
from similarity.text.plain import short

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# A pattern becomes a regular expression that backtracks, in a time of about the length of a path to the power of the
# number of stars: with these limits no file takes longer than a fraction of a second.
LONGEST_PATTERN, MOST_STARS = 1_024, 3
# Characters of a path and of a name in it that are compared. No file has a longer name, but an address may.
LONGEST_PATH, LONGEST_NAME = 1_024, 255


def exclude(source: Source, patterns: Sequence[str]) -> Source:
    """Return a source without the files that patterns match; they are counted in its `passed_over`.

    A pattern is compared with the path below the source, or with the whole path or address if a list names it.

    Raises:
        SourceError: a pattern is invalid or would take too long, or they match all pictures.
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


def check_patterns(patterns: Sequence[str]) -> None:
    """Check patterns before anything is read; raises SourceError for one that is invalid or would take too long."""
    for pattern in patterns:
        if len(pattern) > LONGEST_PATTERN:
            raise SourceError(
                f"{short(pattern)!r} is too long a pattern: it can have {LONGEST_PATTERN:,} characters at most."
            )
        names = pattern.lstrip("!/").removeprefix("**/").removesuffix("/**").replace("/**/", "/", 1)
        if names.count("*") > MOST_STARS:
            raise SourceError(
                f"{short(pattern)!r} has too many stars: a pattern can have {MOST_STARS} at most, besides ** at its "
                "start, at its end and once between folders. Give several patterns."
            )
        try:
            _spec([pattern])
        except ValueError as error:
            raise SourceError(
                f"{short(pattern)!r} is not a pattern in the syntax of .gitignore, such as *.png."
            ) from error


def _compile(patterns: Sequence[str]) -> "GitIgnoreSpec":
    check_patterns(patterns)
    return _spec(patterns)


def _spec(patterns: Sequence[str]) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec  # which few need

    return GitIgnoreSpec.from_lines(patterns)


def _below(source: str, path: str) -> str:
    """Return what is compared: a path below a source, or a path or an address without its first slash."""
    place = PurePath(path)
    below = place.relative_to(source).as_posix() if place.is_relative_to(source) else path.lstrip("/")
    if len(below) <= LONGEST_NAME:
        return below
    return _shortened("/".join(_shortened(name, LONGEST_NAME) for name in below.split("/")), LONGEST_PATH)


def _shortened(text: str, most: int) -> str:
    """Return a text, or the start and the end of one that is too long, since these are what patterns name."""
    return text if len(text) <= most else text[: most // 2] + text[-(most - most // 2) :]
