"""The instructor's side of the exchange: no submission stands in for another or stops the class.

Everybody may write into an exchange's `inbound/`: under any name, anything, with any rights.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Sequence
from datetime import datetime
from glob import glob
from pathlib import Path
from typing import Any

from nbgrader.exchange import ExchangeError  # type: ignore[import-untyped]  # it ships no types
from nbgrader.exchange.default import (  # type: ignore[import-untyped]
    ExchangeCollect,
    ExchangeReleaseFeedback,
)
from nbgrader.utils import ignore_patterns, notebook_hash  # type: ignore[import-untyped]

from autograder.course import is_plain_name

_NOBODY = ""
"""The student of what is not collected."""
_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - nbgrader's are in UTC and do not say so
_OWN = stat.S_IRWXU
_SECRET = "submission_secret.txt"  # noqa: S105 - a name
_MOST_FILES = 10_000
"""In one submission; 100 MB of empty ones would take an hour and every inode."""
_MOST_NAMES = 5
"""Names of notebooks in one submission under which its page can be fetched."""
_NAMED_BY = ("timestamp.txt", _SECRET)
"""What `nbgrader submit` adds, from which a feedback page in the exchange has its name."""
_SHARED = stat.S_IRWXU | stat.S_IRWXG | stat.S_ISGID

Record = dict[str, Any]


class Collect(ExchangeCollect):  # type: ignore[misc]  # nbgrader ships no types
    """What `nbgrader collect` and formgrader's button do here.

    Links are collected as links, which the grader does not follow. What cannot be collected is
    named in the log; the rest of that submission and everybody else's are collected.
    """

    src_records: list[Record]

    def copy_files(self) -> None:
        """Copy the submissions that are their student's own."""
        self.src_records = [record for record in self.src_records if record["username"]]
        super().copy_files()

    def do_copy(self, src: str, dest: str, **_: object) -> None:
        """Copy a submission as far as it can be copied.

        Args:
            src: Its folder in the exchange.
            dest: Where to put it.
        """
        Path(dest).mkdir(parents=True, exist_ok=True)
        try:
            self._copy(src, dest)
        except (OSError, RuntimeError) as error:
            said = (
                f"{src} was not collected whole: {_in_short(error)}. "
                f"What could be is in {dest}; look at it, and ask the student to submit again."
            )
            self.log.error(said)  # noqa: TRY400 - a line for the instructor, no traceback
        _make_accessible(dest, _SHARED if self.coursedir.groupshared else _OWN)

    def _path_to_record(self, path: str) -> Record:
        """Return what a name in the exchange says, without a student if it is not to be taken."""
        try:
            record: Record = super()._path_to_record(path)
            fault = _fault(Path(path), record["username"])
        except (ExchangeError, ValueError, OverflowError, OSError):
            record = {"filename": Path(path).name, "timestamp": _NEVER}
            fault = "its name does not say who handed in what, and when"
        if not fault:
            return record
        self.log.error("%s is not collected: %s.", path, fault)
        return record | {"username": _NOBODY}

    def _copy(self, src: str, dest: str) -> None:
        """Copy a submission; of one that is too much, the notebook and what `submit` adds."""
        fault = self._too_much(src)
        needed = {f"{self.coursedir.assignment_id}.ipynb", *_NAMED_BY}
        unwanted = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )

        def ignore(folder: str, names: Sequence[str]) -> set[str]:
            plain = [name for name in names if _is_plain(Path(folder, name))]
            if fault:
                plain = [name for name in plain if folder == src and name in needed]
            return {*unwanted(folder, plain), *set(names).difference(plain)}

        shutil.copytree(src, dest, symlinks=True, ignore=ignore, dirs_exist_ok=True)
        if fault:
            raise RuntimeError(fault)

    def _too_much(self, src: str) -> str:
        """Say what of a submission is more than is collected, if anything."""
        number, limit = 0, 1_000 * self.coursedir.max_dir_size
        try:
            for _, folders, files in os.walk(src):
                number += len(folders) + len(files)
                if number > _MOST_FILES:
                    return f"it has more than {_MOST_FILES:,} files"
            size: int = self.get_size(src)
        except RecursionError:
            return "its folders are too deep"
        return f"it has {size:,} bytes, and {limit:,} are allowed" if size > limit else ""


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]  # it ships no types
    """What `nbgrader release_feedback` and formgrader's button do here.

    A page for which the exchange has no name, since what was handed in lacks its secret, is named
    in the log, and everybody else's are released.
    """

    def copy_files(self) -> None:
        """Copy the pages that can be fetched by their students."""
        directory = self.coursedir
        pattern = directory.format_path(
            directory.feedback_directory, directory.student_id or "*", directory.assignment_id
        )
        folders = sorted(map(Path, glob(pattern)))  # noqa: PTH207 - as nbgrader does
        left = {*filter(None, str(directory.student_id_exclude).split(","))}
        for folder in folders:
            if not _has_name(folder):
                left.add(folder.parent.name)
                self.log.error(
                    "The feedback in %s is not released: what was handed in lacks %s. Give the "
                    "student the page yourself.", folder, " and ".join(_NAMED_BY),
                )  # fmt: skip
        directory.student_id_exclude = ",".join(sorted(left))
        super().copy_files()
        for folder in folders:
            if folder.parent.name not in left:
                self._copy_for_other_names(folder)

    def _copy_for_other_names(self, folder: Path) -> None:
        """Copy a page for a student who handed in his notebook under a name of his own.

        His nbgrader asks for the feedback of the notebook that he has.
        """
        directory, student = self.coursedir, folder.parent.name
        lab = directory.assignment_id
        handed_in = directory.format_path(directory.submitted_directory, student, lab)
        page = folder / f"{lab}.html"
        secret = (folder / _SECRET).read_text(encoding="ascii")
        if not page.is_file():
            return
        for notebook in sorted(Path(handed_in).glob("*.ipynb"))[:_MOST_NAMES]:
            name = notebook_hash(secret=secret, notebook_id=notebook.stem)
            shutil.copy(page, Path(self.dest_path, f"{name}.html"))


