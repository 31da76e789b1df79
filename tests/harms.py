"""What somebody can do to a gallery to harm its next owner, by name, and what a folder holds."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import foreign as made_elsewhere
from foreign import Harm, seal_with

from similarity.storage.feedback import FEEDBACK


def told(change: dict[str, Any]) -> Harm:
    """A manifest that says something else, vouched for as our own is."""

    def harm(directory: Path, _: Path) -> None:
        (generation,) = (directory / "generations").iterdir()
        manifest = json.loads((generation / "manifest.json").read_text()) | change
        seal_with(directory, json.dumps(manifest).encode())

    return harm


def ends_with(more: bytes) -> Harm:
    """A manifest with more at its end."""

    def harm(directory: Path, _: Path) -> None:
        (generation,) = (directory / "generations").iterdir()
        seal_with(directory, (generation / "manifest.json").read_bytes().rstrip()[:-1] + b"," + more + b"}")

    return harm


def deep_folders(directory: Path, _: Path) -> None:
    """Folders within folders, as deep as paths can be, and something that leads elsewhere in the last."""
    before = Path.cwd()
    os.chdir(directory / "generations")
    for _ in range(1_200):
        os.mkdir("a")  # noqa: PTH102 - its path is longer than one may be
        os.chdir("a")
    os.symlink("/", "b")  # noqa: PTH211
    os.chdir(before)


def links(name: str, place: str = "") -> Harm:
    """Something of the gallery's is a link to what is outside."""

    def harm(directory: Path, outside: Path) -> None:
        path = next(directory.glob(name), directory / name)
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(outside / place)

    return harm


def pipes(name: str) -> Harm:
    """Something of the gallery's is a pipe, on which whoever reads it waits for ever."""

    def harm(directory: Path, _: Path) -> None:
        path = next(directory.glob(name), directory / name)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return harm


HARMS: dict[str, Harm] = {
    "thumbnails lead outside": links("thumbnails"),
    "a folder of thumbnails leads outside": links("thumbnails/*"),
    "the journal leads outside": links("unfinished"),
    "a journal leads outside": lambda directory, outside: (
        (directory / "unfinished").mkdir(),
        (directory / "unfinished" / "a.sqlite").symlink_to(outside / "holiday.jpg"),
    )[-1],
    "generations lead outside": links("generations"),
    "another generation leads outside": links("generations/000009"),
    "embeddings lead outside": links("generations/*/embeddings.npy", "holiday.jpg"),
    "CURRENT leads outside": links("CURRENT", "holiday.jpg"),
    "the lock leads outside": links(".lock", "holiday.jpg"),
    "the note of the writer leads outside": links(".writer.json", "holiday.jpg"),
    "the list of collections leads outside": links("collections.json", "holiday.jpg"),
    "CURRENT is a pipe": pipes("CURRENT"),
    "the manifest is a pipe": pipes("generations/*/manifest.json"),
    "its checksum is a pipe": pipes("generations/*/manifest.json.sha256"),
    "the pictures are a pipe": pipes("generations/*/items.parquet"),
    "the index is a pipe": pipes("generations/*/index.faiss"),
    "the lock is a pipe": pipes(".lock"),
    "the note of the writer is a pipe": pipes(".writer.json"),
    "the marks are a pipe": pipes(FEEDBACK),
    "the list of collections is a pipe": pipes("collections.json"),
    "CURRENT is very long": lambda directory, _: (directory / "CURRENT").write_text("0" * 10_000_000) and None,
    "created is a number": told({"created": 5}),
    "created is no time": told({"created": "![](http://evil.example/a.png)"}),
    "count is a word": told({"count": "x"}),
    "count is a fraction": told({"count": 15.5}),
    "count is negative": told({"count": -1}),
    "count is true": told({"count": True}),
    "dim is huge": told({"dim": 1 << 62}),
    "seconds is nothing": told({"seconds": None}),
    "the model is markup": told({"model": "![](http://evil.example/a.png)"}),
    "the model is a list": told({"model": ["efficientnet-lite2"]}),
    "the note is an object": told({"note": {"a": 1}}),
    "the last run is a word": told({"last_run": "index"}),
    "the last run counts in words": told({"last_run": {"task": "index", "added": "many", "skipped": []}}),
    "skipped is an object": told({"skipped": {"path": "a"}}),
    "a skipped file has no path": told({"skipped": [{"reason": "a"}]}),
    "preprocessing is a list": told({"preprocessing": []}),
    "the store is nobody's": told({"store": {"kind": "evil", "uri": ""}}),
    "the store's address is a number": told({"store": {"kind": "milvus", "uri": 7}}),
    "the refinement is unknown": told({"refinement": "evil"}),
    "search is a word": told({"search": "fast"}),
    "files is a list": told({"files": ["items.parquet"]}),
    "a file lies outside": told({"files": {"../../../outside/holiday.jpg": {"size": 11, "sha256": "0" * 64}}}),
    "a file is absolute": told({"files": {"/etc/passwd": {"size": 1, "sha256": "0" * 64}}}),
    "the manifest is no object": lambda directory, _: seal_with(directory, b"[1, 2]"),
    "the manifest is very deep": lambda directory, _: seal_with(directory, b"[" * 200_000),
    "the manifest is empty": lambda directory, _: seal_with(directory, b""),
    "the manifest is all brackets": ends_with(b'"more": [' + b"[]," * 10_000_000 + b"0]"),
    "the manifest is deep within": ends_with(b'"search": ' + b'{"a":' * 50_000 + b"0" + b"}" * 50_000),
    "seconds are no number": ends_with(b'"seconds": NaN'),
    "seconds are endless": ends_with(b'"seconds": 1e999'),
    "shares are words": told({"search": {"recall@10": "all"}}),
    "shares are a list": told({"search": {"recall@10": [1]}}),
    "a share is a word": told({"search": {"recall@10": {"fast": "all"}}}),
    "a file has no size": told({"files": {"items.parquet": {"sha256": "0" * 64}}}),
    "a size is a word": told({"files": {"items.parquet": {"size": "many", "sha256": "0" * 64}}}),
    "the last run counts for ever": told(
        {"last_run": {"task": "index", "embedded": 10**400, "seconds": 1.0, "skipped": []}}
    ),
    "duplicates are fewer than none": told({"duplicates": -1}),
    "a generation is very deep": deep_folders,
    **made_elsewhere.HARMS,
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
