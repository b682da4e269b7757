"""What a lab grants to the code of its submissions, read from its own notebook.

The solution's notebook carries it in its metadata, for example
`{"autograder": {"scratch": true, "processes": 2}}`. Nothing is granted by default, and what a
submission's own metadata says is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autograder.sandbox import Policy
from autograder.sandbox.policy import MIB


class BadGrantsError(ValueError):
    """A lab's metadata does not say what it should; the message names the fault."""


class Grants(BaseModel):
    """The grants of one lab, beyond the minimum that every submission has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scratch: bool = False
    """A folder of its own, to read and write."""
    processes: Annotated[int, Field(ge=0, le=16)] = 0
    """Worker processes beside the first."""
    programs: tuple[Path, ...] = ()
    """Programs that may be started, as absolute paths."""
    memory_mb: Annotated[int, Field(ge=64, le=65_536)] = Policy().memory // MIB
    """Private memory of the whole submission."""
    files: tuple[str, ...] = ()
    """Files of the submission's own, beside the notebook, that are handed on."""

    @property
    def own_folder(self) -> bool:
        """Whether each submission needs a folder of its own."""
        return self.scratch or bool(self.files)

    def policy(self, *, folder: Path | None = None, upstream_port: int | None = None) -> Policy:
        """Return the policy for one process.

        Args:
            folder: The working folder: the submission's own, or the one with the lab's data.
            upstream_port: Where the outside world listens, on 127.0.0.1.
        """
        url = f"http://127.0.0.1:{upstream_port}"
        return Policy(
            memory=self.memory_mb * MIB,
            processes=self.processes,
            programs=self.programs,
            scratch=folder if self.scratch else None,
            folder=folder,
            upstream_port=upstream_port,
            environment=(("UPSTREAM_URL", url),) if upstream_port else (),
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
