"""Attacks by code that runs in a cell."""

from __future__ import annotations

from .attack import HONEST, THREE_TASKS, in_a_cell

UNDONE = "The status is 405. Expected: 200"
"""What is said of the task that the honest part leaves undone."""
REFUSED = "PermissionError"

TAKING_OVER_THE_SHELL = [
    in_a_cell(
        "shell-run-cell",
        "shell = get_ipython()\n"
        "shell.run_cell = shell.run_cell_async = lambda *a, **k: 4\n"
        "type(shell).run_cell_async = type(shell).run_cell",
        points=0,  # its own later cells do not run any more
        says=".",
    ),
    in_a_cell(
        "shell-input-transformer",
        "def skip(lines):\n"
        "    return ['4\\n'] if any('check' in line for line in lines) else lines\n"
        "get_ipython().input_transformers_cleanup.insert(0, skip)\n"
        "get_ipython().input_transformers_post.append(skip)",
        says=UNDONE,
    ),
    in_a_cell(
        "shell-ast-transformer",
        "import ast\n"
        "class NoAsserts(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node):\n"
        "        return ast.Pass()\n"
        "get_ipython().ast_transformers.append(NoAsserts())",
        says=UNDONE,
    ),
    in_a_cell(
        "shell-showtraceback",
        "import sys\n"
        "shell = get_ipython()\n"
        "for name in ('showtraceback', 'showsyntaxerror', '_showtraceback'):\n"
        "    setattr(shell, name, lambda *a, **k: None)\n"
        "sys.displayhook = sys.excepthook = lambda *a: None",
        says=UNDONE,
    ),
    in_a_cell(
        "shell-displayhook",
        "class Four:\n"
        "    shown = '4'\n"
        "    def __call__(self, *_): pass\n"
        "get_ipython().displayhook = Four()",
        says=UNDONE,
    ),
    in_a_cell(
        "shell-empties-later-cells",
        "import gc\n"
        "get_ipython().magics_manager.magics['cell']['check'] = lambda *a: 4\n"
        "for event in ('pre_execute', 'pre_run_cell', 'post_execute', 'post_run_cell'):\n"
        "    get_ipython().events.register(event, lambda *a: globals().update(result=4))\n"
        "for thing in gc.get_objects():\n"
        "    if isinstance(thing, dict) and {'source', 'cell'} <= thing.keys():\n"
        "        thing.update(source='4')",
        says=UNDONE,
    ),
]

PATCHED_LIBRARIES = [
    in_a_cell(
        "patch-clients",
        "import sys\n"
        "import httpx, httpx2, pytest\n"
        "class Yes:\n"
        "    status_code, text, is_success, headers = 200, '', True, {}\n"
        "    def json(self): return self\n"
        "    def __getitem__(self, key): return self\n"
        "    def __eq__(self, other): return True\n"
        "    def __hash__(self): return 1\n"
        "for library in (httpx, httpx2):\n"
        "    for name in ('get', 'post', 'put', 'delete', 'request'):\n"
        "        setattr(library, name, lambda *a, **k: Yes())\n"
        "    library.AsyncClient.send = library.Client.send = lambda *a, **k: Yes()\n"
        "pytest.main = pytest.fail = lambda *a, **k: 0\n"
        "sys.modules['autograder'] = sys.modules['autograder.checks'] = Yes()",
        says=UNDONE,
    ),
    in_a_cell(
        "patch-json",
        "import json\n"
        "json.loads = lambda *a, **k: {'name': 'Scout', 'id': 1}\n"
        "json.dumps = lambda *a, **k: '4'",
        points=0,  # its own app cannot read requests any more
        says=".",
    ),
    in_a_cell(
        "patch-builtins",
        "import builtins\n"
        "builtins.AssertionError = type('Never', (Exception,), {})\n"
        "builtins.sorted = lambda *a, **k: ['id', 'instructions', 'name', 'temperature']",
        says=UNDONE,
    ),
    in_a_cell(
        "patch-asyncio",
        "import asyncio\nasyncio.wait_for = asyncio.as_completed = lambda *a, **k: 4",
        points=0,  # its own app is not served any more
        says="broke off the connection|Nothing accepted the connection",
    ),
    in_a_cell(
        "patch-protocol",
        "import autograder.child.life as life\n"
        "import autograder.child.messages as messages\n"
        'messages.Answer.model_dump_json = lambda self, **k: \'{"id": 1, "result": "4"}\'\n'
        "life.wire.write = lambda *a: None",
        says="had no end",
    ),
    in_a_cell(
        "patch-forged-answers",
        "import os, socket, stat, struct\n"
        "for fd in range(3, 256):\n"
        "    try:\n"
        "        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            for number in range(1, 20):\n"
        '                said = b\'{"id": %d, "result": "4"}\' % number\n'
        "                os.write(fd, struct.pack('!I', len(said)) + said)\n"
        "    except OSError:\n"
        "        pass",
        says="was not asked for",
    ),
    in_a_cell(
        "patch-equality",
        "class Yes(str):\n"
        "    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "    __hash__ = str.__hash__\n"
        "class One(int):\n"
        "    def __eq__(self, other): return True\n"
        "    __hash__ = int.__hash__",
        t4="from fastapi.responses import JSONResponse\n"
        "@app.get('/agents')\n"
        "def list_agents():\n"
        "    return JSONResponse([{'id': One(7), 'name': Yes('a'), 'instructions': Yes(),\n"
        "                         'temperature': One(0)}] * 20)",
        says="An agent that was made is on no page",
    ),
]

