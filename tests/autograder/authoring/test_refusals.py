"""Wrong source is refused: where, what, and what to do about it."""

from pathlib import Path

import pytest

LAB = "content/labs/01-greetings/lab.md"
LESSON = "content/lessons/01-path-operations.md"

FIRST_CHECK = '```python check="t1" points=3 skill="d2.routes" taught="01#status-codes"'
SECOND_CHECK = (
    '```python check="t2" points=1.5 skill="d2.errors" taught="01#path-operations" needs="t1"'
)
SECOND_TASK = '```python task="t2"'
HIDDEN_TEST = "async def test_greets_anyone(call):"

# What is replaced by what; the line that is named (as it stands then) and what is said of it.
LAB_FAULTS = {
    "two tasks with one name": (
        SECOND_TASK,
        '```python task="t1"',
        2,
        '```python task="t1"',
        "two tasks are called t1. Give each task a name of its own.",
    ),
    "two checks with one name": (
        SECOND_CHECK,
        SECOND_CHECK.replace('check="t2"', 'check="t1"'),
        1,
        SECOND_CHECK.replace('check="t2"', 'check="t1"'),
        "two checks are called t1. Give each check a name of its own.",
    ),
    "a check without points": (
        " points=3",
        "",
        1,
        FIRST_CHECK.replace(" points=3", ""),
        'the check of t1 has no "points". Say what it is worth, for example points=3.',
    ),
    "points that are nothing": (
        "points=3",
        "points=0",
        1,
        FIRST_CHECK.replace("points=3", "points=0"),
        "points is not a positive number. Write for example: points=3.",
    ),
    "points that are no number": (
        "points=3",
        "points=true",
        1,
        FIRST_CHECK.replace("points=3", "points=true"),
        "points is not a positive number. Write for example: points=3.",
    ),
    "a check of no task": (
        SECOND_TASK,
        "```python",
        1,
        SECOND_CHECK,
        "there is no task t2 to check. The tasks are: t1.",
    ),
    "a task without a check": (
        SECOND_CHECK,
        "```py",
        1,
        SECOND_TASK,
        (
            'task t2 has no check. Add a ```python check="t2" cell below it, '
            "or take the word task away."
        ),
    ),
    "an unknown skill": (
        'skill="d2.routes"',
        'skill="d2.root"',
        1,
        FIRST_CHECK.replace("d2.routes", "d2.root"),
        (
            'there is no skill "d2.root". '
            "Use one of content/skills.toml, or add it there with its meaning."
        ),
    ),
    "an unknown skill of a test": (
        "@weight(3)",
        '@weight(3)\n@skill("d9.x")',
        1,
        "async def test_greets(call):",
        (
            'there is no skill "d9.x". '
            "Use one of content/skills.toml, or add it there with its meaning."
        ),
    ),
    "a check without a skill": (
        ' skill="d2.routes"',
        "",
        1,
        FIRST_CHECK.replace(' skill="d2.routes"', ""),
        (
            'the check of t1 has no "skill". '
            'Name one of content/skills.toml, for example skill="d2.routes".'
        ),
    ),
    "a check of something never taught": (
        ' taught="01#status-codes"',
        "",
        1,
        FIRST_CHECK.replace(' taught="01#status-codes"', ""),
        (
            'the check of t1 has no "taught". '
            'Name the section that teaches it, for example taught="01#status-codes".'
        ),
    ),
    "taught in no lesson": (
        "01#status-codes",
        "00#status-codes",
        1,
        FIRST_CHECK.replace("01#", "00#"),
        "there is no lesson 00. Name a section of lessons 00 to 01.",
    ),
    "taught in no section": (
        "01#status-codes",
        "01#codes",
        1,
        FIRST_CHECK.replace("#status-codes", "#codes"),
        "lesson 01 has no section #codes. Its sections are: path-operations, status-codes.",
    ),
    "taught too late": (
        "01#status-codes",
        "02#later",
        1,
        FIRST_CHECK.replace("01#status-codes", "02#later"),
        (
            "lesson 02 comes later than this lab. "
            "Name a section of lessons 00 to 01, or move the concept."
        ),
    ),
    "taught misspelt": (
        "01#status-codes",
        "status-codes",
        1,
        FIRST_CHECK.replace("01#", ""),
        (
            'taught names "status-codes", which is not a lesson and a section. '
            'Write it like taught="01#status-codes"; several stand with a space between.'
        ),
    ),
    "a second section that is not there": (
        "01#status-codes",
        "01#status-codes 01#x",
        1,
        FIRST_CHECK.replace("codes", "codes 01#x"),
        "lesson 01 has no section #x. Its sections are: path-operations, status-codes.",
    ),
    "hidden tests in a task": (
        '    """Say goodbye."""',
        "    ### BEGIN HIDDEN TESTS",
        1,
        "    ### BEGIN HIDDEN TESTS",
        '"### BEGIN HIDDEN TESTS" stands outside a check cell. Move it into a check cell.',
    ),
    "an answer in a plain cell": (
        'greet("Ada")',
        "### BEGIN SOLUTION",
        1,
        "### BEGIN SOLUTION",
        '"### BEGIN SOLUTION" stands outside a task cell. Move it into a task cell.',
    ),
    "an answer in prose": (
        "A story.",
        "### END SOLUTION",
        1,
        "### END SOLUTION",
        '"### END SOLUTION" stands outside a task cell. Move it into a task cell.',
    ),
    "a misspelt marker": (
        "### BEGIN HIDDEN TESTS",
        "# BEGIN HIDDEN TESTS (secret)",
        1,
        "# BEGIN HIDDEN TESTS (secret)",
        (
            'nbgrader would take this line for "### BEGIN HIDDEN TESTS". '
            'Write exactly "### BEGIN HIDDEN TESTS" on a line of its own, or other words.'
        ),
    ),
    "a word of nbgrader's": (
        "A story.",
        "An AUTOTEST story.",
        1,
        "An AUTOTEST story.",
        'nbgrader gives "AUTOTEST" a meaning of its own. Use other words.',
    ),
    "a region without an end": (
        "### END HIDDEN TESTS",
        "",
        1,
        "### BEGIN HIDDEN TESTS",
        '"### BEGIN HIDDEN TESTS" has no end. End it with "### END HIDDEN TESTS".',
    ),
    "an end without a region": (
        "### BEGIN HIDDEN TESTS",
        "",
        1,
        "### END HIDDEN TESTS",
        '"### END HIDDEN TESTS" ends nothing. Begin the region above it, or remove the line.',
    ),
    "a region in a region": (
        HIDDEN_TEST,
        "### BEGIN HIDDEN TESTS\n" + HIDDEN_TEST,
        2,
        "### BEGIN HIDDEN TESTS",
        (
            '"### BEGIN HIDDEN TESTS" stands inside a region that began on line 41. '
            'End that one first, with "### END HIDDEN TESTS".'
        ),
    ),
    "a task without an answer": (
        '    ### BEGIN SOLUTION\n    return f"Goodbye {name}"\n    ### END SOLUTION\n',
        "",
        1,
        SECOND_TASK,
        (
            "task t2 has no answer. "
            'Put the answer between "### BEGIN SOLUTION" and "### END SOLUTION".'
        ),
    ),
    "an empty answer": (
        '    return f"Goodbye {name}"\n',
        "    # nothing\n",
        2,
        "    ### BEGIN SOLUTION",
        "the answer of task t2 is empty. Write the code that a student is to write.",
    ),
    "a value returned above the answer": (
        '    """Say goodbye."""\n',
        '    """Say goodbye."""\n    if name == "Ada":\n        return "Goodbye Ada"\n',
        1,
        '        return "Goodbye Ada"',
        (
            "leave returns a value outside its answer. "
            'Move the return between "### BEGIN SOLUTION" and "### END SOLUTION".'
        ),
    ),
    "text behind the answer": (
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n',
        (
            '    return f"Goodbye {name}"\n    ### END SOLUTION\n\n\n'
            "### BEGIN SOLUTION\nwave = 1\n### END SOLUTION\n\nfarewell = leave\n"
        ),
        1,
        "farewell = leave",
        (
            "text stands behind the answer of task t2. "
            "Move it above the answer, or into a cell of its own."
        ),
    ),
    "an answer that is replaced further down": (
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n',
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n\n\nleave = "Goodbye {}".format\n',
        1,
        'leave = "Goodbye {}".format',
        ("leave is defined again behind its answer. Leave one definition, with the answer in it."),
    ),
    "a function that goes on behind its answer": (
        '    return f"Goodbye {name}"\n    ### END SOLUTION\n',
        (
            "    word = 1\n    ### END SOLUTION\n    print(name)\n\n\n"
            "def wave():\n    ### BEGIN SOLUTION\n    print(1)\n    ### END SOLUTION\n"
        ),
        1,
        "    print(name)",
        "leave goes on behind its answer. Move that above the answer or into it.",
    ),
    "given text that is no Python by itself": (
        '    ### BEGIN SOLUTION\n    return f"Goodbye {name}"\n',
        (
            '    ### BEGIN SOLUTION\n    try:\n        return f"Goodbye {name}"\n'
            "    ### END SOLUTION\n    finally:\n        ### BEGIN SOLUTION\n        print(1)\n"
        ),
        1,
        "    finally:",
        (
            "without its answer this is not Python: invalid syntax. "
            "Let the region hold whole statements."
        ),
    ),
    "hidden tests above visible ones": (
        "### END HIDDEN TESTS",
        "### END HIDDEN TESTS\nasync def test_late(call):\n    '''It is late.'''",
        1,
        "### BEGIN HIDDEN TESTS",
        "hidden tests stand before visible ones. Put the hidden region at the end of the cell.",
    ),
    "text behind hidden tests": (
        "### END HIDDEN TESTS",
        "### END HIDDEN TESTS\nlate = 1",
        1,
        "### END HIDDEN TESTS",
        "text stands behind the hidden tests. Put one hidden region at the end of the cell.",
    ),
    "no visible test": (
        "async def test_says_goodbye(call):",
        "async def says_goodbye(call):",
        1,
        SECOND_CHECK,
        (
            "the check of t2 has no visible test. Write at least one test above "
            '"### BEGIN HIDDEN TESTS".'
        ),
    ),
    "a test without docstring": (
        '    """It greets anyone."""\n',
        "",
        1,
        HIDDEN_TEST,
        (
            "test_greets_anyone has no docstring. "
            "Say in one sentence what it shows: it is the line that the student reads."
        ),
    ),
    "a name that nobody defines": (
        '== "Hello Zoe"',
        '== "Hello Zoe" + sys.platform',
        1,
        '    assert await call("greet", "Zoe") == "Hello Zoe" + sys.platform',
        (
            "`sys` is not defined in this check. "
            "Import or define it in the visible part: checks share nothing, and see no cell."
        ),
    ),
    "a name that is defined where students have it not": (
        '== "Hello Ada"\n\n\n### BEGIN HIDDEN TESTS\n',
        '== HELLO\n\n\n### BEGIN HIDDEN TESTS\nHELLO = "Hello Ada"\n\n\n',
        1,
        '    assert await call("greet", "Ada") == HELLO',
        (
            "`HELLO` is not defined above its hidden tests. "
            "Import or define it in the visible part: checks share nothing, and see no cell."
        ),
    ),
    "two tests with one name": (
        "async def test_greets_anyone(call):",
        "async def test_greets(call):",
        2,
        "async def test_greets(call):",
        (
            "two tests of t1 are called test_greets. "
            "Give each test a name of its own: the second one would replace the first."
        ),
    ),
    "a class of tests": (
        "### BEGIN HIDDEN TESTS",
        "class TestMore:\n    pass\n\n\n### BEGIN HIDDEN TESTS",
        1,
        "class TestMore:",
        "TestMore is a class of tests. Write each test as a function.",
    ),
    "a hidden probe": (
        HIDDEN_TEST,
        "@probe\n" + HIDDEN_TEST,
        1,
        HIDDEN_TEST,
        (
            "test_greets_anyone is a probe and hidden. "
            "Nothing may depend on a hidden test: make it visible, or no probe."
        ),
    ),
    "a weight of nothing": (
        "@weight(3)",
        "@weight(0)",
        1,
        "async def test_greets(call):",
        "the weight of test_greets is not a positive number. Write @weight(2).",
    ),
    "a syntax error in a task": (
        "def leave(name: str) -> str:",
        "def leave(name: str) -> str",
        1,
        "def leave(name: str) -> str",
        "this is not Python: expected ':'. Mend it, or write it as ```py if it is only to be read.",
    ),
    "a syntax error in a check": (
        "async def test_says_goodbye(call):",
        "async deff test_says_goodbye(call):",
        1,
        "async deff test_says_goodbye(call):",
        "this is not Python: invalid syntax. A check holds plain Python, without magics.",
    ),
    "a magic in a check": (
        "from autograder.checks import probe, skill, weight",
        "%matplotlib inline",
        1,
        "%matplotlib inline",
        "this is not Python: invalid syntax. A check holds plain Python, without magics.",
    ),
    "an unknown word": (
        SECOND_TASK,
        SECOND_TASK + " hard",
        1,
        SECOND_TASK + " hard",
        (
            '"hard" is not a word for a fence here. The words are: '
            "check, fold, needs, optional, points, raises, setup, skill, task, taught."
        ),
    ),
    "a word on the wrong cell": (
        SECOND_TASK,
        SECOND_TASK + " points=2",
        1,
        SECOND_TASK + " points=2",
        '"points" has no meaning on a task cell. There the words are: task.',
    ),
    "points on a cell of no kind": (
        "```python\ngreet",
        "```python points=2\ngreet",
        1,
        "```python points=2",
        (
            '"points" has no meaning on a cell without task or check. '
            "There the words are: raises, optional, fold."
        ),
    ),
    "a fence that cannot be read": (
        SECOND_TASK,
        SECOND_TASK + " x=y=",
        1,
        SECOND_TASK + " x=y=",
        (
            'the fence cannot be read: task="t2" x=y=. '
            'Write words as name="value", points=3 or optional, with a space between them.'
        ),
    ),
    "a task with a name that no id can be": (
        '"t2"',
        '"Task-2"',
        1,
        '```python task="Task-2"',
        (
            '"Task-2" cannot be the name of a task. '
            "Use a small letter, then small letters, digits and underscores, such as t1."
        ),
    ),
    "a flag with a value": (
        "```python setup",
        '```python setup="yes"',
        1,
        '```python setup="yes"',
        '"setup" takes no value. Write: setup.',
    ),
    "a forerunner that comes later": (
        SECOND_CHECK,
        SECOND_CHECK.replace('needs="t1"', 'needs="t3"'),
        1,
        SECOND_CHECK.replace('needs="t1"', 'needs="t3"'),
        "the check needs t3, which is not checked above it. Name one of: t1.",
    ),
    "a forerunner without a probe": (
        "@probe\n",
        "",
        1,
        SECOND_CHECK,
        (
            "the check needs t1, whose check has no visible probe. "
            "Mark the visible test there that shows the task has been begun: @probe."
        ),
    ),
    "no setup cell": (
        "```python setup",
        "```python",
        1,
        "```python",
        "the lab has no setup cell. Begin with a ```python setup cell that loads the checks.",
    ),
    "a setup cell that is not first": (
        "A story.",
        "```python\nearly = 1\n```",
        1,
        "```python setup",
        "the setup cell is not the first code cell. Move it above every other one.",
    ),
    "two setup cells": (
        "```python\ngreet",
        "```python setup\ngreet",
        2,
        "```python setup",
        "the lab has a second setup cell. Put everything into the first one.",
    ),
    "too much that is hidden": (
        HIDDEN_TEST,
        "@weight(9)\n" + HIDDEN_TEST,
        1,
        "---",
        (
            "only 50% of the points are visible. "
            "Show tests worth at least 70%, or weigh the hidden ones less."
        ),
    ),
    "no title": (
        "# Lab 01: greetings",
        "Lab 01: greetings",
        1,
        "Lab 01: greetings",
        (
            "the text does not begin with a title. Begin it, below the front matter, "
            'with a heading: "# Title".'
        ),
    ),
    "front matter without a field": (
        "minutes: 60\n",
        "",
        1,
        "---",
        (
            'front matter "minutes": Field required. '
            "It holds exactly: title, minutes, lesson, entry, perhaps grants."
        ),
    ),
    "front matter with an unknown field": (
        "minutes: 60\n",
        "minutes: 60\npoints: 3\n",
        1,
        "points: 3",
        (
            'front matter "points": Extra inputs are not permitted. '
            "It holds exactly: title, minutes, lesson, entry, perhaps grants."
        ),
    ),
    "front matter with a wrong value": (
        "entry: app",
        "entry: application",
        1,
        "entry: application",
        (
            "front matter \"entry\": Input should be 'app' or 'create_app'. "
            "It holds exactly: title, minutes, lesson, entry, perhaps grants."
        ),
    ),
    "front matter with a wrong grant": (
        "entry: app",
        "entry: app\ngrants:\n  processes: many",
        1,
        "grants:",
        (
            'front matter "grants.processes": Input should be a valid integer, unable to parse '
            "string as an integer. "
            "It holds exactly: title, minutes, lesson, entry, perhaps grants."
        ),
    ),
    "front matter that is no YAML": (
        "title: Greetings",
        "title: Greetings: all",
        1,
        "title: Greetings: all",
        (
            "the front matter is not YAML. Begin the file with front matter between two lines "
            "of ---: title, minutes, lesson, entry, perhaps grants."
        ),
    ),
    "a lesson that does not exist": (
        "lesson: 1\n",
        "lesson: 7\n",
        1,
        "lesson: 7",
        "there is no lesson 07. Name the lesson that this lab follows, by its number.",
    ),
}

