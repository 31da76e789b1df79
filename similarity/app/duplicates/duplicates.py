"""Duplicates of one kind: what to look for and to keep on the left, the groups on the right."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence

import streamlit as st

from similarity.app.duplicates import background, groups, removal, taken
from similarity.app.duplicates.kinds import CAPTIONS, DEFAULT, TITLES
from similarity.app.serving import access
from similarity.app.serving.access import text_for_visitor
from similarity.app.wording import wording
from similarity.errors import SearchError
from similarity.gallery import Gallery
from similarity.paths import split_name
from similarity.query.keeping import LARGEST, OLDEST, Choose, choose_rule
from similarity.query.near_duplicates import Group
from similarity.query.presets import PRESETS, Preset

KIND, KIND_WIDGET, RULE, RULE_WIDGET = "duplicates_kind", "kind", "duplicates_rule", "duplicates_rule_widget"
RULES = {"The largest picture": LARGEST, "The oldest picture": OLDEST}
# Folders that are offered: those that decide in most groups.
MAX_FOLDERS = 50
ON_DISK = "Nothing is ever deleted from a disk: files that are removed from the gallery stay where they are."

logger = logging.getLogger(__name__)
Place = st.delta_generator.DeltaGenerator


def show(gallery: Gallery, left: Place, right: Place) -> None:
    """Draw the duplicates of a gallery; raises as `Gallery.duplicates`."""
    with left:
        kind = _choose_kind()
        rules = st.container()
        if access.may_manage():
            st.caption(ON_DISK)
    with right:
        is_busy = removal.show(gallery)
        found = None if is_busy else _find(gallery, kind)
    if found is None:
        return
    if not found and not taken.of(gallery, kind):
        with right:
            removal.show_outcome(gallery)
            st.info(groups.NONE, icon=":material/check_circle:")
        return
    with rules:
        rule = _choose_rule(gallery, found) if access.may_manage() else choose_rule(LARGEST, gallery.items)
    with right:
        groups.show(gallery, kind, found, rule)


def _find(gallery: Gallery, kind: Preset) -> Sequence[Group] | None:
    """Find the groups, or draw why there are none yet."""
    if not background.begins(gallery, kind):
        if not background.may_start(gallery, kind):
            st.info("Nobody has looked for duplicates in this large gallery yet.", icon=":material/hourglass:")
            return None
        if not background.starts_by_itself(gallery, kind):
            st.markdown(f"Looking for duplicates among {wording.pictures(len(gallery))} takes a minute or more.")
        if not st.button("Look for duplicates", icon=":material/content_copy:", type="primary"):
            return None
        background.start(gallery, kind)
        st.rerun()  # without the button
    found = background.wait_for(gallery, kind)
    if found is None:
        st.error("Duplicates could not be looked for; the log of the app says why.", icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")
    return found


def _choose_kind() -> Preset:
    """Draw the choice of a kind; the address may name it."""
    named = [kind for kind in PRESETS if kind == st.query_params.get("kind")]
    kind: Preset = named[0] if named else st.session_state.get(KIND, DEFAULT)
    st.session_state[KIND] = st.session_state[KIND_WIDGET] = kind
    st.radio(
        "Look for",
        PRESETS,
        format_func=TITLES.__getitem__,
        captions=[CAPTIONS[one] for one in PRESETS],
        key=KIND_WIDGET,
        on_change=_change_kind,
    )
    return kind


def _change_kind() -> None:
    st.session_state[KIND] = st.query_params["kind"] = st.session_state[KIND_WIDGET]


def _choose_rule(gallery: Gallery, found: Sequence[Group]) -> Choose:
    """Draw the choice of the rule which file of each group is kept."""
    rules = RULES | {f"Those in {folder}": folder for folder in _folders(found)}
    chosen = st.session_state.get(RULE)
    st.session_state[RULE_WIDGET] = chosen if chosen in rules else next(iter(rules))
    title = st.selectbox("Keep", list(rules), format_func=text_for_visitor, key=RULE_WIDGET, on_change=_change_rule)
    try:
        return choose_rule(rules[title], gallery.items)
    except SearchError:  # a link that leads elsewhere now
        logger.info("No picture of %s is in %s any more", gallery.name, rules[title])
        return choose_rule(LARGEST, gallery.items)


def _change_rule() -> None:
    st.session_state[RULE] = st.session_state[RULE_WIDGET]


def _folders(found: Sequence[Group]) -> list[str]:
    """Return the folders that have some files of a group and not all, those of most groups."""
    counts: Counter[str] = Counter()
    for group in found:
        within = Counter(folder for file in group.files for folder in _parents(file.path))
        counts.update(folder for folder, files in within.items() if files < len(group.files))
    return sorted(folder for folder, _ in counts.most_common(MAX_FOLDERS))


def _parents(path: str) -> Iterator[str]:
    """Yield the folder of a file or an address, and the folders around that."""
    folder = split_name(path)[0]
    while folder and not folder.endswith((":/", ":")):
        yield folder
        folder = split_name(folder)[0]
