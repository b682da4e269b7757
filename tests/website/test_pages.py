"""Every page of the site is reached, shows what the notebook shows, and asks nobody else."""

import json
import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from autograder.course import Course

from .conftest import ROOT, RUN, said_by_checks

COURSE = Course.find(ROOT)
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"),
          ("source", "src"), ("audio", "src"), ("video", "src"), ("object", "data")}  # fmt: skip


class Links(HTMLParser):
    """Collects what a page leads to, what it loads, and its anchors."""

    def __init__(self):
        super().__init__()
        self.led, self.loaded, self.ids = [], [], {""}

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.ids |= {told.get("id", ""), told.get("name", "")}
        if tag == "a" and "href" in told:
            self.led.append(told["href"])
        for name, value in attributes:
            if (tag, name) in LOADED and value and told.get("rel") not in {"canonical", "license"}:
                self.loaded.append(value)


@pytest.fixture(scope="session")
def pages(site):
    """Each page by its path from the root."""
    found = {}
    for file in site.rglob("*.html"):
        found[file.relative_to(site).as_posix()] = links = Links()
        links.feed(file.read_text(encoding="utf-8"))
    return found


def local(page, link):
    """Return the file, from the root, and the anchor that a link leads to; None if elsewhere."""
    told = urlsplit(link)
    if told.scheme or told.netloc:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(told.path)))
    return (path if told.path else page), told.fragment


def test_every_lesson_and_lab_has_a_page(pages):
    """Nothing of the course is left out."""
    lessons = {f"notebooks/{one.name}.html" for one in COURSE.lessons}
    labs = {f"labs/{one.name}/{one.name}.html" for one in COURSE.labs}
    assert lessons | labs | {"index.html", "notebooks/glossary.html"} <= pages.keys()


def test_every_link_leads_somewhere(site, pages):
    """Files and headings that links name are there."""
    broken = []
    for page, links in pages.items():
        for link in [*links.led, *links.loaded]:
            if (target := local(page, link)) is None:
                continue
            path, anchor = target
            known = pages[path].ids if path in pages else {anchor}
            if not (site / path).exists() or unquote(anchor) not in known:
                broken.append((page, link))
    assert broken == []


def test_every_page_is_reached_from_the_first(pages):
    """Following links from the front page leads to each page."""
    seen, to_do = set(), ["index.html"]
    while to_do:
        page = to_do.pop()
        if page in seen or page not in pages:
            continue
        seen.add(page)
        to_do += [target[0] for link in pages[page].led if (target := local(page, link))]
    assert pages.keys() - seen <= {"genindex.html", "search.html"}


def test_nothing_is_loaded_from_another_host(site, pages):
    """No picture, script, style or frame comes from elsewhere, nor do the styles load any."""
    elsewhere = [
        (page, link)
        for page, links in pages.items()
        for link in links.loaded
        if urlsplit(link).scheme not in {"", "data"} or link.startswith("//")
    ]
    assert elsewhere == []
    styles = [file for file in site.rglob("*.css") if "url(http" in file.read_text()]
    assert styles == []


def test_a_lesson_that_ran_shows_all_that_it_showed(site):
    """Each drawing, table and print of the run stands in the page; a live page is a picture."""
    [built] = [Path(file) for file in (site.parent / "pages/notebooks").glob(f"{RUN}-*.ipynb")]
    page = (site / "notebooks" / f"{built.stem}.html").read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(built.read_text())["cells"] if cell["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]
    drawn = [one["data"]["text/html"] for one in outputs if "text/html" in one.get("data", {})]
    assert len(drawn) > 10
    assert not [one for one in drawn if "".join(one).strip().splitlines()[-1] not in page]
    assert page.count('class="course-live"') == 1
    assert "127.0.0.1" not in "".join(Links_of(page).led)
    assert page.count('<img src="data:image/png') + page.count("<svg") > 5


def Links_of(page):  # noqa: N802 - a maker of Links
    links = Links()
    links.feed(page)
    return links


def test_no_answer_and_no_hidden_test_is_on_the_site(site):
    """Labs' pages hold stubs and visible tests only."""
    text = "".join(file.read_text(encoding="utf-8") for file in site.glob("labs/**/*.html"))
    assert "BEGIN SOLUTION" not in text
    assert "BEGIN HIDDEN" not in text


def test_building_it_leaves_nothing_beside_the_lessons(site, said_before):
    """What the checks of a run have said is no reader's, so the start page must not find it."""
    assert site.is_dir()
    assert said_by_checks() == said_before
