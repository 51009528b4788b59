"""The shape of a shipped entry, against the programmable provider, which wants exactly what it says.

Every URL of the entry leads to this machine instead. What stands in the host as ``{name}`` still does, so an
account's values choose the host as at the service itself.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlsplit

from flask import request

from bff.partner.providers import templates
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.shipped_entries import ShippedEntry
from tests.support.provider import CLIENT, SECRET, Habits, Issued, Provider
from tests.support.shipped_values import typed
from tests.support.third_party import Connection
from tests.support.world import World

URLS: Final = {
    "authorize_url": "authorize",
    "token_url": "token",
    "refresh_url": "refresh",
    "userinfo_url": "userinfo",
    "revocation_url": "revoke",
}


class WrongShape(Exception):
    """An entry did not do what it says. The message says what was expected, and what came."""


@dataclass
class Covered:
    """What was shown of an entry, and what was not."""

    key: str
    auth: str
    shown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def walk_through(
    world: World, provider: Provider, entry: ShippedEntry, wants: CatalogueConnector | None = None
) -> Covered:
    """Sign in, refresh and revoke as the entry says. Raises ``WrongShape`` where that fails.

    ``wants``: what the provider wants, where that is not what the entry says.
    """
    item, covered = entry.connector(), Covered(entry.key, entry.auth)
    provider.habits = habits_of(wants or item, entry.keys, provider.url)
    if item.revocation_params and not {"{token}", "{access_token}"} & {*item.revocation_params.values()}:
        # What it names is the account: all that this has given ends.
        provider.habits = replace(provider.habits, revoked_by=lambda *_: next(iter(provider.live), ""))
    connection = Connection(world, provider.offer(world, **_absent(item)))
    for asked in item.fields:
        body = {"Name": asked.name, "Value": typed(asked)}
        require(connection.api.call("POST", f"{connection.path}/properties", body).status_code, 200, "field")
    require(provider.sign_in(connection).status_code, 200, "sign-in")
    grant = connection.told()["Hitchpost"]
    require(grant["Grant"]["State"], "connected", "state")
    require(sorted(grant["Grant"]["Extra"] or {}), sorted(item.kept), "what is kept")
    covered.shown.append("sign-in")
    account = grant["LastSignIn"]["ExternalAccount"]
    (covered.shown if account else covered.missing).append("account")
    first = connection.access_token().json()["AccessToken"]
    again = connection.force()
    require(again.status_code, 200, "refresh")
    require(again.json()["AccessToken"] != first, True, "a new token")
    covered.shown.append("refresh")
    if item.revocation_url is None:
        covered.missing.append("revocation")
        return covered
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    require(bool(provider.requests_of("revoke")) and not provider.live, True, "revocation")
    covered.shown.append("revocation")
    return covered


def habits_of(item: CatalogueConnector, keys: Mapping[str, Any], url: str) -> Habits:
    """A provider that refuses whatever differs from the entry, and tells what the entry keeps."""
    entry = {name: value for name, value in keys.items() if name not in {"key", "name"}}
    entry |= {name: here(entry[name], url, path) for name, path in URLS.items() if name in entry}
    if "allowed_hosts" in entry:
        entry["allowed_hosts"] = ["127.0.0.1", "localhost", "kept.localhost", "*.kept.localhost"]
    callback = {
        name: url if (item.token_url or "").startswith("{" + name + "}/") else "kept"
        for name in item.keep_from_callback
        if name != item.state_name
    }
    return Habits(
        entry=entry,
        authorize=lambda given, _: _authorize_fault(item, given),
        token=lambda given, headers: _token_fault(item, given, headers),
        answers=lambda issued: _answer(item, issued, url),
        callback=callback,
        info=(lambda issued: _info(item, issued)) if item.userinfo_url else None,
        userinfo=lambda given, headers: _userinfo_fault(item, given, headers),
        revocation=lambda given, headers: _revocation_fault(item, given, headers),
        revoked_by=lambda given, headers: _revoked(item, given, headers),
    )


def here(template: str, url: str, path: str) -> str:
    """A URL of the entry on this machine: its names stay where they are, in the host or behind it."""
    origin, _, rest = template.partition("://")[2].partition("/")
    in_host, port = templates.names_in(origin), urlsplit(url).port
    if template.startswith("{"):
        _, mark, query = template.partition("?")
        return template.partition("}")[0] + "}/" + path + mark + query
    # Browsers know every name below localhost, the one of the tests does not.
    behind = [*(in_host if path == "authorize" else []), *templates.names_in(rest)]
    names = "" if path == "authorize" else "".join("{" + name + "}." for name in in_host)
    more = "&".join(f"{number}={{{name}}}" for number, name in enumerate(behind))
    return f"http://{names}localhost:{port}/{path}" + (f"?{more}" if more else "")


def _revoked(item: CatalogueConnector, given: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The token, under the name that the entry gives it, or as the first in its URL, or as a bearer's."""
    named = (name for name, text in item.revocation_params.items() if text in {"{token}", "{access_token}"})
    bearer = headers.get("Authorization", "").rpartition(" ")[2] if item.revokes_by_bearer else ""
    return given.get(next(named, "token")) or bearer or given.get("0", "")


