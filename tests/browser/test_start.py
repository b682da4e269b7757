"""What somebody sees who opens JupyterLab on the course for the first time."""

import json
import shutil

import pytest

pytestmark = pytest.mark.browser


LAB = "labs/lab01-path-operations/lab01-path-operations.ipynb"


@pytest.fixture
def first_page(notebook, lab):
    """JupyterLab as it opens for somebody who has not begun, with the start page in its tab."""
    for kept in lab.course.rglob(".attempts"):
        shutil.rmtree(kept)
    page = notebook.page
    page.goto(f"{lab.url}{lab.first_page}?token={lab.token}")
    start(page).locator(".next").wait_for()
    return page


def start(page):
    """Return the start page inside its tab."""
    return page.frame_locator("#course-start iframe")


def test_one_click_leads_to_the_first_lesson(first_page):
    """The start page names the course's lessons and labs, and its button opens the first one."""
    shown = start(first_page)
    assert shown.get_by_role("link", name="Lab 01", exact=False).is_visible()
    button = shown.locator(".next")
    assert "00" in button.inner_text()
    button.click()
    first_page.locator(".jp-Notebook").get_by_role("heading", name="00 HTTP").first.wait_for()
    assert first_page.get_by_role("tab", name="00-start-here.ipynb").count() == 1


def test_it_says_what_the_checks_said_last(first_page, lab):
    """What lies beside the notebooks is shown when the tab comes to the front again."""
    kept = (lab.course / LAB).parent / ".attempts" / "lab01.last.json"
    kept.parent.mkdir(exist_ok=True)
    said = {"passing": 3, "tests": 3, "points": 2.5, "max_points": 3}
    kept.write_text(json.dumps({"t1": said}), encoding="utf-8")
    try:
        start(first_page).get_by_role("link", name="Lab 01", exact=False).click()
        first_page.get_by_role("tab", name="lab01-path-operations.ipynb").wait_for()
        first_page.get_by_role("tab", name="Start", exact=True).click()
        start(first_page).get_by_text("1 of 5 tasks, 2.5 of 20 points").wait_for()
        assert "Lab 01" in start(first_page).locator(".next").inner_text()
    finally:
        kept.unlink()


def test_the_help_menu_brings_it_back(first_page, notebook):
    """Whoever has closed it finds it under Help."""
    tab = first_page.get_by_role("tab", name="Start", exact=True)
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    first_page.locator("#course-start").wait_for(state="detached")
    notebook.choose("Help", "Start Page of the Course")
    start(first_page).locator(".next").wait_for()


def test_nobody_is_asked_about_news(first_page):
    """No notification covers the page, and none waits."""
    assert first_page.locator(".Toastify__toast").count() == 0
    assert (
        first_page.evaluate(
            """async () => {
            const settings = await window.jupyterapp.serviceManager.settings.fetch(
                '@jupyterlab/apputils-extension:notification');
            return settings.schema.properties.fetchNews.default;
        }"""
        )
        == "false"
    )


def test_what_needs_an_exchange_is_hidden_where_there_is_none(first_page):
    """Assignment List, Formgrader and Create Assignment would only answer with errors."""
    assert first_page.evaluate(
        """() => ['assignment-list', 'course-list', 'create-assignment', 'formgrader',
            'validate-assignment'].filter(
                part => window.jupyterapp.isPluginActivated(`@jupyter/nbgrader:${part}`))"""
    ) == ["validate-assignment"]


def test_work_is_taken_away_and_brought_back(first_page, lab, tmp_path):
    """The downloaded file brings a lost notebook back, and the page says so."""
    page = start(first_page)
    with first_page.expect_download() as downloaded:
        page.get_by_role("link", name="Download my work").click()
    file = tmp_path / downloaded.value.suggested_filename
    downloaded.value.save_as(file)
    notebook = lab.course / LAB
    mine = notebook.read_bytes()
    notebook.unlink()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Bring it back").click()
    page.get_by_text("1 file was brought back.").wait_for()
    assert notebook.read_bytes() == mine


def test_a_file_that_is_not_ones_work_is_refused(first_page, tmp_path):
    """The page says what is wrong, and stays usable."""
    file = tmp_path / "other.zip"
    file.write_text("no archive", encoding="utf-8")
    page = start(first_page)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Bring it back").click()
    page.get_by_text("not a ZIP archive").wait_for()
    assert page.locator(".next").is_visible()
