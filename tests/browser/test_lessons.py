"""Lessons as a student sees them: all cells run, pictures and live pages appear."""

import pytest
from lab_server import DARK

pytestmark = pytest.mark.browser

# On how many lines each element's text stands: one box a line.
LINES = """elements => elements.map(element => {
    const range = document.createRange();
    range.selectNodeContents(element.firstChild);
    return range.getClientRects().length;
})"""
FILTER = "element => getComputedStyle(element).filter"


def wrong_errors(notebook):
    """Return what was raised where nothing, or something else, was meant to be raised."""
    found = []
    for cell in notebook.cells():
        if cell["cell_type"] == "code":
            raised = [o["ename"] for o in cell["outputs"] if o["output_type"] == "error"]
            meant = cell["metadata"].get("raises")
            if raised != ([meant] if meant else []):
                found.append((cell["source"], raised))
    return found


def colours(cell, parts):
    """Return the background of each part of a cell's picture, as the browser paints it."""
    paint = "element => getComputedStyle(element).backgroundColor"
    return [cell.locator(part).first.evaluate(paint) for part in parts]


def loaded(image):
    """Wait until an image is there, and return its width in pixels."""
    image.wait_for()
    return image.evaluate("async image => { await image.decode(); return image.naturalWidth }")


def test_lesson_00_is_alive(notebook):
    """Run All shows the coloured bytes, the plot and a Swagger UI that asks the app."""
    notebook.open("notebooks/00-start-here.ipynb")
    notebook.run_all()
    assert wrong_errors(notebook) == []

    picture = notebook.with_source("show_bytes(exchange(request)")
    parts = (".cp-start", ".cp-headers", ".cp-blank", ".cp-body")
    assert len(set(colours(picture, parts))) == 4
    assert "200" in picture.locator(".cp-start").text_content()

    plot = notebook.with_source("show_plot(").locator(".jp-OutputArea img")
    assert loaded(plot) > 500
    assert plot.get_attribute("alt")
    assert plot.evaluate(FILTER) == "none"
    with notebook.theme(DARK):
        assert "invert" in plot.evaluate(FILTER)

    notebook.page.set_viewport_size({"width": 800, "height": 900})
    picture.scroll_into_view_if_needed()
    assert set(picture.locator(".cp-start ruby").evaluate_all(LINES)) == {1}
    notebook.page.set_viewport_size({"width": 1280, "height": 900})

    page = notebook.swagger(notebook.with_source("serve(app)"))
    page.get_by_role("button", name="GET /answer", exact=False).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("question").fill("My brake squeaks.")
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table tbody tr")
    assert answer.locator(".response-col_status").inner_text().split()[0] == "200"
    assert "Wipe the rim" in answer.locator(".response-col_description").inner_text()

    assert notebook.refused == []


def test_lesson_01_is_alive(notebook):
    """Run All shows the form with its red ink, the way of a request, the figure and the plot."""
    notebook.open("notebooks/01-path-operations.ipynb")
    notebook.run_all()
    assert wrong_errors(notebook) == []

    form = notebook.with_source('"bike": "seven"').locator(".cp-paper").first
    form.scroll_into_view_if_needed()
    assert form.locator(".cp-stamp").inner_text().startswith("422")
    assert "valid integer" in form.locator(".cp-ink").first.inner_text()

    journeys = notebook.with_source("show_journey(journey)").locator(".cp-journey svg")
    assert ["your function runs" in text for text in journeys.all_text_contents()] == [True, False]

    assert loaded(notebook.with_source("show_plot(").locator(".jp-OutputArea img")) > 500
    figure = notebook.page.locator(".jp-RenderedMarkdown img").first
    figure.scroll_into_view_if_needed()
    assert loaded(figure) > 300

    assert notebook.refused == []


def test_words_arrive_live_in_lesson_08(notebook):
    """In the embedded page, words come one by one by EventSource, and all at once otherwise."""
    notebook.open("notebooks/08-streaming.ipynb")
    notebook.run_all()
    assert wrong_errors(notebook) == []

    cell = notebook.with_source("embedded_page(server")
    cell.scroll_into_view_if_needed()
    page = cell.frame_locator("iframe")
    answer = page.locator("#answer")
    # What the paragraph holds after each change; the page itself keeps the record.
    watch = """answer => {
        window.seen = [];
        new MutationObserver(() => window.seen.push(answer.textContent)).observe(
            answer, {childList: true, characterData: true, subtree: true})
    }"""
    answer.evaluate(watch)
    page.get_by_role("button", name="Ask with EventSource").click()
    answer.get_by_text("My brake squeaks").wait_for()
    live = answer.evaluate("() => window.seen")
    assert len({len(text) for text in live}) > 5
    page.get_by_role("button", name="Ask /whole").click()
    page.locator("#answer", has_text="My brake squeaks").wait_for()
    seen = answer.evaluate("() => window.seen")
    whole = seen[seen.index("...") :]
    assert len(set(whole)) == 2
    assert notebook.refused == []


def test_a_page_talks_over_a_websocket_in_lesson_06(notebook):
    """In the embedded pages, Send brings its answer, and Stop ends the words of the model."""
    notebook.open("notebooks/06-websockets.ipynb")
    notebook.run_all()
    assert wrong_errors(notebook) == []

    cell = notebook.with_source('embedded_page(server, "/page"')
    cell.scroll_into_view_if_needed()
    echo = cell.frame_locator("iframe")
    answers = echo.get_by_role("listitem")
    answers.first.wait_for()
    before = answers.count()
    echo.get_by_role("textbox", name="Message").fill("The bell is stuck.")
    echo.get_by_role("button", name="Send").click()
    answers.nth(before).wait_for()
    assert "The bell is stuck." in answers.nth(before).inner_text()

    cell = notebook.with_source('embedded_page(server, "/agent-page"')
    cell.scroll_into_view_if_needed()
    agent = cell.frame_locator("iframe")
    agent.get_by_role("button", name="Ask").click()
    agent.locator("p", has_text="brake").wait_for()
    agent.get_by_role("button", name="Stop").click()
    agent.locator("p", has_text="[stopped]").wait_for()
    assert notebook.refused == []
