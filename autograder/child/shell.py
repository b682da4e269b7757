"""IPython without a terminal: a cell means here what it means in a notebook's kernel.

Top-level `await`, `%%writefile`, `%time` and the like work. What would start a program, or
belongs to a person at a keyboard, says so or does nothing; a check cell does nothing.
"""

from __future__ import annotations

import ast
import contextlib
import sys
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from IPython.utils.text import SList
from traitlets import Type
from traitlets.config import Config

from autograder.child import rich
from autograder.child.faults import CELL
from autograder.child.rich import Shown

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult

_OWN_EXTENSIONS = ("autograder", "classroom")
_LINE_MAGICS_THAT_DO_NOTHING = (
    "autosave", "colors", "conda", "config", "connect_info", "debug", "edit", "gui", "lab",
    "mamba", "matplotlib", "micromamba", "pdb", "pip", "progress", "pylab", "qtconsole", "save",
    "stub", "uv", "xmode",
)  # fmt: skip
_PRISTINE = TransformerManager()
_TRANSFORMS = sum(
    len(transforms)
    for transforms in (
        _PRISTINE.cleanup_transforms, _PRISTINE.line_transforms, _PRISTINE.token_transformers,
    )
)  # fmt: skip
_CELL_MAGICS_THAT_DO_NOTHING = ("bash", "check", "debug", "perl", "ruby", "script", "sh")


class Cell(NamedTuple):
    """What a cell has shown.

    Attributes:
        result: Its last line, as text.
        rich: Other forms of that.
        shown: What it has shown before.
    """

    result: str
    rich: Shown
    shown: list[Shown]


class CellCompiler(CachingCompiler):
    """Names compiled code after its cell, so that an error can be placed."""

    cell = ""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Return the name that stands in tracebacks."""
        del raw_code, transformed_code, number
        return f"{CELL}{self.cell}>"


class TextHook(DisplayHook):
    """Keeps what the last line of a cell showed, as text."""

    shown = ""
    rich: Shown = {}  # noqa: RUF012 - replaced as a whole

    def write_output_prompt(self) -> None:
        """Leave out `Out[1]:`."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: object = None) -> None:
        """Keep the plain form, and pictures and HTML."""
        del md_dict
        self.shown = str(format_dict.get("text/plain", ""))
        self.rich = rich.kept(format_dict)

    def finish_displayhook(self) -> None:
        """Write nothing."""
        self._is_active = False


class Publisher(DisplayPublisher):
    """Keeps pictures and HTML that `display` is given, and prints what is only text."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]  # IPython's
        self.shown: dict[object, Shown] = {}
        """What the cell has shown, by the name under which it may be shown anew."""

    def publish(self, data: dict[str, Any], *_: object, **told: Any) -> None:
        """Keep or print it."""
        found = rich.kept(data)
        if not found:
            print(data.get("text/plain", ""))
            return
        name = (told.get("transient") or {}).get("display_id")
        if isinstance(name, str):
            self.shown[name] = found
        elif len(self.shown) <= rich.MOST:
            self.shown[len(self.shown)] = found

    def clear_output(self, wait: bool = False) -> None:  # noqa: FBT001, FBT002 - IPython's signature
        """Keep what was printed, and nothing of what was shown."""
        del wait
        self.shown.clear()


class Shell(InteractiveShell):
    """The shell; errors are taken from results, so none is printed."""

    compile: CellCompiler
    displayhook: TextHook
    display_pub: Publisher
    compiler_class = Type(CellCompiler)
    displayhook_class = Type(TextHook)
    display_pub_class = Type(Publisher)

    def showtraceback(self, *_: object, **__: object) -> None:
        """Show nothing; the result carries the error."""

    def showsyntaxerror(self, *_: object, **__: object) -> None:
        """Show nothing; the result carries the error."""

    def showindentationerror(self) -> None:
        """Show nothing; the result carries the error."""

    def _format_exception_for_storage(self, *_: object, **__: object) -> dict[str, str]:
        """Keep no second copy of an error."""
        return {}

    def enable_gui(self, gui: str | None = None) -> None:
        """Have no window."""

    def ask_exit(self) -> None:
        """Stay, as a kernel does until its front end ends it."""

    def system(self, cmd: str) -> None:
        """Start no program."""
        _say(f"!{cmd.split(maxsplit=1)[0] if cmd.strip() else ''}")
        self.user_ns["_exit_code"] = 0

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> SList | str:  # noqa: FBT001, FBT002 - IPython's signature
        """Start no program; its output is empty."""
        del depth
        self.system(cmd)
        return SList([]) if split else ""

    async def run(self, cell: str, source: str) -> tuple[Cell, BaseException | None]:
        """Run one cell as a kernel would.

        Args:
            cell: Its id, for tracebacks.
            source: Its text.

        Returns:
            What its last line showed, and what it raised.
        """
        self.compile.cell = cell
        self.displayhook.shown, self.displayhook.rich = "", {}
        self.display_pub.shown = {}
        failed: tuple[Any, ...] | None = None
        try:
            plain = self._transforms_nothing_of_its_own() and _is_plain(source)
            code = f"{source}\n" if plain else self.transform_cell(source)  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001 - handed on to IPython, which reports it
            code, failed = source, sys.exc_info()
        result: ExecutionResult = await self.run_cell_async(
            source,
            store_history=True,
            transformed_cell=code,
            preprocessing_exc_tuple=failed,
            cell_id=cell,
        )
        # Left to the caller by IPython, as to a kernel.
        self.events.trigger("post_execute")
        self.events.trigger("post_run_cell", result)
        shown = Cell(
            self.displayhook.shown,
            self.displayhook.rich,
            rich.within(list(self.display_pub.shown.values())),
        )
        return shown, result.error_before_exec or result.error_in_exec

    def _transforms_nothing_of_its_own(self) -> bool:
        """Tell whether no cell has added a transformer of source text."""
        manager = self.input_transformer_manager
        number = len(manager.cleanup_transforms) + len(manager.line_transforms)
        number += len(manager.token_transformers) + len(self.input_transformers_post)
        return number == _TRANSFORMS


class _NoProfile(ProfileDir):
    """A profile that lies nowhere, because nothing may be written."""

    def check_dirs(self) -> None:
        """Make no folders."""


def make() -> Shell:
    """Make the process's shell."""
    config = Config()
    config.HistoryManager.enabled = False  # its thread does not survive a fork
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.autocall = 0
    config.InteractiveShell.cache_size = 1000
    shell: Shell = Shell.instance(config=config, ipython_dir="/", profile_dir=_NoProfile())
    magics = shell.magics_manager.magics  # registering would clash with traits of that name
    magics["line"].update(dict.fromkeys(_LINE_MAGICS_THAT_DO_NOTHING, _nothing))
    magics["cell"].update(dict.fromkeys(_CELL_MAGICS_THAT_DO_NOTHING, _nothing))
    load = magics["line"]["load_ext"]

    extensions: Any = shell.extension_manager

    def load_ext(line: str) -> None:
        """Load an extension; the course's own checks are not here."""
        if line.strip() not in _OWN_EXTENSIONS:
            load(line)
            return
        with contextlib.suppress(ImportError):
            extensions.load_extension("classroom")

    magics["line"]["load_ext"] = load_ext
    return shell


def _is_plain(source: str) -> bool:
    """Tell whether a cell is Python as it stands, which the search for magics would not change."""
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _nothing(*_: str) -> None:
    """Do nothing."""


def _say(what: str) -> None:
    print(f"{what}: no program can be started while a submission is graded", file=sys.stderr)
