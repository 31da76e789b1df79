"""A gallery's address of Milvus is connected to, and sent a token, only if somebody here gave it."""

import base64
import hashlib
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from commands import Run
from conftest import MODEL

from similarity import Gallery
from similarity.errors import StoreError
from similarity.search.engines import check_store
from similarity.search.milvus import addresses
from similarity.search.milvus.addresses import connect_address, give, is_given, normalise_address, remember
from similarity.search.stores import Store
from similarity.storage.checksums import fingerprint
from similarity.storage.cleanup import delete_gallery
from similarity.storage.generations import read_generation

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")

TOKEN = "somebody:something-secret"
SENT = base64.b64encode(TOKEN.encode())
# An empty SETTINGS frame of HTTP/2, and one that confirms the other side's: then a client says what it wants.
GREETING = b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\0\x04\x01\0\0\0\0"


class Recorder:
    """A server that lets everybody in, and keeps what they send.

    Attributes:
        connections: how many came.
        heard: all that was sent.
        has_heard: whether the token was among it.
    """

    def __init__(self) -> None:
        self.connections, self.heard, self.has_heard = 0, b"", threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.sendall(GREETING)
            while data := connection.recv(1 << 16):
                self.heard += data
                if SENT in self.heard or TOKEN.encode() in self.heard:
                    self.has_heard.set()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was given in this process yet, and nobody waits long."""
    monkeypatch.setattr(addresses, "_given", set())
    monkeypatch.setattr("similarity.search.milvus.client.CONNECT", 0.5)
    monkeypatch.delenv("SIMILARITY_MILVUS_URI", raising=False)


@pytest.fixture
def strange(shapes: Gallery, empty_home: Path) -> Callable[[str], Path]:
    """Makes a gallery of a stranger's that says it is in Milvus at some address, with everything vouched for."""

    def make(uri: str) -> Path:
        directory = empty_home / "galleries" / "strange"
        shutil.copytree(shapes.directory, directory)
        (folder,) = (directory / "generations").iterdir()
        (folder / "index.faiss").unlink()
        np.save(folder / "keys.npy", (1 << 32) + np.arange(15))
        manifest = json.loads((folder / "manifest.json").read_text())
        del manifest["files"]["index.faiss"]
        manifest["files"]["keys.npy"] = fingerprint(folder / "keys.npy")
        manifest |= {"store": {"kind": "milvus", "uri": uri}, "search": {"collection": "similarity_mine_0123456789ab"}}
        data = json.dumps(manifest).encode()
        checksum = hashlib.sha256(data).hexdigest()
        (folder / "manifest.json").write_bytes(data)
        (folder / "manifest.json.sha256").write_text(f"{checksum}  manifest.json\n")
        (directory / "CURRENT").write_text(f"000001 {checksum}\n")
        noted = [
            {"uri": uri, "name": "similarity_mine_0123456789ab"},
            {"uri": uri, "name": "similarity_strange_" + 12 * "0"},
        ]
        (directory / "collections.json").write_text(json.dumps(noted))
        return directory

    return make


def works(directory: Path, pictures: Path) -> list[Callable[[], object]]:
    """All that is done with a gallery and asks its store."""
    gallery = Gallery.open(directory)
    return [
        lambda: gallery.search_vector(gallery.vectors[0], 3),
        lambda: read_generation(directory, thorough=True),
        lambda: gallery.remove(labels=["dots"]),
        lambda: gallery.rebuild(),
        lambda: gallery.rebuild(into=directory.parent / "another"),
        lambda: Gallery.build(pictures, directory, model=MODEL),
        lambda: gallery.add(pictures / "rings"),
    ]


