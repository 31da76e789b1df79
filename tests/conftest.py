"""What the tests share: a home of their own, pictures drawn on the spot, a small gallery, and a web server on loopback.

Nothing here leaves the machine. Tests on real photographs use `photographs` and skip where there are none.
"""

import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

# Several processes run tests beside each other; threads of OpenMP and BLAS that wait for their turn keep a core busy
# with it. They ask how many they may be when numpy is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Some environments forbid bytecode; then each of the processes that are started here would compile the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import numpy as np
import pytest
from commands import Done, Run, run_command
from objectstore import store  # noqa: F401 - pytest finds it by its name here
from PIL import Image, ImageDraw
from sure import sure, sure_sample  # noqa: F401 - pytest finds them by their names here

sys.dont_write_bytecode = False
# A shell that starts this in the background has it ignore Ctrl-C, and so would all processes that are started here.
signal.signal(signal.SIGINT, signal.default_int_handler)
pytest_plugins = ["tiers", "milvus_server"]

if TYPE_CHECKING:
    from similarity import Embedder

MODEL = "efficientnet-lite2"
RESNET50_FILE = "resnet50-0676ba61.pth"
PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "shared" / "data" / "clothing"


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Path]:
    """SIMILARITY_HOME for the whole run, with an empty torch cache, so that no test sees or changes the user's."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "cache").mkdir()
    (folder / "cache" / "networks").symlink_to(kept_networks(request.config))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMILARITY_HOME", str(folder))
        patch.setenv("TORCH_HOME", str(folder / "torch"))
        patch.setenv("CUDA_VISIBLE_DEVICES", "")  # the same engine on every machine
        patch.delenv("SIMILARITY_PRIVATE_HOSTS", raising=False)
        patch.setenv("SIMILARITY_MANAGE", "everyone")  # pages that are drawn without a browser do not know who is there
        yield folder


def kept_networks(config: pytest.Config) -> Path:
    """Where converted networks, which take seconds to make, are kept from one run to the next: in pytest's cache.

    Their own names tell weights and OpenVINO; the folder's tells all else that makes them.
    """
    import similarity

    package = Path(similarity.__file__).parent
    made_by = [*sorted((package / "embedding").rglob("*.py"))]
    versions = [importlib.metadata.version(name) for name in ("torch", "timm", "open_clip_torch", "nncf")]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in made_by) + repr(versions).encode()).hexdigest()[:12]
    return Path(config.cache.mkdir(f"networks-{key}"))  # type: ignore[union-attr]


@pytest.fixture(scope="session", autouse=True)
def light_embedder(home: Path) -> Iterator["Embedder"]:
    """The light network, which is loaded wherever the bundled one is asked for; see `light.py` and `bundled`."""
    import light
    import loaded

    from similarity.embedding.embedder import Embedder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("similarity.embedding.embedder.OpenVinoEngine", loaded.engines(home / "cache" / "networks"))
        embedder = light.load()
        patch.setattr(Embedder, "load", light.instead_of(embedder))
        yield embedder


@contextmanager
def bundled_model() -> Iterator[None]:
    """Load EfficientNet-Lite2 itself until the block ends."""
    import light

    from similarity.embedding.embedder import Embedder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Embedder, "load", light.LOAD)
        yield


@pytest.fixture
def bundled() -> Iterator[None]:
    """Load EfficientNet-Lite2 itself: this test is about the network, or about how good results are."""
    with bundled_model():
        yield


def of_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, which the processes that run tests beside each other have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def make_home(folder: Path, home: Path) -> Path:
    """A home without galleries that shares the converted networks of another, which take seconds to make."""
    (home / "cache" / "networks").mkdir(parents=True, exist_ok=True)
    (folder / "cache").mkdir(parents=True)
    (folder / "cache" / "networks").symlink_to(home / "cache" / "networks")
    return folder


@pytest.fixture
def empty_home(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without galleries, for one test."""
    folder = make_home(tmp_path / "home", home)
    monkeypatch.setenv("SIMILARITY_HOME", str(folder))
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    return folder


