"""Settings of Sphinx for the site; `build.py` lays out the pages and starts it."""

project = "FastAPI for AI engineers"
html_title = project
extensions = ["myst_nb"]
html_theme = "furo"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["site.css"]
html_js_files = ["theme.js"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}

# Lessons were run by build.py, each in its own kernel; Sphinx only shows what came of it.
nb_execution_mode = "off"
nb_merge_streams = True
# What a check keeps for the grader has a table beside it, which is shown.
nb_mime_priority_overrides = [
    ("html", "text/html", 0),
    ("html", "image/svg+xml", 10),
    ("html", "image/png", 20),
]
myst_heading_anchors = 4
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # they would come from another host
myst_enable_extensions: list[str] = []
suppress_warnings = ["mystnb.mime_type", "misc.highlighting_failure", "myst.header"]
