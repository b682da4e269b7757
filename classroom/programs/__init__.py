"""Real programs for a lesson: workers and nginx, on this machine's loopback, without root."""

from classroom.programs.nginx import NoNginxError, find_nginx, measured, nginx
from classroom.programs.program import Program, ProgramFailedError, free_port, run_program

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
