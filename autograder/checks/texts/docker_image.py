"""Reads a Dockerfile as its builder does: what the image is in the end, with all that it inherits.

A *stage* begins with `FROM`. `Stage.history` are the instructions that made it, those of the stage
that it is built on included, so that a `USER` of a stage `base` counts in a `FROM base`. Variables
of `ARG` and `ENV` are put in; the commands of `RUN` are split into single commands.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import Final

from autograder.checks.texts.bounds import MOST_INSTRUCTIONS, Refused, bounded

_ONLY_SHELL: Final = {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL"}
"""Instructions in which a shell, and not the builder, puts variables in."""
_TAKE_HEREDOCS: Final = {"RUN", "COPY", "ADD"}
_HEREDOC: Final = re.compile(r"<<(-?)([\"']?)(\w+)\2")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))")
_BEFORE_A_COMMAND: Final = {"then", "do", "else", "if", "while", "!", "(", "{", "exec", "time"}
_BEFORE_A_COMMAND_TOO: Final = {"sudo", "env", "command", "nice"}
_UV_COMMANDS: Final = {"sync", "pip", "add", "tool", "run", "venv", "export", "lock", "build"}
_INITS: Final = {"tini", "dumb-init", "docker-init", "catatonit"}
_TOOLS: Final = {"uv", "pip", "setuptools", "wheel"}
LOCK_FILE: Final = "requirements.lock"
"""The lock file that `pip` reads; `uv sync` has its own."""


@dataclass(frozen=True)
class Step:
    """One instruction.

    Attributes:
        name: The instruction in capitals.
        value: What follows it, continued lines and heredocs included, comments left out.
    """

    name: str
    value: str


@dataclass(frozen=True)
class Taken:
    """What one instruction takes from somewhere.

    Attributes:
        names: Files and folders, as seen from the root of where they are taken from.
        origin: The stage or the image that they come from; empty for the folder of the Dockerfile.
    """

    names: tuple[str, ...]
    origin: str


@dataclass
class Stage:
    """One stage.

    Attributes:
        number: Its place, from 0.
        image: What it is built on: an image, or the name of an earlier stage.
        name: What `AS` calls it.
        base: The earlier stage that it is built on, if it is one.
        steps: Its own instructions, without `FROM`, with the values of the builder's variables.
        variables: The builder's variables at its end.
        environment: The environment of its processes.
    """

    number: int
    image: str
    name: str
    base: Stage | None
    steps: list[Step] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def history(self) -> list[Step]:
        """All instructions that made it, in order, the inherited ones first."""
        return [*(self.base.history if self.base else []), *self.steps]

    def last(self, name: str) -> str | None:
        """Return the value of the last instruction of that name, also an inherited one."""
        return next((one.value for one in reversed(self.history) if one.name == name), None)

    @property
    def user(self) -> str:
        """The user of its processes; `root` if nothing else is said."""
        said = (self.last("USER") or "").split(":")[0].strip()
        return "root" if not said or (said.isdigit() and int(said) == 0) else said

    @property
    def healthcheck(self) -> str:
        """The command that asks for its health, as one text; empty without one."""
        said = re.sub(r"^(\s*--[\w-]+(=\S+)?\s+)*", "", self.last("HEALTHCHECK") or "")
        kind, _, command = said.partition(" ")
        if kind.upper() != "CMD":
            return ""
        words = _json_words(command)
        return " ".join(words) if words else expanded(command.strip(), self.environment)

    @property
    def command(self) -> list[str] | None:
        """The words of its `CMD`; none without one, None in shell form.

        An `ENTRYPOINT` of a stage takes away the `CMD` that the stage inherits.
        """
        for stage in self.line:
            for name in ("CMD", "ENTRYPOINT"):
                said = [one.value for one in stage.steps if one.name == name]
                if said:
                    return _json_words(said[-1]) if name == "CMD" else []
        return []

    @property
    def entrypoint(self) -> list[str] | None:
        """The words of its `ENTRYPOINT`; none without one, None in shell form."""
        said = self.last("ENTRYPOINT")
        return [] if said is None else _json_words(said)

    @property
    def line(self) -> list[Stage]:
        """This stage, the one that it is built on, and so on."""
        return [self, *(self.base.line if self.base else [])]


class Image:
    """What a Dockerfile makes.

    Args:
        text: The Dockerfile.

    Raises:
        Refused: It is too large to be read.
    """

    def __init__(self, text: str) -> None:
        self.steps = _steps(bounded(text, "The Dockerfile"))
        if len(self.steps) > MOST_INSTRUCTIONS:
            raise Refused(f"The Dockerfile is longer than {MOST_INSTRUCTIONS} instructions.")
        self.stages: list[Stage] = []
        arguments: dict[str, str] = {}
        for step in self.steps:
            if step.name == "FROM":
                self._begin(expanded(step.value, arguments))
            elif not self.stages:
                if step.name == "ARG":
                    arguments |= {
                        name: expanded(value, arguments)
                        for name, value in assignments(step)
                        if value is not None
                    }
            else:
                _add(self.stages[-1], step, arguments)

    def _begin(self, value: str) -> None:
        words = [word for word in value.split() if not word.startswith("--")] or [""]
        name = words[2].lower() if len(words) > 2 and words[1].upper() == "AS" else ""  # noqa: PLR2004
        base = self.stage(words[0], before=len(self.stages))
        stage = Stage(len(self.stages), words[0], name, base)
        if base:
            stage.environment = dict(base.environment)
            stage.variables = dict(base.variables)
        self.stages.append(stage)

    @property
    def last(self) -> Stage:
        """The stage that becomes the image."""
        return self.stages[-1]

    def stage(self, name: str, *, before: int) -> Stage | None:
        """Return the stage of that name or number among the first `before`."""
        for stage in reversed(self.stages[:before]):
            if name and name.lower() in (stage.name, str(stage.number)):
                return stage
        return None

    @property
    def images(self) -> list[str]:
        """The images from elsewhere: of `FROM`, and of `--from=` in `COPY` and in mounts."""
        found = [stage.image for stage in self.stages if not stage.base]
        for stage in self.stages:
            for step in stage.steps:
                for one in taken(step):
                    if one.origin and not self.stage(one.origin, before=stage.number):
                        found.append(one.origin)  # noqa: PERF401 - three loops in one line
        return [name for name in found if name != "scratch"]

    def installs(self, stage: Stage) -> list[tuple[int, Install]]:
        """Return what installs packages in a stage's history, with its place there."""
        return [
            (place, one)
            for place, step in enumerate(stage.history)
            if step.name == "RUN"
            for one in installs(step.value, stage.environment)
        ]


