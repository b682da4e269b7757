"""Tomás's price model. It works correctly and it is slow; do not change it.

`load` and `predict` block: they keep the thread that calls them until they return.
Each of them reports to the control room midway, and goes on when it has the reply.
"""

from __future__ import annotations

import json
import os
import zlib
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one computation uses one core

import numpy as np

VERSIONS = ("2026-11", "2026-12", "2027-01")
WIDTH = 4  # numbers for each bike


class NoSuchVersion(LookupError):
    """There is no model of this version."""


class CannotLoad(RuntimeError):
    """The file of a model could not be read."""


class CannotPrice(ValueError):
    """The model cannot price one of the bikes, and so it has priced none of them."""


class PriceModel:
    """A model that has been loaded. Several threads may ask it at the same time.

    Attributes:
        version: Such as `2026-11`.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        chance = np.random.default_rng(zlib.crc32(version.encode()))
        self._layer = chance.standard_normal((WIDTH, 16))
        self._last = chance.uniform(1, 9, 16)

    def predict(self, bikes: list[list[float]]) -> list[float]:
        """Return a price for each bike, in the same order.

        Raises:
            CannotPrice: One of the bikes, you do not learn which, has no price.
        """
        rows = np.array(bikes, dtype=float).reshape(len(bikes), WIDTH)
        scores = np.maximum(rows @ self._layer, 0) @ self._last
        found = [round(float(score), 2) for score in scores]
        if _report("predict", version=self.version, bikes=bikes, prices=found) != HTTPStatus.OK:
            raise CannotPrice("One of the bikes has no price.")
        return found


def load(version: str) -> PriceModel:
    """Load a model.

    Raises:
        NoSuchVersion: There is no model of this version.
        CannotLoad: Its file could not be read.
        KeyError: A table of weights is missing in its file.
    """
    if version not in VERSIONS:
        raise NoSuchVersion(f"There is no version {version!r}.")
    status = _report("load", version=version)
    if status == HTTPStatus.GONE:
        raise KeyError("weights")
    if status != HTTPStatus.OK:
        raise CannotLoad(f"The file of version {version} could not be read.")
    return PriceModel(version)


def _report(step: str, **about: Any) -> int:
    """Report to the control room, if a check has set one up; return the status of its reply."""
    url = os.environ.get("UPSTREAM_URL")
    if not url:
        return HTTPStatus.OK
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname, address.port, timeout=60)
    try:
        body = json.dumps(about).encode()
        connection.request("POST", f"/steps/{step}", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        return reply.status
    finally:
        connection.close()


# ruff: noqa: INP001 - it lies beside a notebook
