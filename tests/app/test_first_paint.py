"""The document that a browser loads first has the style of all pages in it; nothing else is changed."""

import gzip

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from similarity.app import pages
from similarity.app.serving.first_paint import FirstPaint

DOCUMENT = "<html><body><div id='root'></div></body></html>"
STYLE = "<style>p { color: red; }</style>"
BROWSER = {"accept": "text/html,*/*"}


async def document(request: Request) -> Response:
    if "if-none-match" in request.headers:
        return Response(status_code=304)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(gzip.compress(DOCUMENT.encode()), headers={"content-encoding": "gzip"}, media_type="text/html")
    return HTMLResponse(DOCUMENT, headers={"etag": "old"})


async def text(_request: Request) -> Response:
    return PlainTextResponse(DOCUMENT)


def visitor() -> TestClient:
    return TestClient(FirstPaint(Starlette(routes=[Route("/", document), Route("/text", text)]), STYLE))


def test_a_document_has_the_style_at_its_end_also_if_the_browser_has_one_without_it() -> None:
    answer = visitor().get("/", headers=BROWSER | {"if-none-match": "old"})
    assert answer.text == DOCUMENT.replace("</body>", f"{STYLE}</body>")
    assert answer.headers["content-length"] == str(len(answer.text))
    assert "etag" not in answer.headers


def test_what_is_no_document_and_what_no_page_asks_for_stay_as_they_are() -> None:
    assert visitor().get("/text", headers=BROWSER).text == DOCUMENT
    assert visitor().get("/", headers={"accept": "application/json"}).text == DOCUMENT
    assert visitor().head("/", headers=BROWSER).status_code == 200


def test_the_style_of_all_pages_has_whole_elements_only() -> None:
    assert pages.STYLE.count("<style>") == pages.STYLE.count("</style>") > 1
    assert pages.STYLE.count("{") == pages.STYLE.count("}")
