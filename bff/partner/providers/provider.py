"""Client of third parties' token, revocation and user-info endpoints. Validates every response."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from flask import json

from bff.partner.account_names import kept_name
from bff.partner.providers import answers, body_errors, client_auth, refusals, said, templates, transport
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.dotted import kept_at, text_at
from bff.partner.providers.entries import CLIENT_SECRET, CatalogueConnector
from bff.partner.providers.said import UNFIT, Endpoint, Said
from bff.serving.destinations import Policy

UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
REFUSED: Final = frozenset({200, 400, UNAUTHORIZED})
"""Statuses of a revocation response that may mean the token is unknown or already revoked."""
IN_A_HURRY: Final = transport.Limits(connect=2.0, read=4.0, total=5.0)
"""Time limits for a retryable call that a user waits for."""
TOGETHER: Final = 7.0
"""Seconds for all such calls during one request, which is less than callers of the API wait."""
JSON: Final = "application/json"
_SECRET_PARAMETERS: Final = ("code", "code_verifier", "refresh_token", "token", "client_secret")


class ProviderFailed(Exception):
    """A call to a third party failed. ``error`` is the third party's error code, or one of this service.

    ``refused``: tokens from a response that cannot be used. They are valid at the third party, and have to be
    revoked. ``said``: the response, if there was one.
    """

    def __init__(self, error: str, refused: Credentials | None = None, said: Said | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.refused = refused
        self.said = said


@dataclass(frozen=True)
class Code:
    """An authorization code, and what its exchange needs.

    ``values``: the account's properties that filled the authorize URL.
    ``kept``: callback parameters kept for the host or for later requests.
    """

    code: str
    verifier: str
    redirect_uri: str
    values: Mapping[str, str]
    kept: Mapping[str, str]


@dataclass(frozen=True)
class Identified:
    """The name of the connected account, if known, and the credentials with the user-info values kept.

    ``said``: the user-info response, if no account was found.
    """

    account: str | None
    credentials: Credentials
    said: Said | None = None


@dataclass(frozen=True)
class _Request:
    """A request to an endpoint: its form, the catalogue's extra parameters, and the template values."""

    endpoint: Endpoint
    url: str
    form: dict[str, str]
    more: Mapping[str, str]
    values: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


