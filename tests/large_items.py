"""Made-up lines of items.parquet, with all that lines can have: copies, odd letters, missing labels."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from similarity.storage.items import SCHEMA

WORDS = (
    "red",
    "grün",
    "gru\u0308n",
    "",
    "K\u00f6ln",
    "Ko\u0308ln",
    "日本",
    "e\u0301",
    "\u00e9",
    "😀",
    "=x",
    "10",
    "9.5",
    "-3",
)
DATES = ("2024", "2024-05", "2024-05-03 14:22:10", "2023-12-31")
KEYS = ("colour", "gr\u00f6\u00dfe", "gro\u0308\u00dfe", "price", "a=b", "label", "taken", "width")


def lines(count: int, seed: int) -> list[dict[str, Any]]:
    """Lines in any order; about a third are copies of others, some far from their first."""
    choice = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(count):
        metadata = {choice.choice(KEYS): choice.choice(WORDS + DATES) for _ in range(choice.randrange(4))}
        text = json.dumps(metadata, ensure_ascii=choice.random() < 0.2)
        if choice.random() < 0.05:
            text = '{"odd": "\\ud83d", "twice": "1", "twice": "2"}'
        exif = {"taken": choice.choice(DATES), "camera": choice.choice(("Canon", "Nikon"))}
        content = choice.choice(found)["sha256"] if found and choice.random() < 0.3 else f"{seed}-{number}"
        found.append(
            {
                "row": 0,
                "id": f"{choice.choice(WORDS)}/{number}.jpg",
                "path": f"/pictures/{choice.choice(WORDS)}/{number}.jpg",
                "label": choice.choice((*WORDS, None)),
                "width": choice.choice((0, 90, 100, 2048)),
                "height": choice.choice((0, 90, 100, 2048)),
                "size": choice.randrange(10**12),
                "mtime": choice.random() * 1e9,
                "sha256": content if len(content) == 64 else hashlib.sha256(content.encode()).hexdigest(),
                "source": choice.choice(("/pictures", "/pictures/list.csv", "")),
                "metadata": text,
                "exif": json.dumps(exif if choice.random() < 0.5 else {}),
            }
        )
    return found


def write(path: Path, written: list[dict[str, Any]], *, without: tuple[str, ...] = (), per_group: int = 8192) -> Path:
    """Write lines, without some columns, as an older version may have."""
    table = pa.Table.from_pylist(written, schema=SCHEMA).drop_columns(list(without))
    pq.write_table(table, path, row_group_size=per_group)
    return path
