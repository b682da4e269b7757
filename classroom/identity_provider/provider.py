"""The provider: its server, its keys, and what it notes of every request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from classroom.serving import BackgroundServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

LIFETIME = 300
"""Seconds that an ID token is good for."""


@dataclass(frozen=True)
class Hop:
    """A request that reached the provider.

    Attributes:
        method: Such as `GET`.
        path: Such as `/authorize`.
        sent: The query, or the form of a POST.
        status: What the provider answered.
    """

    method: str
    path: str
    sent: Mapping[str, str]
    status: int


@dataclass(frozen=True)
class _Grant:
    """What a code stands for until it is exchanged."""

    client_id: str
    redirect_uri: str
    challenge: str
    claims: Mapping[str, Any] = field(default_factory=dict)


class IdentityProvider:
    """An OpenID Connect provider on 127.0.0.1, in a thread of this process.

    Args:
        client_id: The one client that it knows.
        client_secret: That client's password.

    Attributes:
        user: The claims about whoever is logged in there: `sub`, `email`, ...
        lies: Claims that replace the right ones in the next ID tokens; `None` leaves one out.
        hops: The requests so far, oldest first.
    """

    def __init__(
        self,
        *,
        client_id: str = "agent-desk",
        client_secret: str = "desk-secret",  # noqa: S107 - of a provider that exists only here
    ) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.user: dict[str, Any] = {
            "sub": "248289761001",
            "email": "mei@kestrel.example",
            "email_verified": True,
        }
        self.lies: dict[str, Any] = {}
        self.hops: list[Hop] = []
        self._key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4)})
        self._grants: dict[str, _Grant] = {}
        self._server = BackgroundServer(
            Starlette(
                routes=[
                    Route("/.well-known/openid-configuration", self._metadata),
                    Route("/jwks", self._jwks),
                    Route("/authorize", self._authorize),
                    Route("/token", self._token, methods=["POST"]),
                ]
            )
        )

    @property
    def issuer(self) -> str:
        """Its name, which is its address, as in every ID token's `iss`."""
        return self._server.url

    @property
    def metadata_url(self) -> str:
        """Where it describes itself."""
        return f"{self.issuer}/.well-known/openid-configuration"

    @property
    def running(self) -> bool:
        """Whether it still answers."""
        return self._server.running

    def start(self) -> Self:
        """Begin to answer; it ends with the process at the latest."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        """Return its address."""
        return f"<IdentityProvider {self.issuer}>"

    def _noted(self, request: Request, sent: Mapping[str, str], answer: Response) -> Response:
        self.hops.append(Hop(request.method, request.url.path, dict(sent), answer.status_code))
        return answer

    async def _metadata(self, request: Request) -> Response:
        described = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        return self._noted(request, {}, JSONResponse(described))

    async def _jwks(self, request: Request) -> Response:
        public = {**self._key.as_dict(private=False), "use": "sig", "alg": "RS256"}
        return self._noted(request, {}, JSONResponse({"keys": [public]}))

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if problem := self._refused(asked):
            return self._noted(request, asked, JSONResponse({"error": problem}, 400))
        code = secrets.token_urlsafe(12)
        claims = dict(self.user)
        if nonce := asked.get("nonce"):
            claims["nonce"] = nonce
        self._grants[code] = _Grant(
            asked["client_id"], asked["redirect_uri"], asked["code_challenge"], claims
        )
        back = urlencode({"code": code, "state": asked.get("state", "")})
        address = f"{asked['redirect_uri']}?{back}"
        return self._noted(request, asked, RedirectResponse(address, 302))

    def _refused(self, asked: Mapping[str, str]) -> str:
        if asked.get("client_id") != self.client_id or not asked.get("redirect_uri"):
            return "unauthorized_client"
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return "invalid_request"
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "invalid_request"
        return ""

    async def _token(self, request: Request) -> Response:
        async with request.form() as form:
            sent = {name: str(value) for name, value in form.items()}
        grant = self._grants.pop(sent.get("code", ""), None)  # a code works once
        if not self._knows(request, sent):
            answer = JSONResponse({"error": "invalid_client"}, 401)
        elif grant is None or not _redeems(grant, sent):
            answer = JSONResponse({"error": "invalid_grant"}, 400)
        else:
            answer = JSONResponse(
                {
                    "access_token": secrets.token_urlsafe(),
                    "token_type": "Bearer",
                    "expires_in": LIFETIME,
                    "id_token": self._id_token(grant),
                },
                headers={"Cache-Control": "no-store"},
            )
        return self._noted(request, sent, answer)

    def _knows(self, request: Request, sent: Mapping[str, str]) -> bool:
        name, password = sent.get("client_id", ""), sent.get("client_secret", "")
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            name, _, password = base64.b64decode(shown).decode().partition(":")
        return name == self.client_id and hmac.compare_digest(
            password.encode(), self.client_secret.encode()
        )

    def _id_token(self, grant: _Grant) -> str:
        now = int(time.time())
        honest = {
            "iss": self.issuer,
            "aud": grant.client_id,
            "iat": now,
            "exp": now + LIFETIME,
            **grant.claims,
        }
        claims = {name: value for name, value in (honest | self.lies).items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)


def _redeems(grant: _Grant, sent: Mapping[str, str]) -> bool:
    """Whether a code is exchanged by the client, for the address and by the program it was for."""
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return (
        sent.get("grant_type") == "authorization_code"
        and sent.get("redirect_uri") == grant.redirect_uri
        and hmac.compare_digest(challenge, grant.challenge)
    )


_local: list[IdentityProvider] = []


def identity_provider() -> IdentityProvider:
    """Return this notebook's own provider, started if need be, honest and with nothing noted."""
    if not _local:
        _local.append(IdentityProvider().start())
    provider = _local[0]
    provider.lies.clear()
    provider.hops.clear()
    return provider
