"""One's own work as a file: what is taken away comes back; a stranger's archive does nothing."""

import io
import stat
import zipfile

import pytest

from autograder.jupyterlab.start import work
from autograder.jupyterlab.start.work import BadArchive, bring_back, packed

LAB = "labs/lab01-path-operations/lab01-path-operations.ipynb"


@pytest.fixture
def course(tmp_path):
    """A course with a lab, a lesson, and what a check keeps beside them."""
    root = tmp_path / "course"
    put(root, LAB, "my answer")
    put(root, "notebooks/00-start-here.ipynb", "my notes")
    put(root, "labs/lab01-path-operations/.attempts/lab01.last.json", "{}")
    put(root, "labs/lab01-path-operations/.ipynb_checkpoints/old.ipynb", "old")
    put(root, "solutions/secret.ipynb", "not mine")
    return root


def put(root, name, text):
    """Write a file and the folders above it."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def archive(files, *, kind=stat.S_IFREG):
    """Return an archive of some files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (kind | 0o644) << 16
            file.writestr(entry, text)
    return made.getvalue()


def everything(root):
    """Return every file below a folder, with its content."""
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_what_is_taken_away_comes_back(course, tmp_path):
    """Notebooks and what the checks keep beside them; no checkpoints, and nothing else."""
    elsewhere = tmp_path / "elsewhere"
    brought = bring_back(packed(course), elsewhere, moment="now")
    assert sorted(brought.new) == sorted(everything(elsewhere))
    assert everything(elsewhere) == {
        name: text
        for name, text in everything(course).items()
        if "checkpoints" not in name and "solutions" not in name
    }


def test_what_is_replaced_is_kept(course):
    """The other content lies in `.before/`; what is the same is not touched."""
    taken = packed(course)
    put(course, LAB, "written later")
    brought = bring_back(taken, course, moment="now")
    assert (brought.new, brought.replaced, brought.same) == ((), (LAB,), 2)
    assert (course / LAB).read_text() == "my answer"
    assert (course / work.KEPT / "now" / LAB).read_text() == "written later"


def test_what_was_kept_before_stays(course):
    """Bringing another file back later does not replace what the first one replaced."""
    first = packed(course)
    put(course, LAB, "written later")
    bring_back(first, course, moment="first")
    bring_back(archive({LAB: "another"}), course, moment="second")
    kept = {
        moment: (course / work.KEPT / moment / LAB).read_text() for moment in ("first", "second")
    }
    assert kept == {"first": "written later", "second": "my answer"}


@pytest.mark.parametrize(
    "name",
    [
        "../outside.ipynb",
        "notebooks/../../outside.ipynb",
        "/etc/outside",
        "nbgrader_config.py",
        "notebooks",
        "notebooks//x.ipynb",
        "solutions/lab01/lab01.ipynb",
        "labs/c:evil.ipynb",
    ],
)
def test_a_name_outside_of_the_course_changes_nothing(course, name):
    """Neither that file is written nor any other of the archive."""
    before = everything(course)
    with pytest.raises(BadArchive, match="Nothing was changed"):
        bring_back(archive({LAB: "new", name: "evil"}), course, moment="now")
    assert everything(course) == before
    assert not (course.parent / "outside.ipynb").exists()


def test_a_link_is_refused(course):
    """An entry that is a symbolic link is no file of the course."""
    with pytest.raises(BadArchive, match="not a file"):
        bring_back(
            archive({"labs/link/x.ipynb": "/etc/passwd"}, kind=stat.S_IFLNK), course, moment="now"
        )


def test_a_folder_that_is_a_link_is_not_followed(course, tmp_path):
    """What would lie outside of the course is refused."""
    (tmp_path / "outside").mkdir()
    (course / "labs" / "away").symlink_to(tmp_path / "outside")
    with pytest.raises(BadArchive, match="outside"):
        bring_back(archive({"labs/away/x.ipynb": "x"}), course, moment="now")
    assert not list((tmp_path / "outside").iterdir())


def test_a_bomb_is_refused_before_it_is_unpacked(course, monkeypatch):
    """The sizes that an archive names are added up first."""
    monkeypatch.setattr(work, "MOST_BYTES", 1_000)
    with pytest.raises(BadArchive, match="more than"):
        bring_back(
            archive({"labs/a.ipynb": "a" * 600, "labs/b.ipynb": "b" * 600}), course, moment="now"
        )


@pytest.mark.parametrize("content", [b"", b"no archive", archive({})])
def test_what_is_no_archive_is_named(course, content):
    """The message says what is wrong with the file."""
    with pytest.raises(BadArchive, match="archive"):
        bring_back(content, course, moment="now")
