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
