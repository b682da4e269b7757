"""What somebody sees who opens JupyterLab on the course for the first time."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def first_page(notebook, lab):
    """The page on which JupyterLab opens, once the README is there."""
    page = notebook.page
    page.goto(f"{lab.url}{lab.first_page}?token={lab.token}")
    page.locator(".jp-MarkdownViewer").wait_for()
    return page


def test_the_readme_is_rendered_first(first_page):
    """It says where to begin, as a page and not as Markdown's source."""
    readme = first_page.locator(".jp-MarkdownViewer")
    readme.get_by_role("heading", name="FastAPI for AI engineers").wait_for()
    assert readme.get_by_role("link", name="00", exact=False).first.is_visible()


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