class Provider:
    """Calls third parties. Every call obeys ``policy``, a total deadline and a maximum response size.

    ``redirect_uri``: that of today's sign-ins, for the refresh of a grant that did not keep its own.
    """

    def __init__(self, policy: Policy, redirect_uri: str, limits: transport.Limits | None = None) -> None:
        self.policy = policy
        self.redirect_uri = redirect_uri
        self.limits = limits or transport.Limits()

    def in_a_hurry(self) -> Provider:
        """A provider for one request of a user who waits: shorter limits, also for its calls ``TOGETHER``."""
        limits = replace(IN_A_HURRY, ends=time.monotonic() + TOGETHER)
        return Provider(self.policy, self.redirect_uri, limits)

    @property
    def is_hurried(self) -> bool:
        """Whether its calls have a common end, because a user waits for them."""
        return self.limits.ends is not None

    def exchange_code(self, item: CatalogueConnector, client: Client, code: Code) -> tuple[Credentials, Any]:
        """Exchange the code for tokens (RFC 6749, section 4.1.3; RFC 7636). Raises ``ProviderFailed``.

        The second value is the whole response, which may name the account.
        """
        form = {"grant_type": "authorization_code", "code": code.code, "redirect_uri": code.redirect_uri}
        if item.pkce:
            form["code_verifier"] = code.verifier
        values = {**code.values, **code.kept}
        request = _Request("token", item.token_url or "", form, item.token_params, values)
        tokens, document = self._token(item, client, request)
        kept = {name: value for name, value in code.kept.items() if name in item.kept}
        # Some third parties require the sign-in's redirect URI again with each refresh.
        placeholders = templates.names_in(" ".join(item.refresh_params.values()))
        own = {"redirect_uri": code.redirect_uri} if "redirect_uri" in placeholders else {}
        return replace(tokens, values={**own, **code.values}, extra={**kept, **tokens.extra}), document

    def client_credentials(
        self, item: CatalogueConnector, client: Client, values: Mapping[str, str]
    ) -> tuple[Credentials, Any]:
        """Request tokens without user consent (RFC 6749, section 4.4). Raises ``ProviderFailed``."""
        form = {"grant_type": "client_credentials"}
        if item.scopes:
            form["scope"] = item.scope_separator.join(item.scopes)
        request = _Request("token", item.token_url or "", form, item.token_params, values)
        tokens, document = self._token(item, client, request)
        return replace(tokens, values=dict(values)), document

    def refresh(self, item: CatalogueConnector, client: Client, kept: Credentials) -> Credentials:
        """Refresh the tokens (RFC 6749, section 6). Raises ``ProviderFailed``."""
        form = {"grant_type": "refresh_token", "refresh_token": kept.refresh_token or ""}
        values = {"redirect_uri": self.redirect_uri, **kept.values, **kept.extra}
        url = item.refresh_url or item.token_url or ""
        tokens, _ = self._token(item, client, _Request("refresh", url, form, item.refresh_params, values))
        return tokens

    def revoke(
        self, item: CatalogueConnector, client: Client, token: str, hint: str, values: Mapping[str, str]
    ) -> bool:
        """Revoke a token (RFC 7009). False if it was unknown or already revoked.

        Raises ``ProviderFailed``.
        """
        token_values = {"access_token": token, **values, "token": token}
        values_with_secret = {**token_values, **client_auth.named(client)}
        form, optional = {"token": token, "token_type_hint": hint}, item.optional_names
        longest, texts = templates.LONGEST_TOKEN, item.revocation_params
        try:
            form = templates.fill_all(texts, values_with_secret, optional, longest) or form
            headers = templates.fill_headers(item.revocation_headers, values_with_secret, optional)
        except templates.Unfit as error:
            raise _unfit_failure("revoke", error) from None
        request = _Request("revoke", item.revocation_url or "", form, {}, token_values, headers)
        status, document, answer = self._post(item, client, request)
        if answers.is_success(status) and not body_errors.is_refusal(document):
            return True
        if _is_gone(item, answer):
            return False
        raise ProviderFailed(answer.error or f"revocation_endpoint_answered_{status}", said=answer)

    def identify(self, item: CatalogueConnector, credentials: Credentials, document: Any) -> Identified:
        """Find the name of the connected account. Never raises: without a name the connection is still good.

        Looks at ``account_claim`` in the user info, the token response (``document``), its ``id_token``,
        and the values kept from the callback, in this order.
        """
        info, answer = self.user_info(item, credentials)
        extra = {**credentials.extra, **kept_at(info, item.keep_from_userinfo)}
        sources = (info, document, answers.claims_of(document), dict(credentials.extra))
        account = next(filter(None, (text_at(source, item.account_claim) for source in sources)), None)
        response = None if account else answer
        return Identified(kept_name(account), replace(credentials, extra=extra), response)

    def user_info(self, item: CatalogueConnector, credentials: Credentials) -> tuple[Any, Said | None]:
        """Call the user-info endpoint. The first value is its JSON; None if not configured, or not 2xx."""
        if item.userinfo_url is None:
            return None, None
        values = {**credentials.values, **credentials.extra, "access_token": credentials.access_token}
        if credentials.client is not None:
            values["client_id"] = credentials.client.id
        body = item.userinfo_body.encode() if item.userinfo_body is not None else None
        default_headers = {"Authorization": "Bearer {access_token}"} | (
            {"Content-Type": JSON} if body else {}
        )
        secrets = [credentials.access_token, credentials.refresh_token or ""]
        try:
            url = item.url(item.userinfo_url, values)
            texts = _merged_headers(default_headers, item.userinfo_headers)
            headers = templates.fill_headers(texts, values, item.optional_names)
            method = item.userinfo_method
            policy = item.policy(item.userinfo_url, self.policy)
            most: dict[str, Any] = {"limits": self.limits, "most_bytes": transport.MAX_LISTED_BYTES}
            reply = transport.send(policy, method, url, headers=headers, body=body, **most)
        except templates.Unfit as error:
            return None, Said("userinfo", None, UNFIT, str(error))
        except transport.NoReply as error:
            return None, Said("userinfo", None, error.code, None)
        document = answers.json_of(reply)
        response = said.of_reply("userinfo", reply, document, secrets)
        return (document if answers.is_success(reply.status) else None), response

    def _token(self, item: CatalogueConnector, client: Client, request: _Request) -> tuple[Credentials, Any]:
        values = {**request.values, "client_id": client.id}
        try:
            more = templates.fill_all(request.more, values, item.optional_names)
        except templates.Unfit as error:
            raise _unfit_failure(request.endpoint, error) from None
        status, document, answer = self._post(item, client, replace(request, form={**request.form, **more}))
        tokens, fallback = None, f"token_endpoint_answered_{status}"
        if answers.is_success(status):
            fallback = "third_party_sent_no_bearer_token"
            tokens = answers.tokens_of(document, item, client, refreshed=request.endpoint == "refresh")
            if tokens is not None and answers.is_usable(document, item, tokens):
                return tokens, document
        raise ProviderFailed(answer.error or fallback, tokens, answer)

    def _post(self, item: CatalogueConnector, client: Client, request: _Request) -> tuple[int, Any, Said]:
        revokes = request.endpoint == "revoke"
        headers, form = client_auth.authenticated(item, client, request.form)
        if revokes and item.revokes_as_it_says:
            headers, form = {}, request.form
        client_values = {**client_auth.named(client), **request.values}
        secrets = [client_values.get(name, "") for name in (*CLIENT_SECRET, "token", "access_token")]
        secrets += (form.get(name, "") for name in _SECRET_PARAMETERS)
        # A renamed ``code`` applies to the callback only; ``token_code`` renames it in token requests.
        names = {**item.parameter_names, "code": item.parameter_names.get("token_code", "code")}
        form = {names.get(name, name): value for name, value in form.items()}
        kind: str = item.revocation_request if revokes else item.token_request
        method = item.revocation_method if revokes else "POST"
        payload: dict[str, Any] = {"form": form} if kind == "form" else {}
        if kind == "json":
            headers["Content-Type"] = JSON
            payload = {"body": json.dumps(form).encode()}
        try:
            url_values = {**request.values, "client_id": client.id}
            url = item.url(request.url, url_values)
            own_headers = templates.fill_headers(item.token_headers, url_values, item.optional_names)
            headers = _merged_headers(own_headers, headers, request.headers)
            policy = item.policy(request.url, self.policy)
            reply = transport.send(policy, method, url, headers=headers, limits=self.limits, **payload)
        except templates.Unfit as error:
            raise _unfit_failure(request.endpoint, error) from None
        except transport.NoReply as error:
            raise ProviderFailed(error.code, said=Said(request.endpoint, None, error.code, None)) from error
        document = answers.document_of(reply, item.token_response)
        return reply.status, document, said.of_reply(request.endpoint, reply, document, secrets)


def _is_gone(item: CatalogueConnector, answer: Said) -> bool:
    """Whether the response to a revocation means that the token does not exist any more."""
    if answer.status == NOT_FOUND and item.revocation_method == "DELETE":
        return True
    if answer.status == UNAUTHORIZED and item.revokes_by_bearer:
        return True
    words = (answer.error or "", answer.description or "")
    if answer.status not in REFUSED or refusals.asks_to_wait(answer):
        return False
    return any(refusals.is_dead(item, word) for word in words)


def _merged_headers(*tables: Mapping[str, str]) -> dict[str, str]:
    """Merge headers, names case-insensitive. A later table wins; an empty value removes the header."""
    merged = {name.lower(): (name, text) for table in tables for name, text in table.items()}
    return {name: text for name, text in merged.values() if text}


def _unfit_failure(endpoint: Endpoint, error: templates.Unfit) -> ProviderFailed:
    return ProviderFailed(UNFIT, said=Said(endpoint, None, UNFIT, str(error)))
