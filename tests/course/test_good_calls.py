"""The assistant to copy of lesson 05 has none of the faults that its lesson shows."""

import asyncio
import runpy
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from openai import BadRequestError

from classroom.upstream import Fail, Slow
from classroom.virtual_time import in_virtual_time

ROOT = Path(__file__).parents[2]
BEGINS = (
    "%load_ext", "import matplotlib", "def strict", "class BudgetSpent", "class CircuitOpen",
    "class NoAnswer", "RETRYABLE = ",
)  # fmt: skip
MODELS = ["desk-large", "desk-small"]


@pytest.fixture
def lesson(tmp_path):
    """Run the cells that define the assistant, and nothing else of the lesson."""
    cells = nbformat.read(ROOT / "notebooks" / "05-many-calls.ipynb", as_version=4).cells
    code = [next(cell.source for cell in cells if cell.source.startswith(one)) for one in BEGINS]
    text = "\n\n".join(code).replace("%load_ext autograder", "")
    text = text.partition("budget = Budget(")[0] + text[text.index("class CircuitOpen") - 1 :]
    logger = "logger = logging.getLogger('agent_desk')\n"
    module = tmp_path / "example.py"
    module.write_text(f"{text}\n\n{logger}", encoding="utf-8")
    return SimpleNamespace(**runpy.run_path(str(module)))


def assist(lesson, work, *, calls=50, cents=100):
    """Let an assistant of the lesson work in virtual time; return its result and who was asked."""
    before = len(lesson.llm.chat.calls)

    async def play(desk):
        budget = lesson.Budget(calls=calls, cents=cents)
        return await work(lesson.Assistant(lesson.client_in(desk), budget))

    result = in_virtual_time(play, lesson.llm.app).result
    return result, [call.json["model"] for call in lesson.llm.chat.calls[before:]]


def test_a_model_that_is_down_has_a_fallback(lesson):
    """The second model answers, and says that it was the second."""
    with lesson.llm.chat.script(Fail(503), about="desk-large", repeat=True):
        (name, answer), asked = assist(lesson, lambda one: one.answer("a question"))
    assert (name, asked) == ("desk-small", MODELS)
    assert answer


def test_a_model_that_hangs_has_a_fallback(lesson):
    """The deadline of the part leaves time for the second model."""
    with lesson.llm.chat.script(Slow(60), about="desk-large", repeat=True):
        (name, _), asked = assist(lesson, lambda one: one.answer("a question"))
    assert (name, asked) == ("desk-small", MODELS)


def test_a_mistake_of_ours_has_none(lesson):
    """A 400 is raised, and neither asks the second model nor opens the circuit."""

    async def work(assistant):
        for _ in range(4):
            with pytest.raises(BadRequestError):
                await assistant.answer("a question")
        return assistant.circuits["desk-large"].failures

    with lesson.llm.chat.script(Fail(400), repeat=True):
        failures, asked = assist(lesson, work)
    assert (failures, asked) == (0, ["desk-large"] * 4)


def test_requests_at_once_keep_to_the_budget_and_the_places(lesson):
    """Of nine questions, three are paid for; never more than four calls are open."""

    async def work(assistant):
        questions = (assistant.answer(f"question {number}") for number in range(9))
        said = await asyncio.gather(*questions, return_exceptions=True)
        return sum(isinstance(one, tuple) for one in said), assistant.budget.cents

    with lesson.llm.chat.script(Slow(1), repeat=True):
        (answered, left), asked = assist(lesson, work, cents=35)
    assert (answered, left, len(asked)) == (3, 5, 3)


def test_an_open_circuit_refuses_and_lets_one_trial_through(lesson):
    """After three failures nothing passes until the pause is over, and then one call."""

    async def work(_):
        circuit, passed = lesson.Circuit(limit=3, pause=10), []

        def tries():
            try:
                circuit.enter()
            except lesson.CircuitOpen:
                passed.append(False)
            else:
                passed.append(True)

        for _number in range(3):
            tries()
            circuit.note(succeeded=False)
        tries()
        await asyncio.sleep(10)
        tries()
        tries()
        circuit.note(succeeded=True)
        tries()
        return passed

    assert in_virtual_time(work).result == [True, True, True, False, True, False, True]
