"""The wheel: what is installed elsewhere than in a clone works alike, with the sample and the app's settings in it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from similarity.paths import PACKAGE

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(PACKAGE.parent)], check=True, capture_output=True)
    [wheel] = folder.glob("similarity-*.whl")
    assert wheel.stat().st_size < 15e6
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_sample_is_searched_from_another_folder_and_its_gallery_is_in_the_users(
    installed: Path, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIMILARITY_")}
    environment |= {"PYTHONPATH": str(installed), "XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "similarity", "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert str(installed) in done.stdout
    assert (tmp_path / "demo.png").stat().st_size > 100_000
    assert not (installed / "artifacts").exists()
    if sys.platform == "linux":
        assert (tmp_path / "data" / "similarity" / "galleries" / "sample" / "CURRENT").is_file()


def test_the_app_and_its_settings_are_in_the_wheel(installed: Path) -> None:
    bundled = installed / "similarity" / "bundled"
    for name in ("streamlit_app.py", ".streamlit/config.toml", "docs/figures.json"):
        assert (bundled / name).read_bytes() == (PACKAGE.parent / name).read_bytes()
    assert not list(bundled.rglob("secrets.toml"))
