"""Verifies host assertions: single-use JWTs (RFC 7519, RFC 8725) by which a host says who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from joserfc import jws
from joserfc.errors import JoseError

from bff.common.errors import NotSignedIn
from bff.common.strict_json import FaultyJson, loads
from bff.identity.jwks import ALGORITHMS, JwksUrls, PublicKey, find_key, public_key
from bff.identity.session_store import UsedAssertions
from bff.identity.sessions import CLOCK_TOLERANCE, LONGEST_ASSERTION, AssertionRule

MAX_BYTES: Final = 8 * 1024
MAX_JTI: Final = 255
SKEW: Final = CLOCK_TOLERANCE
"""How far the host's clock may be ahead of the BFF's."""


class JwtAssertions:
    """Implements ``HostAssertions``.

    ``rule_of`` returns a product's rule for assertions, or None if it accepts none. ``audience`` is the
    expected ``aud`` claim where the rule names none.
    """

    def __init__(
        self,
        rule_of: Callable[[str], AssertionRule | None],
        used: UsedAssertions,
        jwks: JwksUrls,
        *,
        audience: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._rule_of = rule_of
        self._used = used
        self._jwks = jwks
        self._audience = audience
        self._clock = clock

    def use(self, product: str, unverified: str) -> Mapping[str, Any]:
        """Verify an assertion and mark it as used. Returns its claims.

        Raises ``NotSignedIn`` if it is invalid or was used before, and ``KeysUnavailable``.
        """
        rule = self._rule_of(product)
        if rule is None:
            _refuse(f"product {product!r} takes no assertions; give it an [assertion] in its product file")
        claims = self._verified(unverified, rule)
        until = self._check(claims, rule)
        if not self._used.use(rule.issuer, claims["jti"], until):
            _refuse("jti: it was used; sign a new one for each exchange")
        return claims

    def _verified(self, unverified: str, rule: AssertionRule) -> dict[str, Any]:
        if len(unverified) > MAX_BYTES:
            _refuse(f"it has more than {MAX_BYTES} characters")
        try:
            token = unverified.encode("ascii")
            header = jws.extract_compact(token).headers()
            key = self._key(header, rule)
            payload = jws.deserialize_compact(token, key.key, [key.algorithm]).payload
            claims = loads(payload)
        except FaultyJson as fault:
            _refuse(f"its claims: {fault}")
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            _refuse("it is no JWT, or its signature is none of this product's host")
        if not isinstance(claims, dict):
            _refuse("its claims are no JSON object")
        return claims

    def _key(self, header: Mapping[str, Any], rule: AssertionRule) -> PublicKey:
        # The header is not verified yet, so it may only choose among the keys of the rule.
        algorithm, kid = header["alg"], header.get("kid")
        if algorithm not in ALGORITHMS.values():
            _refuse(f"alg: only {' and '.join(ALGORITHMS.values())} are taken")
        if "crit" in header or str(header.get("typ", "JWT")).upper() != "JWT":
            _refuse("crit, typ: it is another kind of token")
        if rule.jwks_url is not None:
            key = self._jwks.find(rule.jwks_url, kid, algorithm)
        else:
            key = find_key(map(public_key, rule.keys), kid, algorithm)
        if key is None:
            _refuse("kid: the host has no key of this id, or several that it could be")
        return key

    def _check(self, claims: Mapping[str, Any], rule: AssertionRule) -> datetime:
        audience = rule.audience or self._audience
        if claims.get("iss") != rule.issuer:
            _refuse(f"iss: it must be {rule.issuer!r}, the issuer of this product")
        if claims.get("aud") not in (audience, [audience]):
            _refuse(f"aud: it must be {audience!r} and nothing else")
        now, iat, exp = self._clock(), _time(claims, "iat"), _time(claims, "exp")
        if exp - iat > LONGEST_ASSERTION:
            _refuse(f"exp: it must be at most {LONGEST_ASSERTION.seconds} seconds after iat")
        if exp <= now:
            _refuse("exp: it is past its time")
        if iat > now + SKEW or ("nbf" in claims and _time(claims, "nbf") > now + SKEW):
            _refuse("iat, nbf: its time has not come; is the clock of the host's server right?")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
            _refuse(f"jti: it must be a text of 1 to {MAX_JTI} characters, another for each assertion")
        return exp + SKEW


def _time(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(f"{name}: it must be a number of seconds")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        _refuse(f"{name}: there is no such time")


def _refuse(why: str) -> NoReturn:
    raise NotSignedIn(f"assertion: {why}")
