"""The same search by every door, the API, the library, the command line and the pages, has the same answer.

Requests of all kinds are drawn by chance. A door that cannot ask something, as the command line cannot ask for a part
of a picture, is left out for it. No light network understands words, so that theirs are made of the words' own bytes.
"""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from commands import run_command
from conftest import MODEL, Site, draw
from pages import forget, open_app, ranking
from starlette.testclient import TestClient

from similarity import Crop, Examples, Gallery, ItemId, Text
from similarity.app.search import query_parts, ranked
from similarity.app.shell.parameters import Link, Part
from similarity.embedding.embedder import Embedder
from similarity.images.picture import Box, QueryFile
from similarity.query.conditions import parse
from similarity.query.options import SearchOptions
from similarity.service.answers.answer import find_answer
from similarity.service.answers.request import SearchRequest
from similarity.vectors.arrays import Vectors, normalise

pytestmark = pytest.mark.exhaustive

REQUESTS = 200
WORDS = ("red rings", "many dots", "stripes, blue and broad")
CONDITIONS = (["label=dots"], ["label=rings", "width>=100"], ["label!=stripes"], ["height>=320"], ["width<100"])
Ranked = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Piece:
    """A part of a query: an item, a picture that is sent, one at an address, or words."""

    kind: str
    value: str
    box: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Asked:
    """A search, as all doors have it."""

    like: Sequence[Piece]
    unlike: Sequence[Piece] = ()
    weights: Sequence[float] = ()
    fields: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory, home: Path, light_embedder: Embedder) -> Iterator[Gallery]:
    """A gallery of 36 pictures, some of them copies, and one embedded as the pictures of queries are."""
    assert light_embedder
    folder = tmp_path_factory.mktemp("album")
    for kind in ("dots", "rings", "stripes"):
        (folder / kind).mkdir()
        for seed in range(10):
            draw(kind, seed).save(folder / kind / f"{kind}-{seed}.jpg", quality=92)
        for seed in range(2):
            draw(kind, seed).resize((120, 160)).save(folder / kind / f"again-{seed}.png")
    yield Gallery.build(folder, home / "galleries" / "album", model=MODEL, refinement="none")
    shutil.rmtree(home / "galleries" / "album")


@pytest.fixture
def doors(album: Gallery, site: Site, monkeypatch: pytest.MonkeyPatch) -> "Doors":
    """All doors to that gallery, with pictures to fetch."""
    monkeypatch.setenv("SIMILARITY_MANAGE", "everyone")

    def embed_texts(_: Embedder, words: Sequence[str]) -> Vectors:
        seeds = [int(hashlib.sha256(one.encode()).hexdigest()[:8], 16) for one in words]
        rows = [np.random.default_rng(seed).normal(size=album.embeddings.dim) for seed in seeds]
        return normalise(np.array(rows, np.float32))

    monkeypatch.setattr(Embedder, "embed_texts", embed_texts)
    monkeypatch.setattr("similarity.query.encoder.understands_text", lambda _: True)
    for module in ("similarity.api.pictures", "similarity.app.serving.resources"):
        monkeypatch.setattr(f"{module}.shared_limiter", lambda: NoLimit())
    for item in album.items:
        site.pages[f"/{item.id}"] = (200, {"Content-Type": "image/jpeg"}, Path(item.path).read_bytes())
    monkeypatch.setattr("similarity.app.serving.session_uploads.find_upload", uploads(album).get)
    forget()
    return Doors(album, site)


class NoLimit:
    """Counts nothing."""

    def count(self, session: str) -> None:
        assert session is not None


def uploads(gallery: Gallery) -> dict[str, QueryFile]:
    """The pictures as somebody has uploaded them, by their SHA-256."""
    return {item.sha256: QueryFile(Path(item.path).read_bytes(), item.id) for item in gallery.items}


