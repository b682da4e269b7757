"""What travels between the trusted side and a submission's process, as JSON.

The models hold lengths down, because what comes back was written by a process in which
foreign code runs.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from autograder.child.rich import MAX_CELL, MOST

LONGEST_LINE = 2_000
LONGEST_TEXT = 64 * 1024
"""Characters; longer texts are cut by the sender, and refused by the receiver."""


class Frozen(BaseModel):
    """A value that never changes once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Line = Annotated[str, Field(max_length=LONGEST_LINE)]
Form = Annotated[str, Field(max_length=MAX_CELL)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class Raised(Frozen):
    """An error of the submission, in plain text that was never meant as markup."""

    type: Line
    """Name of the error's class, such as `KeyError`."""
    message: Line
    cell: Line = ""
    """The student's innermost cell that the error came through."""
    line: int | None = None
    """Line in that cell, counted from 1."""
    source: Line = ""
    """That line."""
    text: Text = ""
    """The traceback through the student's cells."""
    withheld: Line = ""
    """What the sandbox may have withheld, if the error looks like that."""

    def __str__(self) -> str:
        where = f" (cell {self.cell}, line {self.line}: {self.source})" if self.cell else ""
        return f"{self.type}: {self.message}{where}"


class Run(Frozen):
    """Run one cell."""

    do: Literal["run"] = "run"
    id: int
    cell: str
    source: str


class Serve(Frozen):
    """Serve the app on the socket that comes along."""

    do: Literal["serve"] = "serve"
    id: int
    entry: str
    environment: dict[str, str]


class Unserve(Frozen):
    """Stop serving."""

    do: Literal["unserve"] = "unserve"
    id: int


class TakeErrors(Frozen):
    """Tell what requests raised since the last time, and not before `since`."""

    do: Literal["errors"] = "errors"
    id: int
    since: float
    """As `time.monotonic` counts, which is the same for both processes."""


class Call(Frozen):
    """Call a function."""

    do: Literal["call"] = "call"
    id: int
    name: str
    arguments: list[JsonValue]


Order = Annotated[Run | Serve | Unserve | TakeErrors | Call, Field(discriminator="do")]


class Answer(Frozen):
    """The answer to any order; what does not apply is left empty."""

    id: int
    raised: Raised | None = None
    result: Text | None = None
    """What the cell's last line showed."""
    rich: dict[Line, Form] = {}
    """Other forms of that."""
    shown: Annotated[list[dict[Line, Form]], Field(max_length=MOST)] = []
    """What the cell showed before: pictures, HTML."""
    dropped: Annotated[int, Field(ge=0)] = 0
    """Characters that were written past the bound and are lost."""
    errors: Annotated[list[Raised], Field(max_length=20)] = []
    value: JsonValue = None
    """What the function returned."""


class Ready(Frozen):
    """The first message of a child, sent before any foreign code has run."""

    held: list[str]
    missing: dict[str, str]
    problem: str = ""
    """Why the child cannot begin."""
