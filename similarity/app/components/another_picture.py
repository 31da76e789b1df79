"""The first choice beside a query: another picture in its place, as a file or from a telephone's camera."""

from similarity.app.components.drop_target import CAMERA, PICTURE
from similarity.app.components.loading import load

KEY = "another-picture"
_mount = load(
    "another_picture",
    f'<div class="another"><button type="button" class="choose" title="Your filters stay">{PICTURE}Another picture'
    f'</button><button type="button" class="photograph" aria-label="Take a photo">{CAMERA}</button></div>',
)


def show() -> None:
    """Draw the choice; the page's drop target, which is to be on the page, takes what is chosen."""
    _mount(key=KEY, data={})
