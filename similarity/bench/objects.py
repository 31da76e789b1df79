"""Benchmark of the objects that are proposed in a query: scenes of two or three products, and pictures in a row."""

import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from similarity.bench.machine import describe_machine
from similarity.bench.scenes import SHORT_SIDE, CutOut, compose, cut_out
from similarity.errors import FetchError, ImageError, SearchError
from similarity.gallery import Gallery, open_gallery
from similarity.images.boxes import area, common_area, iou
from similarity.images.picture import Box
from similarity.progress import OnProgress, Reporter
from similarity.query.objects import find_objects
from similarity.sources import Item
from similarity.sources.originals import read_original

# Intersection over union from which a box covers a product.
COVERS = 0.5
# Of a whole picture beside others, the object's outline is not known: a box covers it that lies in it, by this share,
# and has this share of it.
LIES_IN, HAS = 0.85, 0.25
# How many pictures are read for a scene at most, in search of products before plain backdrops: of 80 photographs of
# clothing, 2 had one.
PATIENCE = 500


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with objects, and where they are."""

    image: Image.Image
    boxes: list[Box]
    items: list[Item]
    backdrop_is_shared: bool

    def covers(self, box: Box, truth: Box) -> bool:
        """Whether a proposed box covers an object, or the picture that is beside others."""
        if self.backdrop_is_shared:
            return iou(box, truth) >= COVERS
        common = common_area(box, truth)
        return common >= LIES_IN * area(box) and common >= HAS * area(truth)


def bench_objects(
    gallery: str | Gallery,
    *,
    count: int = 200,
    seed: int = 0,
    side_by_side: bool = False,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Compose scenes of a gallery's pictures, propose boxes in them, and search the gallery with these.

    Args:
        count: how many scenes; every other one has three objects in place of two.
        seed: another one composes others.
        side_by_side: put whole pictures beside each other, instead of cut-out products on one backdrop.

    Returns:
        How many scenes were asked for and made: fewer if too few pictures stand before a plain backdrop or can be read.
        The share of objects that a box covers, the share of those whose product (the column `product`, or else the
        label) is found first with that box and with the whole scene, boxes a scene that cover nothing, and the
        milliseconds of proposing, with the network's runs, and of embedding the scene.

    Raises:
        SearchError: too few pictures can be read, or stand before a plain backdrop. ModelError: the model cannot be
            loaded, or has no feature map.
    """
    opened, started = gallery if isinstance(gallery, Gallery) else open_gallery(gallery), time.perf_counter()
    reporter, rng = Reporter(count, progress, task="Searching"), random.Random(seed)
    opened.embedder.load_feature_maps()
    scenes = _rows(opened, rng) if side_by_side else _scenes(opened, rng)
    found = []
    for _, scene in zip(range(count), scenes, strict=False):
        found.append(_search(opened, scene))
        reporter.advance(1)
    if not found:
        raise SearchError(f"{opened.name} has too few pictures with a plain backdrop: try --side-by-side.")
    objects = [one for row in found for one in row["objects"]]
    covered = [one for one in objects if one["covered"]]
    return {
        "gallery": opened.name,
        "asked": count,
        "scenes": len(found),
        "objects": len(objects),
        "seed": seed,
        "side_by_side": side_by_side,
        "covered": _share(one["covered"] for one in objects),
        "found_first": _share(one["first"] for one in covered),
        "found_first_by_scene": _share(one["first_by_scene"] for one in objects),
        "other_boxes": round(statistics.fmean(row["others"] for row in found), 3),
        "propose_p50_ms": round(statistics.median(row["propose_ms"] for row in found), 1),
        "embed_p50_ms": round(statistics.median(row["embed_ms"] for row in found), 1),
        "seconds": round(time.perf_counter() - started, 1),
        "machine": describe_machine(),
    }


def _search(gallery: Gallery, scene: Scene) -> dict[str, Any]:
    """Propose boxes in a scene, and search with each that covers an object."""
    started = time.perf_counter()
    boxes = find_objects(gallery.embedder, scene.image)
    propose_ms = 1000 * (time.perf_counter() - started)
    started = time.perf_counter()
    query = gallery.encode(scene.image)
    embed_ms = 1000 * (time.perf_counter() - started)
    whole = _product(gallery.search(query, 1)[0].item)
    objects = []
    for truth, item in zip(scene.boxes, scene.items, strict=True):
        best = max((box for box in boxes if scene.covers(box, truth)), key=lambda box: iou(box, truth), default=None)
        first = _product(gallery.search(best.cut(scene.image), 1)[0].item) if best else None
        product = _product(item)
        objects.append({"covered": best is not None, "first": first == product, "first_by_scene": whole == product})
    others = sum(not any(scene.covers(box, truth) for truth in scene.boxes) for box in boxes)
    return {"objects": objects, "others": others, "propose_ms": propose_ms, "embed_ms": embed_ms}


def _product(item: Item) -> str:
    return item.metadata.get("product") or item.label or item.id


def _share(flags: Iterator[bool]) -> float:
    return round(statistics.fmean([*map(float, flags)] or [0.0]), 4)


def _pictures(gallery: Gallery, rng: random.Random) -> Iterator[tuple[Item, Image.Image]]:
    """Yield pictures in a random order, over and over, until too many in a row cannot be read."""
    failed = 0
    while failed < PATIENCE:
        item = gallery.items[rng.randrange(len(gallery))]
        try:
            picture = read_original(item).decode()
        except (ImageError, FetchError):
            failed += 1
            continue
        failed = 0
        yield item, picture


def _scenes(gallery: Gallery, rng: random.Random) -> Iterator[Scene]:
    """Yield scenes of two and of three different products in turn, on the backdrop of another picture.

    They end once too many pictures have given no scene.
    """
    pictures, products, number, read = _pictures(gallery, rng), list[tuple[Item, CutOut]](), 0, 0
    for item, image in pictures:
        read += 1
        if read > PATIENCE:
            return
        cut = None if _product(item) in [_product(other) for other, _ in products] else cut_out(image)
        if cut is not None:
            products.append((item, cut))
        if len(products) == 2 + number % 2:
            backdrop = next((picture for _, picture in pictures), image)
            placed = compose([cut for _, cut in products], backdrop, rng)
            if placed is not None:
                read = 0
                yield Scene(*placed, [item for item, _ in products], backdrop_is_shared=True)
            products, number = [], number + 1


def _rows(gallery: Gallery, rng: random.Random) -> Iterator[Scene]:
    """Yield rows of two and of three pictures in turn, all of one height."""
    pictures, number = _pictures(gallery, rng), 0
    while len(chosen := [picture for _, picture in zip(range(2 + number % 2), pictures, strict=False)]) > 1:
        images = [image.resize((max(1, SHORT_SIDE * image.width // image.height), SHORT_SIDE)) for _, image in chosen]
        row, left, boxes = Image.new("RGB", (sum(image.width for image in images), SHORT_SIDE)), 0, []
        for image in images:
            row.paste(image, (left, 0))
            boxes.append(Box(left / row.width, 0, (left + image.width) / row.width, 1))
            left += image.width
        yield Scene(row, boxes, [item for item, _ in chosen], backdrop_is_shared=False)
        number += 1
