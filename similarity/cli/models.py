"""`models`: which backbones there are, what is known of each, and how fast each is on this computer."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson
from similarity.errors import SimilarityError
from similarity.progress import Progress

if TYPE_CHECKING:
    from similarity.embedding.backbones import Backbone

# Of the table: the key of a model's facts, and what stands above. Facts that are not known are a dash.
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
        typer.Option("--model", "-m", help="Only this one, or timm:NAME of any network of timm; may be repeated."),
    ] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Measure pictures a second now; takes minutes.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the backbones: what each makes of a picture, how good and how fast it is, and where its weights are."""
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
    """Measure each, drawing how far it is; what cannot be measured here is said, and does not stop the others."""
    from similarity.bench.throughput import measure_speed

    with terminal.indexing() as show:
        for number, backbone in enumerate(backbones):
            show(Progress(f"Measuring {backbone.title}", done=number, total=len(backbones)))
            try:
                measure_speed(backbone)
            except SimilarityError as error:
                terminal.say(f"{backbone.name}: {error}", as_="Not measured")


def _facts(backbone: "Backbone") -> dict[str, Any]:
    """The facts of a model, in JSON's own types."""
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
    """A row of the table."""
    shown = facts | {"input": f"{facts['input']} x {facts['input']}"}
    return tuple("–" if shown[key] is None else str(shown[key]) for key in COLUMNS)
