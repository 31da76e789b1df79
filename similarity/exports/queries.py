"""The first results of several queries as files: a table, and JSON with an object like that of one search for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from similarity.exports import tables
from similarity.exports.results import to_json_file

COLUMNS = ("query", "rank", "score", "label", "id", "path", "error")


@dataclass(frozen=True, slots=True)
class Answered:
    """A query and its first results.

    Attributes:
        query: what it is called.
        rows: its results, as `results.to_rows` makes them.
        belongs: the share of the gallery's own pictures that are no nearer to others of it than the query is.
        error: why there are no results; empty if there are.
    """

    query: str
    rows: Sequence[dict[str, Any]] = ()
    belongs: float | None = None
    error: str = ""


def to_csv(answers: Sequence[Answered]) -> bytes:
    """Write a row for each result of each query, and one for each query that failed, as CSV."""
    rows: list[dict[str, Any]] = []
    for answer in answers:
        rows += [{"query": answer.query} | row for row in answer.rows]
        if answer.error:
            rows.append({"query": answer.query, "error": answer.error})
    columns = list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))
    return tables.to_csv(columns, ([row.get(name, "") for name in columns] for row in rows))


def to_json(answers: Sequence[Answered], gallery: str, model: str) -> bytes:
    """Write the queries as JSON, with the gallery and its model."""
    return to_json_file({"gallery": gallery, "model": model, "queries": [_to_json(answer) for answer in answers]})


def _to_json(answer: Answered) -> dict[str, Any]:
    if answer.error:
        return {"query": answer.query, "error": answer.error, "hits": []}
    belongs = None if answer.belongs is None else round(answer.belongs, 4)
    return {"query": answer.query, "belongs": belongs, "hits": list(answer.rows)}
