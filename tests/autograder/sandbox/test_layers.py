"""How strong layers are together, what may be read, and what a probe says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from autograder.cli import app
from autograder.sandbox import Layer, Level, Policy, doctor, landlock, probes, readable, report
from autograder.sandbox import layers as strength
from autograder.sandbox.surroundings import environment

BASE = {Layer.LIMITS, Layer.NO_NEW_PRIVILEGES, Layer.CALLS}
LANDLOCK = {Layer.FILES, Layer.PORTS, Layer.SCOPE}


@pytest.mark.parametrize(
    ("held", "level"),
    [
        (BASE | LANDLOCK, Level.STRONG),
        (BASE | LANDLOCK - {Layer.SCOPE}, Level.CONTAINED),
        (BASE | {Layer.BUBBLEWRAP}, Level.CONTAINED),
        (BASE | {Layer.USER}, Level.WEAK),
        (LANDLOCK, Level.WEAK),
        ({Layer.LIMITS}, Level.NONE),
        (set(), Level.NONE),
    ],
)
def test_the_level_follows_from_the_layers(held, level):
    """Strong needs all of Landlock, contained needs hidden files; limits alone are nothing."""
    assert strength.level(held) is level


def test_doctor_reports_every_layer_as_json():
    """`autograder doctor --json` tries each layer and ends with 0 where grading may run."""
    done = CliRunner().invoke(app, ["doctor", "--json"])
    told = report.Report.model_validate(json.loads(done.stdout))
    assert {layer.name for layer in told.layers} == set(Layer)
    assert done.exit_code == (0 if told.enough else 1)
    assert strength.level(told.holding).name.lower() == told.level


def test_doctor_says_what_is_missing_and_what_to_do(monkeypatch, capsys):
    """Where the sandbox is too weak, the table names the layer, the reason and the remedy."""
    found = dict.fromkeys(Layer) | dict.fromkeys(LANDLOCK, "the kernel says no")
    found[Layer.BUBBLEWRAP] = "not installed"
    monkeypatch.setattr(report, "held_here", lambda: found)
    assert doctor.run() == 1
    shown = capsys.readouterr().out
    assert "Level: weak" in shown
    assert "install bubblewrap" in shown
    assert "--unsafe-no-sandbox" in shown


def test_doctor_prints_a_table():
    """The table holds one row per layer."""
    console = Console(width=200, record=True)
    doctor.show(report.examine(), console)
    text = console.export_text()
    assert all(layer in text for layer in Layer)


@pytest.mark.parametrize(
    ("layer", "module", "name", "said"),
    [
        (Layer.FILES, landlock, "restrict", "reading a file outside was not refused"),
        (Layer.SCOPE, landlock, "restrict", "a signal to the parent was not refused"),
        (Layer.PORTS, landlock, "restrict", "another TCP port was not refused"),
        (Layer.CALLS, probes.seccomp, "restrict", "a new process was not refused"),
        (Layer.LIMITS, probes.limits, "limit", "filling memory was not refused"),
        (Layer.NO_NEW_PRIVILEGES, probes.privileges, "refuse_new_privileges", "forgot the flag"),
    ],
)
def test_a_probe_finds_a_layer_that_does_nothing(monkeypatch, layer, module, name, said):
    """A kernel that accepts a call and does nothing is found out by the forbidden act."""
    monkeypatch.setattr(module, name, lambda *_, **__: None)
    assert said in (probes.probe_all()[layer] or "")


def test_a_folder_with_solutions_must_not_be_granted(tmp_path: Path):
    """A grant that covers a secret, or lies in one, is found before anything runs."""
    solutions = tmp_path / "solutions"
    solutions.mkdir()
    (tmp_path / "link").symlink_to(solutions)
    for granted in (solutions, tmp_path, solutions / "lab01", tmp_path / "link"):
        assert readable.exposed(Policy(readable=(granted,)), [solutions]) == [solutions]
    assert readable.exposed(Policy(scratch=tmp_path / "scratch"), [solutions]) == []


def test_what_a_submission_writes_is_not_granted_to_run():
    """In its own folder it may do everything but run a program and make a device."""
    assert not landlock.SCRATCH & (landlock.RUN & ~landlock.READ)
    assert landlock.SCRATCH & landlock.READ_WRITE_FILE == landlock.READ_WRITE_FILE


def test_the_course_itself_is_not_granted():
    """Of this repository a submission may read its two packages, and nothing beside them."""
    root = Path(__file__).parents[3]
    secrets = [root / name for name in ("solutions", "tests", "labs", "content")]
    assert readable.exposed(Policy(), secrets) == []


def test_the_environment_holds_nothing_of_the_graders(monkeypatch):
    """A submission's environment is made anew, not filtered."""
    monkeypatch.setenv("TOKEN", "secret")
    made = environment(Policy(environment=(("UPSTREAM_URL", "http://127.0.0.1:1"),)))
    assert made["UPSTREAM_URL"] == "http://127.0.0.1:1"
    assert "TOKEN" not in made
    assert made["PATH"] != os.environ["PATH"]
