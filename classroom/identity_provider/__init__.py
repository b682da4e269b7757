"""A small identity provider on this machine: what Google or GitHub would be, without the network.

It speaks OpenID Connect as far as a lesson needs it: discovery, a JWKS, the authorization code
flow with PKCE, ID tokens signed with RS256. Who "logs in" there is a setting, not a form.
"""

from classroom.identity_provider.provider import Hop, IdentityProvider, identity_provider

__all__ = ["Hop", "IdentityProvider", "identity_provider"]
