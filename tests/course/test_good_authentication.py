"""The versions to copy of lesson 07 have none of the faults that its lesson shows."""

import runpy
import secrets
import time
from pathlib import Path
from types import SimpleNamespace

import jwt
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
KEY = secrets.token_urlsafe(32)
RIGHT = "brake-cable"
IMPORTS = """
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Annotated

import jwt
from fastapi import Body, Cookie, Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, SecretStr

PASSWORDS = {"horvat": "brake-cable"}
"""
BEGINS = (
    "ISSUER, AUDIENCE",
    "from pwdlib import PasswordHash",
    "HASHES = {",
)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """Run the cells that define what may be copied, and nothing else of the lesson."""
    cells = nbformat.read(ROOT / "notebooks" / "07-authentication.ipynb", as_version=4).cells
    code = [next(cell.source for cell in cells if cell.source.startswith(one)) for one in BEGINS]
    module = tmp_path_factory.mktemp("lesson") / "example.py"
    module.write_text("\n\n".join([IMPORTS, *code]), encoding="utf-8")
    return SimpleNamespace(**runpy.run_path(str(module)))


def claims(**changes):
    """Return good claims with changes; None leaves one out."""
    now = int(time.time())
    good = {
        "iss": "https://desk.example",
        "aud": "agent-desk",
        "sub": "mei",
        "iat": now,
        "exp": now + 900,
        "jti": "1",
    }
    return {key: value for key, value in (good | changes).items() if value is not None}


def test_a_good_access_token_is_read(lesson):
    """The reader returns the claims."""
    assert lesson.read_access_token(jwt.encode(claims(), KEY), KEY)["sub"] == "mei"


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "iat", "exp", "jti"])
def test_each_claim_is_required(lesson, name):
    """Without any one of the claims it is refused."""
    with pytest.raises(jwt.InvalidTokenError):
        lesson.read_access_token(jwt.encode(claims(**{name: None}), KEY), KEY)


@pytest.mark.parametrize(
    "changes", [{"exp": 1}, {"iat": 2**40}, {"iss": "https://evil.example"}, {"aud": "shop"}]
)
def test_wrong_claims_are_refused(lesson, changes):
    """Expired, from the future, from another issuer, for another API."""
    with pytest.raises(jwt.InvalidTokenError):
        lesson.read_access_token(jwt.encode(claims(**changes), KEY), KEY)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [("x" * 64, "HS256"), (KEY * 2, "HS512"), (None, "none")],
    ids=["another key", "another algorithm", "unsigned"],
)
def test_other_keys_and_algorithms_are_refused(lesson, key, algorithm):
    """Another key, another algorithm, none."""
    with pytest.raises(jwt.InvalidTokenError):
        lesson.read_access_token(jwt.encode(claims(), key, algorithm=algorithm), KEY)


def test_a_login_verifies_once_for_everybody(lesson, monkeypatch):
    """An unknown name costs one verification too, and is refused."""
    asked = []

    def verify(password, stored):
        asked.append(stored)
        return password == RIGHT

    monkeypatch.setattr(type(lesson.passwords), "verify", lambda _, *both: verify(*both))
    assert lesson.careful_check("horvat", "brake-cable")
    assert not lesson.careful_check("horvat", "wrong")
    assert not lesson.careful_check("smith", "brake-cable")
    assert len(asked) == 3
    assert asked[2].startswith("$argon2id$")
