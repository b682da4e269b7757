"""A lab as a student works on it: run, fail, read, mend, pass, validate."""

import json

import pytest

pytestmark = pytest.mark.browser

LAB = "labs/lab01-path-operations/lab01-path-operations.ipynb"
TASKS = {"t1": 3, "t2": 4, "t3": 3, "t4": 3, "t5": 7}

# The least contrast of any text in an element with what is painted behind it, as WCAG counts it.
LEAST_CONTRAST = """root => {
    const painted = value => {
        const canvas = new OffscreenCanvas(1, 1).getContext('2d');
        canvas.fillStyle = value;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, below) => {
        const share = top[3] / 255;
        return [0, 1, 2].map(i => top[i] * share + below[i] * (1 - share)).concat(255);
    };
    const behind = element => element === null ? [255, 255, 255, 255]
        : over(painted(getComputedStyle(element).backgroundColor), behind(element.parentElement));
    const light = colour => colour.slice(0, 3)
        .map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    let least = 21;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || element.closest('style')) continue;
        const back = behind(element);
        const text = over(painted(getComputedStyle(element).color), back);
        const [low, high] = [light(text), light(back)].sort((a, b) => a - b);
        least = Math.min(least, (high + 0.05) / (low + 0.05));
    }
    return least;
}"""


@pytest.fixture
def too_wide(answers):
    """An answer to task 1 whose temperature has the wrong limits at both ends."""
    right, wrong = "Field(ge=0, le=2)", "Field(ge=-1, le=2.5)"
    assert right in answers["t1"]
    return answers["t1"].replace(right, wrong)


def in_sight(check):
    """Return a check's table, scrolled into view: what is out of sight is not painted."""
    table = check.locator(".check")
    table.scroll_into_view_if_needed()
    return table


def mark(check):
    """Return the first line of a check's table."""
    return check.get_by_role("heading").inner_text()


def entry(row, label):
    """Return what stands beside a label in the details of a failed test."""
    return row.locator(f"xpath=.//dt[.='{label}']/following-sibling::dd[1]").first.inner_text()


def validated(notebook):
    """Press nbgrader's Validate and return what its dialog says in the end."""
    notebook.page.get_by_role("button", name="Validate", exact=True).click()
    dialog = notebook.page.get_by_role("dialog")
    dialog.get_by_text("Validation Results").wait_for()
    return dialog.inner_text()


def test_a_fresh_lab_runs_to_its_end(notebook):
    """Run All on the released lab raises nothing, and each check says what to do first."""
    notebook.open(LAB)
    notebook.run_all()
    raised = [o for cell in notebook.cells() for o in cell.get("outputs", []) if "ename" in o]
    assert raised == []

    for task, points in TASKS.items():
        check = in_sight(notebook.cell(f"check-{task}"))
        assert f": 0 of {points} points" in mark(check)
        assert check.locator("td.outcome", has_text="passed").count() == 0

    rows = in_sight(notebook.cell("check-t1")).locator("tbody tr")
    assert "failed" in rows.first.inner_text()
    assert entry(rows.first, "Sent").startswith("POST /drafts")
    assert entry(rows.first, "Hint")
    later = rows.all_inner_texts()[1:]
    assert later
    assert all("blocked" in row for row in later)


def test_a_wrong_answer_is_explained_and_mended(notebook, answers, too_wide):
    """The table says what was sent, came back and was expected; the mended answer passes."""
    notebook.open(LAB)
    notebook.run("setup")
    notebook.write("t1", too_wide)
    notebook.run("t1")
    check = in_sight(notebook.run("check-t1"))

    opened, folded = check.locator("tr.failed").all()
    assert opened.locator("td.outcome").inner_text() == "✗ failed"
    assert entry(opened, "Sent").startswith("POST /drafts")
    assert '"temperature": -0.1' in entry(opened, "Sent")
    assert entry(opened, "Came back").startswith("200 OK")
    assert "422" in entry(opened, "Expected")
    assert "ge" in entry(opened, "Hint")

    assert not folded.locator("dl").is_visible()
    folded.locator("summary").focus()
    notebook.page.keyboard.press("Enter")
    folded.locator("dl").wait_for()
    assert '"temperature": 2.1' in entry(folded, "Sent")

    notebook.write("t1", answers["t1"])
    notebook.run("t1")
    check = in_sight(notebook.run("check-t1"))
    assert mark(check).endswith("3 of 3 points")
    assert {row.split()[1] for row in check.locator("tbody tr").all_inner_texts()} == {"passed"}
    assert check.locator("dl").count() == 0