LESSON_FAULTS = {
    "no front matter": (
        "---\ntitle: Path operations\nminutes: 45\nlevel: beginner\nlab: lab01-greetings\n---\n",
        "",
        1,
        "",
        (
            "the front matter is missing. Begin the file with front matter between two lines "
            "of ---: title, minutes, level, perhaps sittings, lab."
        ),
    ),
    "an unknown lab": (
        "lab: lab01-greetings",
        "lab: lab01",
        1,
        "lab: lab01",
        (
            'there is no lab "lab01". '
            "Write the lab's full name, such as lab03-pydantic, or leave it empty."
        ),
    ),
    "a word that belongs to labs": (
        "```python",
        '```python check="t1" points=3',
        1,
        '```python check="t1" points=3',
        (
            '"points" is not a word for a fence here. '
            "The words are: check, fold, optional, raises, task."
        ),
    ),
    "an answer's marker": (
        "answer = 42",
        "### BEGIN SOLUTION",
        1,
        "### BEGIN SOLUTION",
        '"### BEGIN SOLUTION" stands outside a task cell. Move it into a task cell.',
    ),
    "a syntax error": (
        "answer = 42",
        "%time x = 1\nanswer = = 42",
        1,
        "answer = = 42",
        (
            "this is not Python: invalid syntax. "
            "Mend it, or write it as ```py if it is only to be read."
        ),
    ),
    "a syntax error in a file that is written": (
        "answer = 42",
        "%%writefile app.py\nanswer = = 42",
        1,
        "answer = = 42",
        (
            "this is not Python: invalid syntax. "
            "Mend it, or write it as ```py if it is only to be read."
        ),
    ),
    "a return outside a function": (
        "answer = 42",
        "return 42",
        1,
        "return 42",
        (
            "this is not Python: 'return' outside function. "
            "Mend it, or write it as ```py if it is only to be read."
        ),
    ),
    "an error's name that is none": (
        "```python",
        '```python raises="an error"',
        1,
        '```python raises="an error"',
        '"an error" is not the name of an error. Write raises="ValueError".',
    ),
    "a picture that is not there": (
        "route.svg",
        "rout.svg",
        1,
        "![A route](figures/rout.svg)",
        "there is no picture figures/rout.svg. Put the file there, or mend the name.",
    ),
    "tildes": (
        "One promise.",
        "~~~python\nx = 1\n~~~",
        1,
        "~~~python",
        "a fence is made of tildes. Use backticks: ```.",
    ),
    "a cell inside details": (
        "One promise.",
        "<details><summary>Hint</summary>\n\n```python\nx = 1\n```\n\n</details>",
        1,
        "<details><summary>Hint</summary>",
        (
            "this <details> is not closed in the Markdown cell in which it opens. "
            "Inside it write code as ```py, and leave no heading or two blank lines."
        ),
    ),
    "a fence that Markdown takes for HTML": (
        "One promise.",
        "<div>\n```bash\nls\n```\n</div>",
        1,
        "ls",
        (
            "Jupytext and Markdown disagree on which cell stands here. "
            "Put a blank line above and below its fence, and see that every fence is closed."
        ),
    ),
}


