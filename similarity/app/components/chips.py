"""A row of small pictures to choose from, such as the objects in a query, as one element."""

import base64
from collections.abc import Callable, Sequence

import streamlit as st

from similarity.app.components.loading import load

_mount = load("chips", '<div class="chips" role="group"></div>')


def show(
    pictures: Sequence[bytes],
    names: Sequence[str],
    chosen: int | None,
    on_choose: Callable[[int], None],
    *,
    title: str,
    key: str,
    further: str = "",
) -> None:
    """Draw the chips.

    Args:
        pictures: a small JPEG for each chip.
        names: what each is called.
        chosen: the place of the chip that is marked; that after the last is `further`.
        on_choose: called with the place of a chip that was tapped, before anything is drawn again.
        title: a few words above them.
        further: the words on a last chip without a picture; empty for none.
    """
    chips = [
        {"name": name, "src": f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"}
        for name, picture in zip(names, pictures, strict=True)
    ]
    count = len(chips) + bool(further)

    def changed() -> None:
        place = st.session_state[key].choose
        if isinstance(place, int | float) and 0 <= place < count:
            on_choose(int(place))

    data = {"title": title, "chips": [*chips, *([{"name": further}] if further else [])], "chosen": chosen}
    _mount(key=key, data=data, on_choose_change=changed)
