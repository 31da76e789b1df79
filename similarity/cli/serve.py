"""`serve`: the HTTP API without the pages."""

from typing import Annotated

import typer

from similarity.cli import terminal


def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen at; 0.0.0.0 is all of this computer's.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 is any that is free.")] = 8502,
) -> None:
    """Answer programs over HTTP until you press Ctrl-C."""
    from similarity.api.server import run

    run(host, port, on_listening=lambda address: terminal.say(f"Listening at {address}. Press Ctrl-C to stop."))
