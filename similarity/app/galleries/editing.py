"""Forms that change a gallery: add pictures, sync, edit labels, remove pictures, rebuild the index."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from similarity.app.components import attention
from similarity.app.galleries import job_messages, jobs_background, labels, removal, source
from similarity.app.galleries.source import FORM_WIDTH
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields
from similarity.app.wording.messages import as_markdown
from similarity.embedding.backbones import understands_text
from similarity.errors import GalleryError, SimilarityError
from similarity.gallery import Gallery
from similarity.search import choose_recipe
from similarity.service import tasks
from similarity.service.jobs import Task, Work
from similarity.vectors.refinement import choose_refinement


def show(gallery: Gallery) -> None:
    """Draw a tab for each change."""
    tabs = st.tabs(["Add pictures", "Sync", "Labels", "Remove pictures", "Search index"])
    forms = (_show_add, _show_sync, labels.show, removal.show, _show_rebuild)
    for tab, show_form in zip(tabs, forms, strict=True):
        with tab, st.container(width=FORM_WIDTH):
            show_form(gallery)


def _show_add(gallery: Gallery) -> None:
    st.markdown("Adds pictures that are new or have changed. Nothing is removed.")
    prepare = source.choose("add", source.PLACE, source.UPLOAD)

    def work() -> Work:
        if not prepare:
            raise GalleryError(source.say_missing("add"))
        return tasks.update("add", gallery.directory, prepare(gallery.name))

    _task_button("Add", "add", "add", gallery.directory, work, field=source.field("add"))


def _show_sync(gallery: Gallery) -> None:
    if gallery.manifest.collected_from:
        st.markdown(
            "Reads changed pictures again, and removes those whose files are gone. This gallery was made of "
            "chosen pictures, so none are added."
        )
    else:
        st.markdown("Adds new and changed pictures, and removes those whose files are gone.")
    sources = gallery.items.sources()
    place = st.selectbox(
        "Source",
        sources or [gallery.manifest.source],
        accept_new_options=True,
        format_func=text_for_visitor,
        key="sync_place",
    )

    def work() -> Work:
        return tasks.update("sync", gallery.directory, source.find_place(fields.refuse_too_long(place)))

    _task_button("Sync", "sync", "sync", gallery.directory, work)


def _show_rebuild(gallery: Gallery) -> None:
    manifest = gallery.manifest
    st.markdown("How a query is compared with the pictures. Rebuilds the index without re-reading images.")
    for name, reason in ((manifest.recipe, manifest.recipe_reason), (manifest.refinement, manifest.refinement_reason)):
        if reason:
            st.caption(f"Now: {as_markdown(name)}. {as_markdown(reason)}")
    recipes = list(dict.fromkeys([*job_messages.RECIPES, manifest.recipe_asked]))
    recipe = st.selectbox(
        "How pictures are compared",
        recipes,
        index=recipes.index(manifest.recipe_asked),
        format_func=lambda name: text_for_visitor(job_messages.recipe_title(name)),
        key="rebuild_recipe",
    )
    refinement = st.selectbox(
        "Refinement",
        list(job_messages.REFINEMENTS),
        index=list(job_messages.REFINEMENTS).index(manifest.refinement_asked),
        format_func=job_messages.REFINEMENTS.__getitem__,
        key="rebuild_refinement",
        help="A change of the embeddings before they are compared, without any training.",
    )

    def work() -> Work:
        is_exact = choose_recipe(recipe, manifest.count, manifest.dim).is_exact
        choose_refinement(
            refinement, manifest.count, manifest.dim, is_exact=is_exact, has_words=understands_text(manifest.model)
        )
        return tasks.rebuild(gallery.directory, recipe, refinement)

    _task_button("Rebuild", "refresh", "rebuild", gallery.directory, work)


def _task_button(
    label: str, icon: str, task: Task, directory: Path, work: Callable[[], Work], *, field: str = ""
) -> None:
    """Draw a button that starts a task, or says what is missing, in a field if it is about one."""
    if not st.button(label, icon=f":material/{icon}:", key=f"do_{task}"):
        return
    try:
        is_started = jobs_background.start(directory, task, work())
    except SimilarityError as error:
        attention.show_fault(st.empty(), error, field=field)
        return
    if is_started:
        st.toast("Started")
    st.rerun()
