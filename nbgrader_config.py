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
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".attempts"]

# Seconds for a kernel to start: a server on which a whole class works takes its time.
c.Execute.startup_timeout = 60

# nbgrader starts `alembic` by its bare name when it makes a gradebook. Without this,
# `.venv/bin/nbgrader` works only in a shell where .venv has been activated.
scripts = str(Path(sys.executable).parent)
if scripts not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