class Doors:
    """Asks by each door; each answer is the ids and scores of the hits."""

    def __init__(self, gallery: Gallery, site: Site) -> None:
        self._gallery, self._site = gallery, site
        self._items = {item.id: item for item in gallery.items}

    def library(self, asked: Asked) -> Ranked:
        """As a program of one's own has it."""

        def query(piece: Piece) -> Any:
            if piece.kind == "text":
                return Text(piece.value)
            named: Any = ItemId(piece.value) if piece.kind == "item" else self._file(piece)
            return Crop(named, Box(*piece.box)) if piece.box else named

        examples = Examples(list(map(query, asked.like)), list(map(query, asked.unlike)), asked.weights)
        fields = dict(asked.fields)
        where = parse(fields.pop("where", []), self._gallery.facets.names) or None
        options = SearchOptions(
            where=where, **{name: fields.pop(name) for name in list(fields) if hasattr(SearchOptions, name)}
        )
        if fields.get("copies") or fields.get("explain"):
            return ranks(find_answer(self._gallery, SearchRequest(examples, "", options=options, **fields)).hits)
        return ranks(self._gallery.search(examples, fields["k"], options, exclude_query=fields["exclude_query"]))

    def api(self, asked: Asked, api: TestClient) -> Ranked:
        """Over HTTP."""

        def part(piece: Piece) -> dict[str, Any]:
            value = piece.value
            if piece.kind == "file":
                value = base64.b64encode(Path(self._items[value].path).read_bytes()).decode()
            if piece.kind == "url":
                value = self._site.url(f"/{value}")
            kind = {"file": "base64"}.get(piece.kind, piece.kind)
            return {kind: value} | ({"box": list(piece.box)} if piece.box else {})

        body = {"like": list(map(part, asked.like)), "unlike": list(map(part, asked.unlike)), **asked.fields}
        answer = api.post("/api/v1/galleries/album/search", json=body | {"weights": list(asked.weights)})
        assert answer.status_code == 200, answer.text
        return [(hit["id"], hit["score"]) for hit in answer.json()["hits"]]

    def form(self, asked: Asked, api: TestClient) -> Ranked | None:
        """Over HTTP, as a form; it has no counter-examples, boxes nor weights, and files come first."""
        pieces = sorted(asked.like, key=lambda piece: ("file", "url", "item", "text").index(piece.kind))
        if asked.unlike or asked.weights or any(piece.box for piece in pieces) or pieces != list(asked.like):
            return None
        files = [("file", (one.value, self._file(one))) for one in pieces if one.kind == "file"]
        data: dict[str, Any] = {name: str(value) for name, value in asked.fields.items() if name != "where"}
        data["where"] = asked.fields.get("where", [])
        for piece in pieces:
            if piece.kind != "file":
                value = self._site.url(f"/{piece.value}") if piece.kind == "url" else piece.value
                data.setdefault(piece.kind, []).append(value)
        answer = api.post("/api/v1/galleries/album/search", data=data, files=files or None)
        assert answer.status_code == 200, answer.text
        return [(hit["id"], hit["score"]) for hit in answer.json()["hits"]]

    def command(self, asked: Asked) -> Ranked | None:
        """On the command line, which knows pictures by their files, and words after them."""
        pieces = [*asked.like, *asked.unlike]
        order = [piece.kind == "text" for piece in asked.like]
        if any(piece.box for piece in pieces) or order != sorted(order) or self._counters_with_items(asked):
            return None
        words: list[object] = ["search", "--gallery", "album", "--json"]
        for pieces, picture, text in ((asked.like, "--like", "--text"), (asked.unlike, "--unlike", "--not-text")):
            for piece in pieces:
                words += [text, piece.value] if piece.kind == "text" else [picture, self._place(piece)]
        for weight in asked.weights:
            words += ["--weight", weight]
        for name, value in asked.fields.items():
            flag = "-k" if name == "k" else f"--{name.replace('_', '-')}"
            if name == "where":
                words += [word for condition in value for word in ("--where", condition)]
            elif value is not False:
                words += [flag] if value is True else [flag, value]
        done = run_command(*words)
        assert done.returncode == 0, done.stderr
        return [(hit["id"], hit["score"]) for hit in json.loads(done.stdout)["hits"]]

    def page(self, asked: Asked) -> Ranked | None:
        """As the search page asks; it has no weights, pages for itself, and takes a least score of 0 for none."""
        link = self.link(asked)
        if asked.weights or asked.fields.get("copies") or asked.fields["min_score"] <= 0:
            return None
        like, unlike = ([query_parts.load(self._gallery, part) for part in parts] for parts in (link.like, link.unlike))
        vector = query_parts.query_vector(self._gallery, like, unlike)
        hits = ranked.search(self._gallery, vector, link, like, unlike)
        return ranks(hits)[asked.fields["offset"] :][: asked.fields["k"]]

    def link(self, asked: Asked) -> Link:
        """The address of the page with a search."""

        def part(piece: Piece) -> Part:
            kind = {"file": "upload"}.get(piece.kind, piece.kind)
            value = self._items[piece.value].sha256 if piece.kind == "file" else piece.value
            value = self._site.url(f"/{value}") if piece.kind == "url" else value
            return Part(kind, value, Box(*piece.box) if piece.box else None)

        fields = asked.fields
        where = parse(fields.get("where", []), self._gallery.facets.names)
        names = ("min_score", "distinct", "exclude_query")
        return Link(
            gallery="album",
            like=tuple(map(part, asked.like)),
            unlike=tuple(map(part, asked.unlike)),
            where={name: tuple([value] if isinstance(value, str) else value) for name, value in where.items()},
            copies=False,
            **{name: fields[name] for name in names},
        )

    def _counters_with_items(self, asked: Asked) -> bool:
        """Whether counter-examples are items, which are left out of the hits; a file on the command line is not."""
        return any(piece.kind == "item" for piece in asked.unlike)

    def _place(self, piece: Piece) -> str:
        return self._site.url(f"/{piece.value}") if piece.kind == "url" else self._items[piece.value].path

    def _file(self, piece: Piece) -> bytes:
        return Path(self._items[piece.value].path).read_bytes()


