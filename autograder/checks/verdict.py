"""From what was seen while tests ran to the records that travel."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import httpx2
import pytest

from autograder.checks.cell import CheckCell
from autograder.checks.conversation import Client, Turn
from autograder.checks.difference import SOME_VALUE, Comparison, difference, sentence
from autograder.checks.nearest import no_route
from autograder.checks.records import CheckResult, Difference, Outcome, TestRecord
from autograder.checks.scoring import mark, shares
from autograder.checks.subject import CAUGHT, NoAnswer, NotServed, NotThere, Returned
from autograder.checks.transcript import cut, readable, transcript

MAX_PARAMETER = 40
"""Characters of a parameter that are shown."""
MAX_MESSAGE = 700
"""Characters of a message that are shown."""
MAX_ERROR = 160
"""Characters of an error that a sentence quotes."""
BROKEN = 500
"""From here on, a status says that the app itself failed."""
_NO_ROUTE = {404: b'{"detail":"Not Found"}', 405: b'{"detail":"Method Not Allowed"}'}
"""What FastAPI answers by itself when no route has the path, or none of them the method."""


@dataclass(frozen=True)
class CheckTest:
    """What a test says about itself."""

    id: str
    meaning: str
    weight: float
    hints: tuple[str, ...]
    skill: str
    hidden: bool
    probe: bool


@dataclass
class Observed:
    """What was seen while one test ran."""

    comparison: Comparison | None = None
    failure: pytest.ExceptionInfo[BaseException] | None = None
    clients: list[Client] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)
    returned: list[tuple[str, Returned]] = field(default_factory=list)
    routes: list[str] | None = None
    refused_good: bool = False
    """Whether a test of the student's own failed on the good app."""

    def note_refused_good(self) -> None:
        """Note that a test of the student's own failed on the good app."""
        self.refused_good = True

    def note_returned(self, name: str, returned: Returned) -> None:
        """Note what a function of the submission gave back."""
        self.returned.append((name, returned))

    @property
    def main(self) -> Turn | None:
        """The request that the failure is about: the last one, unless another fits better.

        Requests that were sent while another one waited come after it.
        """
        turns = self.turns[::-1]
        error = self.failure.value if self.failure else None
        if isinstance(error, NoAnswer):
            fits = [turn for turn in turns if turn.response is None]
        else:
            status = self.comparison.left if self.comparison else None
            fits = [turn for turn in turns if turn.response and turn.response.status_code == status]
            if not fits and self.raised:
                fits = [
                    turn for turn in turns if turn.response and turn.response.status_code >= BROKEN
                ]
        return next(iter(fits or turns), None)

    @property
    def turns(self) -> list[Turn]:
        """Everything that was said, over all clients of the test."""
        return [turn for client in self.clients for turn in client.turns]


@dataclass(frozen=True)
class Verdict:
    """How one test ended."""

    test: CheckTest
    outcome: Outcome
    message: str = ""
    difference: Difference | None = None
    turns: tuple[Turn, ...] = ()
    main: Turn | None = None
    raised: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Findings:
    """What came of a cell's tests, before it is made into records.

    Attributes:
        verdicts: One for each test.
        printed: What the submission wrote to its streams while visible tests ran.
        problem: Why no test could run at all, if so.
        pending: Whether hidden tests are still to be run.
        stood_still: Whether a wait of one of the tests was in vain.
        kept_waiting: Whether one of these waits may have been in vain because the machine was busy.
        out_of_time: Whether the time for the cell was over before its end.
    """

    verdicts: tuple[Verdict, ...] = ()
    printed: str = ""
    problem: str = ""
    pending: bool = False
    stood_still: bool = False
    kept_waiting: bool = False
    out_of_time: bool = False


def describe(item: pytest.Function, cell: CheckCell) -> CheckTest:
    """Read a collected test's own words: its docstring and marks."""
    name = getattr(item, "originalname", None) or item.name
    hidden = item.function.__code__.co_firstlineno in cell.hidden_lines
    return CheckTest(
        id=f"{cell.task}.{name if hidden else item.name}",
        meaning=_meaning(item, name, hidden=hidden),
        weight=float(_argument(item, "weight", 1)),
        hints=tuple(str(text) for text in _arguments(item, "hint")),
        skill=str(_argument(item, "skill", cell.skill)),
        hidden=hidden,
        probe=item.get_closest_marker("probe") is not None,
    )


