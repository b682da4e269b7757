"""Every command in the README and the guides for instructors runs, in the order of a class."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from repository import copy_to  # noqa: E402 - the path comes first

PAGES = ("README.md", "CONTRIBUTING.md", "docs/instructors.md", "docs/teaching.md", "docs/stuck.md")
LAB = "lab01-path-operations"
NOTEBOOK = f"{LAB}/{LAB}.ipynb"
COURSE, STUDENT = "course", "student"
WAY = [
    (COURSE, "autograder doctor"),
    (COURSE, "autograder build"),
    (COURSE, f"nbgrader generate_assignment {LAB} --force"),
    (COURSE, f"nbgrader validate --invert labs/{NOTEBOOK}"),
    (COURSE, f"nbgrader validate solutions/{NOTEBOOK}"),
    (COURSE, f"nbgrader release_assignment {LAB}"),
    (STUDENT, f"nbgrader fetch_assignment {LAB}"),
    (STUDENT, f"nbgrader validate {NOTEBOOK}"),
    (STUDENT, f"nbgrader submit {LAB}"),
    (COURSE, f"nbgrader collect {LAB}"),
    (COURSE, f"nbgrader autograde {LAB}"),
    (COURSE, f"nbgrader generate_feedback {LAB}"),
    (COURSE, f"nbgrader release_feedback {LAB}"),
    (STUDENT, f"nbgrader fetch_feedback {LAB}"),
    (COURSE, "nbgrader export --to marks.csv"),
    (COURSE, f'nbgrader db assignment add {LAB} --duedate "2027-01-31 23:59:00 UTC"'),
    (COURSE, "autograder grade lab01"),
    (COURSE, "autograder grade lab01 --wait 20"),
    (COURSE, "autograder grade --all --csv all.csv"),
    (COURSE, "autograder report"),
    (COURSE, "autograder report lab01"),
    (COURSE, "autograder check lab01"),
    (COURSE, "autograder profile"),
    (COURSE, f"autograder check solutions/{NOTEBOOK} --as-graded"),
    (COURSE, "autograder bundle --to everything"),
    (COURSE, "autograder bundle lab02 --to one-lab"),
    (COURSE, f"cp solutions/{NOTEBOOK} labs/{NOTEBOOK}"),
    (COURSE, "autograder plant lab01"),
    (COURSE, f"nbgrader db assignment remove {LAB} --force"),
]
"""Where each command runs: in the course's folder, or in a student's."""
MAY_FAIL = {"autograder check lab01"}
"""It ends with 1 as long as a test fails, and the lab is blank."""
ELSEWHERE = {
    "autograder demo --keep",  # tests/test_demo.py
    "nbgrader db student import X",  # tests/plugin/test_roster.py, with the next one
    "nbgrader zip_collect X",
    ". .venv/bin/activate",
    "source .venv/bin/activate",
}


def shape(command):
    """Return a command without the names of labs, files and values."""
    command = re.sub(r"[\w./]*\blab\d\d[\w./-]*|\b[A-Z]{3,}\b|[\w.-]+\.csv", "X", command)
    command = re.sub(r"(?<=--to )\S+|(?<=--wait )\S+", "X", command)
    return re.sub(r"labs/X/X.ipynb|solutions/X/X.ipynb", "X", command.strip())


def told():
    """Return every command of the pages, whole or in a sentence, with its page."""
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        blocks = re.findall(
            r"^```(?:bash|console)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL
        )
        lines = [line.partition("#")[0] for block in blocks for line in block.splitlines()]
        inline = re.findall(r"`((?:nbgrader|autograder|make) [^`.]*)`", text)
        for line in [*lines, *inline]:
            for command in filter(None, (part.strip() for part in line.split("&&"))):
                yield name, command


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    """What each command came to, in a copy of the course with an exchange and one student."""
    place = tmp_path_factory.mktemp("commands")
    copy_to(place / COURSE)
    (place / STUDENT).mkdir()
    (place / "exchange").mkdir(mode=0o777)
    (place / "exchange").chmod(0o777)
    setting = f'\nc.Exchange.root = "{place / "exchange"}"\n'
    with (place / COURSE / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write(setting)
    (place / STUDENT / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "fastapi-for-ai-engineers"{setting}',
        encoding="utf-8",
    )
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(place),
    }
    done = {}
    for folder, command in WAY:
        done[command] = subprocess.run(
            ["bash", "-c", command],
            cwd=place / folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    return place, done


def test_every_command_runs(way):
    """None of them fails; the marks, the feedback and the bundle are there."""
    place, done = way
    failed = {
        command: ran.stdout[-1000:] + ran.stderr[-1000:]
        for command, ran in done.items()
        if ran.returncode and command not in MAY_FAIL
    }
    assert failed == {}
    assert all("of 20" in done[command].stdout for command in MAY_FAIL)
    assert LAB in (place / COURSE / "marks.csv").read_text(encoding="utf-8")
    assert list((place / STUDENT / LAB).rglob("*.html"))
    assert (place / COURSE / "one-lab" / "README.md").is_file()


def test_no_page_names_another_command():
    """What stands in a page is run here, or is a target of the Makefile."""
    known = {shape(command) for command in [*(command for _, command in WAY), *ELSEWHERE]}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known |= {f"make {target}" for target in re.findall(r"(?m)^([a-z]+):", makefile)}
    other = [
        (name, one)
        for name, one in told()
        if not any(f"{k} ".startswith(f"{shape(one)} ") for k in known)
    ]
    assert other == []
