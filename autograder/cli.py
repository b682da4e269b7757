"""The command line: `autograder COMMAND`.

Exit codes: 0 done, 1 some work failed (a difference, a submission that could not be graded),
2 wrong use.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="autograder",
    help="Build, check and grade the labs of the course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say what is done, and show tracebacks.")
    ] = False,
) -> None:
    """Build, check and grade the labs of the course."""
    if verbose:
        os.environ["AUTOGRADER_DEBUG"] = "1"  # also for the processes that are started
        logging.basicConfig(
            level=logging.DEBUG, format="%(asctime)s %(name)s: %(message)s", force=True
        )
        for name in ("asyncio", "matplotlib", "markdown_it", "traitlets"):
            logging.getLogger(name).setLevel(logging.WARNING)


@app.command()
def build(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail when a notebook is out of date.")
    ] = False,
) -> None:
    """Make notebooks/, solutions/ and labs/ from content/."""
    from autograder.authoring import command  # noqa: PLC0415 - each command loads only what it needs

    raise typer.Exit(command.run(Path.cwd(), check=check))


@app.command()
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Show the environment and which layers of the sandbox hold on this machine."""
    from autograder.sandbox import doctor as command  # noqa: PLC0415 - as above

    raise typer.Exit(command.run(as_json=as_json))


@app.command()
def grade(
    labs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LAB...", help="Any unique beginning of each lab's name: lab01 lab02."
        ),
    ] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every lab that somebody has handed in.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option(help="Write all marks, task by task, into this file.")
    ] = None,
    student: Annotated[
        list[str] | None, typer.Option(help="Only this student; may be given several times.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Workers; as many as cores if left out.")
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Run everything again, changed or not.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line per submission.")] = False,
    seed: Annotated[
        int | None, typer.Option(help="Replay a verdict: the seed that was recorded with it.")
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            min=1,
            help="Seconds that a test waits for one answer; ends waits, decides nothing else.",
        ),
    ] = 10,
    unsafe: Annotated[
        bool,
        typer.Option("--unsafe-no-sandbox", help="Run students' code with all your own rights."),
    ] = False,
) -> None:
    """Grade what lies in submitted/ into the gradebook."""
    if bool(labs) == every:
        typer.echo("Name labs, such as `autograder grade lab01`, or give --all.", err=True)
        raise typer.Exit(2)
    _needs_linux()
    from autograder.grading.early import busy_workers  # noqa: PLC0415 - as above
    from autograder.judge.staff import Staff  # noqa: PLC0415 - as above

    jobs = jobs or len(os.sched_getaffinity(0))
    students, here = student or [], Path.cwd()
    first = labs[0] if labs else ""
    early = busy_workers(here, first, students, jobs=jobs, again=no_cache)
    with Staff(early) if early else contextlib.nullcontext() as staff:
        from autograder.grading import quick_imports  # noqa: F401, I001, PLC0415 - first of all
        from autograder.grading import command  # noqa: PLC0415 - while the workers start
        from autograder.grading.grade import Options  # noqa: PLC0415 - as above

        options = Options(jobs=jobs, cached=not no_cache, seed=seed, unsafe=unsafe, wait=wait)
        output = command.Output(as_json=as_json, csv=csv)
        code = command.run(
            here, labs or [], students=students, options=options, output=output, staff=staff
        )
    raise typer.Exit(code)


@app.command()
def report(
    lab: Annotated[
        str | None, typer.Argument(help="Any unique beginning of a lab's name; all if left out.")
    ] = None,
    *,
    to: Annotated[
        Path | None, typer.Option(help="Folder to write; reports/ of the course if left out.")
    ] = None,
) -> None:
    """Write pages about a class: marks, tests, skills, whom to look at, one for each student."""
    from autograder.grading import quick_imports  # noqa: F401, I001, PLC0415 - as above
    from rich.console import Console  # noqa: PLC0415 - as above

    from autograder.report import command  # noqa: PLC0415 - as above

    raise typer.Exit(command.run(Path.cwd(), lab, to=to, console=Console()))


