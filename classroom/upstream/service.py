"""A service of the upstream: what it answers, its gates and its scripts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Self

from classroom.upstream.answer import Answer, json_answer
from classroom.upstream.behaviour import Behaviour, Fail, Normal, Say
from classroom.upstream.call import About, Call, Log, chooser
from classroom.upstream.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from classroom.upstream.board import Board

NORMAL = Normal()


class Script:
    """Behaviours for the calls to come; in force until undone.

    Use it with `with`, or call `undo`.
    """

    def __init__(
        self,
        behaviours: Sequence[Behaviour],
        *,
        wants: Callable[[Call], bool],
        repeat: bool,
        scripts: list[Script],
    ) -> None:
        self._behaviours = behaviours
        self._wants = wants
        self._repeat = repeat
        self._scripts = scripts
        self._used = 0
        scripts.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()

    def undo(self) -> None:
        """Let the service behave well again."""
        if self in self._scripts:
            self._scripts.remove(self)

    def next_for(self, call: Call) -> Behaviour | None:
        """Return the behaviour towards `call`; None if the script has nothing to say."""
        if not self._wants(call) or (self._used >= len(self._behaviours) and not self._repeat):
            return None
        self._used += 1
        return self._behaviours[(self._used - 1) % len(self._behaviours)]


class Service(ABC):
    """One service of the upstream.

    Attributes:
        name: Its short name, which `Call.service` carries.
        title: Its name in a sentence, such as `the chat service`.
        paths: The methods that each path answers to.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paths: ClassVar[Mapping[str, Sequence[str]]]

    def __init__(self, *, board: Board, gates: list[Gate]) -> None:
        self._board = board
        self._gates = gates
        self._scripts: list[Script] = []
        self.log = Log()

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls so far, in the order of arrival."""
        return self.log.calls

    @property
    def most_open(self) -> int:
        """The highest number of calls that were open at the same time."""
        return self.log.most_open

    def hold(self, about: About = None) -> Gate:
        """Return a gate that holds the calls that arrive; enter it with `async with`.

        Args:
            about: Hold only calls whose path, query or JSON mentions this text, or that this
                function picks. A test that sends unique text is not disturbed by calls that an
                earlier test left behind.
        """
        return Gate(board=self._board, gates=self._gates, wants=self._mine(about), name=self.title)

    def script(self, *behaviours: Behaviour, about: About = None, repeat: bool = False) -> Script:
        """Let the next calls meet these behaviours, one each and in this order.

        Args:
            behaviours: Such as `Fail(429, retry_after_ms=10), Fail(500), Normal()`.
            about: Only calls that mention this text, or that this function picks.
            repeat: Begin again after the last; otherwise the service behaves well from then on.

        Returns:
            The script, already in force. `with` or `undo()` ends it.
        """
        if not behaviours:
            raise ValueError("A script needs at least one behaviour, such as Fail(500).")
        if type(self).say is Service.say and any(isinstance(one, Say) for one in behaviours):
            raise TypeError(f"{self.title} says no words: script it with Give(...) instead.")
        with self._board.changing():
            return Script(behaviours, wants=chooser(about), repeat=repeat, scripts=self._scripts)

    def behaviour_for(self, call: Call) -> Behaviour:
        """Return what the newest script wants done with `call`; for the server."""
        for script in reversed(self._scripts):
            if (behaviour := script.next_for(call)) is not None:
                return behaviour
        return NORMAL

    def reset(self) -> None:
        """Forget all calls, scripts and stored things."""
        self._scripts.clear()
        self.log = Log()

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """Return the well-behaved answer; runs on the server's thread."""

    def failure(self, fail: Fail) -> Answer:
        """Return an error in this service's wire format."""
        message = fail.message or HTTPStatus(fail.status).phrase
        return json_answer({"detail": message}, status=fail.status, headers=fail.headers)

    def say(self, call: Call, tokens: Iterable[str]) -> Answer:
        """Return the answer made of these tokens; only a model can."""
        raise NotImplementedError

    def _mine(self, about: About) -> Callable[[Call], bool]:
        wants = chooser(about)
        return lambda call: call.service == self.name and wants(call)
