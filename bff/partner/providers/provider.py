"""Speaks to a third party's token, revocation and user-info endpoints, and believes nothing unlooked-at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from flask import json

from bff.partner.account_names import kept_name
from bff.partner.providers import answers, client_auth, refusals, said, templates, transport
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.dotted import kept_at, text_at
from bff.partner.providers.entries import CLIENT_SECRET, CatalogueConnector
from bff.partner.providers.outbound import Policy
from bff.partner.providers.said import Endpoint, Said

UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
REFUSED: Final = frozenset({200, 400, UNAUTHORIZED})
"""Statuses with which third parties say that a token which is to be revoked is no good (any more)."""
IN_A_HURRY: Final = transport.Limits(connect=2.0, read=4.0, total=5.0)
"""Of a call for whose end a user waits and which can be made again."""
JSON: Final = "application/json"
UNFIT: Final = "field_does_not_fit"
_SECRET: Final = ("code", "code_verifier", "refresh_token", "token", "client_secret")


class ProviderFailed(Exception):
    """The third party did not give what it should. ``error`` is its own error, or a code of ours.

    ``refused`` are the tokens of an answer that cannot be used as a whole: they are good there all the same.
    ``said`` is what it answered, where it did.
    """

    def __init__(self, error: str, refused: Credentials | None = None, said: Said | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.refused = refused
        self.said = said


@dataclass(frozen=True)
class Code:
    """What a user's consent brought: the code, and what else there is to be sent or kept with it.

    ``values`` are the account's own that stood in the authorize URL; ``kept`` came with the callback.
    """

    code: str
    verifier: str
    redirect_uri: str
    values: Mapping[str, str]
    kept: Mapping[str, str]


@dataclass(frozen=True)
class Identified:
    """Whose account it is, where that is told, and the credentials with what was kept for the host.

    ``said`` is what the user-info endpoint answered, if it answered no account.
    """

    account: str | None
    credentials: Credentials
    said: Said | None = None


@dataclass(frozen=True)
class _Asked:
    """A request to an endpoint: its form, what the catalogue adds, and what stands for names in either."""

    endpoint: Endpoint
    url: str
    form: dict[str, str]
    more: Mapping[str, str]
    values: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


class Provider:
    """Every call goes where ``policy`` allows, and has a total deadline and a cap on its answer."""

    def __init__(self, policy: Policy, limits: transport.Limits | None = None) -> None:
        self.policy = policy
        self.limits = limits or transport.Limits()

    def in_a_hurry(self) -> Provider:
        """The same, with less time for each call."""
        return Provider(self.policy, IN_A_HURRY)

    def exchange_code(self, item: CatalogueConnector, client: Client, code: Code) -> tuple[Credentials, Any]:
        """Change the code for tokens (RFC 6749, section 4.1.3; RFC 7636). Raises ``ProviderFailed``.

        The second value is the whole answer, which may say whose account it is.
        """
        form = {"grant_type": "authorization_code", "code": code.code, "redirect_uri": code.redirect_uri}
        if item.pkce:
            form["code_verifier"] = code.verifier
        values = {**code.values, **code.kept}
        asked = _Asked("token", item.token_url or "", form, item.token_params, values)
        found, document = self._token(item, client, asked)
        kept = {name: code.kept[name] for name in item.keep_from_callback if name in code.kept}
        # Some want it again with each refresh, and it is theirs to compare: the one of this sign-in.
        named = templates.names_in(" ".join(item.refresh_params.values()))
        own = {"redirect_uri": code.redirect_uri} if "redirect_uri" in named else {}
        return replace(found, values={**own, **code.values}, extra={**kept, **found.extra}), document

    def client_credentials(
        self, item: CatalogueConnector, client: Client, values: Mapping[str, str]
    ) -> tuple[Credentials, Any]:
        """Tokens without a user's consent (RFC 6749, section 4.4). Raises ``ProviderFailed``."""
        form = {"grant_type": "client_credentials"}
        if item.scopes:
            form["scope"] = item.scope_separator.join(item.scopes)
        asked = _Asked("token", item.token_url or "", form, item.token_params, values)
        found, document = self._token(item, client, asked)
        return replace(found, values=dict(values)), document

    def refresh(self, item: CatalogueConnector, client: Client, kept: Credentials) -> Credentials:
        """New tokens for a refresh token (RFC 6749, section 6). Raises ``ProviderFailed``."""
        form = {"grant_type": "refresh_token", "refresh_token": kept.refresh_token or ""}
        values = {**kept.values, **kept.extra}
        url = item.refresh_url or item.token_url or ""
        found, _ = self._token(item, client, _Asked("refresh", url, form, item.refresh_params, values))
        return found

    def revoke(
        self, item: CatalogueConnector, client: Client, token: str, hint: str, values: Mapping[str, str]
    ) -> bool:
        """Revoke a token (RFC 7009). Whether it was; False for one that is unknown there (any more).

        Raises ``ProviderFailed``.
        """
        given = {"access_token": token, **values, "token": token}
        known = {**given, **client_auth.named(client)}
        form = {"token": token, "token_type_hint": hint}
        try:
            form = templates.fill_all(item.revocation_params, known, templates.LONGEST_TOKEN) or form
            headers = templates.fill_headers(item.revocation_headers, known)
        except templates.Unfit as error:
            raise _unfit("revoke", error) from None
        asked = _Asked("revoke", item.revocation_url or "", form, {}, given, headers)
        status, document, answer = self._post(item, client, asked)
        if answers.is_success(status) and not answers.is_refusal(document):
            return True
        if _is_gone(item, answer):
            return False
        raise ProviderFailed(answer.error or f"revocation_endpoint_answered_{status}", said=answer)

    def identify(self, item: CatalogueConnector, found: Credentials, document: Any) -> Identified:
        """Whose account was connected, where the third party tells. A failure here fails nothing.

        It is told by the user-info endpoint, by the answer of the token endpoint (``document``), by an
        ``id_token`` in it, or by what came with the callback.
        """
        info, answer = self.user_info(item, found)
        extra = {**found.extra, **kept_at(info, item.keep_from_userinfo)}
        sources = (info, document, answers.claims_of(document), dict(found.extra))
        account = next(filter(None, (text_at(source, item.account_claim) for source in sources)), None)
        told = None if account else answer
        return Identified(kept_name(account), replace(found, extra=extra), told)

    def user_info(self, item: CatalogueConnector, found: Credentials) -> tuple[Any, Said | None]:
        """What the user-info endpoint answers to the access token; nothing where there is none, or no 200."""
        if item.userinfo_url is None:
            return None, None
        values = {**found.values, **found.extra, "access_token": found.access_token}
        if found.client is not None:
            values["client_id"] = found.client.id
        body = item.userinfo_body.encode() if item.userinfo_body is not None else None
        usual = {"Authorization": "Bearer {access_token}"} | ({"Content-Type": JSON} if body else {})
        secrets = [found.access_token, found.refresh_token or ""]
        try:
            url = item.url(item.userinfo_url, values)
            headers = templates.fill_headers(_over(usual, item.userinfo_headers), values)
            method = item.userinfo_method
            reply = transport.send(self.policy, method, url, headers=headers, body=body, limits=self.limits)
        except templates.Unfit as error:
            return None, Said("userinfo", None, UNFIT, str(error))
        except transport.NoReply as error:
            return None, Said("userinfo", None, error.code, None)
        document = answers.json_of(reply)
        told = said.of_answer("userinfo", reply.status, document, secrets)
        return (document if answers.is_success(reply.status) else None), told

    def _token(self, item: CatalogueConnector, client: Client, asked: _Asked) -> tuple[Credentials, Any]:
        try:
            more = templates.fill_all(asked.more, {**asked.values, "client_id": client.id})
        except templates.Unfit as error:
            raise _unfit(asked.endpoint, error) from None
        status, document, answer = self._post(item, client, replace(asked, form={**asked.form, **more}))
        found, otherwise = None, f"token_endpoint_answered_{status}"
        if answers.is_success(status):
            otherwise = "third_party_sent_no_bearer_token"
            found = answers.tokens_of(document, item, client, refreshed=asked.endpoint == "refresh")
            if found is not None and answers.is_usable(document, item, found):
                return found, document
        raise ProviderFailed(answer.error or otherwise, found, answer)

    def _post(self, item: CatalogueConnector, client: Client, asked: _Asked) -> tuple[int, Any, Said]:
        revokes = asked.endpoint == "revoke"
        headers, form = client_auth.authenticated(item, client, asked.form)
        if revokes and item.revokes_as_it_says:
            headers, form = {}, asked.form
        shown = {**client_auth.named(client), **asked.values}
        secrets = [shown.get(name, "") for name in (*CLIENT_SECRET, "token", "access_token")]
        secrets += (form.get(name, "") for name in _SECRET)
        # The code's other name is that of the callback: most token endpoints call it by its own.
        names = {**item.parameter_names, "code": item.parameter_names.get("token_code", "code")}
        form = {names.get(name, name): value for name, value in form.items()}
        kind: str = item.revocation_request if revokes else item.token_request
        method = item.revocation_method if revokes else "POST"
        sent: dict[str, Any] = {"form": form} if kind == "form" else {}
        if kind == "json":
            headers["Content-Type"] = JSON
            sent = {"body": json.dumps(form).encode()}
        try:
            known = {**asked.values, "client_id": client.id}
            url = item.url(asked.url, known)
            headers = _over(templates.fill_headers(item.token_headers, known), headers, asked.headers)
            reply = transport.send(self.policy, method, url, headers=headers, limits=self.limits, **sent)
        except templates.Unfit as error:
            raise _unfit(asked.endpoint, error) from None
        except transport.NoReply as error:
            raise ProviderFailed(error.code, said=Said(asked.endpoint, None, error.code, None)) from error
        document = answers.document_of(reply, item.token_response)
        return reply.status, document, said.of_answer(asked.endpoint, reply.status, document, secrets)


def _is_gone(item: CatalogueConnector, answer: Said) -> bool:
    """Whether a revocation was answered by: there is no such token, so that nothing is left to be done."""
    if answer.status == NOT_FOUND and item.revocation_method == "DELETE":
        return True
    if answer.status == UNAUTHORIZED and item.revokes_by_bearer:
        return True
    words = (answer.error or "", answer.description or "")
    return answer.status in REFUSED and any(refusals.is_dead(item, word, "") for word in words)


def _over(*tables: Mapping[str, str]) -> dict[str, str]:
    """One table of headers, a later one before an earlier one of its name. An empty one is left out."""
    merged = {name.lower(): (name, text) for table in tables for name, text in table.items()}
    return {name: text for name, text in merged.values() if text}


def _unfit(endpoint: Endpoint, error: templates.Unfit) -> ProviderFailed:
    return ProviderFailed(UNFIT, said=Said(endpoint, None, UNFIT, str(error)))
