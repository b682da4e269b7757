"""A drill: questions of a lesson, asked again after days that grow with each right answer."""

from classroom.drill.cards import Card, cards_of
from classroom.drill.drill import Drill

__all__ = ["Card", "Drill", "cards_of"]
