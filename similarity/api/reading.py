"""Bodies as routes read them themselves, once their caller is known; and what the document says of them."""

import json
from collections.abc import Collection, Mapping
from typing import TypeVar

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from similarity.api.answers import Json

# Lists, objects and their values in a body, which a full batch does not reach; each takes many times its bytes.
MOST_VALUES = 50_000
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
REF = "#/components/schemas/{model}"
Model = TypeVar("Model", bound=BaseModel)


def parse_json(model: type[Model], data: bytes) -> Model:
    """Return a body of JSON; raises HTTPException if it is none or too much, RequestValidationError if it is wrong."""
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise HTTPException(413, f"A body may have {MOST_VALUES:,} values at most.")
    try:
        return model.model_validate(json.loads(data))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_context=False)) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The body is not JSON.") from error


def split_form(form: FormData, several: Collection[str]) -> tuple[list[UploadFile], Json]:
    """Return the files of a form in its field `file`, and its other fields.

    Args:
        several: the fields that may have more than one value.
    """
    files = [value for value in form.getlist("file") if isinstance(value, UploadFile)]
    names = [name for name in form if not (name == "file" and files)]
    return files, {name: form.getlist(name) if name in several else form.get(name) for name in names}


def content_type(headers: Mapping[str, str]) -> str:
    """Return the type of a body without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def say_body(**content: Json) -> Json:
    """Return what the document says of a body, by its types."""
    return {"requestBody": {"required": True, "content": content}}


def say_json(model: type[BaseModel]) -> Json:
    """Return what the document says of a body in JSON."""
    return {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}


def say_form(model: type[BaseModel], most_files: int) -> Json:
    """Return what the document says of a form with files."""
    form = model.model_json_schema()
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": most_files}
    return {"multipart/form-data": {"schema": form | {"properties": {"file": files, **form["properties"]}}}}