def ranks(hits: Any) -> Ranked:
    return [(hit.item.id, hit.score) for hit in hits]


def draw_request(gallery: Gallery, chance: Random) -> Asked:
    """A search of some kind."""

    def piece(kinds: Sequence[str]) -> Piece:
        kind = chance.choice(kinds)
        if kind == "text":
            return Piece(kind, chance.choice(WORDS))
        box = None
        if chance.random() < 0.25:
            left, top = chance.uniform(0, 0.4), chance.uniform(0, 0.4)
            box = (left, top, left + chance.uniform(0.3, 0.6), top + chance.uniform(0.3, 0.6))
        return Piece(kind, chance.choice(gallery.items).id, box)

    pictures = ("item", "file", "url")
    looks_again = chance.random() < 0.2
    kinds = pictures if looks_again else (*pictures, "text")
    like = [piece(kinds) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    unlike = [] if looks_again else [piece(kinds) for _ in range(chance.choice((0, 0, 1, 2)))]
    fields: dict[str, Any] = {
        "k": chance.choice((1, 5, 10, 50)),
        "offset": chance.choice((0, 0, 3, 40)),
        "where": chance.choice(([], [], *CONDITIONS)),
        "min_score": chance.choice((-1.0, 0.05, 0.5, 0.9)) if looks_again else chance.choice((0.0, 0.05, 0.5, 0.9)),
        "distinct": chance.random() < 0.25,
        "exclude_query": chance.random() < 0.25,
    }
    if looks_again:
        fields |= {"copies": chance.random() < 0.7, "explain": chance.random() < 0.4}
        fields["k"] = min(fields["k"], 10)
    weights = [chance.choice((0.5, 1.0, 2.0)) for _ in like] if chance.random() < 0.2 else []
    return Asked(like, unlike, weights, fields)


def assert_same(found: Ranked | None, expected: Ranked, door: str, asked: Asked) -> None:
    """Hits are the same; the order of those with equal scores is theirs, too, but for the last digit of a score."""
    if found is None:
        return
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5), (door, asked)
    different = [place for place, (one, other) in enumerate(zip(found, expected, strict=True)) if one[0] != other[0]]
    for place in different:  # copies of one picture, which differ by less than is shown
        near = [name for name, score in expected if abs(score - expected[place][1]) < 1e-5]
        assert found[place][0] in near, (door, asked, found, expected)


def test_every_door_has_the_same_answer(
    doors: Doors, album: Gallery, api: TestClient, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = pytestconfig.getoption("--rotation")
    chance = Random(seed)
    asked_by: dict[str, int] = {}
    by: dict[str, Callable[[Asked], Ranked | None]] = {
        "api": lambda asked: doors.api(asked, api),
        "form": lambda asked: doors.form(asked, api),
        "command": doors.command,
        "page": doors.page,
    }
    for _ in range(REQUESTS):
        asked = draw_request(album, chance)
        expected = doors.library(asked)
        for door, ask in by.items():
            found = ask(asked)
            assert_same(found, expected, door, asked)
            asked_by[door] = asked_by.get(door, 0) + (found is not None)
    with capsys.disabled():
        print(f"\nThe same answers as the library's, --rotation {seed}: {asked_by}")  # noqa: T201
    assert min(asked_by.values()) > REQUESTS // 5


def test_the_page_shows_what_the_api_answers(
    doors: Doors, album: Gallery, api: TestClient, pytestconfig: pytest.Config
) -> None:
    chance, shown = Random(pytestconfig.getoption("--rotation")), 0
    while shown < 5:
        asked = draw_request(album, chance)
        if doors.page(asked) is None or any(piece.kind != "item" for piece in (*asked.like, *asked.unlike)):
            continue
        fields = asked.fields | {"offset": 0, "k": 10}
        asked = Asked(asked.like, asked.unlike, (), fields)
        page = open_app(**doors.link(asked).parameters()).run()
        assert not page.exception
        expected = doors.api(asked, api)
        found = [(tile["id"], tile["score"]) for tile in ranking(page)[:10]]
        assert_same(found, expected, "page", asked)
        shown += 1
