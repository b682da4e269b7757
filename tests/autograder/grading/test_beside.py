"""Files beside a notebook: bounded one by one, together, and in number."""

import pytest

from autograder.grading import beside


@pytest.fixture
def folder(tmp_path):
    for name, size in (("a.txt", 40), ("b.txt", 60), ("c.txt", 61), ("d.txt", 30)):
        (tmp_path / name).write_bytes(b"x" * size)
    return tmp_path


def test_a_file_that_is_too_large_is_left_out(folder, monkeypatch):
    """The others are there."""
    monkeypatch.setattr(beside, "MAX_BYTES", 60)
    assert list(beside.listing(folder, ())) == ["a.txt", "b.txt", "d.txt"]
    assert list(beside.handed_on(folder)) == ["a.txt", "b.txt", "d.txt"]


def test_files_together_are_bounded(folder, monkeypatch):
    """What does not fit is left out, and what fits after it is not."""
    monkeypatch.setattr(beside, "MAX_TOTAL", 130)
    monkeypatch.setattr(beside, "MAX_HANDED_ON", 99)
    assert list(beside.listing(folder, ())) == ["a.txt", "b.txt", "d.txt"]
    assert list(beside.handed_on(folder)) == ["a.txt", "d.txt"]


def test_their_number_is_bounded(folder, monkeypatch):
    """The first ones are taken."""
    monkeypatch.setattr(beside, "MAX_FILES", 2)
    assert list(beside.listing(folder, ())) == ["a.txt", "b.txt"]


def test_a_file_that_grows_is_cut(folder, monkeypatch, tmp_path_factory):
    """What was small when it was looked at is copied up to its bound."""
    monkeypatch.setattr(beside, "MAX_BYTES", 50)
    target = tmp_path_factory.mktemp("target")
    beside.copy({"b.txt": folder / "b.txt"}, target, keep=())
    assert (target / "b.txt").stat().st_size == 50


def test_links_and_deep_folders_are_not_followed(folder, monkeypatch):
    """A link could name another student's work; folders in folders end somewhere."""
    (folder / "z.txt").symlink_to(folder / "a.txt")
    deep = folder / "1" / "2" / "3"
    deep.mkdir(parents=True)
    for parent in (deep, deep.parent):
        (parent / "deep.txt").touch()
    monkeypatch.setattr(beside, "MAX_DEPTH", 2)
    found = list(beside.handed_on(folder))
    assert "1/2/deep.txt" in found
    assert "1/2/3/deep.txt" not in found
    assert "z.txt" not in found


def test_a_link_that_takes_a_files_place_is_not_followed(folder, tmp_path_factory):
    """Between the look and the copy a file may become a link."""
    target = tmp_path_factory.mktemp("target")
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(folder / "b.txt")
    with pytest.raises(OSError, match="symbolic links"):
        beside.copy({"a.txt": folder / "a.txt"}, target, keep=())


def test_what_was_there_before_goes(folder, tmp_path_factory):
    """The target holds these files and those to keep, and no empty folder."""
    target = tmp_path_factory.mktemp("target")
    (target / "old").mkdir()
    (target / "old" / "gone.txt").touch()
    (target / "kept.ipynb").touch()
    beside.copy({"a.txt": folder / "a.txt"}, target, keep=("kept.ipynb",))
    assert sorted(path.name for path in target.rglob("*")) == ["a.txt", "kept.ipynb"]
