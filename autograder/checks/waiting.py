"""The line under a check cell that says what it is waiting for."""

from __future__ import annotations

import threading
from html import escape
from typing import Self

from IPython.display import HTML, DisplayHandle, display


class WaitingLine:
    """Shows the latest notice of a running check, and nothing once the check is done.

    Notices come from the check's thread; `show` puts them up from the kernel's own, because
    only its outputs find their way to the cell.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news = ""
        self._handle: DisplayHandle | None = None

    def notice(self, sentence: str) -> None:
        """Take a sentence such as `waiting for 3 calls to the chat service`."""
        with self._lock:
            self._news = sentence

    def show(self) -> None:
        """Put up the latest sentence, if there is a new one."""
        with self._lock:
            news, self._news = self._news, ""
        if not news:
            return
        line = HTML(f'<p role="status">{escape(news)} …</p>')
        if self._handle is None:
            self._handle = display(line, display_id=True)
        else:
            self._handle.update(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.update(HTML(""))
