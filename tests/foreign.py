"""Files of a gallery that somebody else has made to do harm, each vouched for by a manifest as our own are.

As a script: `python foreign.py FOLDER` opens all galleries in a folder and prints for each what was said, the seconds
that it took, and by how many bytes the memory of the process grew meanwhile at most.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save

from similarity.storage.items import SCHEMA

# Changes the folder of a gallery; it also gets a folder that lies outside.
Harm = Callable[[Path, Path], None]
# Writes a file in the place of another, likewise.
Make = Callable[[Path, Path], None]
LEVELS = ("fast", "balanced", "high")
TUNED = {
    "probes": dict.fromkeys(LEVELS, 1),
    "recall@10": dict.fromkeys(LEVELS, 1.0),
    **dict.fromkeys(("trained_on", "first_probes", "changed", "measured_after"), 1),
}
SCANNED = {"error": 0.1, "length": 1.0}


def seal(directory: Path, change: Mapping[str, Any] | None = None) -> None:
    """Vouch for all that lies in the only generation of a gallery, with some of its manifest changed."""
    (folder,) = (directory / "generations").iterdir()
    made = json.loads((folder / "manifest.json").read_text()) | dict(change or {})
    made["files"] = {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("manifest.json")
    }
    seal_with(directory, json.dumps(made).encode())


def seal_with(directory: Path, manifest: bytes) -> None:
    """Vouch for a manifest, whatever is in it."""
    (folder,) = (directory / "generations").iterdir()
    checksum = hashlib.sha256(manifest).hexdigest()
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "manifest.json.sha256").write_text(f"{checksum}  manifest.json\n")
    (directory / "CURRENT").write_text(f"{folder.name} {checksum}\n")


def in_place_of(name: str, make: Make, **change: Any) -> Harm:
    """A file of another content."""

    def harm(directory: Path, outside: Path) -> None:
        (folder,) = (directory / "generations").iterdir()
        make(folder / name, outside)
        seal(directory, change)

    return harm


def shape_of(path: Path) -> tuple[int, int]:
    """How many embeddings lie beside a file, and how long they are."""
    made = json.loads(path.with_name("manifest.json").read_text())
    return made["count"], made["dim"]


def unit(count: int, dim: int) -> Any:
    """Vectors of unit length, float32 (count, dim)."""
    found = np.random.default_rng(0).standard_normal((count, dim)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def lists(path: Path, recipe: str = "IVF2,Flat") -> Any:
    """A sound index of FAISS with lists, of the embeddings beside a file."""
    count, dim = shape_of(path)
    index = faiss.index_factory(dim, recipe, faiss.METRIC_L2)
    faiss.extract_index_ivf(index).cp.min_points_per_centroid = 1
    index.train(unit(max(count, 600), dim))
    index.add(unit(count, dim))
    return index


def on_disk(path: Path, outside: Path, recipe: str = "IVF2,Flat") -> None:
    """Lists that lie in a file outside of the gallery, which FAISS opens to read and write."""
    index = lists(path, recipe)
    ivf = faiss.extract_index_ivf(index)
    elsewhere = outside / "lists.ivfdata"
    on = faiss.OnDiskInvertedLists(ivf.nlist, ivf.code_size, str(elsewhere))
    on.merge_from(ivf.invlists, 0)
    ivf.replace_invlists(on)
    faiss.write_index(index, str(path))
    elsewhere.write_text("the diary of somebody else")


def faiss_of(make: Callable[[Path], Any]) -> Make:
    """An index that FAISS writes."""
    return lambda path, _: faiss.write_index(make(path), str(path))


def patched(recipe: str, old: bytes, new: Callable[[bytes], bytes], then: int = 0) -> Make:
    """Sound lists, of which the bytes after the last place where some lie are replaced."""

    def make(path: Path, _: Path) -> None:
        data = bytearray(faiss.serialize_index(lists(path, recipe)).tobytes())
        start = data.rindex(old) + len(old) + then
        data[start : start + 8] = new(bytes(data[start : start + 8]))
        path.write_bytes(data)

    return make


def huge_flat(path: Path, _: Path) -> None:
    """A flat index of 3 MB that says that it has 1 << 31 numbers."""
    data = bytearray(path.read_bytes())
    data[37:45] = (1 << 31).to_bytes(8, "little")
    path.write_bytes(data + b"\0" * 3_000_000)


def number(value: int) -> Callable[[bytes], bytes]:
    """In the place of eight bytes."""
    return lambda _: value.to_bytes(8, "little")


def wrapped(kind: Callable[[Any], Any]) -> Make:
    """A flat index within another one."""

    def make(path: Path, _: Path) -> None:
        count, dim = shape_of(path)
        inner = faiss.IndexFlatIP(dim)
        outer = kind(inner)
        outer.add(unit(count, dim)) if not isinstance(outer, faiss.IndexIDMap) else outer.add_with_ids(
            unit(count, dim), np.arange(count)
        )
        faiss.write_index(outer, str(path))

    return make


def other_ids(path: Path) -> Any:
    """Lists in which the first picture is twice, and one that there is not."""
    index = lists(path)
    index.reset()
    count, dim = shape_of(path)
    rows = np.arange(count)
    rows[0], rows[1] = 1 << 40, 2
    index.add_with_ids(unit(count, dim), rows)
    return index


def not_numbers(path: Path) -> Any:
    """Lists whose centres are not numbers."""
    index = lists(path)
    centres = faiss.downcast_index(index.quantizer)
    found = faiss.rev_swig_ptr(centres.get_xb(), index.nlist * index.d)
    found[:] = np.nan
    return index


def untrained(path: Path) -> Any:
    """Lists that were never learned."""
    index = lists(path)
    index.is_trained = False
    return index


def items(change: Callable[[list[dict[str, Any]]], Any], schema: pa.Schema = SCHEMA, **options: Any) -> Make:
    """The table of pictures with other lines."""

    def make(path: Path, _: Path) -> None:
        lines = pq.read_table(path).to_pylist()
        lines = change(lines) or lines
        pq.write_table(pa.Table.from_pylist(lines, schema=schema), path, **options)

    return make


def every(**values: Any) -> Callable[[list[dict[str, Any]]], None]:
    """All lines say the same."""
    return lambda lines: [line.update(values) for line in lines] and None


def one_text_for(count: int, text: str) -> Make:
    """So many lines with one text, which is in the file once."""

    def make(path: Path, _: Path) -> None:
        table = pq.read_table(path)
        table = pa.concat_tables([table] * (count // len(table)))
        labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(table), np.int32)), pa.array([text]))
        ids = pa.array([str(row) for row in range(len(table))])
        table = table.set_column(1, "id", ids).set_column(3, "label", labels)
        pq.write_table(table, path, store_schema=False)

    return make


def of_other_types(path: Path, _: Path) -> None:
    """The table of pictures with numbers in the place of words."""
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, "id", pa.array(range(len(table)))), path)


def with_columns(count: int) -> Make:
    """A table of many columns."""
    more = {f"more {number}": pa.array([], pa.string()) for number in range(count)}
    return lambda path, _: pq.write_table(pa.table(more), path)


def nested(depth: int) -> Make:
    """A table of columns within columns."""

    def make(path: Path, _: Path) -> None:
        kind: Any = pa.string()
        for _ in range(depth):
            kind = pa.struct([("a", kind)])
        pq.write_table(pa.table({"row": pa.array([None], kind)}), path)

    return make


def groups(count: int) -> Make:
    """A table of very many groups of lines."""

    def make(path: Path, _: Path) -> None:
        table = pa.Table.from_pylist(pq.read_table(path).to_pylist()[:1] * count, schema=SCHEMA)
        pq.write_table(table, path, row_group_size=1)

    return make


def footer(length: int, size: int = 0) -> Make:
    """A table whose last bytes say how long its footer is."""

    def make(path: Path, _: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[:-8] + b"\x15" * size + length.to_bytes(4, "little") + b"PAR1")

    return make


def another_count(path: Path, _: Path) -> None:
    """A table whose footer says that it has four times the lines."""
    data = path.read_bytes()
    start = data.rindex(b"\x16\x1e\x19")  # so many lines, and then a list
    path.write_bytes(data[:start] + b"\x16\x78" + data[start + 2 :])


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> Make:
    """A NumPy file with any header."""

    def make(path: Path, _: Path) -> None:
        width = 2 if version == b"\x01\x00" else 4
        text = header.encode()
        path.write_bytes(b"\x93NUMPY" + version + len(text).to_bytes(width, "little") + text + body)

    return make


def told(descr: str = "<f4", shape: str = "(15, 1280)", order: str = "False") -> str:
    """The header of a NumPy file."""
    return f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n"


def head(dim: int = 1280, about: Any = None, **arrays: Any) -> Make:
    """A head, with whatever in its header."""
    card = {"model": "efficientnet-lite2", "weights_sha256": "", "loss": "triplet"}
    known = {"format": 1, "kept": 0, "share": 0.0, "card": card}
    parts = {"centre": np.zeros(dim, np.float32), "basis": unit(4, dim), "last": unit(4, 4)} | arrays

    def make(path: Path, _: Path) -> None:
        words = about if isinstance(about, str) else json.dumps(known | (about or {}))
        path.write_bytes(save(parts, {"about": words}))

    return make


def raw(*parts: bytes | int) -> Make:
    """A file of these bytes, and of so many zeros as no room is taken for."""

    def make(path: Path, _: Path) -> None:
        with path.open("wb") as file:
            for part in parts:
                file.write(part) if isinstance(part, bytes) else file.truncate(file.seek(part, 1))

    return make


def tensors(**shapes: Any) -> bytes:
    """The beginning of a safetensors file, which promises arrays."""
    text = json.dumps(
        {name: {"dtype": "F32", "shape": shape, "data_offsets": ends} for name, (shape, ends) in shapes.items()}
    )
    return len(text).to_bytes(8, "little") + text.encode()


LISTS: dict[str, Any] = {"recipe": "IVF2,Flat", "search": TUNED}
HEADED: dict[str, Any] = {"head_sha256": "0" * 64}
MANY = "long " * 200_000

HARMS: dict[str, Harm] = {
    "lists lie in a file outside": in_place_of("index.faiss", on_disk, **LISTS),
    "lists behind a transform lie outside": in_place_of(
        "index.faiss", lambda path, outside: on_disk(path, outside, "PCA8,IVF2,SQ8"), **LISTS
    ),
    "a flat index is lists that lie outside": in_place_of("index.faiss", on_disk),
    "a scanned index is lists that lie outside": in_place_of("index.faiss", on_disk, recipe="flat-sq8", search=SCANNED),
    "an index asks for much": in_place_of("index.faiss", huge_flat),
    "lists ask for much": in_place_of("index.faiss", patched("IVF2,Flat", b"full", number(1 << 40)), **LISTS),
    "a list asks for much": in_place_of("index.faiss", patched("IVF2,Flat", b"full", number(1 << 32), 8), **LISTS),
    "there are many lists": in_place_of("index.faiss", patched("IVF2,Flat", b"ilar", number(1 << 23)), **LISTS),
    "codes are long": in_place_of("index.faiss", patched("IVF2,Flat", b"ilar", number(1 << 33), 8), **LISTS),
    "lists are of lists": in_place_of(
        "index.faiss", faiss_of(lambda path: lists(path, "IVF2(IVF1,Flat),Flat")), **LISTS
    ),
    "lists are of fast codes": in_place_of("index.faiss", faiss_of(lambda path: lists(path, "IVF2,PQ4x4fs")), **LISTS),
    "a graph stands for an index": in_place_of("index.faiss", wrapped(lambda one: faiss.IndexHNSWFlat(one.d, 4))),
    "an index is within another": in_place_of("index.faiss", wrapped(faiss.IndexIDMap)),
    "an index is made of others": in_place_of("index.faiss", wrapped(lambda one: faiss.IndexRefineFlat(one)), **LISTS),
    "rows are of no picture": in_place_of("index.faiss", faiss_of(other_ids), **LISTS),
    "centres are no numbers": in_place_of("index.faiss", faiss_of(not_numbers), **LISTS),
    "lists were never learned": in_place_of("index.faiss", faiss_of(untrained), **LISTS),
    "an index is followed by more": in_place_of(
        "index.faiss", lambda path, _: path.write_bytes(path.read_bytes() + b"more") and None
    ),
    "an index is empty": in_place_of("index.faiss", raw()),
    "one long text for thousands": in_place_of("items.parquet", one_text_for(9_000, MANY)),
    "lines that compress well": in_place_of("items.parquet", items(every(label=MANY * 10), compression="zstd")),
    "lines that begin alike": in_place_of(
        "items.parquet",
        items(
            lambda lines: [line | {"label": f"{MANY}{row}"} for row, line in enumerate(lines * 20)],
            use_dictionary=False,
            column_encoding={"label": "DELTA_BYTE_ARRAY"},
        ),
    ),
    "a table of many columns": in_place_of("items.parquet", with_columns(2_000)),
    "a table of columns in columns": in_place_of("items.parquet", nested(60)),
    "a table of many groups": in_place_of("items.parquet", groups(400)),
    "a footer is longer than the file": in_place_of("items.parquet", footer(1 << 31)),
    "a footer is long": in_place_of("items.parquet", footer(2_000_000, 2_000_000)),
    "a footer counts wrong": in_place_of("items.parquet", another_count),
    "pictures have no path": in_place_of("items.parquet", items(every(path=None))),
    "a path has an end within": in_place_of("items.parquet", items(every(path="a\0b"))),
    "a hash leads outside": in_place_of("items.parquet", items(every(sha256="../../../../outside/holiday"))),
    "a picture is endless": in_place_of("items.parquet", items(every(width=2**31 - 1, height=2**31 - 1))),
    "a time is no number": in_place_of("items.parquet", items(every(mtime=float("nan")))),
    "words about pictures are deep": in_place_of("items.parquet", items(every(metadata="[" * 100_000))),
    "words about pictures are lists": in_place_of("items.parquet", items(every(metadata='{"colour": ["red"]}'))),
    "a table of other types": in_place_of("items.parquet", of_other_types),
    "embeddings are objects": in_place_of("embeddings.npy", npy(told("|O"), b"cos\nsystem\n(S'true'\ntR.")),
    "embeddings promise much": in_place_of("embeddings.npy", npy(told(shape="(15, 1280000000)"))),
    "embeddings are fewer than none": in_place_of("embeddings.npy", npy(told(shape="(-15, -1280)"), b"\0" * 76_800)),
    "embeddings lie in columns": in_place_of("embeddings.npy", npy(told(order="True"), b"\0" * 76_800)),
    "the header of embeddings is code": in_place_of("embeddings.npy", npy("__import__('os').abort()\n")),
    "the header of embeddings is deep": in_place_of("embeddings.npy", npy("(" * 60_000)),
    "the header of embeddings is long": in_place_of("embeddings.npy", npy(" " * 3_000_000, version=b"\x02\x00")),
    "a centre promises much": in_place_of("centre.npy", npy(told(shape="(1280000000,)")), refinement="centred"),
    "a centre is of objects": in_place_of("centre.npy", npy(told("|O", "(1280,)")), refinement="centred"),
    "a centre is no numbers": in_place_of(
        "centre.npy", npy(told(shape="(1280,)"), np.full(1280, np.nan, "<f4").tobytes()), refinement="centred"
    ),
    "a header names a huge head": in_place_of(
        "head.safetensors", raw((1 << 60).to_bytes(8, "little"), 4_000_000), **HEADED
    ),
    "the header of a head is deep": in_place_of(
        "head.safetensors", raw((200_000).to_bytes(8, "little"), b'{"a":' * 40_000), **HEADED
    ),
    "a head is large": in_place_of("head.safetensors", raw(tensors(centre=([1280], [0, 5120])), 1 << 28), **HEADED),
    "a head promises much": in_place_of(
        "head.safetensors",
        raw(tensors(centre=([1280], [0, 5120]), basis=([1 << 20, 1 << 20], [5120, 1 << 42])), 9000),
        **HEADED,
    ),
    "a head is for other embeddings": in_place_of("head.safetensors", head(640), **HEADED),
    "a head is no numbers": in_place_of("head.safetensors", head(last=np.full((4, 4), np.nan, np.float32)), **HEADED),
    "the card of a head is deep": in_place_of("head.safetensors", head(about="[" * 100_000), **HEADED),
    "the card of a head counts for ever": in_place_of(
        "head.safetensors",
        head(about={"card": {"model": "m", "weights_sha256": "", "loss": "l", "seconds": 10**400}}),
        **HEADED,
    ),
}


def main(folder: Path) -> None:
    """Open them all."""
    from similarity import Gallery
    from similarity.errors import SimilarityError

    Gallery.open(folder / "own")
    found = {}
    for directory in sorted(folder.iterdir()):
        Path("/proc/self/clear_refs").write_text("5")
        before, started, said = memory("VmRSS"), time.perf_counter(), "opened"
        try:
            Gallery.open(directory)
        except SimilarityError as error:
            said = f"{type(error).__name__}: {error}"
        found[directory.name] = (said, time.perf_counter() - started, memory("VmHWM") - before)
    print(json.dumps(found))  # noqa: T201


def memory(which: str) -> int:
    """Of this process, in bytes: VmRSS is what it has, VmHWM the most that it had since that was last cleared."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(which))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
