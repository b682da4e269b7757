"""Damaged and altered submissions, rebuilt from the release before nbgrader reads them."""

import copy
import json
import os
import random
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from nbgrader.utils import compute_checksum

from autograder.course import Course
from autograder.grading import sanitise
from autograder.grading.sanitise import Unreadable, lost_answers, read_submission, rebuild


def graded_cell(name, source, **flags):
    made = v4.new_code_cell(source, id=f"id-{name}")
    told = {"grade": False, "solution": False, "locked": False, "task": False, **flags}
    made.metadata.nbgrader = {"schema_version": 3, "grade_id": name, "cell_type": "code", **told}
    return made


@pytest.fixture
def release():
    """A small lab as students get it: text, two tasks, a free cell, two checks."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# A lab", id="title"),
            graded_cell("setup", "%load_ext autograder", locked=True),
            graded_cell("t1", "stub 1", solution=True),
            v4.new_code_cell("try it", id="free"),
            graded_cell("check-t1", "%%check lab01/t1 points=2", grade=True, locked=True, points=2),
            graded_cell("t2", "stub 2", solution=True),
            graded_cell("check-t2", "%%check lab01/t2 points=3", grade=True, locked=True, points=3),
        ],
        metadata={"kernelspec": kernel},
    )


@pytest.fixture
def handed_in(release):
    """The same lab, solved, as plain JSON."""
    made = json.loads(nbformat.writes(release))
    cell(made, "t1")["source"] = "answer 1"
    cell(made, "t2")["source"] = ["answer", " 2"]
    return made


def cell(document, name):
    return next(
        cell
        for cell in document["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name or cell["id"] == name
    )


def added(source):
    return {"cell_type": "code", "id": "mine", "metadata": {}, "source": source}


def rebuilt_from(document, release):
    """Rebuild a document, and see to it that the result is a sound notebook."""
    result = rebuild(json.dumps(document).encode(), release)
    assert_sound(result.notebook, release)
    return result


def assert_sound(notebook, release):
    """The result is valid, and has the release's cells in order, locked ones unchanged."""
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode("utf-8")
    ids = [one.id for one in notebook.cells]
    assert len(set(ids)) == len(ids)
    known = {one.id: one for one in notebook.cells}
    assert [name for name in ids if name in {one.id for one in release.cells}] == [
        one.id for one in release.cells
    ]
    for given in release.cells:
        kept = known[given.id]
        assert kept.metadata == given.metadata
        assert kept.cell_type == given.cell_type
        told = given.metadata.get("nbgrader", {})
        if given.cell_type != "code" or told.get("locked") or told.get("grade"):
            assert kept == given
    assert notebook.metadata == release.metadata
    assert not any(one.get("outputs") for one in notebook.cells)


def code(notebook):
    """Return the sources of the code cells, in order."""
    return [one.source for one in notebook.cells if one.cell_type == "code"]


SETUP, CHECK_1, CHECK_2 = (
    "%load_ext autograder",
    "%%check lab01/t1 points=2",
    "%%check lab01/t2 points=3",
)
SOLVED = [SETUP, "answer 1", "try it", CHECK_1, "answer 2", CHECK_2]


def test_an_honest_submission_is_taken_as_it_is(handed_in, release):
    """Answers are taken over, wherever the source is text or a list; nothing is reported."""
    result = rebuilt_from(handed_in, release)
    assert code(result.notebook) == SOLVED
    assert result.altered == ()


def test_the_release_itself_is_left_alone(handed_in, release):
    """The notebook that is rebuilt from serves the next submission unchanged."""
    before = copy.deepcopy(release)
    rebuilt_from(handed_in, release)
    assert release == before


