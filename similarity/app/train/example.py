"""What the train page will show, while there is nothing yet: an example with made-up numbers, said to be one."""

import math

import streamlit as st

from similarity.app.train import charts
from similarity.finetuning import Epoch

EPOCHS, HEIGHT = 12, 240
STEPS = (
    ("1. Train", "Press *Train* on the left. Progress stays in sight, and you can leave the page."),
    ("2. Compare", "See how many more searches find the right label first, on pictures held out from training."),
    ("3. Decide", "Keep the head in this gallery or in a new one, or discard it. Keeping it can be undone."),
)
# Over the chart itself, which might be taken for one's own.
MARK = {
    "text": "Example",
    "left": "center",
    "top": "60%",
    "textStyle": {"fontSize": 34, "fontWeight": "normal", "color": "rgba(128,140,134,0.45)"},
}


def show() -> None:
    """Draw the three steps, and an example of a result."""
    for column, (title, text) in zip(st.columns(3), STEPS, strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.caption(text)
    with st.container(border=True, key="train-example"):
        st.markdown(":gray-badge[Example] Recall@1: how often the first result is right")
        left, right = st.columns([1, 2], gap="medium")
        with left:
            st.metric("Recall@1", "0.868", "+0.056", delta_description="before: 0.812")
        with right:
            curve = charts.recall(_epochs()) | {"title": MARK}
            st.echarts_chart(curve, height=HEIGHT, key="example-curve", alt="Example of a curve")


def _epochs() -> list[Epoch]:
    """Return made-up epochs of a training that goes well."""
    return [
        Epoch("trial", number, EPOCHS, math.exp(-number / 4), 0.868 - 0.056 * math.exp(-number / 3))
        for number in range(1, EPOCHS + 1)
    ]
