"""How the pages say what they all have to say: sizes, times, counts, how far something is."""

from datetime import datetime

from similarity.embedding.backbones import BACKBONES
from similarity.progress import Progress


def size(count: float) -> str:
    """Bytes, as people say them."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def moment(iso: str) -> str:
    """A time in ISO 8601, UTC."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return "at an unknown time"
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """Seconds, as people say them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def pictures(count: int) -> str:
    """So many pictures."""
    return f"{count:,} picture" if count == 1 else f"{count:,} pictures"


def files(count: int) -> str:
    """So many files."""
    return f"{count:,} file" if count == 1 else f"{count:,} files"


def progress(told: Progress) -> str:
    """How far something is."""
    if not told.total:
        return f"{told.task} …"
    if told.unit == "epochs":  # it may be good enough before the last one
        return f"{told.task}: epoch {told.done:,} of {told.total:,}"
    show = size if told.unit == "bytes" else (lambda count: f"{count:,.0f}")
    unit = "" if told.unit == "bytes" else f" {told.unit}"
    rate = f", {show(told.images_per_second)} a second" if told.done and told.seconds else ""
    left = f", {duration(told.seconds_left)} left" if 0 < told.done < told.total else ""
    return f"{told.task}: {show(told.done)} of {show(told.total)}{unit}{rate}{left}"


def model_title(model: str) -> str:
    """A model's name as people know it, also of one that is not known any more."""
    return BACKBONES[model].title if model in BACKBONES else model.removeprefix("timm:")
