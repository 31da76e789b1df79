"""The pages of the command line, written from the commands themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer.main import get_group

from similarity.cli import app

from . import DOCS, NOTE, ROOT

# Pages, each with its title and the commands on it. Commands of a group have its name before theirs.
PAGES = {
    "make": (
        "Make and change galleries",
        ("index", "add", "sync", "watch", "remove", "relocate", "rebuild", "rebalance", "embed"),
    ),
    "search": ("Search", ("search", "demo", "duplicates", "labels", "feedback")),
    "keep": ("Look after galleries", ("list", "info", "verify", "restore", "import", "export", "download")),
    "measure": ("Measure, compare, teach", ("evaluate", "compare", "finetune", "models", "plan")),
    "bench": ("Benchmarks", ("bench",)),
    "open": ("Doors and keys", ("app", "serve", "key", "mcp", "doctor")),
}
TYPES = {int: "a whole number", float: "a number", str: "text", Path: "a path"}
EXIT = """With `--json`, a command prints one JSON object on standard output and nothing else there. A search with many
pictures prints one for each, a line each. The exit status is 0 when it is done, 1 with one sentence on standard error
when it could not be done, 2 for wrong usage, and 130 if it was interrupted.

`python -m similarity COMMAND --help` prints what is on these pages."""


def write_commands() -> dict[Path, str]:
    """The text of each page of the command line, by its path."""
    commands = dict(walk())
    texts = {DOCS / "commands" / "README.md": _overview(commands)}
    for page, (title, names) in PAGES.items():
        sections = [f"# Commands: {title.lower()}", NOTE]
        for name, command in commands.items():
            if name.split()[0] in names:
                sections += _section(name, command)
        texts[DOCS / "commands" / f"{page}.md"] = "\n\n".join(sections) + "\n"
    return texts


def walk() -> Iterator[tuple[str, Any]]:
    """Each command with its name, those of a group with the group's name before theirs."""
    for name, command in get_group(app).commands.items():
        group = getattr(command, "commands", None)
        if group is None:
            yield name, command
        else:
            yield from ((f"{name} {below}", group[below]) for below in group)


def page_of(name: str) -> str:
    """The page of a command."""
    return next(page for page, (_, names) in PAGES.items() if name.split()[0] in names)


def _overview(commands: dict[str, Any]) -> str:
    lines = ["# Command line", "", NOTE, "", EXIT, "", "| Command | What it does |", "|---|---|"]
    for name, command in commands.items():
        link = f"{page_of(name)}.md#{name.replace(' ', '-')}"
        lines.append(f"| [`{name}`]({link}) | {_cell(_first(command.help))} |")
    return "\n".join(lines) + "\n"


def _first(text: str) -> str:
    """The first sentence of a command's help."""
    return " ".join(text.partition("\n\n")[0].split())


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    yield f"## {name}"
    yield "\n\n".join(_cell(paragraph) for paragraph in command.help.split("\n\n"))
    words = ["python -m similarity", name, *map(_placeholder, arguments), *(["[OPTIONS]"] * bool(options))]
    yield f"`{' '.join(words)}`"
    if arguments or options:
        rows = [
            f"| {_name(one)} | {_values(one)} | {_cell(one.help or '')}{_default(one)} |" for one in arguments + options
        ]
        yield "\n".join(["| Option | Value | What it does |", "|---|---|---|", *rows])


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_placeholder(parameter)}`"
    return ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])


def _placeholder(argument: Any) -> str:
    """An argument as usage shows it, in brackets if it may be left out."""
    name = (argument.metavar or argument.name.upper()).strip("[]")
    return name if argument.required else f"[{name}]"


def _values(parameter: Any) -> str:
    """The values that a parameter takes, in words."""
    kind = parameter.type_descriptor.annotation
    repeated = "; may be repeated" if parameter.multiple and "repeat" not in (parameter.help or "").lower() else ""
    kind = get_args(kind)[0] if get_origin(kind) is list else kind
    if parameter.param_type_name == "option" and parameter.is_flag:
        return ""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind)) + repeated
    return f"{TYPES.get(kind, 'text')}{_range(parameter)}{repeated}"


def _range(parameter: Any) -> str:
    ends = [("from", parameter.min), ("to", parameter.max)]
    return "".join(f" {word} {end:,}" for word, end in ends if end is not None)


def _default(parameter: Any) -> str:
    """What counts where a parameter is left out, as a sentence in brackets."""
    if parameter.required:
        return " (needed)"
    value = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    if not parameter.show_default or value is None or value is False or value in ((), []):
        return ""
    value = Path(value).relative_to(ROOT) if str(value).startswith(str(ROOT)) else value
    return f" (default: `{value}`)"


def _cell(text: str) -> str:
    """Text as a cell of a table, on one line."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
