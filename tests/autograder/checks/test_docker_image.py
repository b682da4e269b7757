"""A Dockerfile is read as its builder reads it."""

import pytest

from autograder.checks.texts.bounds import Refused
from autograder.checks.texts.docker_image import (
    Image,
    Step,
    assignments,
    installs,
    options,
    starts_uvicorn,
    taken,
    takes,
    without_init,
)


def image(*lines):
    """Return the image of a Dockerfile."""
    return Image("\n".join(lines))


def test_comments_continued_lines_and_heredocs_are_read():
    """Each instruction comes whole, and nothing else does."""
    found = image(
        "# syntax=docker/dockerfile:1",
        "from a:1",
        "",
        "run one \\",
        "  # why",
        "  && two",
        "RUN <<EOF",
        "three",
        "# not of the builder",
        "EOF",
        "COPY <<x /y",
        "USER root",
        "x",
        "CMD []",
    )
    assert [step.name for step in found.steps] == ["FROM", "RUN", "RUN", "COPY", "CMD"]
    assert found.steps[1].value.split() == ["one", "&&", "two"]
    assert "three" in found.steps[2].value.splitlines()


def test_the_escape_may_be_another():
    """`# escape` is heard."""
    assert image("# escape=`", "FROM a:1", "RUN b `", "c").steps[1].value == "b  c"


def test_a_stage_inherits():
    """USER, HEALTHCHECK, CMD, ENV and commands of the base stage count; others do not."""
    found = image(
        "FROM a:1 AS Base",
        "ENV PORT=8000 OTHER=1",
        "USER 7",
        "HEALTHCHECK --interval=5s CMD curl http://localhost:${PORT}/live",
        'CMD ["a", "b"]',
        "FROM base AS build",
        "USER 0",
        "RUN pip install x",
        "FROM base",
        "COPY --from=build /a /b",
    )
    last = found.last
    assert (last.user, last.command) == ("7", ["a", "b"])
    assert last.healthcheck == "curl http://localhost:8000/live"
    assert last.environment == {"PORT": "8000", "OTHER": "1"}
    assert found.images == ["a:1"]
    assert not found.installs(last)
    assert [str(one) for _, one in found.installs(found.stages[1])] == ["pip install x"]


def test_an_entrypoint_takes_the_inherited_command_away():
    """The stage's own CMD stays."""
    base = ["FROM a:1 AS base", 'CMD ["a"]', "FROM base", 'ENTRYPOINT ["b"]']
    assert image(*base).last.command == []
    assert image(*base, 'CMD ["c"]').last.command == ["c"]
    assert image("FROM a:1").last.command == []
    assert image("FROM a:1", "CMD a b").last.command is None
    assert image("FROM a:1", "ENTRYPOINT a b").last.entrypoint is None


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        ([], "root"),
        (["USER 10001:10001"], "10001"),
        (["USER desk", "USER root"], "root"),
        (["USER 00"], "root"),
        (["ARG UID=0", "USER ${UID}"], "root"),
        (["ARG UID", "USER ${UID:-7}"], "7"),
        (["ENV UID=7", "ARG UID=0", "USER $UID"], "7"),
        (["ARG UID", "USER $UID"], "root"),
    ],
)
def test_the_user_is_the_last_one(lines, user):
    """Variables are put in, and every way to write root is root."""
    assert image("FROM a:1", *lines).last.user == user


def test_no_healthcheck_is_none():
    """NONE takes an inherited one away."""
    found = image("FROM a:1 AS b", "HEALTHCHECK CMD x", "FROM b", "HEALTHCHECK NONE")
    assert found.last.healthcheck == ""
    assert image("FROM a:1", 'HEALTHCHECK CMD ["a", "b"]').last.healthcheck == "a b"


def test_images_from_elsewhere_are_found():
    """Also those of COPY and of mounts; stages are none."""
    found = image(
        "ARG TAG=latest",
        "FROM --platform=x python:${TAG} AS one",
        "COPY --from=uv:1 /uv /bin/",
        "RUN --mount=type=bind,from=tool:2,target=/x y",
        "FROM scratch",
        "COPY --from=one /a /b",
        "COPY --from=0 /a /b",
    )
    assert found.images == ["python:latest", "uv:1", "tool:2"]


