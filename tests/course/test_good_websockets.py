"""The example to copy of lesson 06 has none of the faults that its lesson shows."""

import asyncio
import json
import logging
import runpy
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from fastapi import WebSocket

ROOT = Path(__file__).parents[2]
IMPORTS = """
import asyncio
import logging
from typing import Annotated, Literal

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError

log = logging.getLogger("desk")
"""


pytestmark = pytest.mark.anyio


@pytest.fixture
def lesson(tmp_path):
    """Run the cells that define the example, and nothing else of the lesson."""
    cells = nbformat.read(ROOT / "notebooks" / "06-websockets.ipynb", as_version=4).cells
    begins = ("class Say(", "class Room:", "async def serve_connection(")
    code = [next(cell.source for cell in cells if cell.source.startswith(one)) for one in begins]
    module = tmp_path / "example.py"
    module.write_text("\n\n".join([IMPORTS, *code]), encoding="utf-8")
    return SimpleNamespace(**runpy.run_path(str(module)))


class Browser:
    """The other side of a WebSocket: what it says is read, and it may sleep."""

    def __init__(self):
        self.heard = []
        self.said = asyncio.Queue()
        self.awake = asyncio.Event()
        self.awake.set()
        self.code = None
        self.said.put_nowait({"type": "websocket.connect"})
        self.websocket = WebSocket({"type": "websocket"}, self.said.get, self.take)

    async def take(self, message):
        """Take what the app sends, unless asleep."""
        await self.awake.wait()
        if message["type"] == "websocket.close":
            self.code = message["code"]
            self.said.put_nowait({"type": "websocket.disconnect", "code": self.code})
        elif message["type"] == "websocket.send":
            self.heard.append(json.loads(message["text"]))

    def say(self, text):
        """Send a text."""
        self.said.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self):
        """Close from this side."""
        self.said.put_nowait({"type": "websocket.disconnect", "code": 1001})


async def others_run():
    """Let every task go on until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)


def say(text):
    """Return a valid message."""
    return json.dumps({"type": "say", "text": text})


async def test_invalid_messages_are_answered_and_the_connection_stays(lesson):
    """Nesting, half characters, unknown fields and blank texts are answered with an error."""
    room, mei = lesson.Room(), Browser()
    serving = asyncio.create_task(lesson.serve_connection(room, mei.websocket, "mei"))
    for text in ("not json", "[" * 100_000, '{"type": "say", "text": "\\ud800"}', say("  ")):
        mei.say(text)
    mei.say(json.dumps({"type": "say", "text": "x", "user": "ruth"}))
    mei.say(say("sense"))
    await others_run()
    assert [message["type"] for message in mei.heard] == ["error"] * 5 + ["said"]
    mei.leave()
    await serving
    assert room.connections == set()


async def test_a_sleeping_reader_is_removed_and_the_speaker_stays(lesson, caplog):
    """A full queue removes its own reader, with 1013 and a log entry; others hear everything."""
    room, mei, shop = lesson.Room(), Browser(), Browser()
    serving = [
        asyncio.create_task(lesson.serve_connection(room, one.websocket, name))
        for one, name in ((mei, "mei"), (shop, "shop"))
    ]
    await others_run()
    shop.awake.clear()
    for number in range(150):
        mei.say(say(str(number)))
        await others_run()
    assert [message["text"] for message in mei.heard] == [str(number) for number in range(150)]
    assert len(room.connections) == 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    shop.awake.set()
    await others_run()
    assert shop.code == 1013
    mei.leave()
    await asyncio.gather(*serving)
    assert room.connections == set()