@dataclass(frozen=True)
class Install:
    """A command that installs packages.

    Attributes:
        command: Its words.
        is_locked: Whether a lock file says which versions.
        is_harmless: Whether it installs no packages of the app: the installer, or the app itself.
    """

    command: tuple[str, ...]
    is_locked: bool
    is_harmless: bool = False

    def __str__(self) -> str:
        return " ".join(self.command)


def expanded(text: str, variables: dict[str, str]) -> str:
    """Return a text with the values of its variables; an unknown one is empty."""

    def value(found: re.Match[str]) -> str:
        known = variables.get(found[1] or found[4], "")
        if found[2] == "-":
            return known or expanded(found[3], variables)
        if found[2] == "+":
            return expanded(found[3], variables) if known else ""
        return known

    return bounded(_VARIABLE.sub(value, text), "A value of the Dockerfile")


def assignments(step: Step) -> list[tuple[str, str | None]]:
    """Return the names of an `ENV` or `ARG`, and their values, where they have one."""
    words = _split(step.value)
    if step.name == "ENV" and words and "=" not in words[0]:
        return [(words[0], step.value.strip()[len(words[0]) :].strip())]
    pairs = [word.partition("=") for word in words]
    return [(name, value if equals else None) for name, equals, value in pairs]


def taken(step: Step) -> list[Taken]:
    """Return what a `COPY`, an `ADD` or the mounts of a `RUN` take, and from where."""
    if step.name == "RUN":
        mounts = re.findall(r"--mount=(\S+)", step.value)
        options = [dict(_pair(part) for part in mount.split(",")) for mount in mounts]
        return [
            Taken((_from_root(one.get("source") or one.get("src") or "."),), one.get("from", ""))
            for one in options
            if one.get("type", "bind") == "bind"
        ]
    if step.name not in ("COPY", "ADD"):
        return []
    rest, origin = step.value.partition("\n")[0].strip(), ""
    while found := re.match(r"--([\w-]+)(?:=(\S+))?\s+", rest):
        origin = found[2] or "" if found[1] == "from" else origin
        rest = rest[found.end() :]
    words = _json_words(rest) or _split(rest)
    names = [word for word in words[:-1] if not re.match(r"<<|https?://|git@", word)]
    return [Taken(tuple(map(_from_root, names)), origin)] if names else []


