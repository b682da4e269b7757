"""How many processes descend from each child of this one, whatever numbers they have.

Source: proc(5). What is mounted at /proc may count in another namespace than this process does, so
its numbers are those of there, and `NSpid` says what they are here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

_PROC = Path("/proc")


def sizes(children: Collection[int]) -> dict[int, int]:
    """Return how many living processes each of some children is, descendants included.

    Args:
        children: Process ids as this process knows them; one that is gone is left out.
    """
    try:
        own = (_PROC / "self").readlink().name
    except OSError:
        return {}
    depth = len(_numbers_of(own))
    found = {}
    for child in _children(own):
        numbers = _numbers_of(child)
        if len(numbers) >= depth and numbers[depth - 1] in children:
            found[numbers[depth - 1]] = sum(1 for _ in _family(child))
    return found


def _family(process: str) -> Iterator[str]:
    if _is_alive(process):
        yield process
    for child in _children(process):
        yield from _family(child)


def _children(process: str) -> Iterator[str]:
    try:
        threads = list((_PROC / process / "task").iterdir())
    except OSError:
        return
    for thread in threads:
        try:
            yield from (thread / "children").read_text("ascii").split()
        except OSError:
            continue


def _numbers_of(process: str) -> list[int]:
    """Return a process's numbers, from the outermost namespace that can be seen inward."""
    return [int(word) for word in _told(process).get("NSpid", "").split()]


def _is_alive(process: str) -> bool:
    return not _told(process).get("State", "Z").strip().startswith(("Z", "X"))


def _told(process: str) -> dict[str, str]:
    try:
        lines = (_PROC / process / "status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return dict(line.partition(":")[::2] for line in lines)
