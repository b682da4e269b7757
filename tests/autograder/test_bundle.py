"""`autograder bundle` gives a class what it needs, and neither answers nor hidden tests."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest
from traitlets.config.loader import PyFileConfigLoader

from autograder.checks.cell import BEGIN_HIDDEN, END_HIDDEN
from autograder.course import Course

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from lab_runs import run_all  # noqa: E402 - the path comes first
from lab_server import served  # noqa: E402 - as above

LAB = Course.find(ROOT).lab("lab01").name
AUTOGRADER = Path(sys.executable).with_name("autograder")

BEGINNINGS = {BEGIN_HIDDEN, "### BEGIN SOLUTION"}
ENDS = {END_HIDDEN, "### END SOLUTION"}

TRY = """\
import sys
from pathlib import Path
import autograder, classroom
here = Path.cwd()
assert Path(autograder.__file__).is_relative_to(here), autograder.__file__
assert Path(classroom.__file__).is_relative_to(here), classroom.__file__
from IPython.core.interactiveshell import InteractiveShell
import nbformat
shell = InteractiveShell.instance()
notebook = nbformat.read(sys.argv[1], as_version=4)
cells = {cell.id: cell.source for cell in notebook.cells}
for name in ("setup", "t1"):
    shell.run_cell(cells[name]).raise_error()
shell.run_cell('''
class AgentIn(BaseModel):
    name: str
@app.post("/drafts")
def draft(agent: AgentIn) -> AgentIn:
    return agent
''').raise_error()
result = shell.run_cell(cells["check-t1"]).result.result
print("points", result.points, "passed", sum(test.outcome == "passed" for test in result.tests))
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The bundle of lab 01."""
    to = tmp_path_factory.mktemp("bundle") / "class"
    done = run("lab01", "--to", to)
    assert done.returncode == 0, done.stdout + done.stderr
    return to


def run(*arguments, cwd=ROOT):
    command = [AUTOGRADER, "bundle", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_it_holds_what_a_class_needs(bundle):
    """The lab, the lessons, the packages that checks need, the environment; nothing else."""
    assert sorted(path.name for path in bundle.iterdir()) == sorted(
        [
            *("labs", "notebooks", "classroom", "autograder", "docs"),
            *("README.md", "LICENSE", "environment.yml", "requirements.lock", "pyproject.toml"),
            *("Makefile", "nbgrader_config.py", "setup.py"),
        ]
    )
    assert [path.name for path in (bundle / "labs").iterdir()] == [LAB]
    assert "[project.scripts]" not in (bundle / "pyproject.toml").read_text()


def test_no_answer_and_no_hidden_test_is_in_it(bundle):
    """Not a line of either, in any file."""
    solution = nbformat.read(ROOT / "solutions" / LAB / f"{LAB}.ipynb", as_version=4)
    released = (ROOT / "labs" / LAB / f"{LAB}.ipynb").read_text()
    kept, shown = parts(solution)
    secrets = [line for line in kept if len(line) > 20 and line not in shown]
    assert len(secrets) > 50
    files = [path for path in bundle.rglob("*") if path.is_file()]
    texts = {
        path: path.read_bytes().decode("utf-8", "replace").replace('\\"', '"') for path in files
    }
    found = {path: line for path, text in texts.items() for line in secrets if line in text}
    # A lesson may show what a lab then asks for; the lab itself may not.
    assert not {path: line for path, line in found.items() if "notebooks" not in path.parts}
    assert BEGIN_HIDDEN not in released


def test_every_link_leads_to_something_in_it(bundle):
    """In the README, the guide and every notebook; nothing sends a student to Binder."""
    pages = {path: path.read_text("utf-8") for path in bundle.rglob("*.md")}
    for path in bundle.rglob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        pages[path] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = [
        (path.relative_to(bundle).as_posix(), link)
        for path, text in pages.items()
        for link in re.findall(r"\]\(([^)#\s:]+\.(?:ipynb|md|svg|png))", text)
        if not (path.parent / link).is_file()
    ]
    assert links == []
    assert not [path for path, text in pages.items() if "mybinder" in text]


def test_it_names_no_command_that_it_lacks(bundle):
    """The instructor's commands are not in it, so no page sends a student there."""
    pages = [*bundle.glob("labs/*/*.ipynb"), *bundle.glob("*.md"), *bundle.glob("docs/*.md")]
    assert len(pages) == 3
    text = "\n".join(path.read_text("utf-8") for path in pages)
    assert "`autograder " not in text
    assert "solutions/" not in text
    makefile = (bundle / "Makefile").read_text("utf-8")
    told = set(re.findall(r"(?m)(?:^|`)(make [a-z]+)", text))
    assert told <= {f"make {target}" for target in re.findall(r"(?m)^([a-z]+):", makefile)}