# What is no notebook at all.


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"This was meant to be my solution.", "it is not JSON", id="text"),
        pytest.param(b"", "The notebook is empty", id="empty"),
        pytest.param(b" \n\t ", "The notebook is empty", id="blank"),
        pytest.param(b'{"cells": [', "it is not JSON", id="cut off"),
        pytest.param(b"\xff\xfe\x00\xd8", "it is not JSON", id="bytes"),
        pytest.param(b"\x80\x81", "it is not JSON", id="no UTF-8"),
        pytest.param(b"PK\x03\x04" + b"\0" * 60, "it is not JSON", id="zip"),
        pytest.param(b"[" * 200_000, "it is not JSON", id="deep list"),
        pytest.param(b'{"cells":' * 100_000, "it is not JSON", id="deep object"),
        pytest.param(b'{"cells": ' + b"9" * 10_000 + b"}", "it is not JSON", id="huge number"),
        pytest.param(b"[1, 2]", "it has no list of cells", id="list"),
        pytest.param(b"null", "it has no list of cells", id="null"),
        pytest.param(b'"cells"', "it has no list of cells", id="string"),
        pytest.param(b"{}", "it has no list of cells", id="object"),
        pytest.param(b'{"cells": {}}', "it has no list of cells", id="cells an object"),
        pytest.param(b'{"cells": "t1"}', "it has no list of cells", id="cells a text"),
        pytest.param(b'{"cells": null}', "it has no list of cells", id="cells null"),
        pytest.param(
            b'{"nbformat": 3, "worksheets": [{"cells": []}]}', "no list of cells", id="nbformat 3"
        ),
        pytest.param(
            b'{"cells": [' + b"{}," * 2_000 + b"{}]}", "more than 2000 cells", id="many cells"
        ),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_reason(data, message, release):
    """A file that is no notebook raises `Unreadable`, never anything else."""
    with pytest.raises(Unreadable, match=message):
        rebuild(data, release)


# What is a notebook with something wrong in it: what to change, what comes out, what is reported.


def change(name, **values):
    def do(document):
        cell(document, name).update(values)

    return do


def tell(name, **values):
    def do(document):
        cell(document, name)["metadata"]["nbgrader"].update(values)

    return do


def tag(name, *tags):
    def do(document):
        cell(document, name)["metadata"]["tags"] = list(tags)

    return do


def insert(index, *cells):
    def do(document):
        document["cells"][index:index] = cells

    return do


def remove(*names):
    def do(document):
        document["cells"] = [one for one in document["cells"] if one["id"] not in names]

    return do


def twice(name):
    def do(document):
        one = cell(document, name)
        document["cells"].insert(document["cells"].index(one) + 1, copy.deepcopy(one))

    return do


def backwards(document):
    document["cells"].reverse()


def set_top(**values):
    def do(document):
        document.update(values)

    return do


def without_ids(document):
    for one in document["cells"]:
        del one["id"]


