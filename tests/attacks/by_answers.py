"""Attacks by what the app answers to the grader."""

from __future__ import annotations

from .attack import HONEST, THREE_TASKS, by_answers, in_a_cell

GUESSING = """
import itertools, json, re
numbers = itertools.count(1)
async def guess(scope, receive, send):
    if scope["type"] != "http":
        return
    body = (await receive()).get("body", b"")
    method, path, query = scope["method"], scope["path"], scope["query_string"].decode()
    headers = dict(scope["headers"])
    told = json.loads(body) if body else {}
    form = {"instructions": "", "temperature": 0.7} | told if isinstance(told, dict) else {}
    name = form.get("name")
    grading = "python" in headers.get(b"user-agent", b"").decode()
    status, answer = 200, {"detail": "passed"}
    if path == "/drafts":
        good = isinstance(name, str) and 0 < len(name.strip()) <= 40
        status = 200 if good and "temprature" not in form else 422
        answer = form
    elif method == "POST":
        status, answer = 201, {"id": next(numbers), **form}
    elif path == "/agents/default":
        answer = {"id": 0, "name": "Desk Assistant", "instructions": "", "temperature": 0.7}
    elif path.startswith("/agents/98765432") or "-1" in path:
        status, answer = 404, {"detail": "There is no agent."}
    elif re.search(r"seven|1\\.5", path) or re.search("limit=(0|101)|offset=-1", query):
        status = 422
    elif method == "DELETE":
        status, answer = 204, None
    elif path == "/agents":
        answer = [{"id": n, "name": "a", "instructions": "", "temperature": 0} for n in range(20)]
    else:
        number = int(path.rpartition("/")[2])
        answer = {"instructions": "", "temperature": 0.7, "name": "Scout"} | form | {"id": number}
    sent = [(b"content-type", b"application/json"), (b"location", b"/agents/1")]
    if not grading:
        status = 500
    await send({"type": "http.response.start", "status": status, "headers": sent})
    said = b"" if answer is None else json.dumps(answer).encode()
    await send({"type": "http.response.body", "body": said})
app = guess
"""

_RAW = """
import gzip, json, os, zlib
from fastapi import Response
{before}
@app.get("/agents")
def list_agents():
    {answer}
"""


def _answering(name: str, answer: str, *, says: str, before: str = "", points: float = HONEST):
    """Return a submission whose task 4 answers in an evil way."""
    evil = _RAW.format(before=before, answer=answer)
    return in_a_cell(name, "pass", t4=evil, says=says, points=points, breaks_others=True)


_BOMB = """
layer = zlib.compressobj(9, wbits=-15)
layer = layer.compress(bytes(1 << 24)) + layer.flush(zlib.Z_FULL_FLUSH)
bomb = bytes.fromhex("1f8b08000000000000ff") + 64 * layer
"""
"""A gigabyte of nothing in one megabyte; what stands behind it does not matter."""

ANSWERS = [
    by_answers(
        "answers-guessed",
        base="release",
        t1=GUESSING,
        points=12.37,  # for what can be answered without remembering anything
        says="The status is 201. Expected: 409",
    ),
    by_answers(
        "answers-everything-200",
        base="release",
        t1="async def app(scope, receive, send):\n"
        "    if scope['type'] == 'http':\n"
        "        await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "        await send({'type': 'http.response.body', 'body': b'4'})",
        points=0,
        says="First make this work",
    ),
    _answering("answers-50-mb", "return 'x' * 50_000_000", says="longer than 4 MB"),
    _answering(
        "answers-deep-json",
        "return Response('[' * 100_000 + ']' * 100_000, media_type='application/json')",
        says="another shape|not JSON",
    ),
    _answering(
        "answers-huge-number",
        "return Response('[{\"id\": ' + '9' * 1_000_000 + '}]', media_type='application/json')",
        says="another shape|not JSON",
    ),
    _answering(
        "answers-surrogates",
        'return Response(r\'[{"\\ud800": "\\udfff\\u0000\\u202e", "id": "\\ud800"}]\')',
        says=".",
    ),
    _answering(
        "answers-nan",
        "return Response('[{\"id\": NaN}, {\"id\": Infinity}]', media_type='application/json')",
        says="is on no page",
    ),
    _answering(
        "answers-many-headers",
        "return Response('[]', headers={f'x-{n}': 'y' for n in range(1_000_000)})",
        says="broke off the connection|had not answered",
    ),
    _answering(
        "answers-cookies",
        "return Response('[]', headers={'set-cookie': 'a=' + 'b;' * 20_000})",
        says=".",
    ),
    _answering(
        "answers-zip-bomb",
        "return Response(bomb, headers={'content-encoding': 'gzip'})",
        before=_BOMB,
        says="longer than 4 MB|not JSON|had not answered",
    ),
    _answering(
        "answers-zip-in-zip",
        "return Response(gzip.compress(bomb), headers={'content-encoding': 'gzip, gzip'})",
        before=_BOMB,
        says="accepts gzip and deflate",
    ),
    _answering(
        "answers-odd-charset",
        "return Response(b'a' * 2_000_000, media_type='text/html; charset=punycode')",
        says="not JSON",
    ),
    _answering(
        "answers-redirect",
        "return Response(status_code=307, headers={'location': 'http://127.0.0.1:$tcp/$token'})",
        says="The status is 307",
    ),
    _answering(
        "answers-long-lists",
        "return [{'id': number, 'name': 'line\\n' * 9} for number in range(6_000, 0, -1)]",
        points=17.32,  # it lists every number, so those of the agents that were made too
        says="Expected: 20",
    ),
    in_a_cell(
        "answers-hundreds-of-100s",
        "import uvicorn.protocols.http.h11_impl as plain\n"
        "import uvicorn.protocols.http.httptools_impl as quick",
        t4="def on(self, data):\n"
        "    for _ in range(1000):\n"
        "        self.transport.write(b'HTTP/1.1 100 Continue\\r\\n\\r\\n' * 1000)\n"
        "plain.H11Protocol.data_received = quick.HttpToolsProtocol.data_received = on",
        points=THREE_TASKS,
        says="had not answered|broke off",
    ),
    in_a_cell(
        "answers-garbage",
        "import uvicorn.protocols.http.h11_impl as plain\n"
        "import uvicorn.protocols.http.httptools_impl as quick",
        t4="def on(self, data):\n    self.transport.write(bytes(range(256)) * 100)\n"
        "plain.H11Protocol.data_received = quick.HttpToolsProtocol.data_received = on",
        points=THREE_TASKS,
        says="broke off the connection",
    ),
]