def test_it_is_installed_and_opens_on_its_start_page(bundle, tmp_path):
    """From the bundle alone: its packages, and its extension of JupyterLab."""
    place = tmp_path / "venv"
    venv.create(place)
    python = place / "bin" / "python"
    found = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # The packages that the lock file names are here already; the bundle comes before them.
    (Path(found.stdout.strip()) / "zz.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", "."]
    subprocess.run([python, *install], cwd=bundle, check=True, capture_output=True)
    environment = {"HOME": str(tmp_path), "PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    command = [str(python), "-m", "jupyterlab"]
    with served(command, bundle, environment, base_url="") as server, server.client() as client:
        assert server.first_page == "/start"
        page = client.get("/course").raise_for_status().text
        assert f"labs/{LAB}/{LAB}.ipynb" in page
        assert "autograder check" not in page
        assert run_all(server, f"labs/{LAB}/{LAB}.ipynb") == []


def test_a_class_with_an_exchange_is_told_how_to_hand_in(tmp_path):
    """The exchange and the course's id are the instructor's; a wrong name is refused at once."""
    for name in ("solutions", "labs"):
        shutil.copytree(ROOT / name / LAB, tmp_path / name / LAB)
    config = (ROOT / "nbgrader_config.py").read_text("utf-8")
    config = config.replace('"fastapi-for-ai-engineers"', '"web-2027"')
    (tmp_path / "nbgrader_config.py").write_text(
        config + '\nc.Exchange.root = "/srv/exchange"\n', encoding="utf-8"
    )
    done = run("lab01", "--to", tmp_path / "class", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    settings = PyFileConfigLoader("nbgrader_config.py", path=str(tmp_path / "class")).load_config()
    assert settings.CourseDirectory.course_id == "web-2027"
    assert settings.Exchange.root == "/srv/exchange"
    assert settings.ExchangeSubmit.strict
    readme = (tmp_path / "class" / "README.md").read_text("utf-8")
    assert f"nbgrader submit {LAB}" in readme


def test_a_check_works_from_it(bundle):
    """In a process that has nothing of this repository but the bundle."""
    done = subprocess.run(
        [sys.executable, "-c", TRY, f"labs/{LAB}/{LAB}.ipynb"],
        cwd=bundle,
        env={**os.environ, "PYTHONPATH": str(bundle), "IPYTHONDIR": str(bundle.parent / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    points = float(done.stdout.split("points ")[1].split()[0])
    assert 0 < points < 4


def test_it_overwrites_nothing(tmp_path):
    """A folder with something in it is refused with exit code 2."""
    (tmp_path / "mine.txt").write_text("mine")
    done = run("lab01", "--to", tmp_path)
    assert done.returncode == 2
    assert "is not empty" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_lab_that_is_not_released_is_refused(tmp_path):
    """The message says how to release it."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "solutions" / LAB, tmp_path / "solutions" / LAB)
    done = run("lab01", "--to", tmp_path / "class", cwd=tmp_path)
    assert done.returncode == 2
    assert "has not been released" in done.stdout


def parts(notebook):
    """Return the lines inside the regions that are kept from students, and those outside."""
    kept, shown = [], []
    for cell in notebook.cells:
        inside = False
        for line in map(str.strip, cell.source.splitlines()):
            inside = (inside or line in BEGINNINGS) and line not in ENDS
            if line not in BEGINNINGS:
                (kept if inside else shown).append(line)
    return kept, "\n".join(shown)
