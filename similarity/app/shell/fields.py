"""Fields to type in: nothing longer than an address is looked at, whatever a browser sends."""

from typing import Any

import streamlit as st

from similarity.text.plain import LONGEST

# Of a field for many lines, in characters.
LONGEST_LINES = 65_536


def text_line(label: str, value: str = "", *, key: str, **options: Any) -> str:
    """A field for one line; what is in it, without spaces around it, or nothing if it is too long, which is said."""
    return refuse_too_long(st.text_input(label, value, key=key, max_chars=LONGEST + 1, **options)).strip()


def text_lines(label: str, *, key: str, **options: Any) -> list[str]:
    """A field for several lines; those that are not empty, or none if one is too long, or all of them are."""
    typed = refuse_too_long(st.text_area(label, key=key, max_chars=LONGEST_LINES + 1, **options), LONGEST_LINES)
    found = [line.strip() for line in typed.splitlines() if line.strip()]
    return found if refuse_too_long(max(found, key=len, default="")) else []


def refuse_too_long(typed: str | None, longest: int = LONGEST) -> str:
    """What somebody has typed, or nothing if it is too long, which is said."""
    if typed is None or len(typed) <= longest:
        return typed or ""
    st.error(f"This is too long: a field takes {longest:,} characters at most.", icon=":material/error:")
    return ""