@app.command()
def bundle(
    lab: Annotated[
        str | None, typer.Argument(help="Any unique beginning of a lab's name; all if left out.")
    ] = None,
    *,
    to: Annotated[Path, typer.Option(help="Folder to write; new, or empty.")],
) -> None:
    """Write what a class may have: no answers, no hidden tests."""
    from rich.console import Console  # noqa: PLC0415 - as above

    from autograder.bundle import command  # noqa: PLC0415 - as above

    raise typer.Exit(command.run(Path.cwd(), lab, to=to, console=Console()))


@app.command()
def check(
    lab: Annotated[
        str, typer.Argument(help="A notebook, or the beginning of a lab's name: lab01.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON record per check.")] = False,
    as_graded: Annotated[
        bool,
        typer.Option(
            "--as-graded", help="In the grader's sandbox, with the hidden tests that are here."
        ),
    ] = False,
) -> None:
    """Check your own notebook from a terminal, with the hidden tests where they are there."""
    from rich.console import Console  # noqa: PLC0415 - as above

    from autograder import self_check  # noqa: PLC0415 - as above
    from autograder.course import is_handed_in  # noqa: PLC0415 - as above

    try:
        path = self_check.find(lab, Path.cwd())
        if as_graded or is_handed_in(path):  # foreign code: never with one's own rights
            _needs_linux()
            from autograder.grading import as_graded as engine  # noqa: PLC0415 - as above

            raise typer.Exit(engine.run(path, console=Console(), as_json=as_json))
        raise typer.Exit(self_check.run(path, console=Console(), as_json=as_json))
    except self_check.NotALab as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def plant(
    lab: Annotated[
        str, typer.Argument(help="Your notebook of a lab, or the beginning of its name: lab01.")
    ],
    *,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Plant a certain fault again; any one if left out.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Replace the copy that was planted before.")
    ] = False,
) -> None:
    """Plant one fault in a copy of a lab that you have solved, for you to find and repair."""
    from rich.console import Console  # noqa: PLC0415 - as above

    from autograder import self_check  # noqa: PLC0415 - as above
    from autograder.planting import command  # noqa: PLC0415 - as above

    seed = secrets.randbelow(10_000) if seed is None else seed
    try:
        path = self_check.find(lab, Path.cwd())
        raise typer.Exit(command.run(path, seed=seed, again=again, console=Console()))
    except (self_check.NotALab, command.CannotPlantError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def profile() -> None:
    """Show your points of all labs by the four dimensions, as your checks said last."""
    from autograder.profile import profile_text, read_profile  # noqa: PLC0415 - as above

    typer.echo(profile_text(read_profile(Path.cwd())))


@app.command()
def demo(
    *,
    students: Annotated[
        int | None,
        typer.Option(
            min=1, help="Size of the class; a small one with submissions of every kind if left out."
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the class's folder in place to look at.")
    ] = False,
) -> None:
    """Grade a small class in a throw-away folder, end to end."""
    from rich.console import Console  # noqa: PLC0415 - as above

    from autograder import demo as demonstration  # noqa: PLC0415 - as above

    raise typer.Exit(demonstration.run(Path.cwd(), students=students, keep=keep, console=Console()))


def _needs_linux() -> None:
    """Refuse what cannot work elsewhere, in a sentence."""
    if sys.platform != "linux":
        typer.echo(
            "Grading needs Linux, for its sandbox: use a container or a virtual machine. "
            "`autograder check NOTEBOOK` works here.",
            err=True,
        )
        raise typer.Exit(2)


def main() -> None:
    """Run the command line; what the machine refuses is told in a line."""
    try:
        app()
    except OSError as error:
        if os.environ.get("AUTOGRADER_DEBUG"):
            raise
        where = f": {error.filename}" if error.filename else ""
        typer.echo(
            f"The machine refused: {error.strerror or error}{where}. "
            "(`autograder --verbose ...` shows where.)",
            err=True,
        )
        sys.exit(2)
