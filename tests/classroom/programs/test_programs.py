"""Real programs start on loopback and never outlive the process that started them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx2 as httpx
import psutil
import psycopg
import pytest

from classroom.programs import (
    NoNginxError,
    NoPostgreSQLError,
    ProgramFailedError,
    find_nginx,
    free_port,
    measured,
    nginx,
    postgresql,
    run_program,
    with_postgresql,
)

needs_nginx = pytest.mark.skipif(find_nginx() is None, reason="no nginx for this platform")
SLEEPS = "import time\nprint('here', flush=True)\ntime.sleep(600)"


def alive(pid):
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def soon_gone(*pids):
    """Whether all processes end; the deadline decides nothing but when to give up."""
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


@pytest.fixture
def files():
    """Yield a running file server."""
    port = free_port()
    with run_program("python", "-m", "http.server", port, "-b", "127.0.0.1", port=port) as program:
        yield program


def test_a_program_listens_when_it_is_returned(files):
    """It can be asked at once, and its log can be read while it runs."""
    assert httpx.get(files.url, trust_env=False).status_code == 200
    assert "GET /" in files.log


def test_a_signal_reaches_the_program_itself(files):
    """SIGTERM ends it; the code says so."""
    files.terminate()
    assert files.wait() == -signal.SIGTERM
    assert not files.running


def test_stopping_twice_is_harmless(files):
    """The second time does nothing."""
    files.stop()
    files.stop()
    assert soon_gone(files.pid)


def test_an_exit_code_is_told():
    """The program's own code comes back."""
    program = run_program("python", "-c", "raise SystemExit(7)")
    assert program.wait() == 7


def test_a_program_that_ends_at_once_is_told_with_what_it_wrote():
    """The reader sees the program's own words."""
    with pytest.raises(ProgramFailedError, match="no such luck"):
        run_program("python", "-c", "raise SystemExit('no such luck')", port=free_port())


def test_a_program_that_does_not_exist_is_told():
    """The name is in the message."""
    with pytest.raises(ProgramFailedError, match="no-such-program: No such file"):
        run_program("no-such-program", port=free_port())


def test_environment_and_folder_reach_the_program(tmp_path):
    """It starts where it is told, with the variables that it is given."""
    code = "import os; print(os.getcwd(), os.environ['DESK'])"
    program = run_program("python", "-c", code, folder=tmp_path, environment={"DESK": "5"})
    program.wait()
    assert program.log == f"{tmp_path} 5\n"


def test_the_same_command_replaces_the_program():
    """There are never two of a kind."""
    first = run_program("python", "-c", SLEEPS)
    second = run_program("python", "-c", SLEEPS)
    assert soon_gone(first.pid)
    assert second.running
    second.stop()


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked to end"])
def test_nothing_outlives_the_process_that_started_it(way):
    """Neither a program nor what it has started itself, however the kernel dies."""
    script = textwrap.dedent(
        """
        import time
        from classroom.programs import run_program
        nested = "import subprocess, sys, time\\n"
        nested += "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\\n"
        nested += "print(p.pid, flush=True)\\ntime.sleep(600)"
        program = run_program("python", "-c", nested)
        while not program.log.endswith("\\n"):
            time.sleep(0.01)
        print(program.pid, program.log.strip(), flush=True)
        time.sleep(600)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as kernel:
        pids = [int(word) for word in kernel.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        os.kill(kernel.pid, way)
    assert soon_gone(*pids)


@needs_nginx
def test_nginx_serves_a_site_and_reaches_the_app_behind(files):
    """The port and the address are put into the text as it would stand in a container."""
    site = "server { listen 80; location / { proxy_pass http://files:8000; } }"
    with nginx(site, addresses={"files:8000": files.port}) as proxy:
        reply = httpx.get(proxy.url, trust_env=False)
        workers = [worker.pid for worker in proxy.workers()]
    assert reply.headers["server"].startswith("nginx/")
    assert workers
    assert soon_gone(proxy.pid, *workers)


@needs_nginx
def test_nginx_says_what_it_does_not_understand():
    """The message is nginx's own, with the line."""
    with pytest.raises(ProgramFailedError, match=r'unknown directive "liste" in .*site.conf:1'):
        nginx("server { liste 80; }")


def test_without_nginx_the_recorded_result_is_named(monkeypatch, capsys):
    """Nothing is passed off as measured."""
    monkeypatch.setattr("classroom.programs.proxy.find_nginx", lambda: None)
    assert measured(lambda: {"here": 1}, recorded={"there": 2}) == {"there": 2}
    assert capsys.readouterr().out.startswith("Skipped: no nginx for ")
    with pytest.raises(NoNginxError):
        nginx("server { listen 80; }")


def test_with_nginx_the_experiment_runs(monkeypatch):
    """A recorded result is not used where it can be measured."""
    monkeypatch.setattr("classroom.programs.proxy.find_nginx", lambda: "nginx")
    assert measured(lambda: 1, recorded=2) == 1


def test_in_a_sandbox_the_recorded_result_is_named(monkeypatch, capsys):
    """Where no program may be started, that is said, and the cell does not fail."""

    def refused():
        raise PermissionError

    monkeypatch.setattr("classroom.programs.proxy.find_nginx", lambda: "nginx")
    assert measured(refused, recorded=2) == 2
    assert "no program may be started here" in capsys.readouterr().out


def test_postgresql_runs_as_an_ordinary_user_and_leaves_nothing():
    """A server with an empty database answers on its port, also for root, and ends whole."""
    try:
        started = postgresql()
    except NoPostgreSQLError as why:  # as where root's own folder holds the environment
        pytest.skip(str(why))
    with started as server:
        found = psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres")
        assert found.execute("select 6 * 7").fetchone() == (42,)
        assert found.execute("select 1 from pg_tables where schemaname = 'public'").fetchall() == []
        found.close()
        started = psutil.Process(server.pid)
        assert started.uids().real != 0
        family = [started, *started.children(recursive=True)]
    assert soon_gone(*(process.pid for process in family))
    assert not Path(server.command[server.command.index("-D") + 1]).parent.exists()
    assert with_postgresql(lambda address: address.partition(":")[0], recorded="") == "127.0.0.1"


def test_without_postgresql_what_was_recorded_is_shown(monkeypatch, capsys):
    """A platform that has none says so, and goes on."""
    monkeypatch.setattr("classroom.programs.database.find_postgresql", lambda: None)
    assert with_postgresql(lambda _: "measured", recorded="recorded") == "recorded"
    assert "no PostgreSQL for" in capsys.readouterr().out
