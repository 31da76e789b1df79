"""Vectors as a Parquet file: a row for each picture, with its vector as a list of one length."""

import json
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from similarity.exports.vectors.kinds import EMBEDDING, KEY
from similarity.exports.vectors.table import VectorTable

NUMBERS = ("width", "height")


def write_parquet(file: BinaryIO, table: VectorTable) -> None:
    """Write the file; its footer has the facts of the table in the key `similarity.vectors`."""
    dim = table.vectors.dim
    fields = [(name, pa.int32() if name in NUMBERS else pa.string()) for name in table.columns]
    schema = pa.schema([*fields, (EMBEDDING, pa.list_(pa.float32(), dim))], {KEY: json.dumps(table.facts).encode()})
    # Vectors cannot be compressed further.
    packed = dict.fromkeys(table.columns, "zstd") | {f"{EMBEDDING}.list.element": "none"}
    options = {"compression": packed, "use_dictionary": ["label"], "write_page_checksum": True}
    with pq.ParquetWriter(file, schema, **options) as writer:
        for rows, block in zip(table.rows(), table.blocks(), strict=True):
            columns = [pa.array([row.get(name) for row in rows], kind) for name, kind in fields]
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(block.reshape(-1)), dim)
            writer.write_batch(pa.RecordBatch.from_arrays([*columns, vectors], schema=schema))
