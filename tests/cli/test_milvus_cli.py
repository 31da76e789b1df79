"""A gallery in Milvus by the command line and in the app: as any other, and in a sentence what is wrong with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from conftest import MODEL
from pages import draw_alone, errors, open_app, texts

from similarity import Gallery
from similarity.search.milvus.client import client
from similarity.search.stores import Store

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")

Told = Callable[..., dict[str, Any]]


@pytest.fixture
def told(run: Run) -> Told:
    """What a command says in JSON."""

    def call(*arguments: object, **variables: str) -> dict[str, Any]:
        done = run(*arguments, "--json", **variables)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return call


@pytest.mark.cluster
def test_every_command_works_on_a_gallery_in_milvus(
    run: Run, told: Told, empty_home: Path, own_pictures: Path, milvus: Store
) -> None:
    file = milvus.uri
    made = told("index", own_pictures, "-g", "far", "--model", MODEL, "--store", "milvus", "--uri", file)
    assert (made["indexed"], made["recipe"]) == (15, "flat")
    near = told("index", own_pictures, "-g", "near", "--model", MODEL)
    assert near["indexed"] == 15
    query = own_pictures / "dots" / "dots-2.jpg"
    asked = ("search", query, "-k", "6", "--where", "label=rings", "--where", "label=dots", "-g")
    mine, its = (told(*asked, name)["hits"] for name in ("far", "near"))
    assert [hit["id"] for hit in mine] == [hit["id"] for hit in its]
    assert [hit["score"] for hit in mine] == pytest.approx([hit["score"] for hit in its], abs=1e-4)
    assert told("info", "-g", "far")["store"] == {"kind": "milvus", "uri": file}
    assert f"Milvus at {file}" in run("info", "-g", "far", COLUMNS="400").stdout
    (own_pictures / "dots" / "dots-4.jpg").unlink()
    assert told("sync", own_pictures, "-g", "far")["removed"] == 1
    assert told("remove", "-g", "far", "--label", "rings")["indexed"] == 9
    assert told("verify", "-g", "far")["sound"] is True
    assert told("evaluate", "-g", "far")["queries"] == 9
    assert told("restore", "-g", "far")["count"] == 14
    assert told("rebuild", "-g", "far", "--store", "faiss")["indexed"] == 14
    assert told("info", "-g", "far")["store"] == {"kind": "faiss", "uri": ""}
    assert list(empty_home.glob("galleries/far/generations/*/index.faiss"))


@pytest.mark.exhaustive
@pytest.mark.usefixtures("empty_home")
def test_the_environment_gives_new_galleries_their_store_and_old_ones_keep_theirs(
    told: Told, pictures: Path, milvus: Store
) -> None:
    here = {"SIMILARITY_STORE": "milvus", "SIMILARITY_MILVUS_URI": milvus.uri}
    told("index", pictures / "rings", "-g", "far", "--model", MODEL, **here)
    assert told("info", "-g", "far")["store"]["kind"] == "milvus"
    told("index", pictures / "dots", "-g", "far", "--model", MODEL)
    assert told("info", "-g", "far")["store"]["kind"] == "milvus"
    told("rebuild", "-g", "far", "--store", "faiss", **here)
    told("rebuild", "-g", "far", **here)
    assert told("info", "-g", "far")["store"]["kind"] == "faiss"


def test_what_is_wrong_is_one_sentence(
    run: Run, empty_home: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.search.milvus.client.CONNECT", 1.5)  # nobody waits long
    index = ("index", pictures, "-g", "far", "--model", MODEL)
    for more, fault in (
        (("--store", "milvus"), "Error: Milvus needs an address such as"),
        (("--store", "milvus", "--uri", "http://127.0.0.1:9"), "Error: Milvus at http://127.0.0.1:9 cannot be reached"),
        (("--store", "milvus", "--uri", "vectors"), "is not an address of Milvus"),
    ):
        done = run(*index, *more)
        assert done.returncode == 1
        assert fault in done.stderr
    assert run(*index, "--store", "redis").returncode == 2
    assert not (empty_home / "galleries" / "far").exists()


@pytest.fixture
def far(empty_home: Path, pictures: Path, milvus: Store) -> Gallery:
    return Gallery.build(pictures, empty_home / "galleries" / "far", model=MODEL, store=milvus)


def galleries_page() -> None:
    from similarity.app.galleries import page

    page.show()


@pytest.mark.cluster
def test_the_app_shows_where_a_gallery_is_searched(far: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    page = draw_alone(galleries_page, monkeypatch)
    page.query_params["gallery"] = "far"
    page.run()
    assert not page.exception
    shown = page.table[0].value.to_string().replace("\\", "").replace("\u2060", "")  # escapes, and what breaks links up
    assert f"Milvus at {far.manifest.store.uri}" in shown


@pytest.mark.cluster
def test_the_app_finds_and_says_what_is_wrong_when_the_collection_is_gone(
    far: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_app(gallery="far", like="item:dots/dots-1.jpg").run()
    assert not page.exception
    assert not page.error
    assert "dots-1.jpg" in texts(page)
    store: Store = far.manifest.store
    client(store).drop_collection(far.manifest.search["collection"])
    page = open_app(gallery="far", like="item:dots/dots-1.jpg").run()
    assert not page.exception
    assert "is not in Milvus at" in errors(page)
    monkeypatch.setattr("similarity.app.serving.access.may_manage", lambda: False)
    page = open_app(gallery="far", like="item:dots/dots-1.jpg").run()
    assert not page.exception
    assert errors(page) == "This gallery cannot be searched at the moment: try again in a while."
    far.rebuild()
    page = page.button(key="search-again").click().run()
    assert not page.exception
    assert not page.error
