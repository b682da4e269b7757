"""Pull request 1: customers delete and correct their messages.

A customer opens chats and writes messages, as before. New: a message can be corrected (PUT) and
deleted (DELETE). All routes of a chat take `OwnChat`, so nobody reaches another customer's chat.
"""

from itertools import count
from typing import Annotated

from desk import User
from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field

messages = APIRouter()
owner_of: dict[int, str] = {}  # a chat's customer
written: dict[int, "Message"] = {}
numbers = count(1)


class Text(BaseModel):
    text: str = Field(min_length=1, max_length=500)


class Message(Text):
    id: int
    chat: int


def own_chat(chat_id: int, user: User) -> int:
    """Return the chat's number if it is the user's."""
    if owner_of.get(chat_id) != user:
        raise HTTPException(404, "There is no such chat.")
    return chat_id


OwnChat = Annotated[int, Depends(own_chat)]


@messages.post("/chats", status_code=201)
async def open_chat(user: User) -> dict[str, int]:
    chat = next(numbers)
    owner_of[chat] = user
    return {"id": chat}


@messages.post("/chats/{chat_id}/messages", status_code=201)
async def write(chat: OwnChat, body: Text) -> Message:
    message = Message(id=next(numbers), chat=chat, text=body.text)
    written[message.id] = message
    return message


@messages.get("/chats/{chat_id}/messages")
async def list_messages(chat: OwnChat) -> list[Message]:
    return [message for message in written.values() if message.chat == chat]


@messages.put("/chats/{chat_id}/messages/{message_id}")
async def correct(chat: OwnChat, message_id: int, body: Text) -> Message:
    message = written.get(message_id)
    if message is None or message.chat != chat:
        raise HTTPException(404, "There is no such message.")
    message.text = body.text
    return message


@messages.delete("/chats/{chat_id}/messages/{message_id}", status_code=204)
async def delete(chat: OwnChat, message_id: int) -> None:
    message = written.get(message_id)
    if message is None:
        raise HTTPException(404, "There is no such message.")
    del written[message_id]