@pytest.fixture
def one_earlier_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of a gallery keeps the state before it and takes away all that are older."""
    monkeypatch.setenv("SIMILARITY_EARLIER_STATES", "1")


# What an upright picture is stored as, by the EXIF orientation that it then needs.
TURN_BACK: dict[int, list[Image.Transpose]] = {
    1: [],
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


def draw(kind: str, seed: int) -> Image.Image:
    """A picture of stripes, dots or rings in colours of its own; the same for the same arguments."""
    random = np.random.default_rng([seed, *kind.encode()])
    ground, ink = (tuple(int(value) for value in random.integers(0, 256, 3)) for _ in range(2))
    image = Image.new("RGB", (240, 320), ground)
    pen, step = ImageDraw.Draw(image), int(random.integers(24, 48))
    for x in range(0, 320, step):
        if kind == "stripes":
            pen.rectangle((x, 0, x + step // 2, 320), fill=ink)
        elif kind == "rings":
            pen.ellipse((120 - x, 160 - x, 120 + x, 160 + x), outline=ink, width=5)
        else:
            for y in range(0, 320, step):
                pen.ellipse((x, y, x + step // 2, y + step // 2), fill=ink)
    return image


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 15 pictures with three labels. Read only; copy it to change it."""
    folder = tmp_path_factory.mktemp("pictures")
    for kind in ("dots", "rings", "stripes"):
        (folder / kind).mkdir()
        for seed in range(5):
            draw(kind, seed).save(folder / kind / f"{kind}-{seed}.jpg", quality=92)
    return folder


@pytest.fixture
def own_pictures(pictures: Path, tmp_path: Path) -> Path:
    """A copy of `pictures` to change."""
    return Path(shutil.copytree(pictures, tmp_path / "own"))


@pytest.fixture(scope="session")
def embedder():  # type: ignore[no-untyped-def]
    """The bundled model itself, loaded once."""
    from similarity import Embedder

    with bundled_model():
        return Embedder.load(MODEL)


@pytest.fixture(scope="session")
def shapes(home: Path, pictures: Path):  # type: ignore[no-untyped-def]
    """A gallery named `shapes` in the session's home, embedded by the light network."""
    from similarity import Gallery

    return Gallery.build(pictures, home / "galleries" / "shapes", model=MODEL)


@pytest.fixture
def two(shapes, empty_home: Path):  # type: ignore[no-untyped-def]
    """The galleries shop-dots and shop-rings, of pictures of shapes, in a home of their own."""
    made = []
    for kind in ("dots", "rings"):
        ids = [item.id for item in shapes.items if item.label == kind]
        made.append(shapes.collect(ids, empty_home / "galleries" / f"shop-{kind}"))
    return made


@pytest.fixture
def api(shapes, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The HTTP API for a program on this computer, with the gallery `shapes`."""
    from programs import client

    assert len(shapes)
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    with client() as opened:
        yield opened


@pytest.fixture
def far(empty_home: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The HTTP API for a program on another computer, where there are no galleries and no keys yet."""
    from programs import ELSEWHERE, client

    monkeypatch.setenv("SIMILARITY_API_KEYS", str(empty_home / "keys.json"))
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    with client(ELSEWHERE) as opened:
        yield opened


@pytest.fixture(autouse=True)
def shapes_stay_unmarked(home: Path) -> Iterator[None]:
    """A test that marks pictures of the shared gallery would change the results of others."""
    yield
    assert not (home / "galleries" / "shapes" / "feedback.jsonl").exists(), "mark pictures of a gallery of your own"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """The sample gallery, of the bundled model, in no home: tests of the first start make their own. Read only."""
    import filelock

    from similarity import Gallery
    from similarity.sample import FOLDER

    directory = of_all_processes(tmp_path_factory) / "galleries" / "sample"
    directory.parent.mkdir(exist_ok=True)
    with filelock.FileLock(directory.with_suffix(".lock")):
        if not (directory / "CURRENT").exists():
            with bundled_model():
                Gallery.build(FOLDER / "catalogue.csv", directory, model=MODEL)
        return Gallery.open(directory)


@pytest.fixture
def small_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The sample's catalogue has only every 15th of its pictures, so that it is indexed in a moment; how many."""
    from similarity.sample import FOLDER

    folder = tmp_path / "sample"
    folder.mkdir()
    for name, step in (("catalogue.csv", 15), ("queries.csv", 1)):
        head, *rows = (FOLDER / name).read_text().splitlines()
        cells = [row.split(",") for row in rows[::step]]
        kept = [",".join([first, str(FOLDER / path), *rest]) for first, path, *rest in cells]
        (folder / name).write_text("\n".join([head, *kept]) + "\n")
    monkeypatch.setattr("similarity.sample.FOLDER", folder)
    return 45


@pytest.fixture
def standin_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexing loads the stand-in for a network, see `standin.py`."""
    import standin

    monkeypatch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())


@pytest.fixture(scope="session")
def imported_torch() -> None:
    """Torch is there, and all that it imports later: the seconds that takes are on no test's account."""
    import torch
    import torchvision.models  # noqa: F401

    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])


