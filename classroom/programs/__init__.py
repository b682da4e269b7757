"""Real programs for a lesson: workers and nginx, on this machine's loopback, without root."""

from classroom.programs.program import Program, ProgramFailedError, free_port, run_program
from classroom.programs.proxy import NoNginxError, find_nginx, measured, nginx

__all__ = [
    "NoNginxError",
    "Program",
    "ProgramFailedError",
    "find_nginx",
    "free_port",
    "measured",
    "nginx",
    "run_program",
]