@pytest.mark.parametrize("token", ["", TOKEN])
def test_nothing_is_sent_to_an_address_that_only_a_gallery_names(
    strange: Callable[[str], Path], recorder: Recorder, pictures: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_MILVUS_TOKEN", token)
    directory = strange(recorder.uri)
    for work in works(directory, pictures):
        with pytest.raises(StoreError, match="was never given on this computer, so nothing was sent there: if you"):
            work()
    assert len(Gallery.open(directory).rebuild(store=Store())) == 15
    delete_gallery(directory)
    assert not directory.exists()
    assert recorder.connections == 0


@pytest.mark.many
@pytest.mark.parametrize("how", ["named in the command", "configured", "remembered"])
def test_the_token_is_sent_to_an_address_that_was_given(
    strange: Callable[[str], Path], recorder: Recorder, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_MILVUS_TOKEN", TOKEN)
    gallery = Gallery.open(strange(recorder.uri))
    if how == "configured":
        monkeypatch.setenv("SIMILARITY_MILVUS_URI", recorder.uri.replace("http", "HTTP"))
    else:
        give(gallery.manifest.store)
    if how == "remembered":
        remember(gallery.manifest.store)
        monkeypatch.setattr(addresses, "_given", set())
    with pytest.raises(StoreError, match=r"cannot be reached|refused"):
        gallery.search_vector(gallery.vectors[0], 3)
    assert recorder.has_heard.wait(5)


def test_where_an_address_is_configured_the_gallery_s_own_is_not_connected_to(
    strange: Callable[[str], Path], recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Recorder()
    monkeypatch.setenv("SIMILARITY_MILVUS_TOKEN", TOKEN)
    monkeypatch.setenv("SIMILARITY_MILVUS_URI", ours.uri)
    gallery = Gallery.open(strange(recorder.uri))
    with pytest.raises(StoreError):
        gallery.search_vector(gallery.vectors[0], 3)
    assert ours.has_heard.wait(5)
    assert recorder.connections == 0
    ours.close()


@pytest.mark.parametrize(
    "name", ["{folder}/other.db", "{folder}/x/../other.db", "other.db", "../other.db", "{folder}/other"]
)
def test_no_file_is_opened_that_only_a_gallery_names(
    strange: Callable[[str], Path], tmp_path: Path, pictures: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "another program's"
    (folder / "x").mkdir(parents=True)
    (folder / "other.db").write_text("precious")
    monkeypatch.chdir(folder / "x" if name.startswith("..") else folder)
    before = sorted(folder.rglob("*"))
    for work in works(strange(name.format(folder=folder)), pictures):
        with pytest.raises(StoreError, match=r"was never given on this computer|is not an address of Milvus"):
            work()
    assert sorted(folder.rglob("*")) == before
    assert (folder / "other.db").read_text() == "precious"


@pytest.mark.parametrize(
    "uri",
    [
        "http://169.254.169.254",
        "http://given.example@evil.example:19530",
        "http://evil.example#given.example",
        "http://evil.example:19530/given.example",
        "http://given.example\\@evil.example",
        "http://evil.example\\@given.example",
        "http://evil.example @given.example",
        "http://given.example.evil.example",
        "http://given.example:19531",
        "https://given.example:19530",
        "http://given.example:port",
        "http://[::1]:19530",
        "http://",
        "unix:/var/run/docker.sock",
        "unix:x.db",
        "tcp://given.example:19530",
        "given.example:19530",
        "",
        "\0.db",
    ],
)
def test_an_address_that_looks_like_the_configured_one_is_another(
    uri: str, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(Store("milvus", "http://given.example"))
    monkeypatch.chdir(empty_home)
    with pytest.raises(StoreError):
        connect_address(Store("milvus", uri))


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("http://Given.Example", "http://given.example:19530"),
        ("HTTP://given.example:19530/", "http://given.example:19530"),
        ("http://given.example/shop", "http://given.example:19530/shop"),
        ("http://root:word@given.example", "http://root:word@given.example:19530"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(uri: str, place: str, empty_home: Path) -> None:
    assert not is_given(uri), empty_home
    give(Store("milvus", "http://given.example:19530"))
    assert connect_address(Store("milvus", uri)) == place


def test_the_rest_of_an_address_leads_nowhere(empty_home: Path) -> None:
    give(Store("milvus", "http://given.example"))
    for rest in ("/x.db", "/../x.db", "/global-cluster", "/a?b", "/a#b"):
        with pytest.raises(StoreError, match="is not an address of Milvus"):
            connect_address(Store("milvus", f"http://given.example{rest}"))
    assert normalise_address("https://given.example") == "https://given.example:443"
    assert not (empty_home / "milvus.json").exists(), "nothing was made there"


def test_a_gallery_that_was_made_at_an_address_is_opened_there_later(
    run: Run, empty_home: Path, pictures: Path, milvus: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--store", "milvus", "--uri", milvus.uri)
    assert run("index", pictures / "dots", "-g", "far", "--model", MODEL, *where).returncode == 0
    monkeypatch.setattr(addresses, "_given", set())
    asked = ("search", pictures / "dots" / "dots-1.jpg", "-g", "far", "--json")
    found = run(*asked)
    assert found.returncode == 0, found.stderr
    assert run("remove", "-g", "far", "--path", pictures / "dots" / "dots-4.jpg").returncode == 0
    (empty_home / "milvus.json").unlink()  # as an earlier version has left it
    refused = run(*asked)
    assert refused.returncode == 1
    assert "`python -m similarity verify --gallery NAME --uri ADDRESS`" in refused.stderr
    another = run("verify", "-g", "far", "--uri", "http://127.0.0.1:9")
    assert another.returncode == 1
    assert f"is not the address of the gallery's store, which is Milvus at {milvus.uri}" in another.stderr
    assert run("verify", "-g", "far", "--uri", milvus.uri).returncode == 0
    monkeypatch.setattr(addresses, "_given", set())
    assert json.loads(run(*asked).stdout)["hits"][0]["id"] == json.loads(found.stdout)["hits"][0]["id"]


def test_an_address_that_does_not_answer_is_not_remembered(empty_home: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        check_store(Store("milvus", "http://127.0.0.1:9"), is_given=True)
    assert not (empty_home / "milvus.json").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"addresses": "http://127.0.0.1:9"}', '{"galleries": {"a": 5}}'])
def test_a_damaged_list_of_addresses_is_told(text: str, empty_home: Path) -> None:
    (empty_home / "milvus.json").write_text(text)
    with pytest.raises(StoreError, match=r"milvus\.json cannot be read or is damaged: delete it, then"):
        connect_address(Store("milvus", "http://127.0.0.1:9"))
