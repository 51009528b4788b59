"""Validates catalogue entries beyond the types of their values. Each fault is one line of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bff.partner.providers import template_slips, templates
from bff.partner.providers.catalogue_doubles import duplicates
from bff.partner.providers.entries import CLIENT_SECRET, RENAMED, AskedField, CatalogueConnector
from bff.serving.destinations import ForbiddenUrl, Policy

ENDPOINTS: Final = ("authorize_url", "token_url", "refresh_url", "userinfo_url", "revocation_url")
OWN_APP: Final = ("ClientId", "ClientSecret")
"""Properties by which an account supplies its own OAuth app at the third party."""
BUILT_IN: Final = {
    "oauth2": ("client_id",),
    "api_key": ("api_key",),
    "basic": ("username", "password", "basic"),
    "client_credentials": ("client_id", "client_secret"),
    "none": (),
}
"""Placeholders that a template may use without a field. ``basic`` is base64 of ``user:password``."""
_REQUIRED: Final = {
    "authorization_code": ("authorize_url", "token_url", "client_id"),
    "client_credentials": ("token_url", "client_id"),
}
_RESERVED: Final = {
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
HEADERS: Final = ("token_headers", "userinfo_headers", "revocation_headers")
_REQUIRES_ENDPOINT: Final = {
    "userinfo_url": ("userinfo_method", "userinfo_body"),
    "revocation_url": ("revocation_headers",),
}
"""Keys that configure requests to an endpoint, and have no effect without its URL."""
_IN_USERINFO: Final = frozenset({"access_token"})
_IN_REVOCATION: Final = frozenset({"token", "access_token"})
_SECRETS: Final = frozenset({"api_key", "password", "client_secret"})
"""Built-in placeholders that are always secret."""


def faults_of(item: CatalogueConnector) -> list[str]:
    """All faults of an entry, each with the key that it concerns."""
    faults = [*_missing(item), *_parameters(item), *_requests(item), *_headers(item)]
    faults += [*_fields(item), *_scopes(item), *_choices(item), *_names(item), *_hosts(item), *_slips(item)]
    return [f"connector {item.key}: {fault}" for fault in faults]


def forbidden_urls(item: CatalogueConnector, policy: Policy) -> list[str]:
    """The URLs that ``policy`` forbids, as far as can be decided without DNS."""
    faults = []
    for name, url in urls_of(item):
        # A host with a placeholder is checked again on each call, once its value is known.
        try:
            policy.check(templates.sample(url))
        except ForbiddenUrl as error:
            faults.append(f"connector {item.key}: {name}: {error}")
    return faults


def _missing(item: CatalogueConnector) -> Iterator[str]:
    if item.client_secret is not None and item.client_secret_env is not None:
        yield "client_secret, client_secret_env: write exactly one of the two"
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
    yield from (f"{name}: is not set" for name in _REQUIRED[item.grant] if not getattr(item, name))
    if item.token_auth != "none" and not item.client_secret:  # noqa: S105  # the name of a method
        yield (
            f"client_secret_env: the variable {item.client_secret_env} is not set"
            if item.client_secret_env
            else 'client_secret: is not set; write it, or client_secret_env = "NAME" (a public'
            ' client writes token_auth = "none")'
        )


def _parameters(item: CatalogueConnector) -> Iterator[str]:
    for table, reserved in _RESERVED.items():
        for name in sorted(reserved & set(getattr(item, table))):
            yield f"{table}: {name} is set by the service itself; leave it out"
    if item.authorize_params.get("response_mode", "query") not in {"query", "form_post"}:
        yield "authorize_params: response_mode: write query or form_post; only these reach a server"
    for name in sorted(set(item.parameter_names) - RENAMED):
        yield f"parameter_names: {name} is none of {', '.join(sorted(RENAMED))}"
    for other in duplicates(other for name, other in item.parameter_names.items() if name != "token_code"):
        yield f"parameter_names: {other} stands for more than one parameter"


def _requests(item: CatalogueConnector) -> Iterator[str]:
    if item.userinfo_body is not None and item.userinfo_method == "GET":
        yield 'userinfo_body: is sent with a POST; write userinfo_method = "POST"'
    for endpoint, names in _REQUIRES_ENDPOINT.items():
        if not getattr(item, endpoint):
            yield from (
                f"{name}: is of no use without {endpoint}" for name in names if name in item.model_fields_set
            )
    if item.token_auth != "none":  # noqa: S105  # the name of a method
        return
    for place, text in _texts(item):
        secret = CLIENT_SECRET & set(templates.names_in(text)) if place.startswith("revocation_") else set()
        for name in sorted(secret):
            yield f'{place}: {{{name}}} is made of the client\'s secret, and token_auth = "none" has none'


def _headers(item: CatalogueConnector) -> Iterator[str]:
    for table in HEADERS:
        yield from template_slips.header_faults(table, getattr(item, table))
    if item.check:
        yield from template_slips.header_faults("check.headers", item.check.headers)


def _slips(item: CatalogueConnector) -> Iterator[str]:
    typed = {entry.name for entry in item.user_fields} | set(BUILT_IN[item.auth])
    known = typed | set(item.kept) | _IN_REVOCATION | CLIENT_SECRET | {"client_id", "redirect_uri"}
    yield from template_slips.placeholder_faults(_texts(item), known)
    own = {entry.name for entry in item.user_fields if entry.sensitive} | set(BUILT_IN[item.auth])
    proofs = own | _IN_USERINFO if item.auth == "client_credentials" else own
    yield from template_slips.check_faults(item, _texts(item), proofs)


def _scopes(item: CatalogueConnector) -> Iterator[str]:
    # They are compared with those of the answer, which is split there.
    for scope in item.scopes:
        if not scope or any(letter.isspace() for letter in scope) or item.scope_separator in scope:
            yield f'scopes: {scope!r}: write each scope by itself, as in ["first", "second"]'


def _fields(item: CatalogueConnector) -> Iterator[str]:
    for name in duplicates(entry.name for entry in item.user_fields):
        yield f"field: {name} is there more than once"
    for name in (entry.name for entry in item.fields if entry.name in OWN_APP):
        yield f"field: {name} is the name of an own app's property; write [[connector.property]]"
    for name in duplicates(item.kept):
        yield f"keep_from_...: {name} is kept more than once"


def _choices(item: CatalogueConnector) -> Iterator[str]:
    for one in item.fields:
        if one.choices is not None:
            yield from (f"field: {one.name}: {fault}" for fault in _choice_faults(item, one, one.choices))


def _choice_faults(item: CatalogueConnector, one: AskedField, choices: dict[str, str]) -> Iterator[str]:
    if not choices:
        yield "choices: there are none; write them, or leave choices out"
    if one.pattern is not None:
        yield "choices: are the only values there are; leave pattern out"
    if one.prefix or one.suffix:
        yield "choices: prefix and suffix stand beside what is typed; leave them out"
    if one.sensitive or one.name in _SECRETS.intersection(BUILT_IN[item.auth]):
        yield "choices: a secret is typed, and not chosen from a list"
    for label in duplicates(choices.values()):
        yield f"choices: {label!r} stands for more than one; users cannot tell them apart"
    for value in choices:
        yield from (f"choices: {value!r} {misfit}" for misfit in _unfit_places(item, one, value))


def _unfit_places(item: CatalogueConnector, one: AskedField, value: str) -> Iterator[str]:
    """The templates into which a choice of the field does not fit."""
    urls = dict(urls_of(item))
    for place, text in _texts(item):
        names = templates.names_in(text)
        if one.name not in names:
            continue
        values = dict.fromkeys(names, "x") | {one.name: value}
        try:
            if place in urls:
                is_sole_name = set(templates.names_in_origin(text)) == {one.name}
                allowed = tuple(item.allowed_hosts) if is_sole_name else ()
                templates.fill_url(text, values, {one.name: one.takes or ""}, allowed)
            elif "headers" in place:
                templates.fill_header(text, values)
        except templates.Unfit as unfit:
            if unfit.name == one.name:
                yield f"cannot stand in {place}: it {str(unfit).partition(': ')[2]}"


def _names(item: CatalogueConnector) -> Iterator[str]:
    """Placeholders in URLs and other templates that no field or built-in value fills."""
    typed = {entry.name for entry in item.user_fields}
    fields = typed | set(BUILT_IN[item.auth])
    kept = fields | set(item.kept)
    in_check = fields | (_IN_USERINFO if item.auth == "client_credentials" else set())
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
        "revocation_params": kept | _IN_REVOCATION | CLIENT_SECRET,
        "revocation_headers": kept | _IN_REVOCATION | CLIENT_SECRET,
        "check.url": in_check,
        "check.headers": in_check,
        "check.params": in_check,
        "check.basic": in_check,
    }
    whole = {"issuer", *dict(urls_of(item))}
    for place, text in _texts(item):
        here = known.get(place.partition(": ")[0], kept)
        for name in dict.fromkeys(templates.names_in(text)):
            if place in whole and name in item.optional_names:
                yield (
                    f"{place}: {{{name}}} is of an optional field, and cannot be left out here; leave out"
                    " its optional = true, or write it in parameters or headers, which go without it"
                )
            if name not in here:
                yield (
                    f"{place}: {{{name}}} is the name of no field, nor of anything that is known then;"
                    f" known here: {', '.join(sorted(here)) or 'nothing'}"
                )


def _hosts(item: CatalogueConnector) -> Iterator[str]:
    sends_secret = item.auth == "oauth2" and item.client_secret is not None
    for name, url in urls_of(item):
        if sends_secret and not templates.is_bound(url, item.patterns, tuple(item.allowed_hosts)):
            yield (
                f"{name}: its host may be anybody's, who would be sent the client's secret; end it in a"
                " domain ({shop}.example.com), list the field's values (choices, or"
                " pattern = 'com|eu'), or write allowed_hosts"
            )
        elif not templates.names_in(url) and not templates.is_allowed(url, tuple(item.allowed_hosts)):
            yield f"{name}: its host is not among allowed_hosts"


def urls_of(item: CatalogueConnector) -> Iterator[tuple[str, str]]:
    """The URL templates of an entry that requests go to, by the name of the value."""
    yield from ((name, url) for name in ENDPOINTS if (url := getattr(item, name)))
    if item.check:
        yield "check.url", item.check.url


def _texts(item: CatalogueConnector) -> Iterator[tuple[str, str]]:
    yield from urls_of(item)
    if item.issuer:
        yield "issuer", item.issuer
    tables = {
        name: getattr(item, name)
        for name in (
            "authorize_params",
            "token_params",
            "refresh_params",
            "revocation_params",
            *HEADERS,
        )
    }
    if item.check:
        tables |= {"check.headers": item.check.headers, "check.params": item.check.params}
        yield "check.basic", item.check.basic or ""
    for table, texts in tables.items():
        yield from ((f"{table}: {name}", text) for name, text in texts.items())
