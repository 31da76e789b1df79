"""`models`: the backbones, with their licences, published recall, and speed on this computer."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson
from similarity.errors import SimilarityError
from similarity.progress import Progress

if TYPE_CHECKING:
    from similarity.embedding.backbones import Backbone

# Columns of the table: the key of a model's facts, and the heading. Unknown facts are shown as a dash.
COLUMNS = {
    "model": "model",
    "dim": "dimension",
    "input": "input size",
    "sop_recall@1": "SOP recall@1",
    "images_per_s": "pictures a second",
    "weights": "weights",
    "licence": "licence of the weights",
}


def models(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", "-m", help="List only this one, or timm:NAME for any network of timm; may be repeated."
        ),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure pictures a second now, which takes minutes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the backbones: length of their vectors, published recall, speed on this computer, weights and licence."""
    from similarity.bench.machine import describe_machine
    from similarity.embedding.backbones import BACKBONES, get_backbone

    backbones = [get_backbone(name) for name in model or BACKBONES]
    if measure:
        _measure(backbones)
    listed = [_facts(backbone) for backbone in backbones]
    if as_json:
        terminal.print_json({"models": listed, "machine": describe_machine()})
    else:
        terminal.print_table(tuple(COLUMNS.values()), [_cells(facts) for facts in listed])
    if any(facts["images_per_s"] is None for facts in listed):
        chosen = "".join(f" --model {name}" for name in model or ())
        terminal.say(f"To measure pictures a second here, run `python -m similarity models --measure{chosen}`.")


def _measure(backbones: "list[Backbone]") -> None:
    """Measure all backbones with a progress bar; a backbone that cannot be measured is reported and passed over."""
    from similarity.bench.throughput import measure_speed

    with terminal.indexing() as show:
        for number, backbone in enumerate(backbones):
            show(Progress(f"Measuring {backbone.title}", done=number, total=len(backbones)))
            try:
                measure_speed(backbone)
            except SimilarityError as error:
                terminal.say(f"{backbone.name}: {error}", as_="Not measured")


def _facts(backbone: "Backbone") -> dict[str, Any]:
    """Return the facts about a model, as JSON."""
    from similarity.bench.throughput import known_speed
    from similarity.embedding.backbones.weights import whereabouts

    return {
        "model": backbone.name,
        "title": backbone.title,
        "dim": backbone.dim,
        "input": backbone.preprocessing.crop,
        "licence": backbone.licence,
        "sop_recall@1": backbone.sop_recall_at_1,
        "images_per_s": known_speed(backbone),
        "weights": whereabouts(backbone),
        "understands_text": backbone.text is not None,
    }


def _cells(facts: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table."""
    shown = facts | {"input": f"{facts['input']} x {facts['input']}"}
    return tuple("–" if shown[key] is None else str(shown[key]) for key in COLUMNS)
