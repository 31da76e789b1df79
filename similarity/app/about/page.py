"""The about page: where data goes, models and weights, versions and licences."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import streamlit as st

from similarity.app.about import facts
from similarity.app.about.figures import load_figures
from similarity.app.serving import users
from similarity.app.wording.messages import as_markdown, error_as_markdown, escape_markdown
from similarity.bench.machine import describe_machine
from similarity.embedding.backbones import BACKBONES
from similarity.embedding.backbones.weights import AUTO, choose_model
from similarity.errors import SimilarityError
from similarity.sample import SAMPLE, has_sample
from similarity.service.access import email
from similarity.storage.inventory import Entry, take_inventory

# The heads of the columns of each table, by the key of its place.
HEADS = {
    "about-galleries": ("Gallery", "Pictures", "Model", "Precision", "Weights from"),
    "about-models": (
        "Model",
        "A picture becomes",
        "Looked at in",
        "Published recall@1",
        "Licence of the weights",
        "Here",
    ),
    "about-figures": ("What", "Figure", "Measured by", "On", "Date"),
    "about-libraries": ("Library", "Version", "Licence", "What it does here"),
}


def _label_rules() -> Iterator[str]:
    """Yield rules that put the head of its column before each value of a table but the first, its name."""
    for key, heads in HEADS.items():
        for number, head in enumerate(heads[1:], 2):
            yield f'.st-key-{key} td:nth-child({number})::before {{ content: "{head}: "; }}'


# On a telephone a row of a table is a block: a table that scrolls is out of reach of the keyboard.
CSS = """<style>
.st-key-about [data-testid="stMarkdownContainer"] > p { max-width: 75ch; }
@media (max-width: 640px) {
  .st-key-about .stMarkdown :is(table, tbody, tr, td) { display: block; border: 0; width: auto; }
  .st-key-about .stMarkdown thead { display: none; }
  .st-key-about .stMarkdown tr { padding: 0.5rem 0; border-bottom: 1px solid rgb(128 128 128 / 35%); }
  .st-key-about .stMarkdown td { padding: 0.1rem 0; overflow-wrap: anywhere; }
  .st-key-about .stMarkdown td:first-child { font-weight: 600; }
  /* The heads of the columns, which have no place above them. */
  .st-key-about .stMarkdown td:not(:first-child)::before { opacity: 0.78; }
  LABELS
}
</style>""".replace("LABELS", "\n  ".join(_label_rules()))
WHAT = "Similarity finds the pictures of a gallery that look most like yours."
DATA = (
    "Your pictures stay on the computer that runs it: nothing is sent to anybody. Pictures that you search with are "
    "kept in memory, and are gone an hour after you close the page. Only addresses are fetched: those that you paste, "
    "those of a gallery made from addresses, and once the file of a model or dataset that you choose."
)

# Number formats among the capabilities that OpenVINO reports of a processor.
ARITHMETIC = ("FP32", "FP16", "BF16", "INT8", "INT4")

logger = logging.getLogger(__name__)


def show() -> None:
    """Draw the page."""
    with st.container(key="about"):
        _show()


def _show() -> None:
    st.title("About", anchor=False)
    st.markdown(WHAT)
    st.markdown(DATA)
    st.markdown(
        f"Version {escape_markdown(facts.version())}, free software under the MIT licence. The documentation says how "
        "fast and how good it is, and how to measure your own computer and pictures."
    )
    _show_visitor()
    _show_galleries(take_inventory())
    with st.expander("Models to choose from"):
        _show_models()
    with st.expander("Measured"):
        _show_figures()
    with st.expander("The computer it runs on"):
        _show_machine()
    with st.expander("Versions and licences"):
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
    st.subheader("Galleries and their models", anchor=False)
    rows, hashes = [], list[str]()
    for entry in entries:
        if entry.manifest:
            manifest, backbone = entry.manifest, BACKBONES.get(entry.manifest.model)
            title = backbone.title if backbone else manifest.model
            origin = facts.origin(backbone) if backbone else "unknown"
            rows.append((entry.name, f"{manifest.count:,}", title, manifest.precision, origin))
            hashes.append(f"{title}, {manifest.weights_sha256}")
    if rows:
        _show_table("about-galleries", rows)
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
            f"{backbone.sop_recall_at_1:.1f}\u00a0%" if backbone.sop_recall_at_1 else "–",
            backbone.licence,
            facts.whereabouts(backbone),
        )
        for backbone in BACKBONES.values()
    )
    _show_table("about-models", rows)
    st.caption(
        "Published recall@1 was measured on Stanford Online Products, without training on it. Any model of timm works "
        "too, as timm:NAME. CLIP understands words. Evaluate and Face-off show which model is best for your pictures."
    )


def _show_figures() -> None:
    figures = load_figures()
    if not figures:
        st.markdown("There are no figures here; the log of the app says why.")
        return
    _show_table("about-figures", ((one.text, one.value, one.command, one.machine, one.date) for one in figures))
    st.caption("Each command is to be run as: python -m similarity COMMAND. The documentation has many more figures.")


def _show_licences() -> None:
    st.markdown("The sample gallery's pictures are free for any use (CC0). These libraries have licences of their own:")
    _show_table("about-libraries", facts.libraries())


def _show_table(key: str, rows: Iterable[Sequence[str]]) -> None:
    head = HEADS[key]
    lines = [head, ["---"] * len(head), *([as_markdown(cell) for cell in row] for row in rows)]
    with st.container(key=key):
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
