"""Build the site: run every lesson, lay out the pages, let Sphinx make HTML of them.

`python -m website` writes website/_build/html, a folder that any web server can serve and
a browser can open. `--dry` shows the lessons without outputs, in half a minute.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.course import Course
from website.executed import execute
from website.layout import Layout

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=HERE / "_build", help="where to build")
    parser.add_argument("--dry", action="store_true", help="do not run the lessons")
    parser.add_argument("--run", action="append", default=[], help="run only this lesson: 08")
    told = parser.parse_args()
    course = Course.find(HERE)
    every = [] if told.dry else [one.name[:2] for one in course.lessons]
    build(course, told.target, run=told.run or every)


def build(course: Course, target: Path, *, run: Collection[str]) -> None:
    """Build the site of a course.

    Args:
        course: The course.
        target: Where to build; what is there is taken away.
        run: The numbers of the lessons that are run; the others are shown without outputs.
    """
    shutil.rmtree(target, ignore_errors=True)
    pages = target / "pages"
    pages.mkdir(parents=True)
    files = [course.root / "notebooks" / f"{one.name}.ipynb" for one in course.lessons]
    with ThreadPoolExecutor(2) as both:
        ran = dict(zip(files, both.map(lambda file: _shown(file, run), files),
                       strict=True))  # fmt: skip
    Layout(course, pages).write(ran.__getitem__)
    for name in ("conf.py", "_static"):
        source = HERE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, pages / name)
    options = ("-b", "html", "-q", "-W", "--keep-going", "-j", "auto")
    subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(pages), str(target / "html")], check=True
    )
    print(f"{target / 'html' / 'index.html'}")


def _shown(file: Path, run: Collection[str]) -> NotebookNode:
    return execute(file) if file.name[:2] in run else nbformat.read(file, as_version=4)


if __name__ == "__main__":
    main()
