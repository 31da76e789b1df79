"""Results as JSON in the form of COCO, which tools for annotated pictures load.

An image for each picture found, and an annotation for each hit: its `bbox` is the part that was found, or the whole
picture, in pixels from the left and the top, and `score` and `rank` are those of the hit. Labels are the categories.
pycocotools loads it as an annotation file, `COCO("results.json")`.
"""

from collections.abc import Sequence
from typing import Any

from similarity.exports.results import to_json_file
from similarity.search import Hit

NO_LABEL = "picture"  # the category of pictures without a label


def to_coco(hits: Sequence[Hit], query: str, gallery: str, model: str) -> bytes:
    """Write hits as COCO's JSON.

    Args:
        query: what was searched with, for `info`.
        gallery, model: names of the gallery and of its model, likewise.
    """
    names = list(dict.fromkeys(hit.item.label or NO_LABEL for hit in hits))
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    numbers = {category["name"]: category["id"] for category in categories}
    pairs = list(enumerate(hits, start=1))
    return to_json_file(
        {
            "info": {"description": f"Results for {query}", "query": query, "gallery": gallery, "model": model},
            "images": [_image(number, hit) for number, hit in pairs],
            "annotations": [_annotation(number, hit, numbers[hit.item.label or NO_LABEL]) for number, hit in pairs],
            "categories": categories,
        }
    )


def _image(number: int, hit: Hit) -> dict[str, Any]:
    item = hit.item
    return {
        "id": number, "file_name": item.path, "width": item.width, "height": item.height, "item": item.public_id,
    }  # fmt: skip


def _annotation(number: int, hit: Hit, category: Any) -> dict[str, Any]:
    width, height, part = hit.item.width, hit.item.height, hit.part
    box = [0.0, 0.0, float(width), float(height)]
    if part is not None:
        sides = (part.right - part.left, part.bottom - part.top)
        shares = zip((part.left, part.top, *sides), (width, height) * 2, strict=True)
        box = [round(share * side, 2) for share, side in shares]
    facts = {"id": number, "image_id": number, "category_id": category, "bbox": box, "area": box[2] * box[3]}
    return facts | {"iscrowd": 0, "score": round(hit.score, 6), "rank": hit.rank}
