"""Sizes, times, counts and progress in words."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from similarity.embedding.backbones import BACKBONES
from similarity.progress import Progress
from similarity.storage.manifest import NO_MODEL


def size(count: float) -> str:
    """Write a number of bytes with its unit."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def moment(iso: str) -> str:
    """Write a time, given in ISO 8601, by the clock of the visitor's browser, or else in UTC."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return "at an unknown time"
    zone = _time_zone()
    is_local = bool(zone and when.tzinfo)
    shown = when.astimezone(zone) if is_local else when
    return f"{shown.day} {shown:%B %Y, %H:%M}" + ("" if is_local else " UTC")


def _time_zone() -> ZoneInfo | None:
    """Return the time zone that the visitor's browser names, if this computer knows it."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    name = st.context.timezone
    try:
        return ZoneInfo(name) if isinstance(name, str) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def duration(seconds: float) -> str:
    """Write a number of seconds as a duration."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def pictures(count: int) -> str:
    """Write a number of pictures."""
    return f"{count:,} picture" if count == 1 else f"{count:,} pictures"


def results(count: int) -> str:
    """Write a number of results."""
    return f"{count:,} result" if count == 1 else f"{count:,} results"


def galleries(count: int) -> str:
    """Write a number of galleries."""
    return f"{count:,} gallery" if count == 1 else f"{count:,} galleries"


def files(count: int) -> str:
    """Write a number of files."""
    return f"{count:,} file" if count == 1 else f"{count:,} files"


def progress(state: Progress) -> str:
    """Write the progress of a task."""
    if not state.total:
        return f"{state.task} …"
    if state.unit == "epochs":  # it may be good enough before the last one
        return f"{state.task}: epoch {state.done:,} of {state.total:,}"
    show = size if state.unit == "bytes" else (lambda count: f"{count:,.0f}")
    unit = "" if state.unit == "bytes" else f" {state.unit}"
    rate = f", {show(state.images_per_second)} a second" if state.done and state.seconds else ""
    left = f", {duration(state.seconds_left)} left" if state.is_steady else ""
    return f"{state.task}: {show(state.done)} of {show(state.total)}{unit}{rate}{left}"


def model_title(model: str) -> str:
    """Return the title of a model; its name if it is no longer known."""
    if model == NO_MODEL:
        return "Vectors without a model"
    return BACKBONES[model].title if model in BACKBONES else model.removeprefix("timm:")
