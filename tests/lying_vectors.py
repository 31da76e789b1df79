"""Files of vectors as programs write them, and files that lie: each with the sentence that refuses it."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Make = Callable[[Path], Path]
RANDOM = np.random.default_rng(0)
ROWS = RANDOM.standard_normal((6, 4)).astype(np.float32)
NAMES = [f"n{number}" for number in range(len(ROWS))]


def write_npy(folder: Path, array: Any = ROWS, lines: list[str] | None = None) -> Path:
    np.save(folder / "v.npy", array)
    return with_list(folder / "v.npy", lines)


def with_list(path: Path, lines: list[str] | None = None) -> Path:
    path.with_suffix(".csv").write_text("\n".join(["id,label,maker", *(lines or [f"{name},l,m" for name in NAMES])]))
    return path


def write_parquet(folder: Path, embedding: Any, ids: list[Any] = NAMES, **columns: Any) -> Path:
    pq.write_table(pa.table({"id": ids, "embedding": embedding, **columns}), folder / "v.parquet")
    return folder / "v.parquet"


def write_bytes(name: str, data: bytes) -> Make:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return with_list(folder / name)

    return write


def header(text: str, data: bytes = b"") -> Make:
    padded = text.encode().ljust(117) + b"\n"
    return write_bytes("v.npy", b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data)


def cut(make: Make, share: float = 0.5) -> Make:
    def write(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        return path

    return write


def npy(array: Any, lines: list[str] | None = None) -> Make:
    return lambda folder: write_npy(folder, array, lines)


def parquet(embedding: Any, ids: list[Any] = NAMES) -> Make:
    return lambda folder: write_parquet(folder, embedding, ids)


def an_index(index: Any) -> Make:
    def write(folder: Path) -> Path:
        index.add(ROWS)
        faiss.write_index(index, str(folder / "v.faiss"))
        return with_list(folder / "v.faiss")

    return write


def spoilt(row: int, value: float) -> Any:
    array = ROWS.copy()
    array[row, 1] = value
    return array


class Harm:
    """Unpickling it leaves a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


def pickled(name: str) -> Make:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(pickle.dumps(Harm(str(folder / "harmed"))))
        return with_list(folder / name)

    return write


def objects(folder: Path) -> Path:
    np.save(folder / "v.npy", np.array([Harm(str(folder / "harmed"))] * 6, object), allow_pickle=True)
    return with_list(folder / "v.npy")


def archive(folder: Path) -> Path:
    with (folder / "v.npy").open("wb") as file:
        np.savez(file, v=ROWS)
    return with_list(folder / "v.npy")


def folder_of(**files: Any) -> Make:
    def write(folder: Path) -> Path:
        for name, content in files.items():
            path = folder / "f" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / "f"

    return write


def expanding(folder: Path) -> Path:
    """A list of four million equal numbers, in a few kilobytes."""
    values = pa.array(np.ones(1 << 22, np.float32))
    lists = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    table = pa.table({"id": ["a"], "embedding": lists})
    pq.write_table(table, folder / "v.parquet", compression="zstd")
    return folder / "v.parquet"


