"""Searches as parameters of a page's address, so that they can be shared, bookmarked and returned to.

    ?gallery=shoes&like=item:boots/7.jpg@10,0,90,55&like=url:https://…&not=sample:mug-01-q
     &where.label=boot&where.label=shoe&min=0.5&distinct=1&copies=0&accuracy=high&sort=-taken&turned=1&k=50&page=2
     &generation=3&model=resnet50&against=shoes-vit&precision=0.95

A search is stored only in the address: widgets are set from it and change it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args
from urllib.parse import unquote

import streamlit as st

from similarity.images.picture import Box
from similarity.search import Accuracy
from similarity.text.plain import LONGEST

# Kinds of query pictures: of the gallery, of the samples, at an address, or uploaded in this session.
ITEM, SAMPLE, URL, UPLOAD = "item", "sample", "url", "upload"
# ... or words.
TEXT = "text"
KINDS, QUOTED = (ITEM, SAMPLE, URL, UPLOAD, TEXT), (ITEM, TEXT)
MAX_WORDS = 300
# Galleries beside the first one.
MAX_AGAINST = 2
PAGE_SIZES = (10, 20, 50, 100)
# Probabilities of being right from which a result counts as a confident match.
PRECISIONS = (0.8, 0.9, 0.95, 0.99)
# Maximum parts of a query, since each takes time, and minimum sides of a box, as shares of the picture's sides.
MAX_PARTS, MIN_SIDE = 12, 0.02
# Conditions in an address, and values that one compares with; comparing takes its time.
MAX_CONDITIONS, MAX_COMPARED = 30, 10
WHERE = "where."
# Maximum characters of all parameters together, and of the kind and the box around the value of one.
LONGEST_IN_ALL, LONGEST_BOX = 32_768, 512
TOO_LONG = (
    f"The address of this page is too long: each part of it has {LONGEST:,} characters at most. Start again here."
)
BALANCED: Accuracy = "balanced"
SEEN = "seen"
# The value of `distinct` for one picture of each product; 1 hides copies.
PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a query: a picture or a text.

    Attributes:
        kind: item, sample, url, upload or text.
        value: its id, its address, the SHA-256 of the upload, or the words.
        box: the part of the picture to search with; None for all of it.
    """

    kind: str
    value: str
    box: Box | None = None

    def __str__(self) -> str:
        """Return the text for an address, with the box in per cent."""
        value = self.value.replace("%", "%25").replace("@", "%40") if self.kind in QUOTED else self.value
        if not self.box:
            return f"{self.kind}:{value}"
        edges = (self.box.left, self.box.top, self.box.right, self.box.bottom)
        return f"{self.kind}:{value}@{','.join(f'{100 * edge:.4g}' for edge in edges)}"

    @classmethod
    def parse(cls, text: str) -> "Part | None":
        """Read the text in an address; None if it is invalid."""
        if len(text) > LONGEST + LONGEST_BOX:
            return None
        match = re.fullmatch(r"(\w+):(.+?)(?:@([\d.]+),([\d.]+),([\d.]+),([\d.]+))?", text, re.DOTALL)
        if not match or match[1] not in KINDS or len(match[2]) > LONGEST:
            return None
        value = unquote(match[2]) if match[1] in QUOTED else match[2]
        if match[1] == TEXT:
            return cls(TEXT, value[:MAX_WORDS]) if value.strip() else None
        return cls(match[1], value, _box(match.groups()[2:]))