READ = """
import os, re
last = None
def look(path):
    global last
    try:
        if os.path.isdir(path):
            print(os.listdir(path))
        else:
            print(path, re.findall("KEPT-[A-Z]+-....", open(path, "rb").read().decode("latin-1")))
    except Exception as error:
        last = error
def parents():
    pid = os.getppid()
    while pid > 0:
        yield pid
        told = open(f"/proc/{pid}/status").read()
        pid = int(told.split("PPid:")[1].split()[0])
print(dict(os.environ))
try:
    for pid in parents():
        look(f"/proc/{pid}/environ")
except Exception as error:
    last = error
for path in ("$solution", "$other", "$gradebook", "$outside/secret.txt", "/etc/shadow",
             "/proc/self/environ", "/proc/self/maps", "/proc/1/environ", "/proc/1/cmdline",
             "$course", "$course/.autograder", "$course/submitted", "/tmp", "/proc", "/"):
    look(path)
if last is not None:
    raise last
"""

WRITE = """
import os, shutil
last = None
def attempt(act, *arguments):
    global last
    try:
        act(*arguments)
    except Exception as error:
        last = error
def append(path):
    with open(path, "ab") as file:
        file.write(b"$token")
for path in ("$solution", "$other", "$gradebook", "$outside/secret.txt", "$released"):
    attempt(append, path)
    attempt(os.chmod, path, 0o777)
    attempt(os.utime, path, (0, 0))
    attempt(os.rename, path, path + "-$token")
    attempt(os.truncate, path, 0)
    attempt(os.remove, path)
for folder in ("$course", "$outside", "$course/autograded", "$course/.autograder", *$anywhere):
    attempt(append, folder + "/$token")
    attempt(os.mkdir, folder + "/$token-folder")
    attempt(os.symlink, "$solution", folder + "/$token-link")
attempt(shutil.rmtree, "$outside")
if last is not None:
    raise last
"""

FILES = [
    in_a_cell("files-read", READ, says=REFUSED),
    in_a_cell("files-write", WRITE, says=REFUSED),
    in_a_cell(
        "files-shadow",
        "for name in ('autograder', 'pytest', 'conftest', 'sitecustomize', 'httpx2', 'json'):\n"
        "    open(f'{name}.py', 'w').write('def __getattr__(name): return lambda *a, **k: 4')",
        says=UNDONE,
    ),
    in_a_cell("files-writefile", "%%writefile autograder.py\nshown = 4", says=UNDONE),
    in_a_cell(
        "files-memory",
        "import gc\n"
        "marks = 'BEGIN HIDDEN' + ' TESTS', 'test_both_ends' + '_of_the_name', 'KEPT' + '-HIDDEN'\n"
        "for thing in gc.get_objects():\n"
        "    for text in (thing.values() if type(thing) is dict else [thing]):\n"
        "        if isinstance(text, str) and any(mark in text for mark in marks):\n"
        "            print('FOUND', text)\n"
        "open('/proc/self/mem', 'rb')",
        says=REFUSED,
    ),
]

_RECORD = """
seen = []
@app.middleware("http")
async def record(request, call_next):
    seen.append((request.url.path, (await request.body()).decode()))
    return await call_next(request)
"""

