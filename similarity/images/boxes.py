"""Areas of boxes in a picture: how much two have in common, and a box with room around it."""

from similarity.images.picture import Box


def area(box: Box) -> float:
    """Return the share of the picture's area that a box has."""
    return (box.right - box.left) * (box.bottom - box.top)


def common_area(one: Box, other: Box) -> float:
    """Return the share of the picture's area that two boxes have in common."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)


def iou(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes, 0..1."""
    common = common_area(one, other)
    return common / (area(one) + area(other) - common)


def with_margin(box: Box, share: float) -> Box:
    """Return a box grown on each side by a share of its own, within the picture."""
    across, down = share * (box.right - box.left), share * (box.bottom - box.top)
    return Box(
        max(0.0, box.left - across),
        max(0.0, box.top - down),
        min(1.0, box.right + across),
        min(1.0, box.bottom + down),
    )
