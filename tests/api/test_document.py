"""The document of the API, held against its answers: thousands of requests made of it, right and wrong ones.

Whatever is in the document is asked, changes too, so the home and its gallery are this test's own.
"""

import contextlib
import copy
import itertools
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL
from starlette.testclient import TestClient

from similarity import Gallery
from similarity.api.application import create_alone
from similarity.service.keys import add_key

pytestmark = pytest.mark.exhaustive

REQUESTS, MOST_SECONDS = 5_000, 170
AT_ONCE = 40  # requests of an operation
PATIENCE = 120.0  # seconds for an answer, far more than any takes
GALLERY = "own"
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@pytest.fixture
def own_gallery(empty_home: Path, own_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """A gallery in a home that is thrown away."""
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    return Gallery.build(own_pictures, empty_home / "galleries" / GALLERY, model=MODEL)


def make_likely(case: Any, ids: list[str], chance: Any) -> None:
    """Make most requests about the gallery that there is, and some about its pictures: words at random name none."""
    if "gallery" in case.path_parameters and chance.random() < 0.8:
        case.path_parameters["gallery"] = GALLERY
    if "item" in case.path_parameters and chance.random() < 0.5:
        case.path_parameters["item"] = chance.choice(ids)
    name_items(case.body, ids, chance)


def name_items(body: Any, ids: list[str], chance: Any) -> None:
    """Put ids of pictures where a body names some."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name == "item" and chance.random() < 0.7:
                body[name] = [chance.choice(ids)] if isinstance(value, list) else chance.choice(ids)
            else:
                name_items(value, ids, chance)
    elif isinstance(body, list):
        for value in body:
            name_items(value, ids, chance)


def without_forms(document: dict[str, Any]) -> dict[str, Any]:
    """A document whose bodies are JSON: schemathesis makes no wrong forms that have files in lists."""
    changed = copy.deepcopy(document)
    for route in changed["paths"].values():
        for operation in route.values():
            content = operation.get("requestBody", {}).get("content", {})
            content.pop("multipart/form-data", None)
            if not content:
                operation.pop("requestBody", None)
    return changed


def operations_of(app: Any) -> list[tuple[Any, Any]]:
    """Each operation of the document, for right requests and for wrong ones."""
    import schemathesis
    from schemathesis.generation import GenerationMode

    document = TestClient(app, base_url="http://localhost").get("/openapi.json").json()
    found = []
    for asked, mode in ((document, GenerationMode.POSITIVE), (without_forms(document), GenerationMode.NEGATIVE)):
        schema = schemathesis.openapi.from_dict(asked)
        schema.app = app
        found += [(operation.ok(), mode) for operation in schema.get_all_operations()]
    return found


def test_no_answer_is_one_that_the_document_does_not_have(
    own_gallery: Gallery, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    import hypothesis
    from schemathesis.checks import CHECKS as KNOWN
    from schemathesis.checks import load_all_checks
    from schemathesis.core.failures import FailureGroup

    load_all_checks()
    checks = [KNOWN.get_one(name) for name in CHECKS]
    ids, seed = [item.id for item in own_gallery.items], pytestconfig.getoption("--rotation")
    app, headers = create_alone(), {"X-API-Key": add_key("document", ["*"]), "Host": "localhost"}
    operations = operations_of(app)
    undocumented: dict[str, str] = {}
    chance, statuses, until = random.Random(seed), Counter[int](), time.monotonic() + MOST_SECONDS

    def ask(label: str, case: Any) -> None:
        make_likely(case, ids, chance)
        answer = case.call(headers=headers, timeout=PATIENCE)
        statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=checks, headers=headers)
        except FailureGroup as found:
            undocumented.setdefault(
                label, f"{label} {answer.status_code}: {found.exceptions}\n{case.as_curl_command()}"
            )

    for turn, (operation, mode) in enumerate(itertools.cycle(operations)):
        if time.monotonic() > until or statuses.total() >= REQUESTS:
            break
        settings = hypothesis.settings(
            max_examples=AT_ONCE,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        cases = operation.as_strategy(generation_mode=mode)
        asking = hypothesis.given(label=hypothesis.strategies.just(operation.label), case=cases)(ask)
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # where no request can be wrong
            hypothesis.seed(seed + turn)(settings(asking))()
    with capsys.disabled():
        print(f"\n{statuses.total():,} requests, --rotation {seed}: {dict(statuses)}")  # noqa: T201
    assert not undocumented, "\n".join(undocumented.values())
    assert not [status for status in statuses if status >= 500]
    assert statuses[200] > statuses.total() // 20, "too few requests were right to say much"
