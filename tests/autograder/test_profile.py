"""The student's own profile: read from what the checks have kept beside the notebooks."""

import json
import shutil
from pathlib import Path

import pytest

from autograder.authoring.skills import dimensions
from autograder.checks import last_said
from autograder.checks.records import CheckResult, Outcome, TestRecord
from autograder.profile.output import ProfileOutput, profile_table, profile_text
from autograder.profile.reading import DIMENSIONS, read_profile

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*")


@pytest.fixture
def course(tmp_path):
    """A folder with all that the repository gives somebody who learns alone."""
    for name in ("notebooks", "labs", "content"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=LEFT_OUT)
    return tmp_path


def say(course, lab, task, **tests):
    """Let a check say that tests of skills have passed or failed: `d1_jobs=(2, 3)` of 3 points."""
    records = []
    for name, (points, worth) in tests.items():
        for outcome, share in ((Outcome.PASSED, points), (Outcome.FAILED, worth - points)):
            if share:
                skill = name.replace("_", ".")
                one = {"id": f"{task}.{name}", "meaning": "", "outcome": outcome, "points": 0}
                records.append(TestRecord(**one, max_points=share, skill=skill))
    result = CheckResult(lab=lab, task=task, max_points=4, points=0, tests=tuple(records))
    last_said.note(result, next((course / "labs").glob(f"{lab}-*")))


def dimension(profile, key):
    """Return one dimension."""
    return next(one for one in profile.dimensions if one.key == key)


def test_the_names_are_those_of_the_list_of_skills():
    """A class's copy of the course has no list; the four names are the same there."""
    told = dimensions(ROOT / "content" / "skills.toml")
    assert {key: one.name for key, one in told.items()} == DIMENSIONS


def test_without_a_check_everything_is_unknown(course):
    """No dimension has points, and each lab is named."""
    profile = read_profile(course)
    assert not any(one.skills for one in profile.dimensions)
    labs = sorted(folder.name[:5] for folder in (course / "labs").iterdir())
    assert (profile.checked, list(profile.unchecked)) == ((), labs)
    text = profile_text(profile)
    assert "nothing is known yet" in text
    assert text.count("unknown, nothing was checked") == 4
    assert f"no check was run: {', '.join(labs)}." in text


def test_points_are_added_up_by_dimension(course):
    """Points earned of points tried, over all labs and tasks."""
    say(course, "lab11", "t1", d1_jobs=(1, 3), d2_errors=(0.5, 0.5))
    say(course, "lab11", "t2", d1_jobs=(2, 2))
    say(course, "lab12", "t3", d1_limits=(3, 3))
    profile = read_profile(course)
    one, two, three, _ = profile.dimensions
    assert (one.points, one.worth) == (6, 8)
    assert (two.points, two.worth, two.weakest) == (0.5, 0.5, None)
    assert three.skills == ()
    text = profile_text(profile)
    assert "D1 Async mastery and performance: 6 of 8 points that you tried" in text
    assert "D3 Pydantic and data modelling: unknown, nothing was checked" in text
    assert "from your checks of 2 labs" in text


def test_the_weakest_skill_comes_with_what_to_read_again(course):
    """It is the one with the least share, and the sections are those of the task that lost most."""
    say(course, "lab11", "t1", d1_jobs=(2.5, 3))
    say(course, "lab12", "t3", d1_limits=(1, 2))
    say(course, "lab05", "t1", d1_limits=(1, 1.5))
    profile = read_profile(course)
    weakest = dimension(profile, "d1").weakest
    assert (weakest.name, weakest.points, weakest.worth) == ("d1.limits", 2, 3.5)
    assert (
        weakest.sentence == "Bounds how many calls are open at once, and how fast clients may ask."
    )
    assert (weakest.worst.lab, weakest.worst.task) == ("lab12", "t3")
    assert profile.read_again(weakest)
    assert all(place.startswith("lesson 12, ") for place in profile.read_again(weakest))
    text = profile_text(profile)
    assert f"Weakest skill: d1.limits, 2 of 3.5 points. {weakest.sentence}" in text
    assert "Read again: lesson 12, Rate limits: windows, logs and buckets" in text


