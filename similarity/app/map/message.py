"""What the map's element is told to draw: one message, whose numbers are bytes in base64.

All that does not change while a visitor looks at a map is made once for each state of its gallery. Names are the
visitor's, redacted unless that visitor may manage galleries.
"""

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from similarity.app.map import layout, sheet_routes
from similarity.app.map.clusters import Cluster, assign, find_clusters
from similarity.app.map.layout import GalleryMap, Points
from similarity.app.map.sheets import CELL, IN_ROW, Sheets
from similarity.app.serving import access, pictures, resources
from similarity.app.serving.access import text_for_visitor
from similarity.app.wording import wording
from similarity.gallery import Gallery
from similarity.sources.originals import file_name

# Results of the query that are ringed.
RINGED = 10
NO_LABEL = 0xFFFF
# Labels that a group is named after of which none has half of the pictures.
MIXED_NAMED = 2
HIGHEST = 0xFFFF  # of a coordinate: the right or the lower edge


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Gallery: resources.gallery_key})
def clusters_of(gallery: Gallery, _on: GalleryMap) -> list[Cluster]:
    """Return the groups of a gallery's map, found once for each state of the gallery."""
    return find_clusters(gallery, _on)


def describe(gallery: Gallery, on: GalleryMap, sheets: Sheets) -> dict[str, Any]:
    """Return the part of the message that is the same at each run, for this visitor."""
    return _describe(gallery, on, sheets, is_redacted=not access.may_manage())


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Gallery: resources.gallery_key})
def _describe(gallery: Gallery, _on: GalleryMap, _sheets: Sheets, *, is_redacted: bool) -> dict[str, Any]:  # noqa: ARG001 - part of the key
    items = gallery.items.at(_on.rows.tolist())
    labels = [text_for_visitor(item.label or "") for item in items]
    named = sorted(set(labels) - {""})
    clusters = clusters_of(gallery, _on)
    return {
        "id": f"{gallery.name}-{gallery.state}",
        "alt": f"Map of the {wording.pictures(len(_on))} of {text_for_visitor(gallery.name)}. "
        "Its groups are listed beside it, and each picture can be found by its name.",
        "cell": CELL,
        "inRow": IN_ROW,
        "sheets": [sheet_routes.address(gallery.name, name) for name in _sheets.names],
        "sizes": encode(_sheets.sizes),
        "points": encode(to_integers(_on.points)),
        "picture": pictures.address(gallery.name, "{sha256}"),
        "hashes": encode(np.frombuffer(bytes.fromhex("".join(item.sha256 for item in items)), np.uint8)),
        "names": [text_for_visitor(file_name(item)) for item in items],
        "labels": named,
        "labelOf": encode(_numbers(labels, named)),
        "clusters": [
            {"name": name, "mixed": mixed} | _to_json(cluster, _on.points)
            for cluster, name, mixed in zip(clusters, *_names(clusters, labels), strict=True)
        ],
        "clusterOf": encode(assign(clusters, len(_on)).astype("<u2")),
    }


def place_query(gallery: Gallery, on: GalleryMap, vector: npt.NDArray[np.float32], preview: bytes) -> dict[str, Any]:
    """Return where the last query is on a map, and which pictures are most similar to it.

    Args:
        vector: float32 (dim,), of unit length.
        preview: the query, a small JPEG.
    """
    x, y = to_integers(layout.place(gallery, on, vector)[np.newaxis])[0].tolist()
    return {
        "x": x,
        "y": y,
        "src": f"data:image/jpeg;base64,{base64.b64encode(preview).decode()}",
        "nearest": layout.nearest(gallery, on, vector, RINGED).tolist(),
    }


def to_integers(points: Points) -> npt.NDArray[np.uint16]:
    """Return points of 0..1 as integers of 0..HIGHEST, counted from the left and, as on a screen, from above."""
    x, y = points[:, 0], 1 - points[:, 1]
    return np.asarray((np.stack([x, y], axis=1) * HIGHEST).round(), "<u2")


def encode(numbers: npt.NDArray[Any]) -> str:
    """Encode the bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()


def encode_places(places: Sequence[int], count: int) -> str:
    """Encode which of `count` pictures are meant: a bit for each, the lowest of a byte first, in base64."""
    bits = np.zeros(count, bool)
    bits[list(places)] = True
    return encode(np.packbits(bits, bitorder="little"))


def decode_places(text: object, count: int) -> tuple[int, ...] | None:
    """Read what `encode_places` writes, from a browser; None if it is not that."""
    if not isinstance(text, str):
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    if len(data) != -(-count // 8):
        return None
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little")
    return tuple(np.flatnonzero(bits).tolist())


def _numbers(labels: Sequence[str], named: Sequence[str]) -> npt.NDArray[np.uint16]:
    """Return the place of each label in a list, NO_LABEL for none or beyond what two bytes can count."""
    numbers = {label: number for number, label in enumerate(named[:NO_LABEL])}
    return np.array([numbers.get(label, NO_LABEL) for label in labels], "<u2")


def _names(clusters: Sequence[Cluster], labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the name of each group by its label, and what those without one are mixed of: no two are the same.

    Args:
        labels: of all pictures of the map, as the visitor may see them.
    """
    names = [text_for_visitor(cluster.label) for cluster in clusters]
    mixed = ["" if cluster.label else _mixed_of(labels, cluster) for cluster in clusters]
    return _numbered(names), _numbered(mixed)


def _mixed_of(labels: Sequence[str], cluster: Cluster) -> str:
    """Name the labels that most pictures of a group have; an empty text if none has any."""
    counts = Counter(label for place in cluster.members.tolist() if (label := labels[place]))
    return ", ".join(label for label, _ in counts.most_common(MIXED_NAMED))


def _numbered(names: Sequence[str]) -> list[str]:
    """Number those of some names that are there more than once."""
    counts, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name} {seen[name]}" if name and counts[name] > 1 else name)
    return numbered


def _to_json(cluster: Cluster, points: Points) -> dict[str, Any]:
    """Return a group with its middle, and the box around most of its pictures as left, top, right, bottom."""
    places = to_integers(points[cluster.members])
    return {
        "count": len(cluster.members),
        "typical": cluster.typical,
        "middle": to_integers(cluster.middle[np.newaxis])[0].tolist(),
        "box": np.percentile(places, [5, 95], axis=0).round().astype(int).ravel().tolist(),
    }
