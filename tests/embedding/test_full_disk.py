import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from similarity.embedding import openvino_models
from similarity.embedding.backbones import get_backbone
from similarity.embedding.converter import why_unwritable
from similarity.embedding.openvino_models import converted_network
from similarity.errors import ModelError

# The converter with OpenVINO's own error for a file that does not fit; `limit` bytes are what fits into one.
CONVERTER = """
import resource, sys
from similarity.embedding import converter
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
def convert(*_):
    raise RuntimeError("basic_ios::clear: iostream error")
converter.convert = convert
converter.main()
"""


def converting_with(limit: int, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    def run_module(_: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", CONVERTER.format(limit=limit), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    monkeypatch.setattr(openvino_models, "run_module", run_module)


def test_a_disk_that_is_full_during_the_first_conversion_is_said_to_be(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child_environment: dict[str, str]
) -> None:
    monkeypatch.setattr(openvino_models, "cache_folder", lambda: tmp_path / "cache")
    converting_with(100_000, monkeypatch, child_environment | {"SIMILARITY_HOME": str(empty_home)})
    (tmp_path / "weights.pth").write_bytes(b"w")
    with pytest.raises(ModelError) as raised:
        converted_network(get_backbone("efficientnet-lite2"), tmp_path / "weights.pth", "0" * 64)
    assert str(raised.value) == (
        f"The converted network could not be stored in {tmp_path / 'cache' / 'networks'} ({os.strerror(errno.EFBIG)}): "
        "make room there, or set SIMILARITY_HOME to a folder that can be written, and run the same command again."
    )
    assert not list((tmp_path / "cache" / "networks").glob("*.new"))


def test_a_conversion_that_fails_on_a_disk_with_room_is_not_blamed_on_it(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child_environment: dict[str, str]
) -> None:
    monkeypatch.setattr(openvino_models, "cache_folder", lambda: tmp_path / "cache")
    converting_with(100_000_000, monkeypatch, child_environment | {"SIMILARITY_HOME": str(empty_home)})
    (tmp_path / "weights.pth").write_bytes(b"w")
    with pytest.raises(ModelError, match=r"could not be converted \(RuntimeError: basic_ios"):
        converted_network(get_backbone("efficientnet-lite2"), tmp_path / "weights.pth", "0" * 64)


def test_a_folder_with_room_is_not_called_full(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"w")
    assert why_unwritable(tmp_path, weights) == ""
    assert why_unwritable(tmp_path / "missing", weights) == os.strerror(errno.ENOENT)


@pytest.mark.exhaustive
@pytest.mark.parametrize("megabytes", [1, 6, 18])
def test_a_small_disk_is_said_to_be_full_when_the_model_is_converted_on_it(
    pictures: Path, tmp_path: Path, child_environment: dict[str, str], megabytes: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a small disk")
    command = ["index", str(pictures), "--gallery", str(tmp_path / "gallery"), "--model", "efficientnet-lite2"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "similarity", *command],
            env=child_environment | {"SIMILARITY_HOME": str(disk)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert done.returncode == 1
    assert "could not be stored in" in done.stderr
    assert "(No space left on device): make room there" in done.stderr
    assert "Traceback" not in done.stderr