def takes(name: str, file: str) -> bool:
    """Whether a name that is copied takes a file of the folder along."""
    return name == "." or fnmatchcase(file, name)


def installs(run: str, environment: dict[str, str]) -> list[Install]:
    """Return the commands of a `RUN` that install packages with uv or pip."""
    return [one for words in commands(run) if (one := _install(words, environment))]


def commands(run: str) -> list[list[str]]:
    """Return the single commands of a `RUN`, each as its words."""
    rest = re.sub(r"^(\s*--[\w-]+(=\S+)?\s+)*", "", run)
    if (words := _json_words(rest)) is not None:
        if len(words) > 2 and words[1] == "-c":  # noqa: PLR2004
            return commands(words[2])
        return [words]
    found = []
    for part in re.split(r"&&|\|\||[;|\n&()]", rest):
        words = _split(part)
        while words and (
            words[0] in _BEFORE_A_COMMAND | _BEFORE_A_COMMAND_TOO
            or (re.match(r"\w+=", words[0]) and len(words) > 1)
        ):
            words = words[1:]
        if words:
            found.append(words)
    return found


def starts_uvicorn(words: Iterable[str]) -> bool:
    """Whether a command is `uvicorn` or `python -m uvicorn`, under an init or not."""
    rest = without_init(list(words))
    program = posixpath.basename(rest[0]) if rest else ""
    if re.fullmatch(r"python[\d.]*", program):
        options = [word for word in rest[1:] if word not in ("-u", "-O", "-B", "-I")]
        return options[:2] == ["-m", "uvicorn"]
    return program == "uvicorn"


def without_init(words: list[str]) -> list[str]:
    """Return a command without the small init that starts it, such as `tini --`."""
    if not words or posixpath.basename(words[0]) not in _INITS:
        return words
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[1:]
    return rest


def options(words: list[str]) -> dict[str, str]:
    """Return the options of a command with their values; of two the last."""
    found = {}
    for place, word in enumerate(words):
        if word.startswith("--"):
            name, equals, given = word.partition("=")
            after = words[place + 1] if place + 1 < len(words) else ""
            found[name] = given if equals else after
    return found


