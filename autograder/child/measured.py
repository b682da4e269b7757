"""Measures a submission's folder from time to time, where the kernel does not bound it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from autograder.sandbox import folders
from autograder.sandbox.policy import MIB, Policy

_EVERY: Final = 0.25
"""Seconds between two looks."""


class Measured:
    """Looks into a folder until it is closed.

    Args:
        folder: Descriptor of the folder; it stays open until `close` has returned.
        policy: What is granted.
        exceed: Is told once when more is used than that.
    """

    def __init__(self, folder: int, policy: Policy, exceed: Callable[[str], None]) -> None:
        self._folder = folder
        self._policy = policy
        self._exceed = exceed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="measured", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            if not folders.fits(self._folder, self._policy):
                self._exceed(
                    f"wrote more than {self._policy.scratch_size // MIB} MB or "
                    f"{self._policy.scratch_files} files into its folder"
                )
                return
