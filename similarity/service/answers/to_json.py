"""Answers as JSON has them: the keys of `search --json` and of the HTTP API, which are a contract."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from similarity.gallery import Gallery
from similarity.images.exif import EXIF, facts_of
from similarity.images.picture import Box
from similarity.query import copy_facts
from similarity.query.fused_hits import FusedHits
from similarity.search import Hit
from similarity.service.answers import explanations
from similarity.service.answers.answer import Answer
from similarity.service.answers.many import Unanswered
from similarity.service.answers.objects import ObjectHits
from similarity.sources import Item

See = Callable[[Item], Item]
# Columns of a table of answers; those of metadata, and what else was asked for, come before the error.
COLUMNS: dict[str, type] = {
    "query": str, "rank": int, "score": float, "label": str, "id": str, "path": str, "probability": float,
    "belongs": float, "verdict": str, "turned": int, "width": int, "height": int, **dict.fromkeys(EXIF, str),
}  # fmt: skip


def to_json(answer: Answer, see: See = lambda item: item) -> dict[str, Any]:
    """Return the JSON object that answers a request.

    Args:
        see: returns an item as whoever asks may see it.
    """
    facts: dict[str, Any] = {
        "query": answer.request.title,
        "gallery": answer.gallery.name,
        "model": answer.gallery.manifest.model,
        "took_ms": answer.outcome.took_ms,
        "belongs": _rounded(answer.chances.belongs if answer.chances else None),
        "verdict": answer.verdict.kind if answer.verdict else None,
    }
    if answer.outcome.turned is not None:
        facts["turned"] = answer.outcome.turned
    if answer.chances and answer.request.precision is not None:
        facts["confident"] = answer.chances.are_confident(answer.hits, answer.request.precision)
    if answer.gallery.missing_shards:
        facts["missing_shards"] = answer.gallery.missing_shards
    facts["hits"] = _hits(answer, see)
    if answer.objects is not None:
        facts["objects"] = [_object(one, see) for one in answer.objects]
    return facts


def fused_to_json(
    title: str, names: Iterable[str], hits: FusedHits, took_ms: float, see: See = lambda item: item
) -> dict[str, Any]:
    """Return the JSON object that answers a search in several galleries.

    Args:
        title: of the query.
        names: of the galleries that were asked.
        see: as in `to_json`.
    """
    return {
        "query": title,
        "galleries": [name for name in names if name in hits.directories],
        "left_out": [{"gallery": name, "reason": reason} for name, reason in hits.left_out.items()],
        "took_ms": took_ms,
        "hits": [
            hit_to_json(see(hit.item), hit) | {"gallery": hit.gallery, "also_in": list(hit.also_in)}
            for hit in hits.located
        ],
    }


def one_of_many(answer: Answer | Unanswered) -> dict[str, Any]:
    """Return the JSON object that answers one of many queries: as `to_json`, with the metadata of hits, or the error.

    A query that could not be searched with has no hits.
    """
    if isinstance(answer, Unanswered):
        return {"query": answer.query, "error": str(answer.error), "hits": []}
    facts = to_json(answer)
    hits = [one | {"metadata": dict(hit.item.metadata)} for one, hit in zip(facts["hits"], answer.hits, strict=True)]
    return facts | {"hits": hits}


def to_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table that are one of many answers: one for each hit, or one without a rank if it has none.

    Args:
        answer: as `one_of_many` gives it.
    """
    shared = {name: value for name, value in answer.items() if name not in ("hits", "gallery", "model", "took_ms")}
    rows = [
        {f"metadata.{name}": value for name, value in hit["metadata"].items()} | hit | shared for hit in answer["hits"]
    ]
    return rows or [shared]


def columns_of(gallery: Gallery, further: Mapping[str, type]) -> dict[str, type]:
    """Return the columns of a table of answers, each with the type of its values.

    Args:
        further: those that were asked for; objects are texts here.
    """
    metadata = dict.fromkeys(name for _, metadata, _ in gallery.items.iter_metadata() for name in metadata)
    return {**COLUMNS, **{f"metadata.{name}": str for name in metadata}, **further, "error": str}


def _hits(answer: Answer, see: See) -> list[dict[str, Any]]:
    """Return the hits, with what the request wants to know of each."""
    hits = [hit_to_json(see(hit.item), hit, answer.outcome.chance_of(hit)) for hit in answer.hits]
    if answer.request.options.parts:
        hits = [one | {"part": _box(hit.part)} for one, hit in zip(hits, answer.hits, strict=True)]
    if answer.outcome.copies is not None:
        found = [copy_facts.to_json(answer.outcome.copies[hit.item.id]) for hit in answer.hits]
        hits = [hit | {"copy": copy} for hit, copy in zip(hits, found, strict=True)]
    if answer.reasons is not None:
        reasons = map(explanations.to_json, answer.reasons.explanations)
        hits = [hit | {"explanation": reason} for hit, reason in zip(hits, reasons, strict=True)]
    return hits


def hit_to_json(item: Item, hit: Hit, chance: float | None = None) -> dict[str, Any]:
    """Return a hit as JSON has it, with what its picture knows of itself.

    Args:
        item: its picture, as it is seen.
        chance: the probability that it is right, if that is known.
    """
    return {
        "rank": hit.rank,
        "score": hit.score,
        "id": item.id,
        "path": item.path,
        "label": item.label,
        "probability": _rounded(chance),
        **facts_of(item.width, item.height, item.exif),
    } | ({"gone": True} if hit.item.is_gone else {})


def _object(one: ObjectHits, see: See) -> dict[str, Any]:
    return {"box": copy_facts.corners(one.box), "hits": [hit_to_json(see(hit.item), hit) for hit in one.hits]}


def _box(part: Box | None) -> Sequence[float] | None:
    """Return left, top, right and bottom of a part, as shares of the sides; None for the whole picture."""
    return None if part is None else copy_facts.corners(part)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
