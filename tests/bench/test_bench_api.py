"""The benchmark of the HTTP API: that it asks a server of its own and compares, never how fast anything is."""

import json

import pytest
from commands import Run
from programs import client

from similarity import Gallery
from similarity.bench import api
from similarity.errors import SimilarityError


class Answer:
    """An answer as urllib3 has it."""

    def __init__(self, status: int, data: bytes) -> None:
        self.status, self.data = status, data


class Pool:
    """Connections to the API in this process."""

    def __init__(self, status: int | None = None) -> None:
        self._api, self._status = client(), status

    def request(self, method: str, place: str, *, body: bytes, headers: dict[str, str]) -> Answer:
        answer = self._api.request(method, place, content=body, headers=headers)
        return Answer(self._status or answer.status_code, answer.content)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round of a few requests."""
    monkeypatch.setattr(api, "ROUNDS", 1)
    monkeypatch.setattr(api, "REQUESTS", {"item": 4, "picture": 2, "text": 2})
    monkeypatch.setattr(api, "describe_machine", lambda: {"cores": 2})


def serve(monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(api, "_serving", lambda _: nullcontext(pool))


@pytest.mark.usefixtures("quick")
def test_bench_api_reports_rates_of_api_and_library_that_belong_together(
    run: Run, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, Pool())
    done = run("bench", "api", "--gallery", "shapes", "--clients", "2", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["gallery"], report["pictures"], report["clients"]) == ("shapes", len(shapes), 2)
    assert "text" not in report, "its model understands no words"
    for kind in ("item", "picture"):
        measured = report[kind]
        assert measured["of_library"] == pytest.approx(measured["per_s"] / measured["library_per_s"], rel=0.05)
        assert 0 < measured["p50_ms"] <= measured["p95_ms"]
    assert "a second" in run("bench", "api", "--gallery", "shapes", "--clients", "2").stdout


@pytest.mark.usefixtures("quick", "shapes")
def test_bench_api_says_so_where_a_search_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, Pool(429))
    done = run("bench", "api", "--gallery", "shapes")
    assert done.returncode == 1
    assert "has refused a search (429)" in done.stderr


@pytest.mark.exhaustive
@pytest.mark.usefixtures("quick")
def test_bench_api_starts_a_server_of_its_own(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "REQUESTS", {"item": 20, "picture": 0, "text": 0})
    with api._serving(2) as pool:
        api._ask(pool, "/api/v1/galleries/shapes/search", api._part(item=shapes.items[0].id))
        with pytest.raises(SimilarityError, match="has refused a search"):
            api._ask(pool, "/api/v1/galleries/nowhere/search", api._part(item="x"))
