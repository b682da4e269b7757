"""The identity provider speaks OpenID Connect, and refuses what a real one refuses."""

import base64
import hashlib
import threading
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from classroom.identity_provider import IdentityProvider

BACK = "http://desk.example/callback"
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
ASKED = {
    "response_type": "code",
    "client_id": "agent-desk",
    "redirect_uri": BACK,
    "scope": "openid email",
    "state": "s-1",
    "nonce": "n-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture(scope="module")
def provider():
    """Return a running provider."""
    with IdentityProvider() as running:
        yield running


@pytest.fixture
def web(provider):
    """Return a client of the provider."""
    provider.lies.clear()
    provider.hops.clear()
    with httpx.Client(base_url=provider.issuer) as client:
        yield client


def code_of(web, **other):
    """Ask for a code."""
    reply = web.get("/authorize", params=ASKED | other)
    assert reply.status_code == 302
    return parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]


def exchange(web, code, **other):
    """Exchange a code for an ID token."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": "agent-desk",
        "client_secret": "desk-secret",
        "code_verifier": VERIFIER,
    }
    return web.post("/token", data=form | other)


def test_the_flow_ends_with_a_signed_id_token(provider, web):
    """Discovery, code, exchange: the ID token is signed by a key of the JWKS."""
    described = web.get("/.well-known/openid-configuration").json()
    assert described["issuer"] == provider.issuer
    keys = KeySet.import_key_set(web.get("/jwks").json())
    assert not {"d", "p", "q"} & web.get("/jwks").json()["keys"][0].keys()
    claims = jwt.decode(exchange(web, code_of(web)).json()["id_token"], keys).claims
    assert claims["iss"] == provider.issuer
    assert (claims["aud"], claims["nonce"], claims["sub"]) == ("agent-desk", "n-1", "248289761001")
    assert [hop.path for hop in provider.hops if hop.method == "POST"] == ["/token"]


def test_the_state_comes_back(web):
    """The redirect carries the state that was sent."""
    reply = web.get("/authorize", params=ASKED)
    assert parse_qs(urlsplit(reply.headers["location"]).query)["state"] == ["s-1"]


def test_a_code_works_once(web):
    """A second exchange is refused."""
    code = code_of(web)
    assert exchange(web, code).status_code == 200
    assert exchange(web, code).status_code == 400


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"code_verifier": "x" * 43}, 400),
        ({"redirect_uri": "http://evil.example"}, 400),
        ({"client_secret": "guessed"}, 401),
        ({"grant_type": "password"}, 400),
    ],
)
def test_a_wrong_exchange_is_refused(web, other, status):
    """Another verifier, address, secret or grant gets nothing."""
    assert exchange(web, code_of(web), **other).status_code == status


@pytest.mark.parametrize(
    "other",
    [
        {"scope": "email"},
        {"client_id": "shop"},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
    ],
)
def test_a_wrong_question_is_refused(web, other):
    """Without `openid`, a known client, PKCE or `code` there is no code."""
    assert web.get("/authorize", params=ASKED | other).status_code == 400


def test_the_secret_may_come_by_basic(web):
    """A client may show its secret in the header."""
    form = {
        "grant_type": "authorization_code",
        "code": code_of(web),
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    assert web.post("/token", data=form, auth=("agent-desk", "desk-secret")).status_code == 200


def test_it_lies_when_told_to(provider, web):
    """A lie replaces a claim, and None leaves it out."""
    keys = KeySet.import_key_set(web.get("/jwks").json())
    provider.lies.update(nonce="other", email=None)
    claims = jwt.decode(exchange(web, code_of(web)).json()["id_token"], keys).claims
    assert claims["nonce"] == "other"
    assert "email" not in claims


def test_it_leaves_nothing_running():
    """After the end its threads are gone and its port is closed."""
    before = set(threading.enumerate())
    with IdentityProvider() as provider:
        address = provider.issuer
    assert not provider.running
    assert not [one for one in set(threading.enumerate()) - before if one.is_alive()]
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
