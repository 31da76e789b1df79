"""Stanford Online Products in its own layout: Ebay_train.txt and Ebay_test.txt beside a folder for each kind.

Each line after the first of such a file is `image_id class_id super_class_id path`; a class is one product, a super
class one kind of product. Song, Xiang, Jegelka, Savarese: Deep Metric Learning via Lifted Structured Feature
Embedding, CVPR 2016.
"""

import os
import random
import re
from pathlib import Path

from similarity.errors import SourceError
from similarity.sources.base import Item, Skipped
from similarity.sources.folder import Files
from similarity.sources.splits import Split

LISTS = {"train": "Ebay_train.txt", "test": "Ebay_test.txt"}
# The name of a source, as `read_products` gives it.
NAME = re.compile(r"(.+) \((train|test|all)(?:, (\d+) products, seed (-?\d+))?\)", re.DOTALL)


def is_products(root: Path) -> bool:
    """Whether a folder has this layout."""
    return any((root / name).is_file() for name in LISTS.values())


def read_products(root: Path, *, split: Split = "test", products: int | None = None, seed: int = 0) -> Files:
    """List the pictures of a split.

    What was chosen is part of the source's name, so that a gallery is never brought in step with another choice. The
    label is the product; `super_label` (the kind), `super_class_id` and `split` are metadata.

    Args:
        split: the part to take; published figures are for `test`.
        products: keep that many products, drawn with `seed`; the same for the same seed.

    Raises:
        SourceError: the split's file is missing or unreadable, or there are fewer products.
    """
    items: list[Item] = []
    skipped: list[Skipped] = []
    for name in LISTS if split == "all" else (split,):
        _read_list(root, name, items, skipped)
    if not items:
        raise SourceError(f"No line of {root / LISTS['test' if split == 'all' else split]} can be read.")
    if products is not None:
        items = _subset(items, products, seed, root)
    drawn = f", {products} products, seed {seed}" if products is not None else ""
    return Files(f"{root} ({split}{drawn})", items, skipped)


def products_arguments(name: str) -> list[str] | None:
    """Return the arguments of `index` that choose the source of this name again; None if it is not such a source."""
    if (match := NAME.fullmatch(name)) is None:
        return None
    root, split, products, seed = match.groups()
    if not any(os.path.isfile(f"{root}/{file}") for file in LISTS.values()):  # noqa: PTH113 - never raises
        return None
    return [root, "--split", split, *(["--products", products, "--seed", seed] if products else [])]


def _read_list(root: Path, split: str, items: list[Item], skipped: list[Skipped]) -> None:
    path = root / LISTS[split]
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror or error}).") from error
    for number, line in enumerate(lines[1:], start=2):
        values = line.split()
        if len(values) != 4:
            skipped.append(Skipped(f"{path}, line {number}", "is not `image_id class_id super_class_id path`."))
            continue
        _, product, super_class_id, place = values
        kind = Path(place).parent.name.removesuffix("_final")
        metadata = {"super_label": kind, "super_class_id": super_class_id, "split": split}
        items.append(Item(id=place, path=str(root / place), label=product, metadata=metadata))


def _subset(items: list[Item], products: int, seed: int, root: Path) -> list[Item]:
    labels = sorted({str(item.label) for item in items})
    if not 1 <= products <= len(labels):
        raise SourceError(f"{root} has {len(labels):,} products in this split; {products:,} cannot be drawn from them.")
    drawn = set(random.Random(seed).sample(labels, products))
    return [item for item in items if item.label in drawn]
