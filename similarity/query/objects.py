"""Objects in a picture: up to five boxes that one might search with, by where the network is active and by colour.

A network's last map says where things are, in a few dozen cells that bleed into their neighbours; pixels say where they
end. So cells of little energy show the backdrop, what stands out from the backdrop near it is an object, and each peak
of the energy has objects of its own. No weights beside the gallery's own network.

Measured with the bundled model on 60 made-up scenes, and on 28 rows of two and three photographs: 0.91 of the objects
and 0.87 of the garments found. GrabCut on the whole picture found 0.82 and 0.47 in three times the time, since an
object may have the colours of another's surroundings; GrabCut for each peak 0.69 and 0.79.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.embedding.embedder import Embedder
from similarity.embedding.whole_maps import whole_map
from similarity.images.backdrop import backdrop_distance
from similarity.images.boxes import area, common_area, iou, with_margin
from similarity.images.picture import Box
from similarity.query.energy import Regions, find_regions
from similarity.query.inputs import Picture, decode_query

MOST = 5
# Pixels of the longer side that objects are looked for at.
SIDE = 160
# Energy at which a pixel is as likely an object's as not: below it, the backdrop.
BACKDROP = 0.15
# Standard deviations from which a pixel stands out, and the least energy there, as a share of its region's peak.
STANDS_OUT, LEAST_ENERGY = 2.0, 0.1
# Energy that counts as the middle of a region, as a share of its peak, and the share of that which has to stand out:
# otherwise the backdrop has the object's own colours, and the energy alone must do.
MIDDLE, COVERED = 0.45, 0.15
# The smallest box, as a share of the picture, and the least energy in it, as a share of the first box's.
SMALLEST, FAINTEST = 0.006, 0.1
# Boxes are one if they have this in common: intersection over union, or the share of one that lies in the other.
SAME, WITHIN = 0.4, 0.6
# How near each other, as a share of the picture's sides, two parts of one region are parts of one thing. Of 60 pictures
# of one product, 5 had several boxes without this, and 3 with it; at 0.03, products beside each other become one.
TOUCHING = 0.015
# The only object of a picture is offered if it is small; otherwise it is what the whole picture shows anyway.
ALONE = 0.2
# A product has some backdrop around it in a gallery, too: found first with this margin 0.97 of times, without it 0.96.
MARGIN = 0.05

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]


def find_objects(embedder: Embedder, picture: Picture) -> list[Box]:
    """Find up to five objects in a picture, in one to three runs of the network.

    Args:
        embedder: a gallery's own, for instance.
        picture: as `Gallery.search` takes it.

    Returns:
        Their boxes, the most active first; none where one object fills the picture, or nothing stands out.

    Raises:
        ImageError: it is not a picture that can be read. FetchError: its address cannot be fetched.
        ModelError: this network has no feature map, or its network for the CPU cannot be loaded.
    """
    image = decode_query(picture, side=embedder.backbone.preprocessing.resize)
    return propose(whole_map(embedder, image), image)


def propose(cells: Floats, image: Image.Image) -> list[Box]:
    """Propose boxes by the feature map of a whole RGB image, float32 (rows, columns, channels); see `find_objects`."""
    scale = SIDE / max(image.size)
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    pixels = np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2))
    regions = find_regions(cells, size)
    ordered = sorted(_parts(regions, _standing_out(pixels, regions)), key=lambda part: -part[0])
    boxes = [with_margin(box, MARGIN) for box in _distinct(ordered)]
    return [] if len(boxes) == 1 and area(boxes[0]) > ALONE else boxes


def _standing_out(pixels: npt.NDArray[np.uint8], regions: Regions) -> Mask:
    """The pixels that stand out from the backdrop, where the network is active: 0 or 1."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    weights = np.exp(-((regions.energy / BACKDROP) ** 2))
    stands_out = (backdrop_distance(lab, weights) > STANDS_OUT) & (regions.relative > LEAST_ENERGY)
    return np.asarray(cv2.morphologyEx(stands_out.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)))


def _parts(regions: Regions, standing_out: Mask) -> Iterator[tuple[float, Box]]:
    """The connected parts in each region, with their energy."""
    height, width = standing_out.shape
    for region in range(regions.count):
        own = regions.owners == region
        mask = cv2.morphologyEx(standing_out * own.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        middle = (regions.relative > MIDDLE) & own
        if middle.any() and mask[middle].mean() < COVERED:
            mask = middle.astype(np.uint8)
        _, labels, facts, _ = cv2.connectedComponentsWithStats(mask)
        energies = np.bincount(labels.ravel(), regions.energy.ravel(), minlength=len(facts))
        pieces = [
            (float(energy), Box(left / width, top / height, (left + across) / width, (top + down) / height))
            for (left, top, across, down, _), energy in zip(facts[1:].tolist(), energies[1:], strict=True)
            if across * down >= SMALLEST * width * height and min(across, down) >= 4
        ]
        yield from _joined(pieces)


def _joined(pieces: list[tuple[float, Box]]) -> list[tuple[float, Box]]:
    """The parts of one region, where those that touch each other, or nearly so, are one: stripes of a mug, say."""
    joined: list[tuple[float, Box]] = []
    for energy, box in pieces:
        near = [part for part in joined if _gap(part[1], box) < TOUCHING]
        joined = [part for part in joined if part not in near]
        joined.append((energy + sum(other for other, _ in near), _hull([box, *(other for _, other in near)])))
    return joined


def _gap(one: Box, other: Box) -> float:
    """How far apart two boxes are, as a share of the picture's sides; negative where they overlap."""
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    return max(across, down)


def _hull(boxes: list[Box]) -> Box:
    """The smallest box around some."""
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _distinct(parts: Iterable[tuple[float, Box]]) -> list[Box]:
    """The first boxes that are neither faint nor nearly the same as a better one; the highest energy comes first."""
    kept: list[Box] = []
    least = 0.0
    for energy, box in parts:
        least = least or FAINTEST * energy
        is_new = all(common_area(box, other) <= WITHIN * area(box) and iou(box, other) <= SAME for other in kept)
        if energy >= least and is_new:
            kept.append(box)
    return kept[:MOST]
