"""What a notebook shows as a picture and a terminal as text."""

from __future__ import annotations

from typing import Any

from classroom.pictures import Picture


class Shown:
    """A result that is displayed as the picture that it draws of itself."""

    def picture(self) -> Picture:
        """Return the drawing with its text."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.picture().text

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        return self.picture()._repr_mimebundle_(**options)