@pytest.mark.parametrize(
    ("name", "value", "names"),
    [
        ("COPY", "desk ./desk", ["desk"]),
        ("COPY", "--chown=a:b --link ./a/ b/../.env /x", ["a", ".env"]),
        ("COPY", '--chown=a ["a b", "c"]', ["a b"]),
        ("ADD", "https://x/y /. ./", ["."]),
        ("COPY", "../x .", ["x"]),
        ("RUN", "--mount=type=bind,target=/x --mount=type=cache,target=/y z", ["."]),
        ("RUN", "--mount=type=bind,source=uv.lock,target=uv.lock z", ["uv.lock"]),
        ("RUN", "cp . /x", []),
    ],
)
def test_what_is_taken(name, value, names):
    """Names are those of the folder's root."""
    assert [one for part in taken(Step(name, value)) for one in part.names] == names


def test_what_takes_a_file_along():
    """The whole folder, patterns, and the file itself."""
    names = (".", ".env", ".env*", "*", ".e?v", "desk", "*.toml", ".env.example")
    assert [takes(name, ".env") for name in names] == [True] * 5 + [False] * 3


@pytest.mark.parametrize(
    ("run", "locked"),
    [
        ("uv sync --locked", [True]),
        ("uv --no-cache sync --no-dev --frozen && rm -r x", [True]),
        ("--mount=type=cache,target=/c uv sync --locked", [True]),
        ("uv sync --locked || uv sync", [True, False]),
        ("a\nif b; then /v/pip3 install --require-hashes -r /t/requirements.lock; fi", [True]),
        ("pip install --require-hashes --requirement=requirements.lock", [True]),
        ("python3.13 -m pip install -r requirements.lock", [False]),
        ('["pip", "install", "x"]', [False]),
        ('["sh", "-c", "pip install x"]', [False]),
        ("uv pip install --python .venv/bin/python x", [False]),
        ("X=1 uv add x; uv tool install y", [False, False]),
        ("uv venv && apt-get install pip && echo pip", []),
    ],
)
def test_installs_are_found(run, locked):
    """Of uv and of pip, however they are written, and whether a lock file decides."""
    assert [one.is_locked for one in installs(run, {})] == locked


@pytest.mark.parametrize(
    ("run", "harmless"),
    [
        ("pip install uv==0.9 pip", True),
        ("pip install --no-deps .", True),
        ("uv pip install --no-deps -e ./desk", True),
        ("pip install --no-deps x", False),
        ("pip install uv x", False),
        ("pip install uv -r x.txt", False),
    ],
)
def test_some_installs_are_harmless(run, harmless):
    """The installer and the app itself are no packages of the app."""
    assert [one.is_harmless for one in installs(run, {})] == [harmless]


def test_the_environment_may_lock():
    """uv reads its options from variables too."""
    assert installs("uv sync", {"UV_FROZEN": "1"})[0].is_locked


@pytest.mark.parametrize(
    ("words", "starts"),
    [
        (["uvicorn"], True),
        (["/app/.venv/bin/uvicorn", "x"], True),
        (["python3.13", "-u", "-m", "uvicorn"], True),
        (["tini", "-g", "--", "uvicorn"], True),
        (["exec", "uvicorn"], False),
        (["/usr/bin/env", "bash", "uvicorn"], False),
        (["python", "uvicorn"], False),
        ([], False),
    ],
)
def test_what_starts_uvicorn(words, starts):
    """The program itself, with an init before it at most."""
    assert starts_uvicorn(words) is starts


def test_an_entrypoint_of_an_init_starts_nothing_else():
    """What is left of it is what it would start."""
    assert without_init(["/usr/bin/tini", "--"]) == []
    assert without_init(["sh", "-c"]) == ["sh", "-c"]


def test_options_and_assignments():
    """Both ways to give a value are read."""
    assert options(["a", "--b", "c", "--d=e", "--f"]) == {"--b": "c", "--d": "e", "--f": ""}
    assert assignments(Step("ENV", 'A=1 B="2 3"')) == [("A", "1"), ("B", "2 3")]
    assert assignments(Step("ENV", "A 1 2")) == [("A", "1 2")]
    assert assignments(Step("ARG", "A B=2")) == [("A", None), ("B", "2")]


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nENV A=xxxxxxxx\n" + "ENV A=$A$A$A$A\n" * 40,
        "FROM a\n" + "RUN true\n" * 5000,
        "FROM a\nRUN \\\n" + "\\\n" * 100_000,
        "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(3000)),
    ],
    ids=["values that multiply", "instructions", "continued lines", "stages"],
)
def test_a_dockerfile_without_measure_is_refused(text):
    """What would grow without end is refused, with a sentence."""
    with pytest.raises(Refused, match="longer than"):
        Image(text)