TERABYTES = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 4096), }"
LISTS = [row.tolist() for row in ROWS]
LIES: dict[str, tuple[Make, str]] = {
    "nothing there": (lambda folder: folder / "v.npy", "There is no file or folder"),
    "empty array file": (write_bytes("v.npy", b""), "not a NumPy file of numbers"),
    "no array": (write_bytes("v.npy", b"hello, I am a text"), "not a NumPy file of numbers"),
    "a pickle for an array": (pickled("v.npy"), "not a NumPy file of numbers"),
    "a pickle": (pickled("v.pkl"), "is a pickle"),
    "objects": (objects, "not a NumPy file of numbers"),
    "an archive": (archive, "not a NumPy file of numbers"),
    "a broken archive": (write_bytes("v.npy", b"PK\x03\x04 no zip"), "not a NumPy file of numbers"),
    "cut short": (cut(npy(ROWS)), "not a NumPy file of numbers"),
    "longer than its header says": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", b"\0" * 80),
                                    "other contents"),
    "a header that claims terabytes": (header(TERABYTES, b"\0" * 64), "not a NumPy file of numbers"),
    "a header that is a program": (header("__import__('os').system('true')"), "not a NumPy file of numbers"),
    "a negative shape": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }", b"\0" * 64),
                         "not a NumPy file of numbers|other contents"),
    "whole numbers": (npy(np.ones((6, 4), np.int8)), "numbers of the type int8"),
    "complex numbers": (npy(ROWS.astype(complex)), "numbers of the type complex128"),
    "texts": (npy(np.array(["a"] * 6)), "numbers of the type <U1"),
    "one row only": (npy(ROWS[0]), "a row for each picture"),
    "three dimensions": (npy(ROWS.reshape(6, 2, 2)), "other contents"),
    "no rows": (npy(ROWS[:0]), "not a NumPy file of numbers|other contents"),
    "no list": (lambda folder: write_npy(folder).with_suffix(".csv").rename(folder / "x.csv").with_name("v.npy"),
                "v.csv is missing"),
    "a list too short": (npy(ROWS, ["a,l,m", "b,l,m"]), "6 vectors, and its list only 2"),
    "a list too long": (npy(ROWS[:3]), "3 vectors, and its list more"),
    "an id twice": (npy(ROWS, [f"{name},l,m" for name in [*NAMES[:5], "n1"]]), "row 6 has the id 'n1', as row 2 has"),
    "not a number": (npy(spoilt(3, np.nan)), "row 4 has a vector with values that are not finite"),
    "infinite": (npy(spoilt(5, -np.inf)), "row 6 has a vector with values that are not finite"),
    "all zeros": (npy(np.zeros((6, 4))), "None of the 6 vectors"),
    "no Parquet": (write_bytes("v.parquet", b"PAR1 no"), "not a Parquet file"),
    "an empty Parquet file": (write_bytes("v.parquet", b""), "not a Parquet file"),
    "Parquet cut short": (cut(parquet(LISTS)), "not a Parquet file"),
    "Parquet without rows": (parquet(pa.array([], pa.list_(pa.float32())), []), "has no rows"),
    "Parquet without vectors": (parquet(NAMES), "has string in its column embedding"),
    "Parquet of whole numbers": (parquet([[1, 2]] * 6), "has list<.*int64> in its column embedding"),
    "Parquet with ragged lists": (parquet([*LISTS[:5], [1.0]]), "row 6 has a vector of 1 numbers, and the first row"),
    "Parquet without a vector": (parquet([*LISTS[:5], None]), "row 6 has no vector"),
    "Parquet without its first vector": (parquet([None, *LISTS[1:]]), "no vector in its first row"),
    "Parquet with a missing number": (parquet([*LISTS[:2], [1.0, None, 2.0, 3.0], *LISTS[3:]]), "row 3 has .* missing"),
    "Parquet with an id twice": (parquet(LISTS, ["a", "b", "c", "d", "e", "a"]), "row 6 has the id 'a', as row 1"),
    "Parquet that expands to all memory": (expanding, "claims more numbers than fit"),
    "no FAISS index": (write_bytes("v.faiss", b"IxFI" + b"\xff" * 60), "not a FAISS index"),
    "FAISS cut short": (cut(an_index(faiss.IndexFlatIP(4))), "not a FAISS index"),
    "FAISS of another metric": (an_index(faiss.IndexFlatL2(4)), "not a FAISS index"),
    "FAISS of another kind": (an_index(faiss.IndexHNSWFlat(4, 8)), "not a FAISS index"),
    "an unknown file": (write_bytes("v.txt", b"1 2 3"), "no file of vectors that is known"),
    "an empty folder": (folder_of(x=b""), "no vectors in a known layout"),
    "a folder of DeepImageSearch 2": (folder_of(vgg19__image_data_features_dot_pkl=b""), "is a pickle"),
    "a folder of shards": (folder_of(embeddings_dot_json=b"{}"), "use --from-embeddings"),
    "tables that are not numbers": (
        folder_of(vectors_dot_tsv=b"1\t2\n3\tx\n", metadata_dot_tsv=b"id\tname\na\tb\nc\td\n"), "not a table of numbers"
    ),
    "tables with ragged lines": (
        folder_of(vectors_dot_tsv=b"1\t2\n3\n", metadata_dot_tsv=b"id\tlabel\na\tb\nc\td\n"), "not a table of numbers"
    ),
}  # fmt: skip
