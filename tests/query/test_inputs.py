import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Run
from conftest import Site
from PIL import Image

from similarity import Examples, Gallery
from similarity.errors import DamagedError, FetchError, ImageError, SearchError
from similarity.query.inputs import image_of, read_query

Inputs = dict[str, Any]


@pytest.fixture
def path(shapes: Gallery) -> str:
    """A PNG, so that pixels in an array are exactly those of the file."""
    return next(item.path for item in shapes.items)


def ids_of(gallery: Gallery, query: Any) -> list[str]:
    return [hit.item.id for hit in gallery.search(query, 3)]


def test_a_picture_is_found_however_it_is_handed_over(shapes: Gallery, path: str) -> None:
    data, written = Path(path).read_bytes(), io.BytesIO()
    written.write(data)  # its position is the end now
    expected = ids_of(shapes, path)
    with Path(path).open("rb") as file:
        file.read(10)
        given = [data, bytearray(data), memoryview(data), io.BytesIO(data), written, file, io.BufferedReader(written)]
        assert [ids_of(shapes, query) for query in given] == [expected] * len(given)
        assert ids_of(shapes, Examples([bytearray(data), file])) == expected
    assert ids_of(shapes, Path(path)) == ids_of(shapes, f" '{path}'\n") == expected
    encoded = base64.b64encode(data).decode()
    for address in (
        Path(path).as_uri(),
        f"file:{path}",
        f"data:image/jpeg;base64,{encoded}",
        f"DATA:;base64,{encoded}",
    ):
        assert ids_of(shapes, address) == expected


def test_pixels_are_a_query_as_the_image_of_them_is(shapes: Gallery, path: str) -> None:
    image = Image.open(path).convert("RGB")
    pixels = np.asarray(image)
    grey = np.asarray(image.convert("L"))
    pairs = [
        (pixels, image),
        (pixels[::-1, ::2], Image.fromarray(np.ascontiguousarray(pixels[::-1, ::2]))),
        (np.dstack([pixels, np.full_like(grey, 255)]), image),
        (grey, image.convert("L")),
        (grey[:, :, np.newaxis], image.convert("L")),
    ]
    for array, picture in pairs:
        np.testing.assert_allclose(shapes.embed_query(array), shapes.embed_query(picture), atol=1e-5)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((3, 4, 5), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(1280, np.float32),
    ],
)
def test_an_array_that_is_no_picture_is_refused_with_its_shape(pixels: Any) -> None:
    with pytest.raises(SearchError, match=r"must be uint8 \(height, width, 3\), not \w+ \("):
        image_of(pixels)


@pytest.mark.parametrize("query", [None, 5, 1.5, {}, object()])
def test_a_query_that_is_nothing_to_search_with_is_named(shapes: Gallery, query: Any) -> None:
    with pytest.raises(SearchError, match=f"A query of type {type(query).__name__} cannot be searched with"):
        shapes.search(query)


def test_several_pictures_are_examples_rather_than_a_list(shapes: Gallery, path: str) -> None:
    with pytest.raises(SearchError, match="Examples"):
        shapes.search([path, path])  # type: ignore[arg-type]


def test_open_files_that_cannot_be_read_are_named(shapes: Gallery, path: str) -> None:
    with Path(path).open("rb") as file:
        pass
    with pytest.raises(DamagedError, match="closed"):
        shapes.search(file)
    with pytest.raises(SearchError, match="binary mode"):
        shapes.search(io.StringIO("words"))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_numbers_of_numpy_are_numbers(shapes: Gallery, path: str, kind: Any) -> None:
    assert shapes.search(path, kind(2), offset=kind(1)) == shapes.search(path, 2, offset=1)
    most = np.iinfo(kind).max
    assert len(shapes.search(path, kind(min(most, 2**40)), offset=kind(1))) == len(shapes) - 1
    assert shapes.search(path, 2, min_score=np.float32(-1)) == shapes.search(path, 2)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"k": 2.5}, "The number of results must be a whole number, not 2.5"),
        ({"k": "2"}, "The number of results must be a whole number, not '2'"),
        ({"k": None}, "must be a whole number"),
        ({"offset": 1.0}, "The number of results to skip must be a whole number, not 1.0"),
        ({"min_score": float("nan")}, "The lowest score must be a number, not nan"),
        ({"min_score": "high"}, "The lowest score must be a number, not 'high'"),
        ({"min_score": None}, "The lowest score must be a number"),
    ],
)
def test_what_is_no_number_is_refused_in_a_sentence(
    shapes: Gallery, path: str, keywords: Inputs, sentence: str
) -> None:
    with pytest.raises(SearchError, match=sentence):
        shapes.search(path, **keywords)


def test_a_lowest_score_that_is_no_number_is_not_a_search_without_results(shapes: Gallery, path: str, run: Run) -> None:
    done = run("search", path, "-g", shapes.directory, "--min-score", "nan")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: The lowest score must be a number, not nan.\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("//host.example/a.jpg", "put https: before it"),
        ("www.example.org/a.jpg", "put https:// before it"),
        ("example.org/a.jpg", "put https:// before it"),
        ("ftp://example.org/a.jpg", "begins with ftp:, which is not fetched: download the picture"),
        ("blob:https://example.org/1", "exists only inside the browser"),
        ("http:/example.org/a.jpg", "must start with http:// or https://"),
        ("file://elsewhere/a.jpg", "is not the address of a file on this computer"),
        ("file:///nowhere/a.jpg", "is not the address of a file on this computer"),
        ("nowhere/a.jpg", "No such file or directory"),
        ("C:/nowhere/a.jpg", "No such file or directory"),
    ],
)
def test_an_address_of_another_kind_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ImageError) as refused:
        read_query(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("text", ["data:", "data:,", "data:image/png;base64,????", "data:image/png;base64,abc"])
def test_a_picture_that_is_written_out_but_cut_short_is_named(text: str) -> None:
    with pytest.raises(FetchError, match="contains no whole picture: copy or download the picture itself"):
        read_query(text)
    with pytest.raises(SearchError, match="The query is empty"):
        read_query(" ")


def test_an_address_is_read_without_what_came_along_when_it_was_copied(site: Site) -> None:
    site.pages["/a.jpg"] = (200, {}, b"the bytes")
    for text in (f" {site.url('/a.jpg')}\n", f"<{site.url('/a.jpg')}>", f'"{site.url("/a.jpg")}"'):
        assert read_query(text).data == b"the bytes"


def test_a_file_with_quotation_marks_in_its_name_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("'a.jpg'", " b.jpg", "data.jpg"):
        Path(name).write_bytes(name.encode())
        assert read_query(name).data == name.encode()