def _meaning(item: pytest.Function, name: str, *, hidden: bool) -> str:
    """Return the docstring; a visible case of a parametrized test adds its parameters."""
    sentence = " ".join((item.function.__doc__ or name).split())
    callspec = getattr(item, "callspec", None)
    if callspec is None or hidden:
        return sentence
    values = (f"{key} = {_short(value)}" for key, value in callspec.params.items())
    return f"{sentence} Here: `{', '.join(values)}`"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_PARAMETER else f"{text[:MAX_PARAMETER]}…"


def _arguments(item: pytest.Function, mark_name: str) -> tuple[Any, ...]:
    found = item.get_closest_marker(mark_name)
    return tuple(found.args) if found else ()


def _argument(item: pytest.Function, mark_name: str, default: Any) -> Any:
    return next(iter(_arguments(item, mark_name)), default)


def not_run(test: CheckTest, why: str) -> Verdict:
    """Return the verdict on a test that was not tried."""
    return Verdict(test, Outcome.BLOCKED, message=why)


def of_test(test: CheckTest, observed: Observed, cell: CheckCell) -> Verdict:
    """Judge one test by what was seen while it ran."""
    if observed.failure is None:
        return Verdict(test, Outcome.PASSED, seconds=observed.seconds)
    message, found = _explain(observed, cell)
    return Verdict(
        test,
        Outcome.FAILED,
        message=readable(cut(message, MAX_MESSAGE)),
        difference=found,
        turns=tuple(observed.turns),
        main=observed.main,
        raised=readable(cut("\n".join(observed.raised[-3:]), MAX_MESSAGE)),
        seconds=observed.seconds,
    )


def of_cell(
    cell: CheckCell, findings: Findings, *, failed_before: Mapping[str, int], seed: int
) -> CheckResult:
    """Put the verdicts on a cell's tests together.

    Args:
        cell: The check cell.
        findings: What came of its tests.
        failed_before: How often each test has failed before, by its id; opens the next hint.
        seed: What the tests' values were drawn from.
    """
    verdicts = findings.verdicts
    points = shares(cell.points, [verdict.test.weight for verdict in verdicts])
    passed = [verdict.outcome is Outcome.PASSED for verdict in verdicts]
    earned = [share if ok else 0.0 for share, ok in zip(points, passed, strict=True)]
    records = [
        _record(verdict, share, attempt=failed_before.get(verdict.test.id, 0))
        for verdict, share in zip(_distinct(verdicts), points, strict=True)
    ]
    return CheckResult(
        lab=cell.lab,
        task=cell.task,
        max_points=cell.points,
        points=mark(cell.points, earned, all_passed=bool(passed) and all(passed)),
        tests=tuple(records),
        printed=readable(cut(findings.printed)),
        problem=findings.problem,
        seed=seed,
    )


def _record(verdict: Verdict, share: float, *, attempt: int) -> TestRecord:
    test, passed = verdict.test, verdict.outcome is Outcome.PASSED
    hints = () if passed else test.hints[: attempt + 1]
    told = TestRecord(
        id=test.id,
        meaning=test.meaning,
        outcome=verdict.outcome,
        points=round(share, 4) if passed else 0.0,
        max_points=round(share, 4),
        skill=test.skill,
        hidden=test.hidden,
        hint=hints[-1] if hints else "",
        earlier_hints=hints[:-1],
    )
    if test.hidden:
        return told
    return told.model_copy(
        update={
            "seconds": round(verdict.seconds, 4),
            "message": verdict.message,
            "difference": verdict.difference,
            "sent_and_got": transcript(verdict.turns, main=verdict.main),
            "raised": verdict.raised,
        }
    )


def _distinct(verdicts: Iterable[Verdict]) -> Iterable[Verdict]:
    """Number hidden tests that share an id, because theirs do not show parameters."""
    seen: Counter[str] = Counter()
    for verdict in verdicts:
        seen[verdict.test.id] += 1
        number = seen[verdict.test.id]
        name = verdict.test.id if number == 1 else f"{verdict.test.id}#{number}"
        yield replace(verdict, test=replace(verdict.test, id=name))


def _explain(observed: Observed, cell: CheckCell) -> tuple[str, Difference | None]:
    """Say why a test failed, the known cause first, and what differed where it compared."""
    assert observed.failure is not None
    error = observed.failure.value
    if isinstance(error, NoAnswer | NotServed | NotThere):
        return str(error), None
    if isinstance(error, AssertionError):
        symptom, found = _explain_assertion(observed, cell)
    else:
        symptom, found = _explain_error(error), None
    return " ".join(text for text in (_cause(observed, found), symptom) if text), found


