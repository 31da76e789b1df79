"""A gallery whose every word has in it what no visitor may know, and what its pages send to a browser."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from conftest import MODEL, change_manifest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import local_script_runner

from similarity import Gallery
from similarity.indexing.operations import rebuild
from similarity.sources import FileBytes, Item, Skipped, Stamp
from similarity.vectors.heads import Head

HOST = "intranet.corp:8080"
TOKEN = "SECRET123"
FORBIDDEN = (TOKEN, "intranet.corp", "/secret/", "\\secret\\", "hunter2", "bucket-inside")
# Each way to write where something is, with what a visitor must not be told.
PLACES = (
    f"http://{HOST}/secret/{{}}.jpg?token={TOKEN}",
    f"HTTPS://user:hunter2@{HOST}/secret/{{}}.jpg#{TOKEN}",
    f"http://{HOST}/secret/{{}}.jpg;jsessionid={TOKEN}",
    f"http://{HOST}/secret/{{}}.jpg%3Ftoken={TOKEN}",
    f"http://{HOST}/my secret/secret/{{}}.jpg?token={TOKEN} 4",
    f"s3://bucket-inside/secret/my {{}}.jpg?versionId={TOKEN}",
    f"http://user:hunter2@{HOST}?id={TOKEN}{{}}",
    f"http://images.example.com/secret/{{}}.jpg?X-Amz-Signature={TOKEN}",
)
# Likewise within a label or a fact.
TOLD = (
    f"http://{HOST}/secret/boots?token={TOKEN}",
    f"see http://{HOST}/secret/a.html?token={TOKEN} please",
    "/home/secret/me/boots",
    "~/x/secret/boots",
    "\\\\intranet.corp\\secret\\boots",
    "C:\\Users\\secret\\boots",
    f"{HOST}/secret/boots?token={TOKEN}",
    f"postgres://user:hunter2@intranet.corp/secret/boots?{TOKEN}",
    f"http%3A%2F%2F{HOST}%2Fsecret%2Fboots%3Ftoken%3D{TOKEN}",
    "user:hunter2@intranet.corp",
)
SENTENCE = (
    f"Not had: http://{HOST}/secret/w.pth?token={TOKEN}\nLook into /home/secret/me/x "
    f"or s3://bucket-inside/secret/x.jpg?v={TOKEN}. {HOST} is away."
)


class Intranet:
    """Pictures at secret addresses, with secret labels and facts; those of a folder are behind them."""

    readers = 1

    def __init__(self, folder: Path) -> None:
        self.name = f"http://{HOST}/secret/list.csv?token={TOKEN}"
        files = sorted(folder.rglob("*.jpg"))
        self._files = {}
        for number, file in enumerate([*files, files[0]]):  # the last one is a copy of the first
            place = PLACES[number % len(PLACES)].format(number)
            self._files[place] = file
        self.items = [
            Item(
                id=place,
                path=place,
                label=TOLD[number // 2 % len(TOLD)],
                metadata={"shop": TOLD[number % len(TOLD)], TOLD[0]: f"{number % 3}", "Page": "a/b"},
            )
            for number, place in enumerate(self._files)
        ]
        self.skipped = [Skipped(f"{place.format('no')} ({self.name}, line 3)", SENTENCE, self.name) for place in PLACES]

    def read(self, item: Item) -> FileBytes:
        return FileBytes(self._files[item.path].read_bytes())

    def stamp(self, _: Item) -> Stamp | None:
        return None

    def whereabouts(self, item: Item) -> str:
        return f"{item.path} ({self.name}, line 1)"

    def part(self, items: Sequence[Item]) -> "Intranet":
        raise NotImplementedError


def build(pictures: Path, directory: Path) -> Gallery:
    """The gallery in a folder."""
    gallery = Gallery.build(Intranet(pictures), directory, model=MODEL)
    run = json.loads((directory / "generations" / "000001" / "manifest.json").read_text())["last_run"]
    change_manifest(
        gallery,
        note=SENTENCE,
        recipe_reason=SENTENCE,
        refinement_reason=SENTENCE,
        last_run=run | {"source": f"http://{HOST}/secret/?{TOKEN}", "task": f"http://{HOST}/secret/?{TOKEN}"},
    )
    return Gallery.open(directory)


class Sent:
    """All that pages send to a browser, as long as `listening` goes on.

    Attributes:
        messages: each as bytes.
        downloads: what can be downloaded: the name of the file, and a function that makes it or its bytes.
    """

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.downloads: list[tuple[str, Any]] = []

    def check(self, *forbidden: str, of: str = "") -> None:
        """Nothing of what is forbidden has been sent."""
        assert self.messages, "something is sent"
        for data in self.messages:
            check(data, *forbidden, of=of)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The files that can be downloaded."""
        for name, data in self.downloads:
            made = data() if callable(data) else data
            yield name, made if isinstance(made, bytes) else str(made).encode()


def check(data: bytes, *forbidden: str, of: str = "") -> None:
    """None of what is forbidden is in some bytes, written in whatever way."""
    text = data.decode("utf-8", errors="replace")
    for one in {text, text.replace("\\", ""), text.replace("\\\\", "\\"), text.replace("\u2060", ""), unquote(text)}:
        plain = one.replace("\u2060", "").lower()
        for word in (*FORBIDDEN, *forbidden):
            at = plain.find(word.lower())
            assert at < 0, f"{of}: {word} is in {plain[max(0, at - 200) : at + 200]!r}"


@contextmanager
def listening() -> Iterator[Sent]:
    """Hear what pages send."""
    sent, parse, offer = Sent(), local_script_runner.parse_tree_from_messages, DeltaGenerator._download_button

    def heard(messages: Any) -> Any:
        sent.messages += [message.SerializeToString() for message in messages]
        return parse(messages)

    def offered(self: Any, label: str, data: Any, file_name: str | None = None, *more: Any, **options: Any) -> Any:
        sent.downloads.append((file_name or "", data))
        return offer(self, label, data, file_name, *more, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_script_runner, "parse_tree_from_messages", heard)
        patch.setattr(DeltaGenerator, "_download_button", offered)
        yield sent


def with_head(gallery: Gallery, **card: Any) -> None:
    """Give a gallery a head whose card says anything."""
    import numpy as np

    from similarity.vectors.heads import Card

    made, dim = gallery.manifest, gallery.manifest.dim
    known = {"loss": "triplet", "created": "2026-01-01T00:00:00+00:00"} | card
    head = Head(
        centre=np.zeros(gallery.embeddings.shape[1], np.float32),
        basis=np.eye(8, gallery.embeddings.shape[1], dtype=np.float32),
        last=np.eye(4, 8, dtype=np.float32),
        card=Card(made.model, made.weights_sha256, network_sha256=made.network_sha256, view=made.view, **known),
    )
    assert dim
    rebuild(gallery.directory, head=head)
