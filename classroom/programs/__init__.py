"""Real programs for a lesson: workers, nginx and PostgreSQL, on loopback and without root."""

from classroom.programs.database import NoPostgreSQLError, postgresql, with_postgresql
from classroom.programs.program import Program, ProgramFailedError, free_port, run_program
from classroom.programs.proxy import NoNginxError, find_nginx, measured, nginx

__all__ = [
    "NoNginxError",
    "NoPostgreSQLError",
    "Program",
    "ProgramFailedError",
    "find_nginx",
    "free_port",
    "measured",
    "nginx",
    "postgresql",
    "run_program",
    "with_postgresql",
]
