"""`watch`: keeps a gallery in sync with a folder."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.index import print_report
from similarity.cli.options import AsJson, GalleryName


def watch(
    folder: Annotated[str, typer.Argument(help="A folder of pictures.")], gallery: GalleryName, as_json: AsJson = False
) -> None:
    """Synchronise a gallery with a folder until you press Ctrl-C. With --json, print an object for each change."""
    from similarity.errors import SimilarityError
    from similarity.indexing.watch import watch as watch_folder
    from similarity.storage.current import live_state
    from similarity.storage.inventory import find_gallery

    directory = find_gallery(gallery)
    live_state(directory)
    results = watch_folder(directory, folder)
    terminal.say(f"Keeping {directory.name} in sync with {folder}. Press Ctrl-C to stop.")
    try:
        for result in results:
            if isinstance(result, SimilarityError):
                terminal.say(f"{result} It is tried again.", as_="Error", style="bold red")
            elif result.changes:
                print_report(result, directory, as_json=as_json)
    except KeyboardInterrupt:
        terminal.say("Stopped.")