def _explain_assertion(observed: Observed, cell: CheckCell) -> tuple[str, Difference | None]:
    assert observed.failure is not None
    lines = [
        entry.lineno + 1
        for entry in observed.failure.traceback
        if str(entry.path).endswith(f"{cell.module_name}.py")
    ]
    statement = next((cell.asserts[line] for line in reversed(lines) if line in cell.asserts), None)
    found = None
    if observed.comparison is not None:
        with contextlib.suppress(RecursionError):
            found = difference(observed.comparison, statement)
    text = str(observed.failure.value)
    own_words = ""
    if statement and statement.msg:
        own_words = text.split("\nassert ", maxsplit=1)[0].strip()
    if own_words:
        return f"{own_words}{_answered(observed, own_words)}", found
    if found and found.where == "The status":
        return f"{sentence(found)}{_no_route(observed)}", found
    if found:
        return sentence(found), found
    if statement is None and text and not text.startswith("assert "):
        return text, None
    return "This does not hold yet.", None


def _cause(observed: Observed, found: Difference | None) -> str:
    """Say what in the student's own code led there, where that is known; else nothing."""
    return _cause_in_function(observed) or _cause_in_route(observed, found)


def _cause_in_function(observed: Observed) -> str:
    if not observed.returned:
        return ""
    name, returned = observed.returned[-1]
    compared = observed.comparison
    if returned.raised == "TypeError" and "coroutine" in returned.message:
        return f"`{name}` gave back a coroutine: an `await` is missing in it."
    if returned.raised or returned.value is not None:
        return ""
    if compared is not None and compared.left is not None:
        return ""
    return f"`{name}` returned `None`: does it lack a `return`?"


def _cause_in_route(observed: Observed, found: Difference | None) -> str:
    main = observed.main
    response = main.response if main else None
    asked = f"{main.request.method} {main.request.url.path}" if main else ""
    raised = observed.raised[-1] if observed.raised else ""
    quoted = f"`{cut(raised.partition(' — ')[0].splitlines()[0], MAX_ERROR)}`" if raised else ""
    if raised.endswith(CAUGHT):
        return f"Your own `except` caught {quoted}."
    if response is None:
        return ""
    if raised and response.status_code >= BROKEN:
        if "coroutine" in raised:
            return f"The route of `{asked}` gave back a coroutine: an `await` is missing in it."
        return f"Your app raised {quoted}."
    about_body = found is None or found.where.startswith(("The body", "The fields", SOME_VALUE))
    with contextlib.suppress(httpx2.ResponseNotRead):
        if response.content == b"null" and about_body:
            return f"The route of `{asked}` answered `null`: does its function lack a `return`?"
    return ""


def _answered(observed: Observed, words: str) -> str:
    """Add to a test's own words what the app answered, if it was a refusal."""
    main = observed.main
    response = main.response if main else None
    if main is None or response is None or response.status_code < HTTPStatus.BAD_REQUEST:
        return ""
    status = str(response.status_code)
    end = "" if words.endswith((".", "?", "!")) else "."
    told = (
        ""
        if status in words
        else f" {main.request.method} {main.request.url.path} answered {status}."
    )
    return f"{end}{told}{_no_route(observed)}"


def _no_route(observed: Observed) -> str:
    """Say that no route fits, where the answer is the one that FastAPI gives then.

    A stream's body was not read when its status was looked at; its length is known.
    """
    main = observed.main
    response = main.response if main else None
    if main is None or response is None:
        return ""
    body = _NO_ROUTE.get(response.status_code)
    if body is None or response.headers.get("content-length") != str(len(body)):
        return ""
    with contextlib.suppress(httpx2.ResponseNotRead):
        if response.content != body:
            return ""
    return f" {no_route(main.request.method, main.request.url.path, observed.routes)}"


def _explain_error(error: BaseException) -> str:
    """Say what an answer of unexpected shape did to a test."""
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "The answer's body is not JSON."
    if isinstance(error, KeyError) and error.args:
        return f"The answer has no {error.args[0]!r}."
    if isinstance(error, IndexError):
        return "The answer has fewer items than expected."
    return "The answer has another shape than expected."
