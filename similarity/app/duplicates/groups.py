"""Groups of duplicates as rows of pictures, twenty a page, drawn again without the rest of the page."""

import math
from collections.abc import Sequence
from functools import partial

import streamlit as st

from similarity.app.components import tiles
from similarity.app.duplicates import differences, downloads, removal, taken
from similarity.app.duplicates.choices import ByHand, Kept, choose_all, count_others
from similarity.app.duplicates.taken import Taken
from similarity.app.galleries import jobs
from similarity.app.serving import access, drawing, pictures
from similarity.app.serving.access import item_for_visitor, place_for_visitor, text_for_visitor
from similarity.app.wording import wording
from similarity.gallery import Gallery
from similarity.query.keeping import Choose
from similarity.query.near_duplicates import Group
from similarity.query.presets import Preset
from similarity.sources import Item
from similarity.sources.originals import file_name

PAGE, BY_HAND, PAGE_SIZE = "duplicates_page", "duplicates_by_hand", 20
KEEP = "keep"  # in the address
# Pictures of one group that are shown.
MAX_SHOWN = 60
BACK_AGAIN = (
    "They leave the gallery and are not found any more. Their files stay where they are: Sync brings them back unless "
    "you move the files away."
)
NO_WORDS = "\u00a0"  # so that what is below stands at the height of the others'
CHOOSE = "One picture of each group is kept. Choose another to keep that one."
NONE = "No duplicates of this kind."
# What was done takes the place of a line that is always there, so that nothing below it moves.
CSS = "<style>.st-key-duplicates-line { min-height: 2.5rem; justify-content: center; }</style>"

# A group that is shown, or what is left of it, with its place among all.
Row = tuple[int, Kept | Taken]


@drawing.fragment
def show(gallery: Gallery, kind: Preset, found: Sequence[Group], rule: Choose) -> None:
    """Draw one page of the groups.

    Args:
        found: all groups; none, if the last ones were just taken out.
        rule: chooses the file to keep, where the visitor has not.
    """
    removal.rerun_after_start()
    kept = choose_all(found, rule, _by_hand(gallery, found))
    rows = taken.merge(kept, taken.of(gallery, kind))
    pages = max(1, math.ceil(len(rows) / PAGE_SIZE))
    page = min(_pages().get((gallery.name, kind), 1), pages)
    first = (page - 1) * PAGE_SIZE
    shown = list(enumerate(rows))[first : first + PAGE_SIZE]
    _show_head(gallery, kind, kept, shown)
    for place, one in shown:
        key, turned = f"duplicates-{kind}-{place - first}", f"page {page:d}" if place == first else ""
        if isinstance(one, Taken):
            _show_taken(gallery, one, place + 1, key=key, page=turned)
        else:
            _show_group(gallery, kind, one, place, key=key, page=turned)
    if pages > 1:
        # A new key for every page, since the value of this widget cannot be set from outside.
        key = f"duplicates-page-{kind}-{page}-of-{pages}"
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, default=page, key=key, on_change=partial(_turn_to, gallery.name, kind, key))


def _show_head(gallery: Gallery, kind: Preset, kept: Sequence[Kept], shown: Sequence[Row]) -> None:
    """Draw what is there in all, with what can be done with all, and what was done last."""
    if not access.may_manage():
        st.markdown(f"{_count(kept)} {wording.pictures(count_others(kept) + len(kept))}")
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"{_count(kept)} {wording.pictures(count_others(kept))} could go" if kept else NONE, width="content"
        )
        with st.container(horizontal=True, gap="small", width="content"):
            downloads.show(gallery, kept)
            _take_many_out(gallery, kind, kept, shown)
    with st.container(key="duplicates-line"):
        if not removal.show_outcome(gallery, [one.work for _, one in shown if isinstance(one, Taken) and one.is_alone]):
            st.caption(CHOOSE)


def _count(kept: Sequence[Kept]) -> str:
    return "**1 group,**" if len(kept) == 1 else f"**{len(kept):,} groups,**"


def _take_many_out(gallery: Gallery, kind: Preset, kept: Sequence[Kept], shown: Sequence[Row]) -> None:
    """Draw the menu that takes the others of many groups out."""
    here = [(place, one) for place, one in shown if isinstance(one, Kept)]
    with st.popover("Take the others out", icon=":material/playlist_remove:", disabled=not kept):
        st.markdown(BACK_AGAIN)
        if 0 < len(here) < len(kept):
            count = count_others([one for _, one in here])
            st.button(
                f"Take {wording.pictures(count)} out (this page)",
                key="duplicates-take-page",
                on_click=_take_out,
                args=(gallery, kind, here),
                width="stretch",
            )
        st.button(
            f"Take {wording.pictures(count_others(kept))} out (all groups)",
            key="duplicates-take-all",
            type="primary",
            on_click=_take_all_out,
            args=(gallery, kept),
            width="stretch",
        )


