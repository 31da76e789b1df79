"""Entries of feedback as values, and as lines of their file: JSON, with embeddings as float16 in base64."""

import base64
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from similarity.images.picture import Box
from similarity.vectors.arrays import Vectors, normalise

MOST_TITLE = 300
# The query, the part of it, and the picture that a mark is about: of each of these one mark is kept.
About = tuple[str, Box | None, str]


@dataclass(frozen=True, slots=True)
class FeedbackQuery:
    """The query that a mark is about: a picture, or a part of one.

    Attributes:
        title: its name.
        sha256: of the picture's file, in hex.
        box: the part of the picture that was the query, if not the whole.
        embedding: of that part, float32 (dim,), of unit length, as the backbone gives it; None of a whole picture
            of the gallery, whose embedding the gallery has.
    """

    title: str
    sha256: str
    box: Box | None = None
    embedding: Vectors | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FeedbackEntry:
    """That somebody wanted a result, or did not.

    Attributes:
        when: ISO 8601, UTC.
        query: the query that it was a result for.
        item: its id then,
        sha256: and that of its file, in hex.
        wanted: more like this, or not like this.
        model, weights_sha256, network_sha256: the backbone that the query's embedding is of; see `Manifest`.
        view: the view that it is of; lines of earlier versions do not say, and are of the crop.
    """

    when: str
    query: FeedbackQuery
    item: str
    sha256: str
    wanted: bool
    model: str
    weights_sha256: str
    network_sha256: str | None = None
    view: str = "crop"

    @property
    def about(self) -> About:
        """The query and the picture: of each such pair one mark is kept."""
        return self.query.sha256, self.query.box, self.sha256


def to_line(entry: FeedbackEntry) -> dict[str, Any]:
    """Convert an entry to JSON's own types."""
    line = asdict(entry)
    del line["query"]
    if entry.view == "crop":
        del line["view"]
    query = {"title": entry.query.title[:MOST_TITLE], "query": entry.query.sha256, "box": to_edges(entry.query.box)}
    return line | query | {"embedding": _pack(entry.query.embedding)}


def to_entry(line: dict[str, Any]) -> FeedbackEntry:
    """Read the entry of a line.

    Raises:
        ValueError, LookupError, TypeError, AttributeError, OverflowError: the line is damaged.
    """
    packed, network, view = line["embedding"], line["network_sha256"], _word(line.get("view", "crop"))
    embedding = None if packed is None else _unpack(packed)
    query = FeedbackQuery(str(line["title"])[:MOST_TITLE], line["query"], _to_box(line["box"]), embedding)
    words = {name: _word(line[name]) for name in ("when", "item", "sha256", "model", "weights_sha256")}
    datetime.fromisoformat(words["when"])
    if network is not None:
        _word(network)
    if not isinstance(line["wanted"], bool):
        raise TypeError("it is neither wanted nor not")
    return FeedbackEntry(query=query, wanted=line["wanted"], network_sha256=network, view=view, **words)


def to_about(line: dict[str, Any]) -> About:
    """Read the query and the picture of a line, also one that takes a mark back; raises as `to_entry`."""
    return _word(line["query"]), _to_box(line["box"]), _word(line["sha256"])


def to_edges(box: Box | None) -> list[float] | None:
    """Convert a box to JSON's own types: left, top, right and bottom, as shares of the picture."""
    return [box.left, box.top, box.right, box.bottom] if box else None


def _to_box(edges: Any) -> Box | None:
    if not edges:
        return None
    left, top, right, bottom = map(float, edges)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("a box that is none")
    return Box(*edges)


def _word(told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError("what should be words is something else")
    return told


def _pack(embedding: Vectors | None) -> str | None:
    """Half precision keeps a cosine to 0.0003."""
    return None if embedding is None else base64.b64encode(embedding.astype("<f2").tobytes()).decode()


def _unpack(packed: str) -> Vectors:
    embedding = np.frombuffer(base64.b64decode(packed, validate=True), "<f2").astype(np.float32)
    if not np.isfinite(embedding).all() or not embedding.any():
        raise ValueError("an embedding that is none")
    unit: Vectors = normalise(embedding[np.newaxis])[0]
    return unit
