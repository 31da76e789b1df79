import hashlib
import io
import json
import shutil
import zipfile
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Run
from conftest import Site, draw

from similarity.errors import FetchError, SourceError
from similarity.images.decoding import thumbnail
from similarity.sources import open_source
from similarity.sources.datasets import DATASETS, download_dataset, get_dataset, index_command, unpack_dataset


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return buffer.getvalue()


def clothing_zip() -> bytes:
    """A miniature of the clothing dataset, in its own layout."""
    files = {"clothing-dataset-small-master/README.md": b"read me"}
    for split in ("train", "test", "validation"):
        for kind in ("dress", "hat"):
            files[f"clothing-dataset-small-master/{split}/{kind}/{split}-{kind}.jpg"] = thumbnail(draw("dots", 1))
    return zipped(files)


def test_a_dataset_is_downloaded_unpacked_and_ready_to_index(site: Site, tmp_path: Path) -> None:
    site.pages["/c.zip"] = (200, {}, clothing_zip())
    dataset = get_dataset("clothing")
    counted: list[tuple[int, int]] = []
    download_dataset(dataset, tmp_path, url=site.url("/c.zip"))
    folder = unpack_dataset(dataset, tmp_path, progress=lambda *now: counted.append(now))
    assert counted[-1] == (7, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["clothing-dataset-small-master"]
    command = index_command(dataset, folder)
    assert command == f"python -m similarity index {folder}/train --gallery clothing"
    assert [item.label for item in open_source(command.split()[4]).items] == ["dress", "hat"]


def test_what_is_there_already_is_not_downloaded_again(site: Site, tmp_path: Path) -> None:
    site.pages["/c.zip"] = (200, {}, clothing_zip())
    for _ in range(2):
        download_dataset(DATASETS["clothing"], tmp_path, url=site.url("/c.zip"))
        unpack_dataset(DATASETS["clothing"], tmp_path)
    assert site.asked == ["/c.zip"]


def test_a_zip_with_another_hash_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.pages["/sop.zip"] = (200, {}, clothing_zip())
    with pytest.raises(FetchError, match="is not the expected one: its MD5"):
        download_dataset(DATASETS["sop"], tmp_path, url=site.url("/sop.zip"))
    assert not list(tmp_path.glob("*.zip"))


def test_stanford_online_products_is_unpacked_and_its_command_draws_a_subset(site: Site, tmp_path: Path) -> None:
    lines = ["image_id class_id super_class_id path"]
    lines += [f"{n} {n // 2} 1 bicycle_final/{n}.JPG" for n in range(1200)]
    body = zipped({"Stanford_Online_Products/Ebay_test.txt": "\n".join(lines).encode()})
    site.pages["/sop.zip"] = (200, {}, body)
    dataset = replace(DATASETS["sop"], md5=hashlib.md5(body).hexdigest())
    download_dataset(dataset, tmp_path, url=site.url("/sop.zip"))
    folder = unpack_dataset(dataset, tmp_path)
    assert index_command(dataset, folder).endswith("--gallery sop --split test --products 500")
    assert len(open_source(folder, split="test", products=500).items) == 1000


@pytest.mark.parametrize("body", [b"no zip at all", clothing_zip()[:-100], zipped({"other/a.jpg": b"x"})])
def test_what_is_no_whole_zip_of_the_dataset_is_an_error_and_leaves_no_folder(
    site: Site, tmp_path: Path, body: bytes
) -> None:
    site.pages["/c.zip"] = (200, {}, body)
    download_dataset(DATASETS["clothing"], tmp_path, url=site.url("/c.zip"))
    with pytest.raises(SourceError, match=r"was not a complete zip|is not the expected dataset"):
        unpack_dataset(DATASETS["clothing"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_to_unpack_keeps_what_was_downloaded(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/c.zip"] = (200, {}, clothing_zip())
    download_dataset(DATASETS["clothing"], tmp_path, url=site.url("/c.zip"))
    usage = namedtuple("usage", "total used free")(1000, 1000, 0)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(SourceError, match="There is not enough room to unpack"):
            unpack_dataset(DATASETS["clothing"], tmp_path)
    assert unpack_dataset(DATASETS["clothing"], tmp_path).is_dir()


def test_an_unknown_dataset_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(SourceError, match="choose from sop, clothing"):
        get_dataset("imagenet")


def test_the_command_line_shows_the_licence_and_prints_the_command_to_run_next(
    run: Run, site: Site, tmp_path: Path
) -> None:
    site.pages["/c.zip"] = (200, {}, clothing_zip())
    command = ("download", "clothing", "--to", tmp_path, "--url", site.url("/c.zip"))
    done = run(*command)
    assert "Licence: CC0" in done.stderr
    folder = tmp_path / "clothing-dataset-small-master"
    assert done.stdout == f"python -m similarity index {folder}/train --gallery clothing\n"
    assert json.loads(run(*command, "--json").stdout)["folder"] == str(folder)
