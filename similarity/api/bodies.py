"""What requests say: the fields of a search, as JSON and as a form with a file."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.datastructures import FormData, UploadFile

from similarity.api.reading import split_form
from similarity.errors import SearchError, TooLargeError
from similarity.fetch.web import is_url
from similarity.images.picture import Box, QueryFile
from similarity.query.encoder import VECTOR
from similarity.query.inputs import UPLOADED, Crop, Examples, ItemId, Query, Text, Vector
from similarity.query.options import SearchOptions
from similarity.service.answers.request import SearchRequest

MOST_HITS, LAST_RANK = 1000, 100_000
MOST_PARTS, MOST_SEARCHES = 16, 100
MOST_GALLERIES, LONGEST_PATTERN = 32, 255  # of names and patterns of a search in several
MOST_EXPLAINED = 50  # each is decoded and looked at anew, in one turn
MOST_FIELDS = 50  # of an object, known or not: each that is unknown is told of
MOST_FILE = 20_000_000  # bytes of a picture
BLANKS = b" \t\r\n\f\v"
MOST_NUMBERS = 1 << 15  # of a vector
LONGEST = 20_000  # characters of a text, a condition or an address

Fetch = Callable[[str], bytes]
SEVERAL = frozenset({"where", "url", "item", "text"})  # fields of a form that may have several values
KINDS = ("url", "base64", "item", "text", "vector")
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Line = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Numbers = Annotated[list[Number], Field(min_length=1, max_length=MOST_NUMBERS)]
Corners = Annotated[list[Share], Field(min_length=4, max_length=4, description="left, top, right, bottom, as shares")]


class Strict(BaseModel):
    """A model that refuses fields that it does not know, which are mistakes mostly."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def count_fields(cls, given: Any) -> Any:
        """Refuse an object of very many fields as a whole."""
        if isinstance(given, dict) and len(given) > MOST_FIELDS:
            raise ValueError("these are too many fields")
        return given


class Part(Strict):
    """A part of a query: exactly one of `url`, `base64`, `item`, `text` and `vector`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [name]} for name in KINDS]})

    url: Line | None = Field(None, description="The http(s) address of a picture.")
    base64: str | None = Field(None, min_length=1, description="The bytes of a picture file.")
    item: Line | None = Field(None, description="The id or the SHA-256 of a picture of the gallery.")
    text: Line | None = Field(None, description="Words, if the gallery's model understands them.")
    vector: Numbers | None = Field(None, description="An embedding by the gallery's model, of any length but 0.")
    box: Corners | None = Field(None, description="The part of the picture to search with.")

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a part that is several things, none, or has a box that is none."""
        given = [name for name in KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(KINDS)}")
        if self.box is not None:
            left, top, right, bottom = self.box
            if given[0] in ("text", "vector") or left >= right or top >= bottom:
                raise ValueError("a box is of a picture: left below right, and top below bottom")
        return self

    @property
    def title(self) -> str:
        """Its name in an answer."""
        return self.url or self.item or self.text or (VECTOR if self.vector else UPLOADED)

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing has to be fetched, decoded or read from the disk for it."""
        return self.box is None and self.url is None and self.base64 is None

    def read(self, fetch: Fetch) -> Query:
        """Read the picture; raises FetchError for an address that cannot be fetched, SearchError for other faults."""
        if self.text is not None:
            return Text(self.text)
        if self.vector is not None:
            return Vector(self.vector)
        picture: QueryFile | ItemId
        if self.item is not None:
            picture = ItemId(self.item)
        elif self.url is not None:
            picture = QueryFile(_fetch(self.url, fetch), self.url)
        else:
            picture = QueryFile(_decode(self.base64 or ""), UPLOADED)
        return Crop(picture, Box(*self.box)) if self.box else picture


class SharedOptions(Strict):
    """The options of a search in one gallery or in several; names and meanings are those of `similarity search`."""

    k: int = Field(10, ge=1, le=MOST_HITS)
    offset: int = Field(0, ge=0, le=LAST_RANK)
    where: list[Line] = Field([], max_length=100, description="Conditions, such as `label=shoe` or `width>=1000`.")
    min_score: float = Field(-1.0, ge=-1.0, le=1.0)
    distinct: bool = False
    one_per_product: bool = False
    exclude_query: bool = False
    accuracy: Literal["fast", "balanced", "high"] = "balanced"
    parts: bool = False

    @property
    def search_options(self) -> SearchOptions:
        """Which pictures may be results."""
        return SearchOptions(
            min_score=self.min_score,
            distinct=self.distinct,
            one_per_product=self.one_per_product,
            offset=self.offset,
            accuracy=self.accuracy,
            parts=self.parts,
        )


class Options(SharedOptions):
    """The options of a search in one gallery."""

    precision: float | None = Field(None, gt=0.0, lt=1.0)
    sort: Line | None = None
    explain: bool = False
    copies: bool = False
    turned: bool = False
    objects: bool = False

    @model_validator(mode="after")
    def check_explained(self) -> Self:
        """Refuse to explain very many hits at once."""
        if self.explain and self.k > MOST_EXPLAINED:
            raise ValueError(f"up to {MOST_EXPLAINED} hits are explained at a time: use a smaller k, and offset")
        return self

    def to_request(self, examples: Examples, title: str) -> SearchRequest:
        """Return the request that these options make of a query."""
        return SearchRequest(
            examples,
            title,
            self.k,
            self.search_options,
            self.exclude_query,
            self.precision,
            self.explain,
            self.where,
            self.sort,
            self.copies,
            self.turned,
            self.objects,
        )


class QueryBody(Strict):
    """A query as JSON."""

    like: list[Part] = Field(min_length=1, max_length=MOST_PARTS)
    unlike: list[Part] = Field([], max_length=MOST_PARTS)
    weights: list[Annotated[float, Field(gt=0.0, le=1000.0)]] = Field(
        [], max_length=MOST_PARTS, description="One for each of `like`."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse weights that are not one for each example."""
        if self.weights and len(self.weights) != len(self.like):
            raise ValueError("give a weight for each of `like`, or none")
        return self

    def read_examples(self, fetch: Fetch) -> Examples:
        """Read the pictures of the query; raises as `Part.read`."""
        like, unlike = ([part.read(fetch) for part in parts] for parts in (self.like, self.unlike))
        return Examples(like, unlike, self.weights)