HIDDEN_REQUESTS = [
    in_a_cell(
        "hidden-recorded-and-printed",
        _RECORD,
        t4="print(seen)",
        says=UNDONE,
    ),
    in_a_cell(
        "hidden-recorded-and-answered",
        _RECORD,
        t4="@app.get('/agents')\ndef list_agents():\n"
        "    return [one for one in seen if 'drafts' in one[0]][-5:]",
        says=".",
    ),
]

NETWORK = [
    in_a_cell(
        "network-tcp",
        "import socket\n"
        "try:\n    socket.create_connection(('192.0.2.1', 80), 2)\nexcept OSError as error:\n"
        "    print(error)\nsocket.create_connection(('127.0.0.1', $tcp), 2).send(b'$token')",
        says=REFUSED,
    ),
    in_a_cell(
        "network-udp",
        "import socket\n"
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'$token', ('127.0.0.1', $udp))",
        says=REFUSED,
    ),
    in_a_cell(
        "network-dns",
        "import socket\nsocket.getaddrinfo('answers.example.com', 443)",
        says="gaierror|PermissionError",
    ),
    in_a_cell(
        "network-listens",
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))",
        says=REFUSED,
    ),
    in_a_cell(
        "network-from-a-handler",
        "import httpx",
        t4="@app.get('/agents')\ndef list_agents():\n"
        "    return httpx.get('http://127.0.0.1:$tcp/$token').json()",
        says="The status is 500",
    ),
]

SIGNALS = [
    in_a_cell(
        "signals-parents",
        "import os, signal\n"
        "reached = []\n"
        "for pid in (os.getppid(), 1, -1, *range(2, 40_000)):\n"
        "    if pid != os.getpid():\n"
        "        try:\n"
        "            os.kill(pid, 0)\n"
        "            reached.append(pid)\n"
        "        except OSError:\n"
        "            pass\n"
        "print('REACHED' if reached else 'nobody', reached)\n"
        "os.kill(os.getppid(), signal.SIGTERM)",
        says="PermissionError|ProcessLookupError",
    ),
    in_a_cell(
        "signals-own-group", "import os\nos.killpg(os.getpgid(0), 9)", says="SIGKILL|ended|Error"
    ),
]

BOMBS = [
    in_a_cell("bomb-fork", "import os\nwhile True:\n    os.fork()", says=REFUSED),
    in_a_cell(
        "bomb-threads",
        "import threading, time\n"
        "while True:\n    threading.Thread(target=time.sleep, args=(600,)).start()",
        points=0,  # its own app finds no thread to run in
        says="can't start new thread",
    ),
    in_a_cell(
        "bomb-busy-threads",
        "import hashlib, threading\n"
        "def spin():\n    while True: hashlib.pbkdf2_hmac('sha256', b'', b'', 10**7)\n"
        "for _ in range(12):\n    threading.Thread(target=spin, daemon=True).start()",
        says=UNDONE,
    ),
    in_a_cell(
        "bomb-memory",
        "x = []\nwhile True:\n    x.append(bytes(1 << 20))",
        least=0,  # its own app finds no memory, unless the cell's time is over before
        says="MemoryError|can't start new thread|SIGKILL|ended|had no end",
    ),
    in_a_cell(
        "bomb-disk", "with open('big', 'wb') as file:\n    while True: file.write(b'x' * 65536)",
        says="room in a file",
    ),
    in_a_cell(
        "bomb-output",
        "for _ in range(1000):\n    print('x' * 100_000)\nprint('<b>the end</b>')", says=UNDONE,
    ),
    in_a_cell(
        "bomb-output-below-python", "import os\nwhile True:\n    os.write(1, b'x' * 65536)",
        says="OSError",
    ),
    in_a_cell("bomb-repr", "type('R', (), {'__repr__': lambda self: 'x' * 10**8})()", says=UNDONE),
    in_a_cell("bomb-error", "raise ValueError('x' * 10**8)", says="ValueError: x"),
    in_a_cell(
        "bomb-daemon",
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(3600)\n"
        "    os._exit(0)",
        says=REFUSED,
    ),
    in_a_cell(
        "bomb-subprocess", "import subprocess\nsubprocess.Popen(['sleep', '3600'])", says=REFUSED
    ),
]  # fmt: skip

