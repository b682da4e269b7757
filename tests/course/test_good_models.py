"""The models to copy of lesson 03 have none of the holes that their lesson shows."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from pydantic import ValidationError

ROOT = Path(__file__).parents[2]
BEGINS = (
    "%load_ext", "class RefundIn", "class StrictRefund", "OrderNumber", "def only_iso_days",
    "class ReadableRefund", "def late_return", "class PointedRefund", "class Tool(", "class Wire",
    "class Line", "class Stock", "def merged", "class Skill",
)  # fmt: skip
DRAWN = """
from enum import StrEnum

HONEST = {
    "order": "KS-1042", "cents": 1250, "reason": "The wrong size.",
    "bought": "2026-11-02", "returned": "2026-11-09",
}
now = None


def attack(form):
    return None
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """Run the cells that define the models, and nothing else of the lesson."""
    cells = nbformat.read(ROOT / "notebooks" / "03-pydantic.ipynb", as_version=4).cells
    code = [
        cell.source.replace("%load_ext autograder", "").partition("\ntry:\n")[0]
        for cell in cells
        if cell.cell_type == "code" and cell.source.startswith(BEGINS)
    ]
    module = tmp_path_factory.mktemp("lesson") / "example.py"
    module.write_text("\n\n".join([DRAWN, *code]), encoding="utf-8")
    return SimpleNamespace(**runpy.run_path(str(module)))


@pytest.mark.parametrize(
    "change",
    [
        {"cents": True}, {"cents": "1250"}, {"cents": -1}, {"cents": 50_001},
        {"order": "KS-\u0661"}, {"order": "KS-07"}, {"bought": 0}, {"bought": "0"},
        {"reason": "\u200b"},
        {"reason": "x" * 501}, {"returned": "2026-11-01"}, {"bougth": "2026-11-02"},
    ],
)  # fmt: skip
def test_no_wrong_refund_is_accepted(lesson, change):
    """Each of the changes that harm is refused."""
    with pytest.raises(ValidationError):
        lesson.PointedRefund.model_validate(lesson.HONEST | change)


@pytest.mark.parametrize("change", [{}, {"order": " ks-7 "}, {"reason": "Größe"}, {"cents": 1}])
def test_honest_refunds_are_accepted(lesson, change):
    """Each honest form is accepted."""
    assert lesson.PointedRefund.model_validate(lesson.HONEST | change).order.startswith("KS-")


def test_a_tool_call_has_the_errors_of_its_own_branch(lesson):
    """A refund with a wrong amount is about the refund only."""
    call = {"tool": "pay_refund", "order": "KS-7", "cents": "12"}
    with pytest.raises(ValidationError) as caught:
        lesson.calls.validate_python(call)
    assert [error["loc"] for error in caught.value.errors()] == [("pay_refund", "cents")]


def test_a_quote_has_its_own_total_and_knows_its_zone(lesson):
    """A naive moment and a forged total are refused."""
    lines = [{"name": "bell", "unitCents": 399, "count": 2}]
    good = {"lines": lines, "validUntil": "2026-12-24T12:00:00+01:00"}
    quote = lesson.QuoteOut.model_validate(
        good | {"number": 1, "createdAt": "2026-11-29T10:00:00Z"}
    )
    assert quote.model_dump(by_alias=True)["totalCents"] == 798
    assert quote.model_dump(by_alias=True)["validUntil"] == "2026-12-24T11:00:00Z"
    for wrong in ({"validUntil": "2026-12-24T12:00:00"}, {"totalCents": 1}):
        with pytest.raises(ValidationError):
            lesson.QuoteIn.model_validate(good | wrong)


def test_a_patch_is_checked_as_a_whole(lesson):
    """The merged stock keeps the rule across fields."""
    old = lesson.Stock(lowest=2, highest=8)
    assert lesson.merged(old, lesson.StockPatch(highest=9)).highest == 9
    with pytest.raises(ValidationError):
        lesson.merged(old, lesson.StockPatch(lowest=9))


def test_a_chat_request_refuses_what_the_copied_one_accepts(lesson):
    """Spaces, an unknown language model and a misspelt field are refused."""
    good = {"message": "Hi", "session_id": "00c0ffee"}
    tools = ["search", "refund", "search"]
    chat = lesson.ChatIn.model_validate(good | {"tools": tools})
    assert chat.tools == ["search", "refund"]
    for wrong in ({"message": " "}, {"model": "gpt"}, {"temprature": 1}, {"tools": ["delete"]}):
        with pytest.raises(ValidationError):
            lesson.ChatIn.model_validate(good | wrong)