def _revocation_fault(
    item: CatalogueConnector, given: Mapping[str, str], headers: Mapping[str, str]
) -> str | None:
    if request.is_json != (item.revocation_request == "json"):
        return "invalid_request"
    if not item.revokes_as_it_says:
        # Without a body there is no client in it.
        return client_fault(item, given, headers) if item.revocation_request != "none" else None
    shown = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "basic": base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode(),
        **dict.fromkeys(("token", "access_token"), _revoked(item, given, headers)),
    }
    names = item.parameter_names
    fits = all(
        headers.get(name, "") == templates.fill_header(text, shown)
        for name, text in item.revocation_headers.items()
    )
    sent = all(
        given.get(names.get(name, name)) == templates.fill(text, shown)
        for name, text in item.revocation_params.items()
        if set(templates.names_in(text)) <= set(shown)
    )
    other = {"client_id", "client_secret"} & set(given) - set(item.revocation_params)
    return None if fits and sent and not other else "invalid_client"


def _userinfo_fault(
    item: CatalogueConnector, given: Mapping[str, str], headers: Mapping[str, str]
) -> str | None:
    if request.method != item.userinfo_method:
        return "invalid_request"
    expected = (item.userinfo_body or "").encode()
    usual = "application/json" if expected else None
    kind = item.userinfo_headers.get("Content-Type", usual)
    return (
        None if (request.get_data(), headers.get("Content-Type")) == (expected, kind) else "invalid_request"
    )


def _absent(item: CatalogueConnector) -> dict[str, Any]:
    changes: dict[str, Any] = {} if item.revocation_url else {"revocation_url": None}
    return changes | ({"client_secret": None} if item.token_auth == "none" else {})


def _authorize_fault(item: CatalogueConnector, given: Mapping[str, str]) -> str | None:
    called = item.parameter_names
    expected = {
        called.get("client_id", "client_id"): CLIENT,
        "response_type": "code",
        **item.authorize_params,
    }
    if item.scopes:
        expected[called.get("scope", "scope")] = item.scope_separator.join(item.scopes)
    extra = {"state", "redirect_uri"} | ({"code_challenge", "code_challenge_method"} if item.pkce else set())
    own = {name for name in given if name.isdecimal()}
    fits = all(given.get(name) == value for name, value in expected.items())
    return None if fits and set(given) - own == set(expected) | extra else "invalid_request"


def _token_fault(
    item: CatalogueConnector, given: Mapping[str, str], headers: Mapping[str, str]
) -> str | None:
    refreshing = given.get("grant_type") == "refresh_token"
    params = item.refresh_params if refreshing else item.token_params
    named = {name for name, value in params.items() if templates.names_in(value)}
    if any(not given.get(name) for name in named):
        return "invalid_request"
    if any(given.get(name) != value for name, value in params.items() if name not in named):
        return "invalid_request"
    own = templates.fill_headers(item.token_headers, {"client_id": CLIENT})
    if any(headers.get(name) != value for name, value in own.items()):
        return "invalid_request"
    if request.is_json != (item.token_request == "json"):
        return "invalid_request"
    if not refreshing and ("code_verifier" in given) != item.pkce:
        return "invalid_request"
    return client_fault(item, given, headers)


def client_fault(
    item: CatalogueConnector, given: Mapping[str, str], headers: Mapping[str, str]
) -> str | None:
    """Whether a request shows the client in another way than the entry says; the error then."""
    name = item.parameter_names.get("client_id", "client_id")
    sent = (given.get(name), given.get("client_secret"), headers.get("Authorization"))
    pair = f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}"
    basic = "Basic " + base64.b64encode(pair.encode()).decode()
    raw = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    expected = {
        "client_secret_basic": (None, None, basic),
        "client_secret_basic_raw": (None, None, raw),
        "client_secret_post": (CLIENT, SECRET, None),
        "none": (CLIENT, None, None),
    }
    return None if sent == expected[item.token_auth] else "invalid_client"


def _answer(item: CatalogueConnector, issued: Issued, url: str) -> Any:
    told: dict[str, Any] = {"access_token": issued.access, "refresh_token": issued.refresh}
    told |= {"token_type": "Bearer"} | ({} if item.expires_in_default else {"expires_in": 3600})
    if item.token_root:
        told = _nested(item.token_root, told)
    for path in item.keep_from_token:
        origin = (item.userinfo_url or "").startswith("{" + path + "}/")
        told = _merged(told, _nested(path, url if origin else "kept"))
    return told


def _info(item: CatalogueConnector, issued: Issued) -> Any:
    told = _nested(item.account_claim, issued.account)
    for path in item.keep_from_userinfo:
        told = _merged(told, _nested(path, "kept"))
    return told


def _nested(path: str, value: Any) -> Any:
    for name in reversed(path.split(".")):
        value = [value] if name == "0" else {name: value}
    return value


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, list):
        return [_merged(one[0], other[0])]
    return one | {k: _merged(one[k], v) if k in one else v for k, v in other.items()} if one else other


def require(found: object, expected: object, what: str) -> None:
    """Raises ``WrongShape`` unless both are the same."""
    if found != expected:
        raise WrongShape(f"{what}: expected {expected!r}, not {found!r}")
