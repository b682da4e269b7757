"""A gate before every token of a stream."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from classroom.upstream.gate import Gate, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classroom.upstream.board import Board
    from classroom.upstream.call import Call
    from classroom.upstream.deadline import Sentence


class TokenGate(Gate):
    """Keeps every token of a stream until it is released.

    Only calls that ask for a stream belong to it. They are let in at once and get their
    headers, unless the gate is silent; then `release()` lets each of them have one token more.
    The end of a stream follows its last token by itself.
    """

    def __init__(
        self,
        *,
        board: Board,
        gates: list[Gate],
        wants: Callable[[Call], bool],
        name: str,
        tokens: tuple[str, ...] = (),
        endless: bool = False,
        silent: bool = False,
    ) -> None:
        super().__init__(board=board, gates=gates, wants=wants, name=name)
        self.passed: tuple[Call, ...] = ()
        """Calls that were meant but asked for no stream, so that they went by."""
        self.tokens = tokens
        """What the calls of this gate are told instead of the service's own words."""
        self.endless = endless
        """Whether the tokens begin again after the last, until the gate is opened."""
        self.silent = silent
        """Whether nothing at all is sent, not even the status, before the first token may be."""
        self._tokens_released: float = 0

    def takes(self, call: Call) -> bool:
        """Take a call that has just arrived, if it is meant; for the server."""
        if call.streams or self._is_open or not self._wants(call):
            return super().takes(call)
        self.passed += (call,)
        return False

    def release(self, n: int = 1) -> tuple[Call, ...]:
        """Let every call of this gate have `n` tokens more; return the open calls."""
        with self._board.changing():
            self._tokens_released += n
        return self._log.open_now

    def release_all(self) -> tuple[Call, ...]:
        """Let every call have all its tokens."""
        self.open()
        return self._log.open_now

    def open(self) -> None:
        """Let every call have all its tokens, also those that arrive later."""
        with self._board.changing():
            self._tokens_released = math.inf
            super().open()

    def words(self) -> Iterator[str] | None:
        """Return the tokens to say instead of the service's own, if any; for the server."""
        return self._words() if self.tokens else None

    def _words(self) -> Iterator[str]:
        yield from self.tokens
        while self.endless and not self._is_open:
            yield from self.tokens

    async def sent(self, n: int = 1, *, otherwise: Sentence | None = None) -> None:
        """Wait until `n` tokens, over all calls of this gate, have been sent.

        Raises:
            GateClosed: They had not been sent at the deadline.
        """
        await self._until(
            lambda: sum(call.tokens_sent for call in self.calls) >= n,
            f"{count(n, 'token')} of {self.name} to be sent",
            otherwise,
        )

    def lets_in(self, _call: Call) -> bool:
        """Whether the call may be answered now; for the server."""
        return not self.silent or self._tokens_released > 0

    def lets_send(self, token: int) -> bool:
        """Whether token number `token`, from 1, may be sent now; for the server."""
        return token <= self._tokens_released