def _install(words: list[str], environment: dict[str, str]) -> Install | None:
    program, rest = posixpath.basename(words[0]), words[1:]
    if re.fullmatch(r"python[\d.]*", program) and rest[:1] == ["-m"] and rest[1:]:
        program, rest = rest[1], rest[2:]
    if program == "uv":
        kind = next((word for word in rest if word in _UV_COMMANDS), "")
        after = rest[rest.index(kind) + 1 :] if kind else []
        if kind == "sync":
            known = {"--locked", "--frozen"} & set(rest)
            by_environment = environment.get("UV_LOCKED") or environment.get("UV_FROZEN")
            return Install(tuple(words), bool(known or by_environment))
        if kind == "add" or (kind == "tool" and "install" in after):
            return Install(tuple(words), is_locked=False)
        if kind != "pip":
            return None
        program, rest = "pip", after
    if not re.fullmatch(r"pip[\d.]*", program):
        return None
    verb = next((word for word in rest if word in ("install", "sync")), "")
    if not verb:
        return None
    arguments = rest[rest.index(verb) + 1 :]
    files = [posixpath.basename(re.sub(r"^(--requirements?=|-r)", "", one)) for one in arguments]
    is_locked = "--require-hashes" in arguments and LOCK_FILE in files
    reads = any(re.match(r"-r|--requirement", one) for one in arguments)
    names = _targets(arguments)
    tools = bool(names) and all(re.split(r"[=<>~!\[ ]", one)[0].lower() in _TOOLS for one in names)
    own = "--no-deps" in arguments and bool(names) and all(one[0] in "./" for one in names)
    return Install(tuple(words), is_locked, is_harmless=not reads and (tools or own))


def _targets(arguments: list[str]) -> list[str]:
    """Return what a `pip install` names, without its options and their values."""
    found, skips = [], False
    for one in arguments:
        if skips:
            skips = False
        elif one.startswith("-"):
            skips = one in (
                *("-r", "--requirement", "-c", "--constraint", "-t", "--target", "--prefix"),
                *("--python", "-p", "-i", "--index-url", "--extra-index-url", "--cache-dir"),
                *("--root", "--find-links", "-f"),
            )
        else:
            found.append(one)
    return found


def _add(stage: Stage, step: Step, arguments: dict[str, str]) -> None:
    """Put an instruction into a stage, with the values of its variables."""
    value = step.value if step.name in _ONLY_SHELL else expanded(step.value, stage.variables)
    stage.steps.append(Step(step.name, value))
    if step.name not in ("ARG", "ENV"):
        return
    for name, given in assignments(Step(step.name, value)):
        if step.name == "ENV":
            stage.environment[name] = stage.variables[name] = given or ""
        elif name not in stage.environment:
            stage.variables[name] = arguments.get(name, "") if given is None else given


def _steps(text: str) -> list[Step]:
    """Return the instructions of a Dockerfile."""
    found: list[Step] = []
    directive = re.match(r"(?:\s*#[^\n]*\n)*?\s*#\s*escape\s*=\s*(\\|`)", text, re.IGNORECASE)
    escape = directive[1] if directive else "\\"
    lines = iter(text.splitlines())
    for line in lines:
        if not _says_something(line):
            continue
        whole = line.strip()
        while whole.endswith(escape):
            more = next(filter(_says_something, lines), "")
            whole = f"{whole[:-1]} {more.strip()}"
        name, value = [*whole.split(None, 1), ""][:2]
        found.append(Step(name.upper(), _with_heredocs(name.upper(), value, lines)))
    return found


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _with_heredocs(name: str, value: str, lines: Iterator[str]) -> str:
    """Return the value of an instruction with the lines of its heredocs, which are taken."""
    ends = [found[3] for found in _HEREDOC.finditer(value)] if name in _TAKE_HEREDOCS else []
    for end in ends:
        body = takewhile(lambda line, end=end: line.strip() != end, lines)  # type: ignore[misc]
        value = "\n".join([value, *body])
    return _HEREDOC.sub("", value, count=1) if ends and name == "RUN" else value


def _json_words(text: str) -> list[str] | None:
    """Return the words of an exec form; None of a shell form."""
    try:
        words = json.loads(text)
    except ValueError:
        return None
    is_list = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return words if is_list else None


def _split(text: str) -> list[str]:
    """Return the words of a shell's line, without quotes."""
    try:
        return shlex.split(text, comments=False)
    except ValueError:  # a quote is not closed
        return text.split()


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _from_root(name: str) -> str:
    """Return a name as seen from the folder's root, which nothing leads out of."""
    return posixpath.normpath("/" + name).lstrip("/") or "."