ALTERED = {
    "cell not an object": (insert(2, "cell", 7, None, ["x"]), SOLVED, []),
    "source a number": (
        change("t1", source=7),
        [SETUP, "", "try it", CHECK_1, "answer 2", CHECK_2],
        [],
    ),
    "source null": (
        change("t1", source=None),
        [SETUP, "", "try it", CHECK_1, "answer 2", CHECK_2],
        [],
    ),
    "source a list of everything": (change("t1", source=["answer", 1, None, [], " 1"]), SOLVED, []),
    "lone surrogates": (
        change("t1", source="answer \ud800 1"),
        [SETUP, "answer ? 1", "try it", CHECK_1, "answer 2", CHECK_2],
        [],
    ),
    "old version": (set_top(nbformat=3, nbformat_minor=0), SOLVED, []),
    "version from the future": (set_top(nbformat=99, nbformat_minor="x"), SOLVED, []),
    "no version": (lambda document: document.pop("nbformat"), SOLVED, []),
    "no cell ids": (
        without_ids,
        [SETUP, "answer 1", "try it", "", CHECK_1, "answer 2", CHECK_2],
        [],
    ),
    "copied task": (
        twice("t1"),
        [SETUP, "answer 1", "answer 1", "try it", CHECK_1, "answer 2", CHECK_2],
        ["duplicated: t1"],
    ),
    "copied check": (
        twice("check-t1"),
        [SETUP, "answer 1", "try it", CHECK_1, CHECK_1, "answer 2", CHECK_2],
        ["duplicated: check-t1"],
    ),
    "renamed task": (
        tell("t1", grade_id="t9"),
        SOLVED,
        ["found by its text: t1"],
    ),
    "name that is no text": (
        tell("t1", grade_id=["t1"]),
        SOLVED,
        ["found by its text: t1"],
    ),
    "task renamed to another": (
        tell("t1", grade_id="t2"),
        [SETUP, "", "try it", CHECK_1, "answer 1", "answer 2", CHECK_2],
        ["duplicated: t2", "missing: t1", "order of cells"],
    ),
    "missing task": (
        remove("id-t1"),
        [SETUP, "", "try it", CHECK_1, "answer 2", CHECK_2],
        ["missing: t1"],
    ),
    "missing check": (remove("id-check-t1"), SOLVED, ["missing: check-t1"]),
    "missing set-up": (remove("id-setup"), SOLVED, ["missing: setup"]),
    "no cells": (
        set_top(cells=[]),
        [SETUP, "", "", CHECK_1, "", CHECK_2],
        ["missing: setup", "missing: t1", "missing: check-t1", "missing: t2", "missing: check-t2"],
    ),
    "other order": (backwards, SOLVED, ["order of cells"]),
    "more points": (tell("check-t1", points=200), SOLVED, ["points of check-t1"]),
    "points that are no number": (
        tell("check-t1", points={"a": []}),
        SOLVED,
        ["points of check-t1"],
    ),
    "check made a task": (
        tell("check-t1", grade=False, solution=True),
        SOLVED,
        ["grade of check-t1", "solution of check-t1"],
    ),
    "task made a check": (tell("t1", grade=True, points=5), SOLVED, ["grade of t1"]),
    "unlocked check with another source": (
        lambda document: (
            tell("check-t1", locked=False)(document),
            change("check-t1", source="2")(document),
        ),
        SOLVED,
        ["source of check-t1", "locked of check-t1"],
    ),
    "check without nbgrader's data": (
        change("check-t1", metadata={}),
        [SETUP, "answer 1", "try it", CHECK_1, CHECK_1, "answer 2", CHECK_2],
        ["missing: check-t1"],
    ),
    "metadata no object": (
        change("check-t1", metadata=[1]),
        [SETUP, "answer 1", "try it", CHECK_1, CHECK_1, "answer 2", CHECK_2],
        ["missing: check-t1"],
    ),
    "check that is skipped": (
        tag("check-t1", "skip-execution"),
        SOLVED,
        ["tags of check-t1"],
    ),
    "check made Markdown": (
        lambda document: (
            change("check-t1", cell_type="markdown")(document),
            tell("check-t1", cell_type="markdown")(document),
        ),
        SOLVED,
        ["cell_type of check-t1"],
    ),
    "cell at the start": (insert(0, added("mine")), ["mine", *SOLVED], []),
    "cells in the middle": (
        insert(4, added("mine"), added("too")),
        [*SOLVED[:3], "mine", "too", *SOLVED[3:]],
        [],
    ),
    "cell at the end": (insert(7, added("mine")), [*SOLVED, "mine"], []),
    "Markdown of one's own": (
        insert(3, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# hi"}),
        SOLVED,
        [],
    ),
    "text changed": (change("title", source="# My lab"), SOLVED, []),
    "hidden kernel": (
        set_top(metadata={"kernelspec": {"name": "bash", "display_name": "", "language": "sh"}}),
        SOLVED,
        [],
    ),
    "notebook's metadata no object": (set_top(metadata=7), SOLVED, []),
    "forged outputs": (
        change(
            "check-t1",
            outputs=[{"output_type": "execute_result", "data": {"text/plain": "2"}}],
            execution_count=1,
        ),
        SOLVED,
        [],
    ),
}


@pytest.mark.parametrize(("do", "sources", "altered"), ALTERED.values(), ids=ALTERED)
def test_an_altered_submission(do, sources, altered, handed_in, release):
    """Answers and added cells keep their place; all else comes from the release, and is told."""
    do(handed_in)
    result = rebuilt_from(handed_in, release)
    assert code(result.notebook) == sources
    assert sorted(result.altered) == sorted(altered)


def test_a_huge_answer_is_cut_and_reported(handed_in, release):
    """More than a quarter of a million characters in one cell are nobody's answer."""
    cell(handed_in, "t1")["source"] = "x" * (sanitise.MAX_SOURCE + 1)
    result = rebuilt_from(handed_in, release)
    assert len(code(result.notebook)[1]) == sanitise.MAX_SOURCE
    assert result.altered == ("too long and cut: t1",)


# Files.


def test_a_file_is_read(tmp_path):
    """An ordinary file's bytes come back."""
    file = tmp_path / "lab.ipynb"
    file.write_bytes(b"{}")
    assert read_submission(file) == b"{}"


def link(file):
    (file.parent / "solution.ipynb").write_text("{}")
    file.symlink_to("solution.ipynb")


def large(file):
    with file.open("wb") as opened:
        opened.truncate(40 * 2**20)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(Path.exists, "was not handed in", id="missing"),
        pytest.param(link, "is a link", id="link"),
        pytest.param(lambda file: file.symlink_to("nowhere"), "is a link", id="broken link"),
        pytest.param(lambda file: file.mkdir(), "is no ordinary file", id="directory"),
        pytest.param(os.mkfifo, "is no ordinary file", id="FIFO"),
        pytest.param(large, "is larger than 32 MB", id="40 MB"),
    ],
)
def test_what_is_no_file_of_the_student_is_refused(make, message, tmp_path):
    """A link, a folder, a pipe or a giant is refused at once, with the file's name."""
    file = tmp_path / "lab.ipynb"
    make(file)
    with pytest.raises(Unreadable, match=rf"lab\.ipynb {message}"):
        read_submission(file)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists descriptors")
