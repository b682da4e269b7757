"""Renderers: a check's record as HTML for notebooks and feedback, as text for a terminal."""