@dataclass(frozen=True, slots=True)
class Link:
    """A search.

    Attributes:
        gallery: its name; None for the default one.
        against: names of other galleries to compare it with, for the same query.
        like, unlike: examples and counter-examples.
        where: column -> accepted values, or column and operator, such as `taken>=` -> what to compare with.
        min_score: the lowest score of a result.
        distinct: whether copies of better results are left out.
        one_per_product: whether other pictures of the same product are left out, too.
        copies: whether the first results are looked at a second time, for the query's very picture.
        parts: whether parts of pictures are searched, too, in a gallery that has them.
        accuracy: the accuracy of an approximate index.
        sort: the column that results are in the order of, with a minus for the other way round; empty for the score.
        turned: whether the first picture is tried in four turns; None if only one that looks like nothing is.
        objects: whether each object in the only picture is searched with, and results are grouped by it.
        precision: the probability from which results are confident matches, one of PRECISIONS; None for none.
        k: results on a page.
        page: from 1.
        generation, model: those of the gallery when the query was made.
    """

    gallery: str | None = None
    against: tuple[str, ...] = ()
    like: tuple[Part, ...] = ()
    unlike: tuple[Part, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    min_score: float = 0.0
    distinct: bool = False
    one_per_product: bool = False
    copies: bool = True
    parts: bool = False
    accuracy: Accuracy = BALANCED
    sort: str = ""
    turned: bool | None = None
    objects: bool = False
    precision: float | None = None
    k: int = PAGE_SIZES[0]
    page: int = 1
    generation: int | None = None
    model: str | None = None

    def parameters(self) -> dict[str, str | list[str]]:
        """Return the parameters of an address, without those that have their default value."""
        parameters: dict[str, Any] = {
            "gallery": self.gallery or "",
            "against": list(self.against),
            "like": [str(part) for part in self.like],
            "not": [str(part) for part in self.unlike],
            "min": f"{self.min_score:.2f}" if self.min_score else "",
            "distinct": PRODUCT if self.one_per_product else "1" if self.distinct else "",
            "copies": "" if self.copies else "0",
            "parts": "1" if self.parts else "",
            "accuracy": self.accuracy if self.accuracy != BALANCED else "",
            "sort": self.sort,
            "turned": "" if self.turned is None else str(int(self.turned)),
            "objects": "1" if self.objects else "",
            "precision": f"{self.precision:g}" if self.precision else "",
            "k": str(self.k) if self.k != PAGE_SIZES[0] else "",
            "page": str(self.page) if self.page > 1 else "",
        }
        parameters |= {f"{WHERE}{column}": list(values) for column, values in self.where.items()}
        if self.like or self.unlike:
            parameters |= {"generation": str(self.generation or ""), "model": self.model or ""}
        return {name: value for name, value in parameters.items() if value}


def parse(parameters: Mapping[str, Sequence[str]]) -> Link:
    """Read the search in the parameters of an address; invalid parameters are ignored."""

    def number(name: str, lowest: float, highest: float) -> float | None:
        try:
            value = float(parameters.get(name, [""])[-1])
        except ValueError:
            return None
        return value if lowest <= value <= highest else None

    def parts(name: str) -> tuple[Part, ...]:
        parsed = [Part.parse(text) for text in parameters.get(name, [])[:MAX_PARTS]]
        return tuple(dict.fromkeys(part for part in parsed if part))

    like = parts("like")
    precision = number("precision", PRECISIONS[0], PRECISIONS[-1])
    k = number("k", 1, PAGE_SIZES[-1])
    return Link(
        gallery=parameters.get("gallery", [""])[-1] or None,
        against=tuple(dict.fromkeys(name for name in parameters.get("against", [])[:MAX_AGAINST] if name)),
        like=like,
        unlike=tuple(part for part in parts("not") if part not in like),
        where=_conditions(parameters),
        min_score=number("min", 0, 1) or 0.0,
        distinct=parameters.get("distinct", [""])[-1] in ("1", PRODUCT),
        one_per_product=parameters.get("distinct", [""])[-1] == PRODUCT,
        copies=parameters.get("copies", [""])[-1] != "0",
        parts=parameters.get("parts", [""])[-1] == "1",
        accuracy=next(
            (level for level in get_args(Accuracy) if [level] == parameters.get("accuracy", [])[-1:]), BALANCED
        ),
        sort=parameters.get("sort", [""])[-1],
        turned={"0": False, "1": True}.get(parameters.get("turned", [""])[-1]),
        objects=parameters.get("objects", [""])[-1] == "1",
        precision=precision if precision in PRECISIONS else None,
        k=int(k) if k in PAGE_SIZES else PAGE_SIZES[0],
        page=int(number("page", 1, 1e6) or 1),
        generation=int(number("generation", 1, 1e9) or 0) or None,
        model=parameters.get("model", [""])[-1] or None,
    )


def _conditions(parameters: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Read the conditions in the parameters of an address, of which there are never more than anybody chooses."""
    names = [name for name in parameters if name.startswith(WHERE)][:MAX_CONDITIONS]
    return {
        name.removeprefix(WHERE): tuple(dict.fromkeys(parameters[name]))[: MAX_COMPARED if name[-1] in "<>=~" else None]
        for name in names
    }


def read() -> Link:
    """Read the search in the address of the page; an empty one if the address is too long."""
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    return Link() if is_too_long(parameters) else parse(parameters)


def is_too_long(parameters: Mapping[str, Sequence[str]]) -> bool:
    """Whether an address, or one of its parameters, is longer than the app ever makes it."""
    texts = [*parameters, *(value for values in parameters.values() for value in values)]
    return sum(map(len, texts)) > LONGEST_IN_ALL or any(len(text) > LONGEST + LONGEST_BOX for text in texts)


def refuse_too_long() -> None:
    """Clear the address of the page and show an error if it is too long."""
    if is_too_long({name: st.query_params.get_all(name) for name in st.query_params}):
        st.query_params.clear()
        st.error(TOO_LONG, icon=":material/link_off:")


def write(link: Link) -> None:
    """Put a search into the address of the page; the browser can go back to the previous one."""
    if link != read():
        st.query_params.from_dict(link.parameters())


def change(**changes: Any) -> None:
    """Change fields of the search, and return to the first page of results."""
    write(replace(read(), **{"page": 1} | changes))


def change_where(condition: str, values: tuple[str, ...]) -> None:
    """Change the values of one condition; without any, it is dropped."""
    where = dict(read().where) | {condition: values}
    change(where={name: chosen for name, chosen in where.items() if chosen})


def change_gallery(name: str) -> None:
    """Run the same search in another gallery, without filters and pictures of the previous one."""
    link = read()
    like, unlike = (tuple(part for part in parts if part.kind != ITEM) for parts in (link.like, link.unlike))
    change(gallery=name, like=like, unlike=unlike, where={}, sort="")


def set_query(like: tuple[Part, ...], unlike: tuple[Part, ...]) -> None:
    """Change the query; the address records the state of the gallery that the visitor saw."""
    gallery, generation, model = st.session_state.get(SEEN, (None, None, None))
    link, first = read(), [part.value for part in like[:1]]
    turned = link.turned if first == [part.value for part in link.like[:1]] else None  # it is about one picture
    gallery = gallery or link.gallery
    change(
        like=like,
        unlike=unlike,
        gallery=gallery,
        generation=generation,
        model=model,
        turned=turned,
        objects=False,
    )


def ask_with_objects(is_wanted: bool) -> None:
    """Search with each object in the query's only picture, or with all of that picture again."""
    change(like=tuple(replace(part, box=None) for part in read().like), objects=is_wanted)


def remember_gallery(gallery: str, generation: int, model: str) -> None:
    """Remember the state of the gallery that the visitor sees."""
    st.session_state[SEEN] = (gallery, generation, model)


def _box(edges: Sequence[str | None]) -> Box | None:
    try:
        left, top, right, bottom = (float(f"{float(edge or ''):.4g}") / 100 for edge in edges)
    except ValueError:
        return None
    is_inside = min(left, top) >= 0 and max(right, bottom) <= 1
    is_large = right - left >= MIN_SIDE and bottom - top >= MIN_SIDE
    return Box(left, top, right, bottom) if is_inside and is_large else None
