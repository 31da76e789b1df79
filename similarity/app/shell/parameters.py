"""Searches as parameters of a page's address, so that they can be shared, bookmarked and returned to.

?gallery=shoes&like=item:boots/7.jpg@10,0,90,55&like=url:https://…&not=sample:mug-01-q
 &where.label=boot&where.label=shoe&min=0.5&distinct=1&copies=0&exclude_query=1&accuracy=high&sort=-taken&turned=1
 &each=upload:…&each=upload:…
 &k=50&page=2&generation=3&model=resnet50&against=shoes-vit&precision=0.95&open=boots/7.jpg
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args
from urllib.parse import unquote, urlencode

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
# Pictures that are searched with at once, each on its own.
MAX_EACH = 20
# Conditions in an address, and values that one compares with; comparing takes its time.
MAX_CONDITIONS, MAX_COMPARED = 30, 10
WHERE = "where."
# Maximum characters of all parameters together, and of the kind and the box around the value of one.
LONGEST_IN_ALL, LONGEST_BOX = 32_768, 512
BALANCED: Accuracy = "balanced"
OPEN = "open"
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

    @property
    def is_mark(self) -> bool:
        """Whether it is a whole picture of the gallery: beside a query, one of its results that was marked."""
        return self.kind == ITEM and not self.box

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
        each: pictures that are queries of their own, whose first results are shown below each other.
        where: column -> accepted values, or column and operator, such as `taken>=` -> what to compare with.
        min_score: the lowest score of a result.
        distinct: whether copies of better results are left out.
        one_per_product: whether other pictures of the same product are left out, too.
        exclude_query: whether the pictures of the query are left out of its results.
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
        open: the id of the result that is looked at closely; empty for none. It is no part of the search, so links
            that differ in it alone are equal.
    """

    gallery: str | None = None
    against: tuple[str, ...] = ()
    like: tuple[Part, ...] = ()
    unlike: tuple[Part, ...] = ()
    each: tuple[Part, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    min_score: float = 0.0
    distinct: bool = False
    one_per_product: bool = False
    exclude_query: bool = False
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
    open: str = field(default="", compare=False)

    def parameters(self) -> dict[str, str | list[str]]:
        """Return the parameters of an address, without those that have their default value."""
        parameters: dict[str, Any] = {
            "gallery": self.gallery or "",
            "against": list(self.against),
            "like": [str(part) for part in self.like],
            "not": [str(part) for part in self.unlike],
            "each": [str(part) for part in self.each],
            "min": f"{self.min_score:.2f}" if self.min_score else "",
            "distinct": PRODUCT if self.one_per_product else "1" if self.distinct else "",
            "exclude_query": "1" if self.exclude_query else "",
            "copies": "" if self.copies else "0",
            "parts": "1" if self.parts else "",
            "accuracy": self.accuracy if self.accuracy != BALANCED else "",
            "sort": self.sort,
            "turned": "" if self.turned is None else str(int(self.turned)),
            "objects": "1" if self.objects else "",
            "precision": f"{self.precision:g}" if self.precision else "",
            "k": str(self.k) if self.k != PAGE_SIZES[0] else "",
            "page": str(self.page) if self.page > 1 else "",
            "open": self.open,
        }
        parameters |= {f"{WHERE}{column}": list(values) for column, values in self.where.items()}
        if self.like or self.unlike:
            parameters |= {"generation": str(self.generation or ""), "model": self.model or ""}
        return {name: value for name, value in parameters.items() if value}

    @property
    def query_string(self) -> str:
        """The parameters as they stand in an address, written as Streamlit writes them."""
        return urlencode(self.parameters(), doseq=True)


def parse(parameters: Mapping[str, Sequence[str]]) -> Link:
    """Read the search in the parameters of an address; invalid parameters are ignored."""

    def last(name: str) -> str:
        return parameters.get(name, [""])[-1]

    def number(name: str, lowest: float, highest: float) -> float | None:
        try:
            value = float(last(name))
        except ValueError:
            return None
        return value if lowest <= value <= highest else None

    like = _parts(parameters.get("like", [])[:MAX_PARTS])
    precision = number("precision", PRECISIONS[0], PRECISIONS[-1])
    k = number("k", 1, PAGE_SIZES[-1])
    return Link(
        gallery=last("gallery") or None,
        against=tuple(dict.fromkeys(name for name in parameters.get("against", [])[:MAX_AGAINST] if name)),
        like=like,
        unlike=tuple(part for part in _parts(parameters.get("not", [])[:MAX_PARTS]) if part not in like),
        each=_parts(parameters.get("each", [])[:MAX_EACH]),
        where=_conditions(parameters),
        min_score=number("min", 0, 1) or 0.0,
        distinct=last("distinct") in ("1", PRODUCT),
        one_per_product=last("distinct") == PRODUCT,
        exclude_query=last("exclude_query") == "1",
        copies=last("copies") != "0",
        parts=last("parts") == "1",
        accuracy=_accuracy(last("accuracy")),
        sort=last("sort"),
        turned={"0": False, "1": True}.get(last("turned")),
        objects=last("objects") == "1",
        precision=precision if precision in PRECISIONS else None,
        k=int(k) if k in PAGE_SIZES else PAGE_SIZES[0],
        page=int(number("page", 1, 1e6) or 1),
        generation=int(number("generation", 1, 1e9) or 0) or None,
        model=last("model") or None,
        open=last(OPEN),
    )


def _parts(texts: Sequence[str]) -> tuple[Part, ...]:
    """Read the parts of a query, each once."""
    parsed = map(Part.parse, texts)
    return tuple(dict.fromkeys(part for part in parsed if part))


def _accuracy(text: str) -> Accuracy:
    return next((level for level in get_args(Accuracy) if level == text), BALANCED)


def _conditions(parameters: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Read the conditions in the parameters of an address, of which there are never more than anybody chooses."""
    names = [name for name in parameters if name.startswith(WHERE)][:MAX_CONDITIONS]
    return {
        name.removeprefix(WHERE): tuple(dict.fromkeys(parameters[name]))[: MAX_COMPARED if name[-1] in "<>=~" else None]
        for name in names
    }


def is_too_long(parameters: Mapping[str, Sequence[str]]) -> bool:
    """Whether an address, or one of its parameters, is longer than the app ever makes it."""
    texts = [*parameters, *(value for values in parameters.values() for value in values)]
    return sum(map(len, texts)) > LONGEST_IN_ALL or any(len(text) > LONGEST + LONGEST_BOX for text in texts)


def has_upload(link: Link) -> bool:
    """Whether an uploaded picture is part of a search, which only the browser that it came from finds again."""
    return any(part.kind == UPLOAD for part in (*link.like, *link.unlike, *link.each))


def in_gallery(link: Link, name: str) -> Link:
    """Return the same search of another gallery, without filters and pictures of the previous one."""
    groups = (link.like, link.unlike, link.each)
    like, unlike, each = (tuple(part for part in parts if part.kind != ITEM) for parts in groups)
    return replace(link, gallery=name, like=like, unlike=unlike, each=each, where={}, sort="", page=1)


def _box(edges: Sequence[str | None]) -> Box | None:
    try:
        left, top, right, bottom = (float(f"{float(edge or ''):.4g}") / 100 for edge in edges)
    except ValueError:
        return None
    is_inside = min(left, top) >= 0 and max(right, bottom) <= 1
    is_large = right - left >= MIN_SIDE and bottom - top >= MIN_SIDE
    return Box(left, top, right, bottom) if is_inside and is_large else None
