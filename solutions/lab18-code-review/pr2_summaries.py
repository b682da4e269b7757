"""Pull request 2: summaries of manuals, fast.

The archive writes the summary of a bike's manual. It takes a second or two, so each summary is
asked for once and then kept. The routes are plain functions, and FastAPI runs them in threads.
Manuals are public: nobody needs to log in.
"""

from typing import Annotated

from desk import ArchiveAwayError, read_archive
from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel

summaries = APIRouter()
kept: dict[str, "Summary"] = {}
BikeNumber = Annotated[str, Path(pattern="^[0-9]{6}$")]


class Summary(BaseModel):
    bike: str
    text: str


async def summary_of(bike: BikeNumber) -> Summary:
    """Return the summary of a bike's manual; ask the archive the first time."""
    if bike not in kept:
        try:
            kept[bike] = Summary(bike=bike, text=read_archive(bike))
        except ArchiveAwayError as error:
            raise HTTPException(502, "The archive is away.") from error
    return kept[bike]


OneSummary = Annotated[Summary, Depends(summary_of)]


@summaries.get("/manuals/{bike}/summary")
def read_summary(summary: OneSummary) -> Summary:
    return summary


@summaries.get("/manuals/{bike}/words")
def count_words(summary: OneSummary) -> int:
    return len(summary.text.split())
