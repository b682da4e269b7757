"""The reports of Agent Desk, as they run today. Read it; it is right as it is."""

import asyncio
import os
import re
from dataclasses import dataclass
from typing import Annotated

from desk import User
from fastapi import APIRouter, Body, Response
from fastapi.responses import JSONResponse

from classroom.errand import ErrandError, post

reports = APIRouter()
MOST = 2  # reports of one customer that are not over


@dataclass
class Report:
    """One report of one customer."""

    number: int
    user: str
    month: str
    state: str = "queued"  # then "running", and at the end "ready" or "failed"
    cents: int | None = None


made: list[Report] = []
tasks: set[asyncio.Task[None]] = set()


def of(user: str, *states: str) -> list[Report]:
    """Return a customer's reports that are in one of these states."""
    return [report for report in made if report.user == user and report.state in states]


def problem(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error, in the form of all errors of this router."""
    return JSONResponse({"problem": {"code": code, "text": text}}, status, headers)


def shown(report: Report, status: int) -> Response:
    """Return a report's state, and its result when there is one."""
    address, over = f"/reports/{report.number}", report.state in ("ready", "failed")
    content = {"report": report.number, "state": report.state, "total": report.cents}
    headers = {"Location": address} if over else {"Location": address, "Retry-After": "1"}
    return JSONResponse(content, status, headers)


async def make(report: Report) -> None:
    """Let the accounts compute a customer's reports, one at a time, and keep what comes of it."""
    try:
        while of(report.user, "running"):  # noqa: ASYNC110 - an event belongs to one event loop
            await asyncio.sleep(0.01)
        report.state = "running"
        url = f"{os.environ['UPSTREAM_URL']}/legacy/reports/{report.user}/{report.month}"
        report.cents = (await post(url, {}))["value"]
        report.state = "ready"
    except (ErrandError, OSError):
        report.state = "failed"
    finally:
        if report.state in ("queued", "running"):  # the server is stopping
            report.state = "failed"


@reports.post("/reports", status_code=202)
async def want_report(user: User, month: Annotated[str, Body(embed=True)]) -> Response:
    """Begin a month's report; a customer has one report for each month."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        return problem(422, "month", "A month looks like 2026-11.")
    for report in of(user, "queued", "running", "ready"):
        if report.month == month:
            return shown(report, 202)
    if len(of(user, "queued", "running")) >= MOST:
        return problem(429, "busy", "Two of your reports are being made.", {"Retry-After": "1"})
    report = Report(len(made) + 1, user, month)
    made.append(report)
    task = asyncio.create_task(make(report))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return shown(report, 202)


@reports.get("/reports/{number}")
async def read_report(number: int, user: User) -> Response:
    """Return how far a report is."""
    for report in made:
        if (report.number, report.user) == (number, user):
            return shown(report, 200)
    return problem(404, "unknown", "There is no such report.")


# ruff: noqa: INP001 - it lies beside a notebook
