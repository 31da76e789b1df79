"""`finetune`: trains a head, or the network itself, on a gallery's labels or feedback."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible
from similarity.finetuning.backbone.settings import Part, TuneSettings
from similarity.finetuning.settings import MOST_DIM, MOST_EPOCHS, From, Loss, Settings, Split

if TYPE_CHECKING:
    from similarity.gallery import Gallery
    from similarity.vectors.head_card import Card

Into = Annotated[
    str | None,
    typer.Option(help="Also make this gallery with the result; may be the same gallery if a head is trained."),
]
FromFeedback = Annotated[bool, typer.Option("--from-feedback", help="Learn from marks on results instead of labels.")]
Keep = Annotated[
    float | None, typer.Option(min=0, max=0.99, help="Share of a score that stays the backbone's, 0 to 0.99.")
]
BackbonePart = Annotated[
    Part | None,
    typer.Option(help="Train the network itself, its last stages or all, instead of a head; slow without a GPU."),
]

VERBS, PRONOUNS = {"head": "is", "weights": "are"}, {"head": "it", "weights": "them"}
UNDO = "First results have become worse. To undo it: `python -m similarity restore --gallery {0}`."
WORSE = "First results are worse with it than without: do not use it."
NOTHING_HELD_OUT = (
    "Too few queries have marks of both kinds to hold some out, so the head could not be evaluated: mark more."
)


def finetune(
    gallery: GalleryName,
    loss: Annotated[Loss, typer.Option(help="The loss of metric learning.")] = "multi-similarity",
    into: Into = None,
    from_feedback: FromFeedback = False,
    split: Annotated[Split, typer.Option(help="Hold out items of each label, or whole labels.")] = "item",
    layers: Annotated[int | None, typer.Option(min=1, max=2, help="1: linear; 2: with a hidden layer.")] = None,
    dim: Annotated[int | None, typer.Option(min=2, max=MOST_DIM, help="Number of learned dimensions.")] = None,
    keep: Keep = None,
    epochs: Annotated[int | None, typer.Option(min=1, max=MOST_EPOCHS, help="Maximum number of epochs.")] = None,
    backbone: BackbonePart = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random draws.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Train a head on a gallery's labels or marks, which then improves its searches; or train the network itself."""
    from similarity.gallery import open_gallery
    from similarity.storage.current import exists
    from similarity.storage.inventory import find_gallery

    head_only = {"--layers": layers, "--dim": dim, "--keep": keep, "--from-feedback": from_feedback or None}
    if backbone and (given := [name for name, value in head_only.items() if value is not None]):
        raise typer.BadParameter("these are options of a head, not of the network", param_hint=", ".join(given))
    opened, target = open_gallery(gallery), find_gallery(into) if into else None
    if target and target != opened.directory and exists(target):
        raise typer.BadParameter(f"there is a gallery {into} already: give another name", param_hint="--into")
    if backbone:
        if target == opened.directory:
            raise typer.BadParameter("fine-tuned weights make another gallery: give another name", param_hint="--into")
        settings = TuneSettings(part=backbone, loss=loss, split=split, seed=seed)
        result = _tune(opened, replace(settings, epochs=epochs) if epochs else settings, target)
    else:
        source: From = "marks" if from_feedback else "labels"
        given_settings = {"loss": loss, "split": split, "layers": layers, "dim": dim, "keep": keep}
        result = _teach(opened, Settings.choose(source, **given_settings, epochs=epochs, seed=seed), target, gallery)
    if as_json:
        terminal.print_json(result.facts() | {"gallery": opened.name, "into": target and target.name})
        return
    _show(result, into)


@dataclass(frozen=True, slots=True)
class Taught:
    """The result of training.

    Attributes:
        kind: head or weights.
        path: its file.
        card: its settings and metrics.
        use: the arguments of the command that uses it.
    """

    kind: Literal["head", "weights"]
    path: Path
    card: "Card"
    use: Sequence[str]

    def facts(self) -> dict[str, Any]:
        """Return the result for --json; before and after are empty if nothing could be held out."""
        card = self.card
        facts = {self.kind: str(self.path), "loss": card.loss, "seconds": card.seconds}
        facts |= {"before": dict(card.before), "after": dict(card.after)}
        return facts | {"best_epoch": card.settings["best_epoch"], "data": dict(card.data)}


def _teach(gallery: "Gallery", settings: Settings, target: Path | None, called: str) -> Taught:
    """Train a head, keep its file, and make the target gallery if there is one."""
    from similarity.finetuning import finetune as train
    from similarity.vectors.heads import keep_head

    with interruptible(goes_on=False):
        with terminal.training() as on_epoch:
            head = train(gallery, settings, on_epoch=on_epoch)
        path = keep_head(head, gallery.name)
        if target:
            with terminal.indexing() as progress:
                gallery.rebuild(head=head, into=target, progress=progress)
    use = ["rebuild", "--gallery", called, "--head", str(path)]
    return Taught("head", path, head.card, use)


def _tune(gallery: "Gallery", settings: TuneSettings, target: Path | None) -> Taught:
    """Train the network, and embed the pictures with it into the target gallery if there is one."""
    from similarity.finetuning.backbone import reindex, tune_backbone
    from similarity.indexing.options import index_arguments, options_of
    from similarity.sources.opening import source_arguments

    with interruptible(goes_on=False):
        with terminal.tuning() as (on_epoch, progress):
            tuned = tune_backbone(gallery, settings, on_epoch=on_epoch, progress=progress)
        if target:
            with terminal.indexing() as progress:
                reindex(gallery, tuned.path, target, progress=progress)
    manifest = gallery.manifest
    use = ["index", *(source_arguments(manifest.source) or [manifest.source]), "--gallery", "NEW"]
    use += index_arguments(manifest, options_of(manifest), ("--weights", str(tuned.path)))
    return Taught("weights", tuned.path, tuned.card, use)


def _show(result: Taught, into: str | None) -> None:
    """Print the metrics before and after as a table, and how to use the result."""
    card = result.card
    if card.after:
        rows = [
            (
                name,
                f"{card.before[name]:.3f}",
                f"{card.after[name]:.3f}",
                f"{card.after[name] - card.before[name]:+.3f}",
            )
            for name in sorted(card.after, reverse=True)
        ]
        terminal.print_table(("metric", "before", "after", "change"), rows)
        terminal.print_line(f"Measured on {card.data['queries']:,} held-out queries, which also decided when to stop.")
        if card.after["recall@1"] < card.before["recall@1"]:
            terminal.say(UNDO.format(shlex.quote(into)) if into else WORSE, as_="Note")
    else:
        terminal.say(NOTHING_HELD_OUT, as_="Note")
    terminal.print_line(f"Trained in {card.seconds:.0f} s. The {result.kind} {VERBS[result.kind]} in {result.path}.")
    if into:
        terminal.print_line(f"To search with it: `python -m similarity search PICTURE --gallery {shlex.quote(into)}`.")
    else:
        command = shlex.join(["python", "-m", "similarity", *result.use])
        terminal.print_line(f"To use {PRONOUNS[result.kind]}: `{command}`.")
