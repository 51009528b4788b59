"""What is wrong with an entry of the catalogue beyond the form of its values, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from bff.partner.providers import outbound, templates
from bff.partner.providers.entries import RENAMED, CatalogueConnector

ENDPOINTS: Final = ("authorize_url", "token_url", "refresh_url", "userinfo_url", "revocation_url")
OWN_APP: Final = ("ClientId", "ClientSecret")
"""Names of the properties by which an account brings its own app at the third party."""
BUILT_IN: Final = {
    "oauth2": ("client_id",),
    "api_key": ("api_key",),
    "basic": ("username", "password", "basic"),
    "client_credentials": ("client_id", "client_secret"),
    "none": (),
}
"""What a text may name although no field of the entry has the name. ``basic`` is base64 of user:password."""
_NEEDED: Final = {
    "authorization_code": ("authorize_url", "token_url", "client_id"),
    "client_credentials": ("token_url", "client_id"),
}
_SET_BY_US: Final = {
    "authorize_params": {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    },
    "token_params": {"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"},
    "refresh_params": {"grant_type", "refresh_token", "client_id", "client_secret"},
}
_IN_USERINFO: Final = frozenset({"access_token"})
_IN_REVOCATION: Final = frozenset({"token", "access_token"})


def faults_of(item: CatalogueConnector) -> list[str]:
    """Every fault of an entry, each with the key that it is about."""
    found = [*_missing(item), *_parameters(item), *_fields(item), *_names(item), *_hosts(item)]
    return [f"connector {item.key}: {fault}" for fault in found]


def forbidden_urls(item: CatalogueConnector, policy: outbound.Policy) -> list[str]:
    """Every URL that ``policy`` forbids, as far as that can be said without asking anybody."""
    found = []
    for name, url in _urls(item):
        # What a host with a name in it becomes is looked at with each call.
        try:
            policy.check(templates.sample(url))
        except outbound.ForbiddenUrl as error:
            found.append(f"connector {item.key}: {name}: {error}")
    return found


def doubles(items: list[CatalogueConnector]) -> list[str]:
    """Whatever several entries share that each has to have for itself."""
    found = []
    for name in ("id", "key", "name"):
        found += [
            f"{name} = {value!r} is used by more than one connector; give each its own"
            for value in _twice(getattr(item, name) for item in items)
        ]
    return found


def _missing(item: CatalogueConnector) -> Iterator[str]:
    if item.auth == "client_credentials" and not item.token_url:
        yield "token_url: is not set"
    if item.check and item.auth not in {"api_key", "basic", "client_credentials"}:
        yield f'check: is for api_key, basic and client_credentials; auth is "{item.auth}"'
    if item.check and item.check.params and item.check.method == "GET":
        yield 'check: params are sent in a body; write method = "POST"'
    if item.check and item.check.basic and "authorization" in map(str.lower, item.check.headers):
        yield "check: basic is sent as Authorization, which is among its headers, too; leave one out"
    if item.auth != "oauth2":
        return
    yield from (f"{name}: is not set" for name in _NEEDED[item.grant] if not getattr(item, name))
    if item.token_auth != "none" and not item.client_secret:  # noqa: S105  # nosec B105  # the name of a method
        yield (
            f"client_secret_env: the variable {item.client_secret_env} is not set"
            if item.client_secret_env
            else 'client_secret: is not set; write it, or client_secret_env = "NAME" (a public'
            ' client writes token_auth = "none")'
        )


def _parameters(item: CatalogueConnector) -> Iterator[str]:
    for table, ours in _SET_BY_US.items():
        for name in sorted(ours & set(getattr(item, table))):
            yield f"{table}: {name} is set by the service itself; leave it out"
    if item.authorize_params.get("response_mode", "query") not in {"query", "form_post"}:
        yield "authorize_params: response_mode: write query or form_post; a server is told nothing else"
    for name in sorted(set(item.parameter_names) - RENAMED):
        yield f"parameter_names: {name} is none of {', '.join(sorted(RENAMED))}"
    for other in _twice(other for name, other in item.parameter_names.items() if name != "token_code"):
        yield f"parameter_names: {other} stands for more than one parameter"


def _fields(item: CatalogueConnector) -> Iterator[str]:
    for name in _twice(entry.name for entry in item.asked):
        yield f"field: {name} is there more than once"
    for name in (entry.name for entry in item.fields if entry.name in OWN_APP):
        yield f"field: {name} is the name of an own app's property; write [[connector.property]]"
    for name in _twice(item.kept):
        yield f"keep_from_...: {name} is kept more than once"


def _names(item: CatalogueConnector) -> Iterator[str]:
    """Every name in a URL or a text that nothing gives a value to."""
    typed = {entry.name for entry in item.asked}
    fields = typed | set(BUILT_IN[item.auth])
    kept = fields | set(item.kept)
    tried = fields | (_IN_USERINFO if item.auth == "client_credentials" else set())
    known = {
        "authorize_url": fields,
        "authorize_params": fields,
        "issuer": typed,
        "token_url": fields | set(item.keep_from_callback),
        "token_params": fields | set(item.keep_from_callback),
        "refresh_params": kept | {"redirect_uri"},
        "token_headers": fields,
        "userinfo_url": kept | _IN_USERINFO,
        "userinfo_headers": kept | _IN_USERINFO,
        "revocation_url": kept | _IN_REVOCATION,
        "revocation_params": kept | _IN_REVOCATION,
        "revocation_headers": kept | _IN_REVOCATION,
        "check.url": tried,
        "check.headers": tried,
        "check.params": tried,
        "check.basic": tried,
    }
    for place, text in _texts(item):
        here = known.get(place.partition(": ")[0], kept)
        for name in dict.fromkeys(templates.names_in(text)):
            if name not in here:
                yield (
                    f"{place}: {{{name}}} is the name of no field, nor of anything that is known then;"
                    f" known here: {', '.join(sorted(here)) or 'nothing'}"
                )


def _hosts(item: CatalogueConnector) -> Iterator[str]:
    ours = item.auth == "oauth2" and item.client_secret is not None
    for name, url in _urls(item):
        if ours and not templates.is_bound(url, item.patterns, tuple(item.allowed_hosts)):
            yield (
                f"{name}: its host may be anybody's, who would be sent the client's secret; end it in a"
                " domain ({shop}.example.com), list the field's values (pattern = 'com|eu'), or write"
                " allowed_hosts"
            )
        elif not templates.names_in(url) and not templates.is_allowed(url, tuple(item.allowed_hosts)):
            yield f"{name}: its host is not among allowed_hosts"


def _urls(item: CatalogueConnector) -> Iterator[tuple[str, str]]:
    yield from ((name, url) for name in ENDPOINTS if (url := getattr(item, name)))
    if item.check:
        yield "check.url", item.check.url


def _texts(item: CatalogueConnector) -> Iterator[tuple[str, str]]:
    yield from _urls(item)
    if item.issuer:
        yield "issuer", item.issuer
    tables = {
        name: getattr(item, name)
        for name in (
            "authorize_params",
            "token_params",
            "refresh_params",
            "revocation_params",
            "revocation_headers",
            "userinfo_headers",
            "token_headers",
        )
    }
    if item.check:
        tables |= {"check.headers": item.check.headers, "check.params": item.check.params}
        yield "check.basic", item.check.basic or ""
    for table, texts in tables.items():
        yield from ((f"{table}: {name}", text) for name, text in texts.items())


def _twice(values: Iterable[object]) -> list[object]:
    return sorted((value for value, times in Counter(values).items() if times > 1), key=str)