def test_every_section_of_every_lab_has_its_title(course):
    """What is to be read again is named as the lesson's heading names it."""
    for folder in (course / "labs").iterdir():
        say(course, folder.name[:5], "t1", d1_jobs=(0, 1))
    profile = read_profile(course)
    assert {lab for lab, _ in profile.sections} == set(profile.checked)
    for places in profile.sections.values():
        assert all(" " in place.partition(", ")[2] for place in places), places


def test_what_was_not_checked_is_named(course):
    """Labs, tasks and skills that nothing is known of."""
    say(course, "lab11", "t1", d1_jobs=(3, 3))
    say(course, "lab11", "t3", d1_jobs=(3, 3))
    profile = read_profile(course)
    assert profile.open_tasks == (
        ("lab11", "t2"),
        ("lab11", "t4"),
        ("lab11", "t5"),
        ("lab11", "t6"),
    )
    assert "lab12" in profile.unchecked
    assert "d1.limits" in dimension(profile, "d1").untried
    assert "d1.jobs" not in dimension(profile, "d1").untried
    text = profile_text(profile)
    assert "these tasks were not checked: lab11 Task 2, Task 4, Task 5, Task 6." in text
    assert "no test of these was checked: d1.blocking, " in text
    assert "No point is lost." in text


def test_a_check_that_said_something_else_later_counts_anew(course):
    """The last word stands."""
    say(course, "lab11", "t1", d1_jobs=(0, 3))
    say(course, "lab11", "t1", d1_jobs=(3, 3))
    assert dimension(read_profile(course), "d1").points == 3


def test_what_an_older_version_has_kept_is_unknown(course):
    """It has no points by skill: the check has to run again."""
    say(course, "lab11", "t1", d1_jobs=(3, 3))
    file = last_said.file_of("lab11", next((course / "labs").glob("lab11-*")))
    kept = json.loads(file.read_text(encoding="utf-8"))
    kept["t2"] = {"passing": 1, "tests": 1, "points": 3, "max_points": 3}
    file.write_text(json.dumps(kept), encoding="utf-8")
    profile = read_profile(course)
    assert profile.outdated == (("lab11", "t2"),)
    assert "run their checks again: lab11 Task 2." in profile_text(profile)


def test_it_is_found_from_every_place(course):
    """From the course's folder, from the lessons' and from a lab's."""
    say(course, "lab11", "t1", d1_jobs=(1, 3))
    folder = next((course / "labs").glob("lab11-*"))
    for start in (course, course / "notebooks", course / "labs", folder):
        assert dimension(read_profile(start), "d1").points == 1


def test_without_the_sources_the_lesson_is_named(course):
    """A class has neither the list of skills nor the labs' sources."""
    shutil.rmtree(course / "content")
    say(course, "lab11", "t1", d1_jobs=(1, 3))
    profile = read_profile(course)
    weakest = dimension(profile, "d1").weakest
    assert (weakest.sentence, profile.read_again(weakest)) == ("", ("lesson 11",))
    assert "Read again: lesson 11." in profile_text(profile)


def test_where_no_lab_is_nothing_is_known(tmp_path):
    """Everywhere else the profile is empty."""
    profile = read_profile(tmp_path)
    assert (profile.checked, profile.unchecked) == ((), ())
    assert "unknown" in profile_text(profile)


def test_a_notebook_shows_the_same_as_a_table(course):
    """Text and table have the same figures, and nothing of a file is taken for markup."""
    say(course, "lab11", "t1", d1_jobs=(1, 3), **{"d1_<b>": (1, 1)})
    profile = read_profile(course)
    output = ProfileOutput(profile)
    shown = output._repr_mimebundle_()
    assert shown["text/plain"] == repr(output) == profile_text(profile)
    assert shown["text/html"] == profile_table(profile)
    assert "2 of 4 points that you tried" in shown["text/html"]
    assert "50%" in shown["text/html"]
    assert "<b>:" not in shown["text/html"].partition("</header>")[2]
    assert "d1.&lt;b&gt;" in shown["text/html"]