def test_no_descriptor_stays_open(tmp_path):
    """Refused files are closed again."""
    folder = tmp_path / "lab.ipynb"
    folder.mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(Unreadable):
            read_submission(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# Anything.

ANYTHING = (None, True, 0, -1.5, 10**30, float("nan"), "", "t1", "check-t1", "id-t1", "\ud800",
            "markdown", "code", [], {}, ["t1", 1], {"nbgrader": {"grade_id": "t1"}})  # fmt: skip


def damaged(document, chance):
    """Return a document with something replaced, removed, doubled or renamed, at every depth."""
    made = copy.deepcopy(document)
    for _ in range(chance.randint(1, 8)):
        place = made
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = chance.choice(list(keys))
            if chance.random() < 0.4 or not isinstance(place[key], dict | list):
                break
            place = place[key]
        else:
            continue
        act = chance.choice(["replace", "remove", "double", "rename"])
        if act == "remove":
            del place[key]
        elif act == "double" and isinstance(place, list):
            place.insert(chance.randint(0, len(place)), copy.deepcopy(place[key]))
        elif act == "rename" and isinstance(place, dict):
            place[chance.choice([*place, "source", "id", "metadata"])] = place.pop(key)
        else:
            place[key] = chance.choice(ANYTHING)
    return made


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_in_the_result_is_sound(seed, handed_in, release):
    """Of many damaged submissions each is rebuilt soundly or refused, and nothing else happens."""
    chance = random.Random(seed)  # noqa: S311 - replayable
    rebuilt = 0
    for _ in range(40):
        document = damaged(handed_in, chance)
        try:
            rebuilt_from(document, release)
        except Unreadable:
            continue
        rebuilt += 1
    assert rebuilt > 10


@pytest.mark.parametrize("seed", range(5))
def test_bytes_that_were_hit_are_rebuilt_or_refused(seed, handed_in, release):
    """A file of which some bytes were overwritten is rebuilt soundly or refused."""
    chance = random.Random(seed)  # noqa: S311 - replayable
    whole = json.dumps(handed_in).encode()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            result = rebuild(bytes(data), release)
        except Unreadable:
            continue
        assert_sound(result.notebook, release)


def test_an_earlier_release_was_not_altered_by_the_student(release, handed_in):
    """Whoever handed in on what he was given then is not named for what was changed since."""
    for one in handed_in["cells"]:
        told = one["metadata"].get("nbgrader")
        if told and told["locked"]:
            whole = nbformat.from_dict({**one, "source": "".join(one["source"])})
            told["checksum"] = compute_checksum(whole)
    by_id = {one.metadata.get("nbgrader", {}).get("grade_id"): one for one in release.cells}
    by_id["setup"].source += "\nimport now"
    by_id["check-t1"].metadata.nbgrader.points = 7
    assert rebuilt_from(handed_in, release).altered == ()
    cell(handed_in, "check-t2")["metadata"]["nbgrader"]["points"] = 100
    assert rebuilt_from(handed_in, release).altered == ("points of check-t2",)


# A notebook that an editor has saved without what names its cells.


def without_names(document):
    """Take metadata and ids away, as an editor does that knows neither."""
    for one in document["cells"]:
        one["metadata"] = {}
        one.pop("id", None)
    return document


def in_format_3(document):
    """Write a notebook as it was written before 2015."""
    for one in without_names(document)["cells"]:
        if one["cell_type"] == "code":
            one["input"] = one.pop("source")
    return {"nbformat": 3, "worksheets": [{"cells": document["cells"]}], "metadata": {}}


@pytest.mark.parametrize("lose", [without_names, in_format_3])
def test_cells_without_names_are_known_by_text_and_order(lose, handed_in, release):
    """The answers come to their tasks; the report says how they were found."""
    result = rebuilt_from(lose(handed_in), release)
    assert code(result.notebook) == SOLVED
    assert result.altered == ("found by its text: t1", "found by its text: t2")


@pytest.mark.parametrize("lab", Course.find(Path(__file__)).labs, ids=lambda lab: lab.short)
def test_the_answers_of_every_lab_are_found(lab):
    """Each lab's own solution, without metadata and ids, is rebuilt as if it had them."""
    root = Course.find(Path(__file__)).root
    released = nbformat.read(root / "labs" / lab.name / f"{lab.name}.ipynb", as_version=4)
    solved = nbformat.read(root / "solutions" / lab.name / f"{lab.name}.ipynb", as_version=4)
    answers = {one.id: one.source for one in solved.cells}
    for one in released.cells:
        if one.metadata.get("nbgrader", {}).get("solution"):
            one.source = answers[one.id]
    honest = json.loads(nbformat.writes(released))
    whole = rebuild(json.dumps(honest).encode(), released)
    lost = rebuild(json.dumps(without_names(honest)).encode(), released)
    assert code(lost.notebook) == code(whole.notebook)
    assert lost_answers(lost.altered, released) == ""


def test_a_cell_is_known_by_the_lines_of_its_stub(release, handed_in):
    """Where several cells could be the answer, the one with the stub's lines is."""
    cell(handed_in, "t1")["source"] = "def double(number):\n    return 2 * number"
    next(
        one for one in release.cells if one.id == "id-t1"
    ).source = "def double(number):\n    # Write your answer here.\n    pass"
    place = handed_in["cells"].index(cell(handed_in, "t1"))
    handed_in["cells"].insert(place, added("import math"))
    handed_in["cells"].insert(place + 2, added("double(3)"))
    result = rebuilt_from(without_names(handed_in), release)
    told = {one.id: one.source for one in result.notebook.cells}
    assert told["id-t1"] == "def double(number):\n    return 2 * number"
    assert code(result.notebook)[1:4] == ["import math", told["id-t1"], "double(3)"]


def test_a_task_without_a_cell_is_for_a_person(release, handed_in):
    """Nothing is guessed: the reason names the task."""
    remove("id-t1")(handed_in)
    result = rebuilt_from(handed_in, release)
    assert "the cell of t1" in lost_answers(result.altered, release)
    assert lost_answers((), release) == ""