@pytest.fixture
def light_shards(light_embedder: "Embedder", monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedding into shards takes the light network, and says so."""
    import light

    from similarity.embedding.engines import choose_precision

    def settled(precision: str, device: str) -> str:
        return "f32" if precision == "auto" else choose_precision(precision, device)  # type: ignore[arg-type]

    monkeypatch.setattr(
        "similarity.shards.run.load_embedder",
        lambda task: light_embedder.with_view(task.origin.identity["preprocessing"].get("view", "crop")),
    )
    monkeypatch.setattr("similarity.shards.run.weights_sha256", lambda _: light.WEIGHTS_SHA256)
    monkeypatch.setattr("similarity.shards.run.choose_precision", settled)


@pytest.fixture
def photographs() -> Path:
    """Real photographs of clothing: `gallery/<class>` and `queries/<class>`."""
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("the clothing photographs are not here")
    return PHOTOGRAPHS


def change_manifest(gallery, **changes: object) -> None:  # type: ignore[no-untyped-def]
    """Change what is written of a gallery's first generation, checksums included, as another program might."""
    path = gallery.directory / "generations" / "000001" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name("manifest.json.sha256").write_text(f"{checksum}  manifest.json\n")
    (gallery.directory / "CURRENT").write_text(f"000001 {checksum}\n")


class Site:
    """A web server on loopback that serves what a test puts into `pages` and counts what was asked for.

    Attributes:
        pages: path -> (status, headers, body), or a function that gets the handler and answers itself.
        asked: every path that was asked for.
    """

    def __init__(self) -> None:
        self.pages: dict = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                page = site.pages.get(self.path, (404, {}, b"not here"))
                if callable(page):
                    page(self)
                    return
                status, headers, body = page
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of clients that hang up
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://{self.host}{path}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A web server that the query fetcher is allowed to reach."""
    server = Site()
    monkeypatch.setenv("SIMILARITY_PRIVATE_HOSTS", server.host)
    yield server
    server.close()


@pytest.fixture
def published(site: Site, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Site:  # noqa: ARG001 - needs the home
    """ResNet-50's weights are published on loopback; what is there is up to the test."""
    from similarity.embedding.backbones import BACKBONES

    entry = BACKBONES["resnet50"]
    weights = replace(entry.weights, url=site.url(f"/{RESNET50_FILE}"))
    monkeypatch.setitem(BACKBONES, "resnet50", replace(entry, weights=weights))
    return site


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of the command line in this process, in an empty folder; keywords are added to the environment."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *arguments, **environment: run_command(*arguments, environment=environment)


@pytest.fixture
def run_process(child_environment: dict[str, str], tmp_path: Path) -> Run:
    """As `run`, in a process of its own, for what only a process has: streams, signals, exit, imports."""
    (tmp_path / "here").mkdir(exist_ok=True)

    def call(*arguments: object, **environment: str) -> Done:
        return subprocess.run(
            [sys.executable, "-m", "similarity", *map(str, arguments)],
            env=child_environment | environment,
            cwd=tmp_path / "here",
            capture_output=True,
            text=True,
            check=False,
        )

    return call


@pytest.fixture
def child_environment() -> dict[str, str]:
    """For a process of its own: this one's environment, with the project on its path."""
    return dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
