"""The about page: models, weights, where data goes, speed, versions and licences."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from similarity.app.about import facts
from similarity.app.serving import users
from similarity.app.wording.messages import as_markdown, error_as_markdown, escape_markdown
from similarity.bench.machine import describe_machine
from similarity.embedding.backbones import BACKBONES
from similarity.embedding.backbones.weights import AUTO, choose_model
from similarity.errors import SimilarityError
from similarity.sample import SAMPLE, has_sample
from similarity.service.access import email
from similarity.storage.inventory import Entry, take_inventory

# On a telephone a table is wider than the page: it scrolls, the page does not.
CSS = """<style>
[data-testid="stMarkdownContainer"]:has(> table) { overflow-x: auto; }
@media (max-width: 640px) { [data-testid="stMarkdownContainer"] td { min-width: 7.5rem; } }
</style>"""
DATA = """
- **Your pictures stay on the computer that this app runs on.** Everything is computed there, nothing is sent to
  anybody, and there are no usage statistics.
- **A picture that you search with stays in memory** and is gone an hour after you close the page. Pictures that you
  upload for a gallery are kept with it until you delete it.
- **Only addresses are fetched:** one that you paste, those of a gallery that was made from a list of addresses, and
  once, if you choose such a model or dataset, its file.
"""
MEASURE_YOURSELF = """
The table of measurements is in the README, which is not beside this copy of the program. These commands measure this
computer:
"""
COMMANDS = "python -m similarity bench embedding FOLDER\npython -m similarity bench query FOLDER"

# Number formats among the capabilities that OpenVINO reports of a processor.
ARITHMETIC = ("FP32", "FP16", "BF16", "INT8", "INT4")

logger = logging.getLogger(__name__)


def show() -> None:
    """Draw the page."""
    st.html(CSS)
    st.title("About", anchor=False)
    st.markdown(
        "Shows the pictures of a gallery that look most like yours, with a network that has learnt to see from a "
        f"million photographs. Version {escape_markdown(facts.version())}, free software under the MIT licence."
    )
    _show_visitor()
    left, right = st.columns([3, 2], gap="medium")
    with left.container(border=True, height="stretch"):
        st.markdown("#### Where your data goes: nowhere")
        st.markdown(DATA)
    with right.container(border=True, height="stretch"):
        st.markdown("#### The computer it runs on")
        _show_machine()
    st.markdown("#### Which model looks at the pictures")
    _show_galleries(take_inventory())
    st.markdown("#### Models to choose from")
    _show_models()
    st.markdown("#### How fast it is")
    _show_measurements()
    st.markdown("#### Versions and licences")
    _show_licences()


def _show_visitor() -> None:
    """Draw who is logged in and a button to log out, if a login is required."""
    if users.is_asked_for():
        claims = st.user.to_dict()
        name = email(claims) or str(claims.get("name") or claims.get("sub"))
        st.markdown(f"You are logged in as {escape_markdown(name)}.")
        st.button("Log out", on_click=st.logout)


def _show_machine() -> None:
    machine = _machine()
    if not machine:
        st.markdown("The computer cannot be described; the log of the app says why.")
        return
    st.markdown(
        f"- **Processor:** {escape_markdown(machine['processor'])}\n"
        f"- **Cores:** {machine['cores']:d}\n"
        f"- **Memory:** {machine['memory_gb']:g} GB\n"
        f"- **Computes in:** {escape_markdown(', '.join(kind for kind in machine['computes'] if kind in ARITHMETIC))}\n"
        f"- **System:** {escape_markdown(machine['system'])}"
    )


@st.cache_data(show_spinner=False)
def _machine() -> dict[str, Any]:
    try:
        return describe_machine()
    except Exception:  # of a third-party library; the rest of the page is still of use
        logger.exception("The machine cannot be described")
        return {}


def _show_galleries(entries: list[Entry]) -> None:
    """Draw a table of the galleries and their models, and the full SHA-256 of each model's weights."""
    rows, hashes = [], list[str]()
    for entry in entries:
        if entry.manifest:
            manifest, backbone = entry.manifest, BACKBONES.get(entry.manifest.model)
            title = backbone.title if backbone else manifest.model
            origin = facts.origin(backbone) if backbone else "unknown"
            rows.append((entry.name, f"{manifest.count:,}", title, manifest.precision, origin))
            hashes.append(f"{title}, {manifest.weights_sha256}")
    if rows:
        st.markdown(_table(("Gallery", "Pictures", "Model", "Precision", "Weights from"), rows))
        st.caption("SHA-256 of the weights: " + "; ".join(map(as_markdown, dict.fromkeys(hashes))))
    if SAMPLE not in [entry.name for entry in entries] and has_sample():
        st.markdown(_sample_to_come())
    elif not rows:
        st.markdown("There is no gallery yet. Make one on the page Galleries.")


def _sample_to_come() -> str:
    """Return a sentence on the model of the sample gallery, which is made later."""
    try:
        title = choose_model(AUTO, may_download=False).backbone.title
    except SimilarityError as error:
        return f"The sample gallery cannot be made: {error_as_markdown(error)}"
    return f"The sample gallery is made with {escape_markdown(title)} when it is first needed."


def _show_models() -> None:
    rows = (
        (
            backbone.title,
            f"{backbone.dim:,} numbers",
            f"{backbone.preprocessing.crop} × {backbone.preprocessing.crop}",
            f"{backbone.sop_recall_at_1:.1f} %" if backbone.sop_recall_at_1 else "–",
            backbone.licence,
            facts.whereabouts(backbone),
        )
        for backbone in BACKBONES.values()
    )
    head = ("Model", "A picture becomes", "Looked at in", "Published recall@1", "Licence of the weights", "Here")
    st.markdown(_table(head, rows))
    st.caption(
        "Published recall@1 was measured on Stanford Online Products, without training on it. Any model of timm works "
        "too, as timm:NAME. CLIP understands words. Evaluate and Face-off show which model is best for your pictures."
    )


def _show_measurements() -> None:
    measurements = facts.measured()
    if measurements:
        st.markdown(measurements)
    else:
        st.markdown(MEASURE_YOURSELF)
        st.code(COMMANDS, language="bash")


def _show_licences() -> None:
    st.markdown(
        "The program is under the MIT licence, and the pictures of the sample gallery are free for any use (CC0). It "
        "is built on these, each under its own licence:"
    )
    st.markdown(_table(("Library", "Version", "Licence", "What it does here"), facts.libraries()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([as_markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