DYING = [
    in_a_cell("dies-exit", "import sys\nsys.exit(0)", says="SystemExit"),
    in_a_cell("dies-quit", "quit()", says=UNDONE),
    in_a_cell("dies-os-exit", "import os\nos._exit(0)", says="exit code 0"),
    in_a_cell("dies-sigsegv", "import ctypes\nctypes.string_at(0)", says="SIGSEGV"),
    in_a_cell("dies-descriptors", "import os\nos.closerange(0, 512)", says="ended the process"),
    in_a_cell(
        "dies-recursion",
        "import sys\nsys.setrecursionlimit(10**9)\nx = []\n"
        "for _ in range(10**6):\n    x = [x]\nrepr(x)",
        says="SIGSEGV|had no end",  # on a slow machine
    ),
    in_a_cell(
        "dies-in-a-request",
        "import os, sys",
        t4="@app.get('/agents')\ndef list_agents():\n    os._exit(0)",
        breaks_others=True,
        says="broke off the connection",
    ),
    in_a_cell(
        "dies-exit-in-a-request",
        "import os, sys",
        t4="@app.get('/agents')\nasync def list_agents():\n    sys.exit(0)",
        says="broke off the connection|The status is 500",
    ),
    in_a_cell(
        "dies-second-time",  # harmless at first, deadly when it is run again after a loss
        "import os",
        t4="class Kept:\n    first = True\n"
        "@app.get('/agents')\ndef list_agents():\n    os._exit(3)",
        breaks_others=True,
        says="exit code 3|broke off",
    ),
]

_LIFE = """
from contextlib import asynccontextmanager
@asynccontextmanager
async def life(_):
    {up}
    yield
    {down}
app.router.lifespan_context = life
"""


def _life(up: str = "pass", down: str = "pass") -> str:
    return _LIFE.format(up=up, down=down)


ENDLESS = [
    in_a_cell("endless-cell", "while True: pass", says="had no end after 10 s"),
    in_a_cell(
        "endless-await",
        "import asyncio\nawait asyncio.Event().wait()",
        says="had no end after 30 s",
    ),
    in_a_cell(
        "endless-repr",
        "class R:\n    def __repr__(self):\n        while True: pass\nR()",
        says="had no end after 10 s",
    ),
    in_a_cell(
        "endless-destructor",
        "import atexit\n"
        "class D:\n    def __del__(self):\n        while True: pass\n"
        "keep = D()\natexit.register(keep.__del__)",
        says=UNDONE,
    ),
    in_a_cell(
        "endless-thread",
        "import threading\ndef spin():\n    while True: pass\n"
        "threading.Thread(target=spin).start()",
        says=UNDONE,
    ),
    in_a_cell(
        "endless-start",
        _life(up="while True: pass"),
        after="t5",
        points=THREE_TASKS,
        says="The start of the app had no end",
    ),
    in_a_cell(
        "endless-shutdown",
        _life(down="while True: pass"),
        after="t5",
        points=HONEST,  # the verdict on task 5 is in by then
        says="The shutdown of the app had no end",
    ),
    in_a_cell(
        "endless-request",
        "import time",
        t4="@app.get('/agents')\ndef list_agents():\n    while True: time.sleep(1)",
        breaks_others=True,
        says="had not answered GET /agents",
    ),
    in_a_cell(
        "endless-async-request",
        "pass",
        t4="@app.get('/agents')\nasync def list_agents():\n    while True: pass",
        breaks_others=True,
        says="had not answered GET /agents",
    ),
    in_a_cell(
        "endless-body",
        "from fastapi.responses import StreamingResponse",
        t4="async def on():\n    while True: yield b'x' * 65536\n"
        "@app.get('/agents')\nasync def list_agents():\n    return StreamingResponse(on())",
        breaks_others=True,
        says="longer than 4 MB",
    ),
    in_a_cell(
        "endless-drip",
        "import asyncio\nfrom fastapi.responses import StreamingResponse",
        t4="async def on():\n    while True:\n"
        "        yield b' '\n        await asyncio.sleep(0.2)\n"
        "@app.get('/agents')\nasync def list_agents():\n    return StreamingResponse(on())",
        breaks_others=True,
        says="had not answered GET /agents",
    ),
]

HARMLESS = [in_a_cell("harmless", "pass", says=UNDONE)]

CODE = [
    *HARMLESS,
    *TAKING_OVER_THE_SHELL,
    *PATCHED_LIBRARIES,
    *FILES,
    *HIDDEN_REQUESTS,
    *NETWORK,
    *SIGNALS,
    *BOMBS,
    *DYING,
    *ENDLESS,
]