class SearchBody(QueryBody, Options):
    """A search as JSON."""

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing has to be fetched, decoded or read from the disk before it can be made."""
        is_looked_at = self.explain or self.copies or self.turned or self.objects or self.precision is not None
        return not is_looked_at and all(part.is_at_hand for part in [*self.like, *self.unlike])

    def read(self, fetch: Fetch) -> SearchRequest:
        """Read the pictures of the query; raises as `Part.read`."""
        return self.to_request(self.read_examples(fetch), self.like[0].title)


class GalleriesBody(QueryBody, SharedOptions):
    """A search in several galleries as JSON."""

    galleries: list[Annotated[Line, Field(max_length=LONGEST_PATTERN)]] = Field(
        min_length=1, max_length=MOST_GALLERIES, description="Names, or patterns of names such as `shop-*`."
    )


class BatchBody(Strict):
    """Several searches at once."""

    searches: list[SearchBody] = Field(min_length=1, max_length=MOST_SEARCHES)


class PictureForm(Strict):
    """A picture as a form: in the field `file`, or named by one of the others."""

    url: list[Line] = Field([], max_length=MOST_PARTS)
    item: list[Line] = Field([], max_length=MOST_PARTS)
    text: list[Line] = Field([], max_length=MOST_PARTS)


class FormBody(Options, PictureForm):
    """A search as a form: its pictures and words, and options."""


def read_form(form: FormData) -> tuple[list[UploadFile], FormBody]:
    """Return the files and the other fields of a form; raises pydantic's ValidationError for wrong ones."""
    files, fields = split_form(form, SEVERAL)
    return files, FormBody.model_validate(fields)


def form_request(files: Sequence[QueryFile], body: FormBody, fetch: Fetch) -> SearchRequest:
    """Return the request of a form; raises as `Part.read`, and SearchError without any picture or words."""
    named = [Part(**{kind: value}) for kind in ("url", "item", "text") for value in getattr(body, kind)]
    like: list[Query] = [*files, *(part.read(fetch) for part in named)]
    if not like:
        raise SearchError("Send a picture in the field `file`, or name one in `url` or `item`, or words in `text`.")
    title = files[0].name if files else named[0].title
    return body.to_request(Examples(like), title)


def _fetch(url: str, fetch: Fetch) -> bytes:
    if not is_url(url):
        raise SearchError("A web address begins with http:// or https://.")
    return fetch(url)


def _decode(text: str) -> bytes:
    """Decode base64; raises SearchError if it is none, TooLargeError if its picture is."""
    try:
        # Without the spaces in one step: a list of the pieces between them would take many times the memory.
        data = base64.b64decode(text.encode("ascii").translate(None, BLANKS), validate=True)
    except (binascii.Error, ValueError):
        raise SearchError("The field base64 does not have a file in base64.") from None
    if len(data) > MOST_FILE:
        raise TooLargeError(UPLOADED, f"is too large: a picture may have {MOST_FILE // 1_000_000} MB at most.")
    return data
