"""What a lab grants to the code of its submissions, read from its own notebook.

The solution's notebook carries it in its metadata, for example
`{"autograder": {"processes": 2}}`. Every submission has a folder of its own, in which it starts
and may write; beyond that nothing is granted by default, and what a submission's own metadata
says is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autograder.sandbox import Policy
from autograder.sandbox.policy import MIB

WORK, TEMPORARY = "work", "tmp"
"""Folders in a submission's own: where its cells start, and for temporary files."""


class BadGrantsError(ValueError):
    """A lab's metadata does not say what it should; the message names the fault."""


class Grants(BaseModel):
    """The grants of one lab, beyond the minimum that every submission has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processes: Annotated[int, Field(ge=0, le=16)] = 0
    """Worker processes beside the first."""
    programs: tuple[Path, ...] = ()
    """Programs that may be started, as absolute paths."""
    memory_mb: Annotated[int, Field(ge=64, le=65_536)] = Policy().memory // MIB
    """Private memory of the whole submission."""

    def policy(self, *, folder: Path | None = None, upstream_port: int | None = None) -> Policy:
        """Return the policy for one process.

        Args:
            folder: The submission's own, as `own_folder` makes it; None for no folder.
            upstream_port: Where the outside world listens, on 127.0.0.1.
        """
        environment = []
        if folder:
            environment.append(("TMPDIR", str(folder / TEMPORARY)))
        if upstream_port:
            environment.append(("UPSTREAM_URL", f"http://127.0.0.1:{upstream_port}"))
        return Policy(
            memory=self.memory_mb * MIB,
            processes=self.processes,
            programs=self.programs,
            scratch=folder,
            folder=folder and folder / WORK,
            upstream_port=upstream_port,
            environment=tuple(environment),
        )


def grants_of(metadata: Mapping[str, Any]) -> Grants:
    """Read the grants from the metadata of a lab's own notebook.

    Raises:
        BadGrantsError: They cannot be read.
    """
    try:
        return Grants.model_validate(metadata.get("autograder", {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadGrantsError(
            f"The metadata `autograder` is wrong at {where}: {first['msg']}."
        ) from None
