"""An outline around a part of a picture, which is seen on light and on dark ones."""

from PIL import Image, ImageDraw

from similarity.images.picture import Box

# `app/components/heat.css` draws the same.
COLOUR, HALO = (20, 163, 148), (255, 255, 255)
# The width of the line, as a share of the picture's longer side, and the fewest pixels of it.
WIDTH, LEAST = 0.01, 2


def outline(picture: Image.Image, box: Box) -> Image.Image:
    """Draw an outline around a part of a picture, RGB; it lies inside of the part, so that none of it is cut off."""
    drawn = picture.convert("RGB")
    width = max(LEAST, round(WIDTH * max(drawn.size)))
    halo = max(1, width // 3)
    left, top = round(box.left * drawn.width), round(box.top * drawn.height)
    right, bottom = round(box.right * drawn.width) - 1, round(box.bottom * drawn.height) - 1
    canvas = ImageDraw.Draw(drawn)
    for inset, colour, thick in ((0, HALO, width + 2 * halo), (halo, COLOUR, width)):
        edges = (left + inset, top + inset, right - inset, bottom - inset)
        if edges[0] < edges[2] and edges[1] < edges[3]:
            canvas.rectangle(edges, outline=colour, width=thick)
    return drawn
