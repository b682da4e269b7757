"""Pull request 5: tickets get a priority.

The new web page sends a priority with each ticket, and shows the urgent ones first. The fields
have the names of our style guide now.
"""

from itertools import count
from typing import Literal

from desk import User
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

tickets = APIRouter()
opened: dict[int, tuple[str, "Ticket"]] = {}  # a ticket, and whose it is
ticket_numbers = count(1)
Priority = Literal["low", "normal", "high"]


class NewTicket(BaseModel):
    """What a customer sends."""

    title: str = Field(min_length=1, max_length=80)
    text: str = Field(default="", max_length=2000)
    priority: Priority


class Ticket(NewTicket):
    """What a customer gets."""

    id: int
    state: Literal["open", "closed"] = "open"


@tickets.post("/tickets", status_code=201)
async def open_ticket(new: NewTicket, user: User) -> Ticket:
    ticket = Ticket(id=next(ticket_numbers), **new.model_dump())
    opened[ticket.id] = (user, ticket)
    return ticket


@tickets.get("/tickets")
async def list_tickets(user: User, priority: Priority | None = None) -> list[Ticket]:
    own = [ticket for owner, ticket in opened.values() if owner == user]
    return [ticket for ticket in own if priority in (None, ticket.priority)]


@tickets.post("/tickets/{number}/close")
async def close_ticket(number: int, user: User) -> Ticket:
    owner, ticket = opened.get(number, (None, None))
    if ticket is None or owner != user:
        raise HTTPException(404, "There is no such ticket.")
    ticket.state = "closed"
    return ticket
