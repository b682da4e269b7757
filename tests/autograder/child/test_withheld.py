"""What the sandbox may have withheld is said where an error looks like it."""

import pytest

from autograder.child.faults import describe
from classroom.serving import NoSocketsError


def refused(kind: type[OSError]) -> OSError:
    error = kind("no port")
    error.__cause__ = PermissionError(1, "Operation not permitted")
    return error


@pytest.mark.parametrize(
    ("error", "lacking"),
    [
        (ModuleNotFoundError("no module", name="torch"), "the module `torch`"),
        (MemoryError(), "memory"),
        (refused(OSError), "a permission"),
        (refused(NoSocketsError), ""),
        (ValueError("a fault of one's own"), ""),
    ],
    ids=["module", "memory", "permission", "serve", "own"],
)
def test_only_what_a_kernel_may_have_is_named(error, lacking):
    """That nothing is served beside the checks is a rule of every lab, and nobody lacks it."""
    assert describe(error).withheld == lacking
