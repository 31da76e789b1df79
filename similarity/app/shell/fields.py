"""Text fields with a maximum length, which is enforced here and not only in the browser."""

from typing import Any

import streamlit as st

from similarity.text.plain import LONGEST

# Characters in a field for many lines.
LONGEST_LINES = 65_536


def text_line(label: str, value: str = "", *, key: str, **options: Any) -> str:
    """Draw a field for one line; returns its stripped text, or shows an error and returns "" if it is too long."""
    return refuse_too_long(st.text_input(label, value, key=key, max_chars=LONGEST + 1, **options)).strip()


def text_lines(label: str, *, key: str, **options: Any) -> list[str]:
    """Draw a field for several lines; returns those that are not empty, or none if one or all are too long."""
    typed = refuse_too_long(st.text_area(label, key=key, max_chars=LONGEST_LINES + 1, **options), LONGEST_LINES)
    stripped = [line.strip() for line in typed.splitlines() if line.strip()]
    return stripped if refuse_too_long(max(stripped, key=len, default="")) else []


def refuse_too_long(typed: str | None, longest: int = LONGEST) -> str:
    """Return a typed text; if it is too long, show an error and return an empty one."""
    if typed is None or len(typed) <= longest:
        return typed or ""
    st.error(f"This is too long: a field takes {longest:,} characters at most.", icon=":material/error:")
    return ""