def test_the_answer_comes_into_sight(notebook):
    """After Shift+Enter on a check, whatever its length, its mark stands in the window."""
    notebook.open(LAB)
    notebook.run("setup")
    notebook.run("t1")
    heading = notebook.run("check-t1").get_by_role("heading")
    assert heading.evaluate(
        """async heading => (await new Promise(done =>
            new IntersectionObserver(done).observe(heading)))[0].isIntersecting"""
    )


def test_the_table_speaks(notebook, too_wide):
    """A screen reader finds a heading, named columns and rows, and the outcome in words."""
    notebook.open(LAB)
    notebook.run("setup")
    notebook.write("t1", too_wide)
    notebook.run("t1")
    check = in_sight(notebook.run("check-t1"))
    table = check.get_by_role("table", name="Tests of Task 1")
    columns = table.get_by_role("columnheader")
    assert columns.all_inner_texts() == ["Outcome", "Test", "Points"]
    rows = table.locator("tbody").get_by_role("row")
    assert rows.count() == table.get_by_role("rowheader").count() > 5
    for row in rows.all():
        outcome, points = row.get_by_role("cell").all_inner_texts()
        assert outcome.split()[1] in ("passed", "failed")
        assert points.strip() == ("\N{MINUS SIGN}0.25" if "failed" in outcome else "+0.25")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_table_can_be_read(notebook, too_wide, theme):
    """Every text of a passed, a failed and a blocked test has a contrast of at least 4.5."""
    notebook.open(LAB)
    notebook.run("setup")
    notebook.write("t1", too_wide)
    notebook.run("t1")
    with notebook.theme(theme):
        for task in ("t1", "t2"):
            check = in_sight(notebook.run(f"check-{task}"))
            for summary in check.locator("summary").all():
                summary.click()
            assert check.evaluate(LEAST_CONTRAST) >= 4.5


def test_validate_names_what_is_missing(notebook):
    """On a fresh lab nbgrader's Validate button says that cells failed."""
    notebook.open(LAB)
    assert "cell failed" in validated(notebook)


def test_validate_is_content_with_the_right_answers(notebook, lab, answers):
    """With every task answered nbgrader's Validate button reports success."""
    released = json.loads((lab.course / LAB).read_text(encoding="utf-8"))
    for cell in released["cells"]:
        if cell["id"] in answers:
            cell["source"] = answers[cell["id"]]
    path = LAB.replace(".ipynb", "-answered.ipynb")
    (lab.course / path).write_text(json.dumps(released), encoding="utf-8")
    notebook.open(path)
    assert "passes all the tests" in validated(notebook)


def test_no_marks_for_an_answer_that_does_not_run(notebook, answers):
    """Broken after it was all green, or edited and not run: the check and the progress say so."""
    notebook.open(LAB)
    notebook.run("setup")
    notebook.write("t1", answers["t1"])
    notebook.run("t1")
    assert mark(notebook.run("check-t1")).endswith("3 of 3 points")

    notebook.write("t1", answers["t1"] + "\nx = = 1")
    notebook.run("t1")
    check = in_sight(notebook.run("check-t1"))
    assert mark(check).endswith(": 0 of 3 points")
    problem = check.locator(".problem").inner_text()
    assert "SyntaxError" in problem
    assert "x = = 1" in problem
    assert check.locator("td.outcome", has_text="passed").count() == 0

    notebook.write("t1", answers["t1"])
    notebook.run("t1")
    assert mark(notebook.run("check-t1")).endswith("3 of 3 points")
    notebook.write("t1", answers["t1"].replace("ge=0", "ge=1"))
    check = in_sight(notebook.run("check-t1"))
    assert mark(check).endswith(": 0 of 3 points")
    assert "has been changed since it last ran" in check.locator(".problem").inner_text()


def test_a_check_after_a_restart_names_the_set_up_cell(notebook, answers):
    """No "magic not found" where the set-up cell has not run."""
    notebook.open(LAB)
    check = in_sight(notebook.run("check-t1"))
    assert "The set-up cell has not run" in check.locator(".problem").inner_text()
