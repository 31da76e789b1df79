"""`doctor`: what the program finds on this computer, and what to do."""

from dataclasses import asdict

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson

MARKS = {"ok": "ok", "optional": "–", "problem": "!"}


def doctor(as_json: AsJson = False) -> None:
    """Look at this computer: versions, models, galleries, settings; exit with status 1 if something is amiss."""
    from similarity.bench.checkup import look

    findings = list(look())
    problems = [finding for finding in findings if finding.state == "problem"]
    if as_json:
        terminal.print_json({"ok": not problems, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [
            (MARKS[one.state], one.subject, " ".join(filter(None, (one.found, one.advice and f"({one.advice})"))))
            for one in findings
        ]
        terminal.print_table(("", "", ""), rows)
        amiss = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
        terminal.say(f"{amiss} amiss: see the lines with !." if problems else "All is well.")
    if problems:
        raise typer.Exit(1)
