"""Runs one program and kills it, with its workers, when the starting process is gone.

Started as a script, with as few imports as possible: `guard.py REPORT COMMAND...`. Its standard
input is a pipe that the starting process holds open and never writes to; the pipe ends with that
process, however it dies. REPORT is the number of a pipe, on which two lines are written: the
program's process id, and its exit code.
"""

import contextlib
import os
import select
import signal
import sys


def main() -> None:
    """Start the program, wait for its end or the owner's, and leave no process behind."""
    report, *command = sys.argv[1:]
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    # Handlers, not SIG_IGN: those end with `exec`, so that the program hears its signals.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    child = os.fork()
    if child == 0:
        _become(command, int(report))
    os.write(int(report), f"{child}\n".encode())
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if 0 in ready:
            break
        os.read(ended, 512)
        # Only its own child is reaped, and only once it has ended.
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            with contextlib.suppress(OSError):
                os.write(int(report), f"{os.waitstatus_to_exitcode(status)}\n".encode())
            break
    os.killpg(0, signal.SIGKILL)


def _become(command: list[str], report: int) -> None:
    os.close(report)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    main()
