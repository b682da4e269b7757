"""The outside world that a submission asks is bounded, and new for the next one."""

import pytest

from .neighbours import USERS, full_marks, neighbours

_ASK = """
import asyncio, json, os
import httpx2
async def ask(path, body, seconds=3, times=1):
    async with httpx2.AsyncClient(base_url=os.environ["UPSTREAM_URL"], timeout=seconds) as http:
        asked = [http.post(path, content=body) for _ in range(times)]
        return await asyncio.gather(*asked, return_exceptions=True)
"""
_CHAT = """
def chat(schema, **told):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    question = {"role": "user", "content": "Say it."}
    return json.dumps({"model": "m", "messages": [question], "response_format": form, **told})
"""
_TREE = """
leaf = {"type": "string"}
shared = {f"a{n}": {"type": "object", "properties": {
    f"{side}{m}": {"$ref": f"#/$defs/a{n + 1}"} for side in "lr" for m in range(3)}}
    for n in range(20)}
tree = {"$ref": "#/$defs/a0", "$defs": {**shared, "a20": leaf}}
"""
ATTACKS = {
    "tree": f"{_ASK}{_CHAT}{_TREE}await ask('/v1/chat/completions', chat(tree), times=8)",
    "circle": f"{_ASK}{_CHAT}circle = {{'$ref': '#/$defs/a', '$defs': {{'a': {{'type': 'array', "
    "'minItems': 2, 'items': {'$ref': '#/$defs/a'}}}}\n"
    "await ask('/v1/chat/completions', chat(circle), times=8)",
    "items": f"{_ASK}{_CHAT}many = {{'type': 'array', 'minItems': 50_000_000, 'items': {{}}}}\n"
    "await ask('/v1/chat/completions', chat(many), times=4)",
    "vectors": f"{_ASK}"
    "body = json.dumps({'model': 'm', 'input': ['ab cd'] * 100_000, 'dimensions': 4096})\n"
    "await ask('/v1/embeddings', body, times=4)",
    "invalid": f"{_ASK}body = json.dumps({{'model': 'm', 'messages': [{{}}] * 200_000}})\n"
    "await ask('/v1/chat/completions', body, times=20)",
    "inputs": f"{_ASK}body = json.dumps({{'model': 'm', 'input': [[{{}}]] * 200_000}})\n"
    "await ask('/v1/embeddings', body, times=20)",
    "queue": f"{_ASK}await ask('/queue/a', '1', times=3000)\n"
    "for _ in range(5): await ask('/queue/a/take', '', times=3000)",
    "held": f"{_ASK}import threading\n"
    "loop = lambda: asyncio.run(ask('/v1/chat/completions', '{' * 900_000, 60, 90))\n"
    "for _ in range(8): threading.Thread(target=loop, daemon=True).start()",
}


@pytest.mark.parametrize("user", USERS)
def test_nobody_pays_for_what_another_asks(user):
    """Whatever the outside world was asked before, the next submission finds it at work."""
    with neighbours("lab04", user, tasks=["t1"]) as course:
        course.hand_in_all(ATTACKS)
        lines = course.grade()
        full_marks(course, lines)
        assert max(line["seconds"] for line in lines.values()) < 90