def refusals() -> list:
    rows = [(LAB, name, row) for name, row in LAB_FAULTS.items()]
    rows += [(LESSON, name, row) for name, row in LESSON_FAULTS.items()]
    return [pytest.param(file, row, id=f"{Path(file).name}: {name}") for file, name, row in rows]


@pytest.mark.parametrize(("file", "row"), refusals())
def test_a_fault_is_named_with_its_line_and_what_to_do(course, capsys, file, row):
    """A fault in a source is refused with file, line, what is wrong and what to do."""
    old, new, occurrence, line, message = row
    path = course.root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    lines = text.split("\n")
    places = [number for number, one in enumerate(lines, start=1) if one == line]

    assert course.build() == 1

    said = capsys.readouterr().err.splitlines()
    expected = f"{file}:{places[occurrence - 1]}: {message}"
    assert [one for one in said if one.startswith(expected)], said
    assert not course.generated()


def test_every_fault_is_listed_at_once(course, capsys):
    """Faults in several files are all named, ordered by file and line."""
    lab = course.lab.read_text(encoding="utf-8")
    course.lab.write_text(
        lab.replace("points=3", "points=0").replace("entry: app", "entry: x"), encoding="utf-8"
    )
    course.lesson.write_text("no front matter\n", encoding="utf-8")

    assert course.build() == 1

    places = [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()]
    assert places == [
        f"{LAB}:5",
        f"{LAB}:30",
        f"{LAB}:30",
        f"{LAB}:58",
        f"{LESSON}:1",
        f"{LESSON}:1",
    ]


