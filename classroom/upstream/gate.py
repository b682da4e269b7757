"""Gates: calls that arrive are kept until the owner lets them go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from classroom.upstream.call import Call, CallState, Log
from classroom.upstream.deadline import Sentence, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classroom.upstream.board import Board


def count(number: int, noun: str) -> str:
    """Return `1 call`, `3 calls`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Gate:
    """Keeps each call that arrives open until it is released.

    Enter it with `async with`: calls that arrive from then on belong to it. On leaving, all of
    them are let through, and so is whatever arrives later. Its methods may be called from any
    thread, its waits on any event loop; they obey the current `Deadline`.
    """

    def __init__(
        self,
        *,
        board: Board,
        gates: list[Gate],
        wants: Callable[[Call], bool],
        name: str,
    ) -> None:
        self.name = name
        """What it stands at, for sentences: `the chat service`."""
        self._board = board
        self._gates = gates
        self._wants = wants
        self._log = Log()
        self._released: set[Call] = set()
        self._is_open = False

    async def __aenter__(self) -> Self:
        with self._board.changing():
            self._gates.append(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open()
        with self._board.changing():
            if self in self._gates:
                self._gates.remove(self)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that arrived at this gate, in the order of arrival."""
        return self._log.calls

    @property
    def held(self) -> tuple[Call, ...]:
        """The calls that are kept now, oldest first; those that were cancelled do not count."""
        return tuple(
            call
            for call in self.calls
            if call.state is CallState.HELD and call not in self._released and not self._is_open
        )

    @property
    def most_open(self) -> int:
        """The highest number of this gate's calls that were open at the same time."""
        return self._log.most_open

    async def arrived(self, n: int = 1, *, otherwise: Sentence | None = None) -> tuple[Call, ...]:
        """Wait until `n` calls have arrived, and return all that have.

        Args:
            n: How many.
            otherwise: The sentence for the student if they do not come, or what makes it.

        Raises:
            GateClosed: They had not arrived at the deadline.
        """
        await self._until(
            lambda: len(self.calls) >= n, f"{count(n, 'call')} to {self.name}", otherwise
        )
        return self.calls

    async def holding(self, n: int = 1, *, otherwise: Sentence | None = None) -> None:
        """Wait until `n` calls are held at this moment.

        Raises:
            GateClosed: They were not at the deadline.
        """
        await self._until(
            lambda: len(self.held) >= n, f"{count(n, 'call')} to be open at {self.name}", otherwise
        )

    async def answered(self, n: int = 1, *, otherwise: Sentence | None = None) -> None:
        """Wait until `n` of the calls have got their whole answer.

        Raises:
            GateClosed: They had not got it at the deadline.
        """
        await self._until(
            lambda: self._how_many(CallState.ANSWERED) >= n,
            f"{count(n, 'answer')} of {self.name} to be fetched",
            otherwise,
        )

    async def cancelled(self, n: int = 1, *, otherwise: Sentence | None = None) -> None:
        """Wait until `n` of the calls were given up by their callers.

        Raises:
            GateClosed: They were still open, or answered, at the deadline.
        """
        await self._until(
            lambda: self._how_many(CallState.CANCELLED) >= n,
            f"{count(n, 'call')} to {self.name} to be given up",
            otherwise,
        )

    async def ended(self, n: int = 1, *, otherwise: Sentence | None = None) -> tuple[Call, ...]:
        """Wait until `n` of the calls are over, answered or given up, and return all that are.

        Raises:
            GateClosed: They were still open at the deadline.
        """
        await self._until(
            lambda: len(self._over()) >= n, f"{count(n, 'call')} to {self.name} to end", otherwise
        )
        return self._over()

    async def settle(self) -> None:
        """Let the server note every call that has been sent to it by now."""
        await self._board.settle()

    def release(self, n: int = 1) -> tuple[Call, ...]:
        """Let the `n` calls go on that have been held longest; return them, if any."""
        with self._board.changing():
            chosen = self.held[:n]
            self._released.update(chosen)
        return chosen

    def release_all(self) -> tuple[Call, ...]:
        """Let every call go on that is held now; later ones are held again."""
        return self.release(len(self.calls))

    def open(self) -> None:
        """Let every call go on, also those that arrive later."""
        with self._board.changing():
            self._is_open = True

    def takes(self, call: Call) -> bool:
        """Take a call that has just arrived, if it is meant; for the server."""
        if self._is_open or not self._wants(call):
            return False
        self._log.add(call)
        return True

    def lets_in(self, call: Call) -> bool:
        """Whether the call may be answered now; for the server."""
        return self._is_open or call in self._released

    def lets_send(self, _token: int) -> bool:
        """Whether token number `_token`, from 1, may be sent now; for the server."""
        return True

    def words(self) -> Iterator[str] | None:
        """Return the tokens to say instead of the service's own, if any; for the server."""
        return None

    def _over(self) -> tuple[Call, ...]:
        return tuple(call for call in self.calls if not call.open)

    def _how_many(self, state: CallState) -> int:
        return sum(call.state is state for call in self.calls)

    async def _until(self, fact: Callable[[], bool], what: str, otherwise: Sentence | None) -> None:
        await wait(
            self._board.until(fact),
            what=lambda: f"{what} ({self._so_far()})",
            otherwise=otherwise or (lambda: f"Gave up waiting for {what} ({self._so_far()})."),
        )

    def _so_far(self) -> str:
        states = [f"{n} {state}" for state in CallState if (n := self._how_many(state))]
        return ", ".join(states) or "none has arrived"
