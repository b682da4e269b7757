"""Labs that the engine does not judge, or cannot: said once, and never a wrong mark."""

import shutil

import nbformat
import pytest

LAB = "plain"

pytestmark = pytest.mark.notebook


def submission(folder, lab, **answers):
    """Return the release of a lab with these answers."""
    release = nbformat.read(folder.path / "labs" / lab / f"{lab}.ipynb", as_version=4)
    for cell in release.cells:
        cell.source = answers.get(cell.id, cell.source)
    return release


def test_a_lab_without_check_cells_is_graded_by_nbgrader(new_course, write_lab, make_cell):
    """Plain asserts, hidden ones too, run in nbgrader's own kernel, in the same course."""
    course = new_course("plain")
    hidden = "### BEGIN HIDDEN TESTS\nassert double(-2) == -4\n### END HIDDEN TESTS"
    write_lab(
        course,
        LAB,
        make_cell(
            "t1", "### BEGIN SOLUTION\ndouble = lambda n: 2 * n\n### END SOLUTION", solution=True
        ),
        make_cell("seen", "assert double(2) == 4", grade=True, locked=True, points=1),
        make_cell("both", f"assert double(3) == 6\n{hidden}", grade=True, locked=True, points=2),
    )
    course.run("generate_assignment", LAB)
    course.hand_in("ann", submission(course, LAB, t1="double = lambda n: n + n"), LAB)
    course.hand_in("ben", submission(course, LAB, t1="double = lambda n: abs(n + n)"), LAB)
    printed = course.run("autograde", LAB)
    assert f"{LAB} holds no check cells" in printed
    assert printed.count("without a sandbox") == 1
    assert {name: row["score"] for name, row in course.rows(LAB).items()} == {"ann": 3, "ben": 1}


def test_a_broken_check_stops_the_run_with_its_reason(new_course, write_lab, make_cell):
    """A check that cannot be collected is the lab's fault: nobody gets a mark for it."""
    course = new_course("broken")
    write_lab(
        course,
        LAB,
        make_cell("t1", "app = 1", solution=True),
        make_cell(
            "c1", "%%check plain/t1 points=1\nimport nowhere", grade=True, locked=True, points=1
        ),
    )
    course.hand_in("ann", "{}", LAB)
    printed = course.run("autograde", LAB, code=1)
    assert "The lab's checks cannot be collected: " in printed
    assert "Traceback" not in printed
    assert course.rows(LAB) == {}


def test_plain_tests_beside_checks_are_refused(new_course, write_lab, make_cell):
    """They would run where the student's code can reach them, so the lab is named as wrong."""
    course = new_course("mixed")
    write_lab(
        course,
        LAB,
        make_cell("t1", "app = 1", solution=True),
        make_cell("c1", "%%check plain/t1 points=1\n", grade=True, locked=True, points=1),
        make_cell("c2", "assert True", grade=True, locked=True, points=1),
    )
    course.hand_in("ann", "{}", LAB)
    assert "has tests that are no check cells: c2" in course.run("autograde", LAB, code=1)


def test_a_lab_whose_source_is_missing_is_not_run_in_a_kernel(new_course):
    """The gradebook knows the checks: without solutions/ they are refused, not run unsafely."""
    course = new_course("missing")
    [lab] = [folder.name for folder in (course.path / "solutions").iterdir()]
    course.run("generate_assignment", lab, "--force")
    shutil.rmtree(course.path / "solutions" / lab)
    course.hand_in("ann", "{}", lab)
    printed = course.run("autograde", lab, code=1)
    assert "is missing. Bring it back." in printed
    assert course.rows(lab) == {}


def test_the_quickstart_course_gets_the_marks_of_stock_nbgrader(new_course):
    """nbgrader's own example, two notebooks to a problem set: same rows with and without."""
    course = new_course("quickstart")
    course.run("quickstart", "course101")
    folder = type(course)(course.path / "course101", course.env)
    shutil.copy(course.path / "nbgrader_config.py", folder.path)
    # The example keeps its labs where nbgrader's defaults are.
    with (folder.path / "nbgrader_config.py").open("a") as config:
        config.write('\nc.CourseDirectory.source_directory = "source"\n')
        config.write('c.CourseDirectory.release_directory = "release"\n')
    folder.run("generate_assignment", "ps1")
    shutil.copytree(folder.path / "source" / "ps1", folder.path / "submitted" / "ann" / "ps1")
    shutil.copytree(folder.path / "release" / "ps1", folder.path / "submitted" / "ben" / "ps1")
    assert "ps1 holds no check cells" in folder.run("autograde", "ps1")
    with_engine = folder.rows("ps1")
    stock = type(course)(folder.path, course.env | {"AUTOGRADER_ENGINE": "stock"})
    assert "holds no check cells" not in stock.run("autograde", "ps1", "--force")
    assert with_engine == stock.rows("ps1")
    assert {name: row["score"] for name, row in with_engine.items()} == {"ann": 3, "ben": 0}