def _has_name(folder: Path) -> bool:
    """Tell whether nbgrader can read what gives a feedback page its name."""
    try:
        return all((folder / name).read_text(encoding="ascii") for name in _NAMED_BY)
    except (OSError, UnicodeDecodeError):
        return False


def _fault(path: Path, student: str) -> str:
    """Say why a submission is not that student's, if it is not.

    Where no account has the student's name, as on a hub with one account for all, nothing is
    known of owners.
    """
    if not (student and is_plain_name(student)):
        return f"{student!r} cannot be a student's name"
    if not stat.S_ISDIR(path.lstat().st_mode):
        return "it is no folder"
    owner = path.lstat().st_uid
    try:
        own = pwd.getpwnam(student).pw_uid
    except KeyError:
        return ""
    if owner in {own, os.geteuid()}:
        return ""
    return f"it was handed in by {_account(owner)}, not by {student}"


def _account(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the account with number {number}"


def _is_plain(path: Path) -> bool:
    """Tell whether a path is a file, a folder or a link: a pipe would never end."""
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _in_short(error: Exception) -> str:
    """Return what an error says, of many the first."""
    if isinstance(error, shutil.Error) and error.args and error.args[0]:
        *_, said = error.args[0][0]
        return str(said)
    return str(error)


def _make_accessible(folder: str, mode: int) -> None:
    """Give the instructor the rights to read, change and remove what was collected."""
    for here, folders, files in os.walk(folder):
        for path in (Path(here), *(Path(here, name) for name in (*folders, *files))):
            if not path.is_symlink():
                rights = mode if path.is_dir() else mode & ~(stat.S_ISGID | 0o111)
                path.chmod(stat.S_IMODE(path.lstat().st_mode) | rights)
