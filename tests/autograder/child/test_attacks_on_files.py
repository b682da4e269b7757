"""A student's cell reads and writes what it was granted, and nothing else.

The `server` fixture asserts after each test that the fork server lives, that the next
submission works, and that no process is left.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from autograder.child import ForkServer, Submission
from autograder.sandbox import Policy

from .conftest import PATIENT, refused


def test_a_solutions_folder_is_unreadable(child: Submission, tmp_path: Path):
    """Neither a file nor its folder's listing can be had."""
    (tmp_path / "solution.py").write_text("answer = 42")
    assert refused(child, f"open({str(tmp_path / 'solution.py')!r})") == "PermissionError"
    assert refused(child, f"import os; os.listdir({str(tmp_path)!r})") == "PermissionError"


def test_a_link_in_the_scratch_folder_leads_nowhere(server: ForkServer, tmp_path: Path):
    """A symbolic or hard link to a file outside does not open it."""
    scratch, secret = tmp_path / "scratch", tmp_path / "secret"
    scratch.mkdir()
    secret.write_text("answer")
    with server.submission(Policy(scratch=scratch)) as child:
        act = f"import os; os.symlink({str(secret)!r}, 'link'); open('link')"
        assert refused(child, act) == "PermissionError"
        assert refused(child, f"os.link({str(secret)!r}, 'hard'); open('hard')") in {
            "PermissionError",
            "OSError",
        }


def test_another_submissions_folder_is_unreadable(server: ForkServer, tmp_path: Path):
    """One submission's scratch folder is closed to another."""
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
    with (
        server.submission(Policy(scratch=tmp_path / "theirs")) as other,
        server.submission(Policy(scratch=tmp_path / "mine")) as child,
    ):
        assert other.run("a", "open('work', 'w').write('x')", deadline=PATIENT).ok
        assert refused(child, f"open({str(tmp_path / 'theirs/work')!r})") == "PermissionError"


@pytest.mark.parametrize(
    "path",
    ["/etc/shadow", "/etc/passwd", "/root/.bashrc", "/proc/1/environ", "/proc/self/maps", "/"],
)
def test_system_files_are_unreadable(child: Submission, path: str):
    """Passwords, homes and process listings are out of reach."""
    act = f"import os; os.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}).read()"
    assert refused(child, act) in {"PermissionError", "FileNotFoundError"}


@pytest.mark.parametrize("file", ["environ", "mem", "cmdline", "root/etc/hostname", "fd"])
def test_the_graders_process_is_unreadable(child: Submission, file: str):
    """Environment, memory and files of the grading process stay closed."""
    path = f"/proc/{os.getpid()}/{file}"
    act = f"import os; fd = os.open({path!r}, os.O_RDONLY); os.read(fd, 10)"
    assert refused(child, act) in {"PermissionError", "FileNotFoundError"}


def test_the_graders_memory_is_unreadable_by_call(child: Submission):
    """The system call that reads another process's memory is refused."""
    act = f"""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(8)
    class Vec(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
    here = Vec(ctypes.addressof(buffer), 8)
    for pid in ({os.getpid()}, 1, 2):
        assert libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(here), 1, 0) == -1
        assert libc.ptrace(16, pid, 0, 0) == -1
    """
    ran = child.run("attack", textwrap.dedent(act), deadline=PATIENT)
    assert ran.ok, ran.raised


def test_an_exposed_secret_is_refused_before_anything_runs(tmp_path: Path):
    """A policy that would show the solutions is an error, not a leak."""
    with (
        ForkServer(secrets=[tmp_path / "solutions"]) as server,
        pytest.raises(PermissionError, match="solutions"),
        server.submission(Policy(readable=(tmp_path,))),
    ):
        pass


PLACES = ["/tmp", "/dev/shm", "/var/tmp", "/etc", "/proc/self", "."]  # noqa: S108 - attacked


@pytest.mark.parametrize("where", PLACES)
def test_nothing_can_be_written(child: Submission, where: str):
    """Without a scratch folder there is no place to write."""
    act = f"open({where + '/attack'!r}, 'w')"
    assert refused(child, act) in {"PermissionError", "FileNotFoundError"}


@pytest.mark.parametrize(
    "act",
    [
        "os.chmod(path, 0o777)",
        "os.chown(path, 0, 0)",
        "os.utime(path)",
        "os.remove(path)",
        "os.rename(path, path + 'x')",
        "os.truncate(path, 0)",
        "os.setxattr(path, 'user.a', b'')",
    ],
)
def test_files_outside_cannot_be_changed(child: Submission, tmp_path: Path, act: str):
    """Neither contents nor names, modes, owners, times nor attributes can be changed."""
    file = tmp_path / "gradebook.db"
    file.write_text("marks")
    before = file.stat()
    assert refused(child, f"import os; path = {str(file)!r}; {act}") in {
        "PermissionError",
        "FileNotFoundError",
    }
    assert file.stat() == before
    assert file.read_text() == "marks"


def test_modes_are_not_changed_from_a_scratch_folder(server: ForkServer, tmp_path: Path):
    """Where a change of mode seems to work, for the sake of copying, it does nothing."""
    scratch, file = tmp_path / "scratch", tmp_path / "gradebook.db"
    scratch.mkdir()
    file.write_text("marks")
    before = file.stat()
    with server.submission(Policy(scratch=scratch)) as child:
        child.run("a", f"import os; os.chmod({str(file)!r}, 0o777)", deadline=PATIENT)
    assert file.stat() == before
