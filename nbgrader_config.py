"""Settings of nbgrader for this course; nbgrader reads them in the folder where it is started."""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - nbgrader defines it

# Marks, exchange and feedback are kept under this name.
c.CourseDirectory.course_id = "fastapi-for-ai-engineers"

# `autograder build` writes a lab with its answers here; its text is content/labs/.
c.CourseDirectory.source_directory = "solutions"

# What students get: nbgrader's own generate_assignment writes it.
c.CourseDirectory.release_directory = "labs"

# The stub runs, so that Run All on a fresh lab reaches its end; nbgrader's own raises.
c.ClearSolutions.code_stub = {"python": "# Write your answer here.\npass"}

# Seconds per cell when nbgrader itself runs a notebook: a check gives up within 25
# (autograder/checks/deadlines.py), so thirty only ever end a cell that hangs.
c.Execute.timeout = 30

# What the checks keep beside a notebook, the count of attempts, is not handed in.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    ".attempts",
    "planted",
]

# A notebook under another name is refused when it is handed in, not when it is marked.
c.ExchangeSubmit.strict = True

# Everybody may write into the exchange: each student's own is collected, and none stops the others.
c.ExchangeFactory.collect = "autograder.nbgrader.exchange.Collect"
c.ExchangeFactory.release_feedback = "autograder.nbgrader.exchange.ReleaseFeedback"

# Formgrader and the feedback show no script that a submission brings along, only the tables
# of the checks. Without this it would run with the rights of whoever looks at it.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "clean_html": "autograder.grading.harmless.clean_html",
    "markdown2html": "autograder.nbgrader.markdown.harmless",
    # A line of a hundred thousand characters keeps nbconvert's own busy for minutes.
    "highlight_code": "autograder.nbgrader.highlight.highlighted",
}

# The feedback page: what was lost and why comes first, and no other host is asked for anything.
c.GenerateFeedback.exporter_class = "autograder.nbgrader.feedback.FeedbackPage"

# A student's id, which may hold markup, stands in formgrader's pages as text.
c.HTMLExporter.preprocessors = ["autograder.nbgrader.formgrader.EscapedNames"]
if "nbgrader.server_extensions.formgrader.base" in sys.modules:
    from autograder.nbgrader.formgrader import escape_pages

    escape_pages()

# `nbgrader autograde` and formgrader's button let the engine grade: a student's code runs in a
# sandbox, where no test is, and verdicts are made outside. A lab without check cells is run by
# nbgrader's own kernel. AUTOGRADER_ENGINE=stock switches the engine off, for comparisons.
if os.environ.get("AUTOGRADER_ENGINE") != "stock":
    # Rebuilds each submission before nbgrader reads it.
    c.Autograde.exporter_class = "autograder.nbgrader.exporter.SubmissionExporter"
    # nbgrader's own list, but hidden tests stay out of the autograded notebook ...
    c.Autograde.sanitize_preprocessors = [
        "nbgrader.preprocessors.ClearOutput",
        "nbgrader.preprocessors.DeduplicateIds",
        "nbgrader.preprocessors.OverwriteKernelspec",
        "autograder.nbgrader.preprocessors.OverwriteCells",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    # ... the engine takes the place of Execute, and what a person must see is flagged.
    c.Autograde.autograde_preprocessors = [
        "autograder.nbgrader.preprocessors.Judge",
        "nbgrader.preprocessors.IgnorePattern",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "autograder.nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]

# Seconds for a kernel to start: a server on which a whole class works takes its time.
c.Execute.startup_timeout = 60

# nbgrader starts `alembic` by its bare name when it makes a gradebook. Without this,
# `.venv/bin/nbgrader` works only in a shell where .venv has been activated.
scripts = str(Path(sys.executable).parent)
if scripts not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])


def _shorten(cell, cell_index):  # noqa: ANN001, ANN202 - nbgrader reads this file
    """Let Validate say what a check found; nbgrader's own prints the check's whole source."""
    if os.environ.get("NBGRADER_VALIDATING"):
        from autograder.nbgrader.validation import shorten  # noqa: PLC0415 - when it is wanted

        shorten(cell=cell, cell_index=cell_index)


c.Execute.on_cell_complete = _shorten
