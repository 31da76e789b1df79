"""`key`: keys of programs that call the HTTP API."""

from dataclasses import asdict
from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson

app = typer.Typer(no_args_is_help=True, add_completion=False)
Named = Annotated[str, typer.Argument(metavar="NAME", help="Tells the key from others, as in `shop`.")]


@app.callback()
def key() -> None:
    """Make, list and revoke keys of programs that call the HTTP API."""


@app.command()
def add(
    name: Named,
    read: Annotated[list[str] | None, typer.Option(help="A gallery that it may search; '*' is all.")] = None,
    write: Annotated[
        list[str] | None, typer.Option(help="A gallery that it may change, and search, too; '*' is all.")
    ] = None,
    rate: Annotated[str, typer.Option(help="How many requests it may make, as in 600/minute.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key, and print it. It cannot be shown again: only its hash is kept."""
    from similarity.service.audit import record_key
    from similarity.service.keys import add_key

    made = add_key(name, read or [], rate, write or [])
    record_key("add", name)
    if as_json:
        terminal.print_json({"name": name, "key": made})
        return
    terminal.say("This is the key. Keep it safe: it is not shown again.")
    terminal.print_line(made)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys, and what each may do."""
    from similarity.service.keys import read_keys

    keys = read_keys()
    if as_json:
        shown = [{name: value for name, value in asdict(one).items() if name != "sha256"} for one in keys]
        terminal.print_json({"keys": shown})
    elif keys:
        rows = [
            (one.name, ", ".join(one.read), ", ".join(one.write), one.rate, one.created, one.revoked) for one in keys
        ]
        terminal.print_table(("name", "read", "write", "rate", "created", "revoked"), rows)
    else:
        terminal.say("There are no keys: make one with `python -m similarity key add NAME --read GALLERY`.")


@app.command()
def revoke(name: Named) -> None:
    """Revoke a key: from now on it is refused."""
    from similarity.service.audit import record_key
    from similarity.service.keys import revoke_key

    revoke_key(name)
    record_key("revoke", name)
    terminal.say(f"The key {name} is revoked.")
