"""Kestrel's own functions. They work correctly and they are slow; do not change them.

Each of them blocks: it keeps the thread that calls it until it returns.
"""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urlsplit

MANUAL = Path(__file__).with_name("manual.txt")


class UnknownBike(LookupError):
    """The workshop's old system does not know the bike."""


def look_up_warranty(bike: int) -> int:
    """Ask the workshop's old system for how many months a bike's warranty still lasts.

    Raises:
        UnknownBike: It does not know the bike.
    """
    status, told = _ask("GET", f"/legacy/warranty/{bike}")
    if status == HTTPStatus.NOT_FOUND:
        raise UnknownBike(f"The workshop does not know bike {bike}.")
    return told["value"]


def book_inspection(bike: int) -> int:
    """Book an inspection of a bike in the old system and return the number of its slot."""
    _, told = _ask("POST", f"/legacy/inspections/{bike}")
    return told["value"]


def simulate(bike: int) -> str:
    """Simulate how a bike's wheel is shaken and return its certificate: pure computing.

    Halfway it reports to the control room and goes on when it has the reply.
    """
    force = _shaken(bike)
    seal = _report(f"simulate/{bike}")
    return f"{_shaken(force):08x}-{seal}"


def search_manual(word: str) -> list[str]:
    """Read the manual's file and return the lines in which a word occurs.

    Halfway it reports to the control room and goes on when it has the reply.
    """
    found = []
    with MANUAL.open(encoding="utf-8") as file:
        found += [line.strip() for line in islice(file, 20) if word in line.lower()]
        seal = _report(f"search/{quote(word)}")
        found += [line.strip() for line in file if word in line.lower()]
    return [f"{line} [{seal}]" for line in found]


def _shaken(force: int) -> int:
    for _ in range(20_000):
        force = (force * 1_103_515_245 + 12_345) % 2**31
    return force


def _report(step: str) -> str:
    _, told = _ask("POST", f"/steps/{step}")
    return told.get("seal", "unsealed")


def _ask(method: str, path: str) -> tuple[int, dict]:
    address = urlsplit(os.environ["UPSTREAM_URL"])
    connection = HTTPConnection(address.hostname, address.port, timeout=60)
    try:
        connection.request(method, path)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


# ruff: noqa: INP001 - it lies beside a notebook
