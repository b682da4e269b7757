"""The command `autograder doctor`: what holds on this machine, and what to do for more."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from autograder.sandbox.report import MINIMUM, Report, examine

_MEANING = {
    "strong": "Landlock, seccomp and limits hold.",
    "contained": "Files are out of reach, calls are filtered; some second lines are missing.",
    "weak": "A submission may be able to read solutions or other submissions.",
    "none": "Nothing stands between a submission and this machine.",
}


def run(*, as_json: bool = False) -> int:
    """Probe, print, and return the exit code.

    Args:
        as_json: Print the report as JSON for a script instead of a table.

    Returns:
        0 when grading may run here, 1 when it would refuse.
    """
    report = examine()
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        show(report, Console())
    return 0 if report.enough else 1


def show(report: Report, console: Console) -> None:
    """Print a report for people.

    Args:
        report: What was found.
        console: Where to.
    """
    facts = Table(box=None, show_header=False)
    for name, value in (*report.system.items(), *report.packages.items()):
        facts.add_row(f"[dim]{name}", value)
    console.print(facts)

    table = Table(title="Layers of the sandbox, each tried just now", title_justify="left")
    for heading in ("layer", "holds", "stops"):
        table.add_column(heading, overflow="fold")
    for layer in report.layers:
        table.add_row(
            layer.name, "[green]yes" if layer.holds else f"[red]no:[/] {layer.problem}", layer.stops
        )
    console.print(table)
    for remedy in dict.fromkeys(layer.remedy for layer in report.layers if layer.remedy):
        names = ", ".join(layer.name for layer in report.layers if layer.remedy == remedy)
        console.print(f"For more ({names}): {remedy}.")
    console.print(f"[bold]Level: {report.level}.[/] {_MEANING[report.level]}")
    if not report.enough:
        console.print(
            f"Grading refuses to run below the level {MINIMUM.name.lower()}, "
            "unless it is told to by --unsafe-no-sandbox."
        )
