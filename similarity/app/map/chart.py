"""The map of a gallery, as options of Apache ECharts."""

import html
from collections import Counter
from dataclasses import dataclass
from typing import Any

from similarity.app.map.layout import GalleryMap, Points
from similarity.app.serving import access, pictures
from similarity.gallery import Gallery
from similarity.sources.originals import file_name

# Labels that have a colour and a shape of their own; all others share one.
MAX_LABELS = 16
# Each has a contrast of at least 3 to the light and to the dark background, and colours that colour-blind eyes confuse
# get different shapes. When the colours repeat, the shapes are shifted by one, so that no pair of both repeats.
COLOURS = (
    *("#3b76d6", "#dd6b10", "#1f9a57", "#d8434b", "#a0703a", "#8468e0"),
    *("#c2409f", "#1a95b0", "#e0609a", "#60799b", "#858511", "#4f8f82"),
)
SHAPES = ("circle", "rect", "triangle", "diamond")
GREY, FRAME, HIGHLIGHT, INK = "#858b88", "#858b8855", "#ffd21f", "#1c2321"
STAR = "path://M50 5L61 38L96 38L68 58L79 92L50 71L21 92L32 58L4 38L39 38Z"
MAX_NAME = 28
NO_LABEL, QUERY = "no label", "Your query"


@dataclass(frozen=True, slots=True)
class Chart:
    """A map as a chart.

    Attributes:
        option: the `option` of ECharts.
        shown: for each series of pictures, the indices of its points in the map.
    """

    option: dict[str, Any]
    shown: list[list[int]]


def draw(gallery: Gallery, on: GalleryMap, *, query: Points | None = None, highlighted: int | None = None) -> Chart:
    """Draw a map.

    Args:
        query: position of the query in the plane, float32 (2,).
        highlighted: index, in the map, of a picture to highlight.
    """
    groups = _groups(gallery, on)
    series = [_series(gallery, on, number, name, members) for number, (name, members) in enumerate(groups.items())]
    if highlighted is not None:
        series.append(
            _highlight(
                access.text_for_visitor(file_name(gallery.items[on.rows[highlighted]])),
                on.points[highlighted],
                "circle",
                26,
                is_ring=True,
            )
        )
    if query is not None:
        series.append(_highlight(QUERY, query, STAR, 34))
    return Chart(_option(series, has_legend=len(groups) > 1, names=list(groups)), list(groups.values()))


def _groups(gallery: Gallery, on: GalleryMap) -> dict[str, list[int]]:
    """Group the indices of a map's points by label, the most frequent first, the rest at the end."""
    labels = [access.text_for_visitor(item.label or "") for item in gallery.items.at(on.rows)]
    if not any(labels):
        return {"Pictures": list(range(len(on)))}
    counts = Counter(filter(None, labels))
    own = [label for label, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_LABELS]]
    rest = f"{len(counts) - len(own):,} other labels"
    groups: dict[str, list[int]] = {name: [] for name in (*own, rest, NO_LABEL)}
    for place, label in enumerate(labels):
        groups[(label if label in groups else rest) if label else NO_LABEL].append(place)
    return {name: members for name, members in groups.items() if members}


def _series(gallery: Gallery, on: GalleryMap, number: int, name: str, members: list[int]) -> dict[str, Any]:
    items = gallery.items.at(on.rows[place] for place in members)
    points = on.points[members].round(4).tolist()
    has_own = number < MAX_LABELS and name != NO_LABEL
    return {
        "type": "scatter",
        "name": name,
        "data": [
            [*point, item.sha256, access.text_for_visitor(file_name(item)), access.text_for_visitor(item.label or "")]
            for point, item in zip(points, items, strict=True)
        ],
        "symbol": SHAPES[(number + number // len(COLOURS)) % len(SHAPES)] if has_own else "circle",
        "symbolSize": _size(len(on)),
        "itemStyle": {"color": COLOURS[number % len(COLOURS)] if has_own else GREY, "opacity": 0.85},
        "emphasis": {"scale": 1.6, "itemStyle": {"opacity": 1}},
        "selectedMode": "single",
        "z": 2 if has_own else 1,
        "tooltip": {"formatter": _tooltip(gallery)},
    }


def _tooltip(gallery: Gallery) -> str:
    """Return the HTML of a tooltip; the browser fills in the values in braces, as text."""
    source = html.escape(pictures.address(gallery.name, "{@[2]}"))
    box = "display:block;width:150px;height:150px;object-fit:contain;margin-bottom:6px"
    text = "display:block;max-width:150px;overflow:hidden;text-overflow:ellipsis"
    return (
        f'<img src="{source}" width="150" height="150" alt="" style="{box}">'
        f'<b style="{text}">{{@[4]}}</b><span style="{text}">{{@[3]}}</span>'
    )


def _highlight(name: str, point: Points, symbol: str, size: int, *, is_ring: bool = False) -> dict[str, Any]:
    """Return a series of one labelled point on top of the pictures."""
    style = {"color": "transparent", "borderColor": HIGHLIGHT, "borderWidth": 4} if is_ring else {"color": HIGHLIGHT}
    label = name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
    return {
        "type": "scatter",
        "name": label,
        "data": [point.tolist()],
        "symbol": symbol,
        "symbolSize": size,
        "itemStyle": {"borderColor": INK, "borderWidth": 2, "shadowBlur": 6, "shadowColor": INK, "opacity": 1} | style,
        "label": {
            "show": True,
            "position": "top",
            "formatter": "{a}",
            "color": "#ffffff",
            "backgroundColor": INK,
            "borderColor": HIGHLIGHT,
            "borderWidth": 1,
            "borderRadius": 4,
            "padding": [4, 7],
        },
        "z": 10,
        "silent": True,
    }


def _option(series: list[dict[str, Any]], *, has_legend: bool, names: list[str]) -> dict[str, Any]:
    axis = {"type": "value", "min": -0.04, "max": 1.04, "show": False}
    # "none" keeps points that are out of sight, so that they need not be drawn again.
    zoom = {"type": "inside", "filterMode": "none", "minSpan": 2}
    return {
        "animation": False,
        "grid": {
            "show": True,
            "left": 1,
            "right": 1,
            "top": 36 if has_legend else 1,
            "bottom": 1,
            "borderColor": FRAME,
        },
        "legend": {
            "show": has_legend,
            "type": "scroll",
            "data": names,
            "top": 0,
            "left": 0,
            "right": 0,
            "itemWidth": 12,
            "itemHeight": 12,
        },
        "xAxis": axis,
        "yAxis": axis,
        "dataZoom": [zoom | {"xAxisIndex": 0}, zoom | {"yAxisIndex": 0}],
        "tooltip": {"trigger": "item", "confine": True, "transitionDuration": 0},
        "series": series,
    }


def _size(count: int) -> int:
    """Return the size of a point in pixels, larger for fewer points."""
    return next(size for limit, size in ((30, 18), (200, 13), (1_500, 9), (count, 7)) if count <= limit)