@pytest.mark.parametrize(
    ("made", "named", "message"),
    [
        pytest.param(
            "content/lessons/01-again.md",
            "content/lessons/01-path-operations.md",
            "two lessons have the number 01. Renumber this one or content/lessons/01-again.md.",
            id="two lessons with one number",
        ),
        pytest.param(
            "content/labs/01-zoo/lab.md",
            "content/labs/01-zoo/lab.md",
            "two labs have the number 01. Renumber this one or content/labs/01-greetings/lab.md.",
            id="two labs with one number",
        ),
        pytest.param(
            "content/lessons/Notes.md",
            "content/lessons/Notes.md",
            '"Notes" is not a name for a lesson or a lab. '
            "Write two digits and small letters, such as 03-pydantic.",
            id="a lesson without a number",
        ),
        pytest.param(
            "content/labs/02-more/data.csv",
            "content/labs/02-more",
            "the folder has no lab.md. Write it, or move the folder.",
            id="a folder without a lab",
        ),
        pytest.param(
            "content/labs/01-greetings/try.ipynb",
            "content/labs/01-greetings/try.ipynb",
            "nbgrader would take this notebook for a part of the lab. "
            "Move it away: a lab is one notebook, built from lab.md.",
            id="a notebook beside a lab",
        ),
    ],
)
def test_a_file_in_the_wrong_place_is_refused(course, capsys, made, named, message):
    """A file whose name or place would spoil the course is named with what to do."""
    path = course.root / made
    path.parent.mkdir(parents=True, exist_ok=True)
    source = course.lab if path.name == "lab.md" else course.lesson
    path.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")

    assert course.build() == 1
    assert f"{named}:1: {message}" in capsys.readouterr().err.splitlines()
    assert not course.generated()


def test_a_broken_list_of_skills_is_refused(course, capsys):
    """skills.toml that cannot be read says what it should hold."""
    (course.root / "content/skills.toml").write_text("[d1]\nskills = 3\n", encoding="utf-8")

    assert course.build() == 1
    said = capsys.readouterr().err
    assert said.startswith("skills.toml cannot be read: ")
    assert "[d1] with a name and [d1.skills]" in said


def test_a_folder_outside_a_course_is_wrong_use(tmp_path, capsys):
    """Outside a course the command ends with 2 and says where to go."""
    from autograder.authoring import command  # noqa: PLC0415 - only here

    assert command.run(tmp_path, check=False) == 2
    assert "Go into the course's folder and try again." in capsys.readouterr().err
