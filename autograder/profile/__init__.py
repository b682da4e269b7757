"""A student's own profile in the four dimensions of a FastAPI engineer."""

from autograder.profile.output import ProfileOutput, profile_text
from autograder.profile.reading import read_profile

__all__ = ["ProfileOutput", "profile_text", "read_profile"]
