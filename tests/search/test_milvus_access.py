"""A Milvus server that asks who is there, and one that is reached by TLS."""

import datetime
import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from milvus_server import ROOT, StandaloneServer
from stores import differences

from similarity import Gallery
from similarity.errors import StoreError
from similarity.search.milvus.addresses import give
from similarity.search.milvus.client import ROOTS, TOKEN, client

pytest.importorskip("pymilvus")
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def guarded(milvus_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneServer]:
    """A server that asks for a password, and for nothing else."""
    running = StandaloneServer(milvus_programs, tmp_path_factory.mktemp("guarded"), authorization_enabled=True)
    give(running.store)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def encrypted(milvus_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneServer]:
    """A server that asks for a password and for TLS; its certificate is server.pem in its folder."""
    folder = tmp_path_factory.mktemp("encrypted")
    write_certificate(folder)
    pem, key = str(folder / "server.pem"), str(folder / "server.key")
    running = StandaloneServer(
        milvus_programs, folder, authorization_enabled=True, tls_mode=1, server_pem_path=pem, server_key_path=key
    )
    yield running
    running.stop()


def write_certificate(folder: Path) -> None:
    """A certificate for this computer, which nobody knows, and its key: server.pem and server.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.mark.parametrize("token", ["", "root:wrong", "nobody:Milvus", "a key"])
def test_a_server_that_asks_for_a_password_is_not_said_to_be_away(
    guarded: StandaloneServer, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv(TOKEN, token)
    with pytest.raises(StoreError) as told:
        shapes.rebuild(into=tmp_path / "far", store=guarded.store)
    server = f"Milvus at {guarded.store.uri}"
    assert (
        str(told.value) == f"{server} does not accept the user and password: set {TOKEN} to USER:PASSWORD, or to a key."
    )
    assert not (tmp_path / "far").exists()


def test_a_server_that_asks_for_a_password_answers_those_who_have_it(
    guarded: StandaloneServer, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, ROOT)
    far = shapes.rebuild(into=tmp_path / "far", store=guarded.store)
    for vector in far.vectors:
        assert differences(far.search_vector(vector, 5), shapes.search_vector(vector, 5)) == []
    assert not [path for path in far.directory.rglob("*") if path.is_file() and ROOT.encode() in path.read_bytes()]
    monkeypatch.setenv(TOKEN, "root:wrong")
    with pytest.raises(StoreError, match="does not accept the user and password"):
        Gallery.open(far.directory).search_vector(far.vectors[0], 5)


def test_a_user_without_rights_is_told_so(
    guarded: StandaloneServer, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, ROOT)
    client(guarded.store).create_user("guest", "secret-word")
    monkeypatch.setenv(TOKEN, "guest:secret-word")
    with pytest.raises(StoreError, match=f"does not allow this to the user of {TOKEN}") as told:
        shapes.rebuild(into=tmp_path / "far", store=guarded.store)
    assert "secret-word" not in str(told.value)
    assert not (tmp_path / "far").exists()


def test_a_gallery_is_kept_and_found_through_tls(
    encrypted: StandaloneServer, tmp_path: Path, shapes: Gallery, run_process: Run
) -> None:
    place = shapes.collect([item.id for item in shapes.items], tmp_path / "far").directory
    uri = f"https://localhost:{encrypted.port}"
    known = {ROOTS: str(encrypted.folder / "server.pem"), TOKEN: ROOT}
    move = ("rebuild", "--gallery", place, "--store", "milvus", "--uri", uri)
    done = run_process(*move, **{TOKEN: ROOT})
    assert done.returncode == 1
    assert f"{uri} has a certificate that this computer does not trust: set {ROOTS}" in done.stderr
    done = run_process(*move, **known | {TOKEN: "root:wrong"})
    assert done.returncode == 1
    assert f"{uri} does not accept the user and password" in done.stderr
    done = run_process(*move[:-1], uri.replace("https", "http"), **known)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    done = run_process(*move, **known)
    assert done.returncode == 0, done.stderr
    done = run_process("verify", "--gallery", place, "--json", **known)
    assert json.loads(done.stdout)["sound"] is True, done.stderr
