"""`finetune`: a head out of what a gallery's labels or marks teach."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.indexing import interruptible
from similarity.cli.options import AsJson, GalleryName, Seed
from similarity.finetuning.settings import MOST_DIM, MOST_EPOCHS, Loss, Split

if TYPE_CHECKING:
    from similarity.heads import Head

WORSE = "It is worse with the head than without: keep the gallery as it is."
NOTHING_HELD_OUT = (
    "Too few queries have marks of both kinds to hold some out, so nothing says what the head is worth: mark more."
)


def finetune(
    gallery: GalleryName,
    loss: Annotated[Loss, typer.Option(help="Which loss of metric learning.")] = "multi-similarity",
    into: Annotated[
        str | None,
        typer.Option(help="Also make this gallery with it, of the stored embeddings; the same name will do."),
    ] = None,
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="Learn from the marks on results instead of labels.")
    ] = False,
    split: Annotated[Split, typer.Option(help="Hold out items of each label, or labels altogether.")] = "item",
    layers: Annotated[int | None, typer.Option(min=1, max=2, help="1: linear; 2: with a hidden layer.")] = None,
    dim: Annotated[int | None, typer.Option(min=2, max=MOST_DIM, help="How many numbers are learned.")] = None,
    keep: Annotated[
        float | None, typer.Option(min=0, max=0.99, help="How much of a score stays what the backbone sees.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, max=MOST_EPOCHS, help="At most.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Teach a gallery: train a head on its labels or marks, which its pictures are then compared through."""
    from similarity.finetuning import Settings
    from similarity.finetuning import finetune as train
    from similarity.heads import keep_head
    from similarity.inventory import find_gallery, open_gallery

    settings = Settings.choose(
        "marks" if from_feedback else "labels",
        loss=loss,
        split=split,
        layers=layers,
        dim=dim,
        keep=keep,
        epochs=epochs,
        seed=seed,
    )
    opened, target = open_gallery(gallery), find_gallery(into) if into else None
    with interruptible(goes_on=False):
        with terminal.training() as on_epoch:
            head = train(opened, settings, on_epoch=on_epoch)
        path = keep_head(head, opened.name)
        if target:
            with terminal.indexing() as progress:
                opened.rebuild(head=head, into=target, progress=progress)
    if as_json:
        terminal.print_json(_facts(head, path) | {"gallery": opened.name, "into": target and target.name})
        return
    _show(head, path, gallery, into)


def _facts(head: "Head", path: Path) -> dict[str, Any]:
    """What came of it; before and after are empty where nothing could be held out."""
    card = head.card
    facts = {"head": str(path), "loss": card.loss, "seconds": card.seconds, "dim": head.dim}
    facts |= {"before": dict(card.before), "after": dict(card.after)}
    return facts | {"best_epoch": card.settings["best_epoch"], "data": dict(card.data)}


def _show(head: "Head", path: Path, gallery: str, into: str | None) -> None:
    """Before and after as a table, and what to do with it."""
    card = head.card
    if card.after:
        rows = [
            (name, f"{card.before[name]:.3f}", f"{after:.3f}", f"{after - card.before[name]:+.3f}")
            for name, after in card.after.items()
        ]
        terminal.print_table(("metric", "before", "after", "change"), rows)
        held_out = f"Of {card.data['queries']:,} held-out queries"
        terminal.print_line(f"{held_out}, each asked of a network that had not seen it; {card.seconds:.0f} s.")
        if card.after["recall@1"] < card.before["recall@1"]:
            terminal.say(WORSE, as_="Note")
    else:
        terminal.say(NOTHING_HELD_OUT, as_="Note")
    terminal.print_line(f"The head is in {path}.")
    if into:
        terminal.print_line(
            f"{into} is compared through it now: `python -m similarity search PICTURE --gallery {into}`."
        )
    else:
        terminal.print_line(f"To use it: `python -m similarity rebuild --gallery {gallery} --head {path}`.")