def _take_out(gallery: Gallery, kind: Preset, groups: Sequence[tuple[int, Kept]]) -> None:
    """Take the others of groups out, which keep their places on the page."""
    taken.note(gallery, kind, groups, removal.take_out(gallery, [one for _, one in groups]))


def _take_all_out(gallery: Gallery, kept: Sequence[Kept]) -> None:
    removal.take_out(gallery, kept)


def _show_taken(gallery: Gallery, one: Taken, number: int, *, key: str, page: str) -> None:
    """Draw what is left of a group whose other files were taken out, at its place."""
    with st.container(border=True, gap="xsmall", key=f"{key}-box"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                f"**Group {number:,}** · {jobs.ICONS['done']} {wording.files(len(one.kept.others))} removed",
                width="content",
            )
            if one.is_alone and one.work.after == gallery.state:
                removal.show_undo(gallery, one.work, key=f"{key}-undo")
        tiles.show([_tile(gallery, one.kept.file, one.kept, 0)], lambda _: None, key=key, listing=_listing(page))


def _show_group(gallery: Gallery, kind: Preset, kept: Kept, place: int, *, key: str, page: str) -> None:
    """Draw a group in a row, with a button that takes the others out."""
    files = kept.group.files
    with st.container(border=True, gap="xsmall", key=f"{key}-box"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**Group {place + 1:,}** · {_facts(kept.group)}", width="content")
            if access.may_manage():
                others = len(files) - 1
                st.button(
                    "Take the other out" if others == 1 else f"Take the {others:,} others out",
                    key=f"{key}-take",
                    type="tertiary",
                    icon=":material/remove_circle_outline:",
                    on_click=_take_out,
                    args=(gallery, kind, [(place, kept)]),
                )
        shown = files[:MAX_SHOWN]
        if kept.file not in shown:
            shown = [kept.file, *shown[:-1]]
        if not access.may_manage():  # the one that the others are compared with
            shown = sorted(shown, key=lambda file: file is not kept.file)
        drawn = [_tile(gallery, file, kept, number) for number, file in enumerate(shown)]
        tiles.show(drawn, partial(_keep, gallery, kept.group, shown), key=key, listing=_listing(page))
        if len(files) > len(shown):
            st.caption(f"and {wording.pictures(len(files) - len(shown))} more")


def _listing(page: str) -> tiles.Listing:
    """Return what scrolls up to the first group of another page."""
    return tiles.Listing("", query=page, is_captioned=True)


def _facts(group: Group) -> str:
    if group.is_exact:
        return f"{wording.files(len(group.files))}, byte for byte the same"
    return f"{wording.pictures(len(group.files))}, similarity at least {math.floor(group.score * 1000) / 1000:.3f}"


def _tile(gallery: Gallery, file: Item, kept: Kept, place: int) -> tiles.Tile:
    """Make the tile of a file of a group; its id is its place, since copies of one picture have one public id."""
    # Who cannot take anything out is not told what to keep, but how the others differ from the first.
    is_kept, item = file is kept.file and access.may_manage(), item_for_visitor(file)
    name, said = text_for_visitor(file_name(file)), ", ".join(differences.compare(kept.group, file, kept.file))
    verdict = "kept" if is_kept else said if file is not kept.file else ""
    return tiles.Tile(
        id=str(place),
        src=pictures.address(gallery.name, file.sha256),
        alt=text_for_visitor(f"{name}: {verdict}" if verdict else name),
        rank="Keep" if is_kept else "",
        score=None,
        label=text_for_visitor(differences.facts(file)),
        name=name,
        note=text_for_visitor(item.label or ""),
        chance=text_for_visitor(verdict) or NO_WORDS,
        mark="kept" if is_kept else "",
        hint=text_for_visitor(f"Keep {file.path}" if access.may_manage() and not is_kept else place_for_visitor(file)),
        ratio=tiles.ratio(file),
    )


def _keep(gallery: Gallery, group: Group, shown: Sequence[Item], place: str) -> None:
    """Keep the file that was clicked on."""
    if access.may_manage() and place.isdecimal() and int(place) < len(shown):
        by_hand = _by_hand(gallery, [group])
        by_hand.keep(group, shown[int(place)])
        st.query_params[KEEP] = by_hand.marks(gallery.name)


def _by_hand(gallery: Gallery, found: Sequence[Group]) -> ByHand:
    """Return the visitor's own choices in a gallery, which its address names after it was loaded again."""
    chosen: dict[str, ByHand] = st.session_state.setdefault(BY_HAND, {})
    if gallery.name not in chosen:
        named = st.query_params.get_all(KEEP) if access.may_manage() else []
        chosen[gallery.name] = ByHand.by_marks(gallery.name, found, named)
    return chosen[gallery.name]


def _pages() -> dict[tuple[str, Preset], int]:
    """Return the page that the visitor is on, by gallery and kind."""
    pages: dict[tuple[str, Preset], int] = st.session_state.setdefault(PAGE, {})
    return pages


def _turn_to(name: str, kind: Preset, key: str) -> None:
    _pages()[name, kind] = st.session_state[key]
