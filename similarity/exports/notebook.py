"""Results in a notebook: a grid of thumbnails in one piece of HTML that needs no file beside it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

# All styles are on the elements: a notebook shows many grids on one page, and some viewers leave out style sheets.
# Colours are the notebook's own, light or dark, and shades of grey that are seen on both.
TEMPLATE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
{% macro grid(tiles) %}
<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:14px 12px;padding:6px 2px">
{% for tile in tiles %}
<figure style="margin:0;min-width:0" title="{{ tile.hint }}">
<img src="data:image/jpeg;base64,{{ tile.data }}" alt="{{ tile.caption }}" loading="lazy"
 style="display:block;box-sizing:border-box;width:100%;height:auto;max-width:none;aspect-ratio:1;object-fit:contain;
background:rgba(128,128,128,.14);border-radius:8px{% if tile.is_query %};border:2px solid #4c7dff{% endif %}">
<figcaption style="display:flex;gap:6px;margin-top:5px;font-style:normal">
<span style="flex:1;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">
{%- if tile.heading %}<b>{{ tile.heading }}</b> {% endif %}{{ tile.caption }}</span>
{% if tile.score %}
<span style="opacity:.7;font-variant-numeric:tabular-nums">{{ tile.score }}</span>
{% endif %}
</figcaption>
</figure>
{% endfor %}
</div>
{% endmacro %}
<div style="font:13px/1.4 system-ui,sans-serif;text-align:left">
{% for part in parts %}
{% if part.title %}
<p style="margin:10px 2px 0;overflow-wrap:anywhere">
<b>{{ part.title }}</b>{% if part.note %} – {{ part.note }}{% endif %}</p>
{% elif part.note %}
<p style="margin:6px 2px">{{ part.note }}</p>
{% endif %}
{% if part.tiles %}
{{ grid(part.tiles) }}
{%- endif %}
{% endfor %}
{% if more %}
<p style="margin:6px 2px;opacity:.7">… and {{ "{:,}".format(more) }} more</p>
{% endif %}
</div>
""")
NOTHING = "No picture meets these conditions."


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of a grid.

    Attributes:
        picture: a small JPEG.
        heading: a few letters in bold, such as the rank.
        caption: a line below the picture, beside the heading.
        score: what stands at the end of that line.
        hint: text that is shown while a pointer rests on it.
        is_query: whether it is what was searched with, which has a frame.
    """

    picture: bytes
    heading: str
    caption: str
    score: str = ""
    hint: str = ""
    is_query: bool = False

    @property
    def data(self) -> str:
        """The picture in base64."""
        return base64.b64encode(self.picture).decode()


@dataclass(frozen=True, slots=True)
class Part:
    """A grid with what stands above it.

    Attributes:
        tiles: its pictures.
        title: what they are of, in bold; empty for a grid alone.
        note: a sentence, such as why there are no pictures.
    """

    tiles: Sequence[Tile]
    title: str = ""
    note: str = ""


def draw_grid(parts: Sequence[Part], more: int = 0) -> str:
    """Return HTML that shows tiles beside each other, in one grid below the other.

    Args:
        more: how many pictures or grids there are beyond these.
    """
    return TEMPLATE.render(parts=parts, more=more)
