"""What else an app talks to: mail, a legacy system, questions, and work that is not on a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from classroom.upstream.answer import Answer, json_answer
from classroom.upstream.language import Dice
from classroom.upstream.service import Service

if TYPE_CHECKING:
    from classroom.upstream.board import Board
    from classroom.upstream.call import Call
    from classroom.upstream.gate import Gate

ANY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Mail(Service):
    """Takes mail at `POST /mail`, any JSON object; the owner reads what was delivered.

    A mail is delivered when its call is answered: one that is held at a gate is not.
    """

    name = "mail"
    title = "the mail service"
    paths: ClassVar = {"/mail": ["POST"]}

    def __init__(self, *, board: Board, gates: list[Gate]) -> None:
        super().__init__(board=board, gates=gates)
        self._delivered: list[dict[str, Any]] = []

    @property
    def delivered(self) -> tuple[dict[str, Any], ...]:
        """The mails that were delivered, oldest first."""
        return tuple(self._delivered)

    @override
    def answer(self, call: Call) -> Answer:
        if not isinstance(call.json, dict):
            return json_answer({"detail": "A mail is a JSON object."}, status=400)
        with self._board.changing():
            self._delivered.append(call.json)
        return json_answer({"id": len(self._delivered), "status": "delivered"}, status=202)

    @override
    def reset(self) -> None:
        super().reset()
        self._delivered.clear()


class Legacy(Service):
    """An old system at `/legacy/{anything}`; slow only when a gate or a script makes it so."""

    name = "legacy"
    title = "the legacy service"
    paths: ClassVar = {"/legacy/{item:path}": ANY_METHOD}

    @override
    def answer(self, call: Call) -> Answer:
        item = call.parameters["item"]
        return json_answer({"item": item, "value": Dice(item).below(1000) or 1000})


class Work(Service):
    """Where work that is not on a wire reports midway, at `POST /steps/{step}`.

    A lab about files or computing supplies the function that does the work; it reports here
    and waits for the answer, so that gates decide about it as well.
    """

    name = "work"
    title = "the function that the lab supplies"
    paths: ClassVar = {"/steps/{step:path}": ["GET", "POST"]}

    @override
    def answer(self, call: Call) -> Answer:
        return json_answer({"go_on": True, "step": call.parameters["step"]})


class Questions(Service):
    """Answers `/ask/{question}` with the JSON that the owner gave for it.

    A stand-in for a dependency asks here what to do: the question names its method, the
    request's JSON carries the arguments.
    """

    name = "questions"
    title = "the question service"
    paths: ClassVar = {"/ask/{question:path}": ["GET", "POST"]}

    def __init__(self, *, board: Board, gates: list[Gate]) -> None:
        super().__init__(board=board, gates=gates)
        self._answers: dict[str, list[Any]] = {}

    def expect(self, question: str, *answers: Any) -> None:
        """Give the JSON values that answer a question, one after the other.

        The last of them answers every further time. A script (`Fail(500)`, `Give(...)`) goes
        before them.
        """
        if not answers:
            raise ValueError(f"No answer was given for the question {question!r}.")
        with self._board.changing():
            self._answers[question] = list(answers)

    @override
    def answer(self, call: Call) -> Answer:
        question = call.parameters["question"]
        with self._board.changing():
            answers = self._answers.get(question, [])
            if not answers:
                detail = f"Nobody gave an answer for the question {question!r}."
                return json_answer({"detail": detail}, status=404)
            return json_answer(answers.pop(0) if len(answers) > 1 else answers[0])

    @override
    def reset(self) -> None:
        super().reset()
        self._answers.clear()
