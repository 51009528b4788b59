"""Walks through a sign-in at a third party in a terminal, to test a catalogue entry.

Stores nothing and prints no tokens. Revokes the grant at the end, also after a step that failed, if the entry
has a ``revocation_url`` and no connection uses the grant.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy.exc import SQLAlchemyError

from bff.partner.account_connectors import properties
from bff.partner.context import Embedded
from bff.partner.grants import ending, grants_in_use
from bff.partner.providers import said, templates
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import Code, Provider, ProviderFailed
from bff.partner.sign_in import authorize
from bff.serving.terminal import one_line

Ask = Callable[[str], str]
"""Prints a prompt and returns the line that the user enters."""
Say = Callable[[str], None]
InUse = Callable[[grants_in_use.Grant], bool | None]
"""Says whether revoking a grant would end a stored one. None: the database does not tell."""
NOT_STORED: Final = 0
"""The id of no account connector."""


def in_use_at(service: Embedded, item: CatalogueConnector) -> InUse:
    """The same question as before every other revocation, to the database of a service."""

    def is_in_use(grant: grants_in_use.Grant) -> bool | None:
        try:
            with service.database.reading() as connection:
                return grants_in_use.is_in_use(service, connection, item, grant)
        except SQLAlchemyError:
            return None

    return is_in_use


class Walk:
    """A sign-in in a terminal. ``values`` are the values of the entry's form fields, by field name."""

    def __init__(
        self,
        item: CatalogueConnector,
        provider: Provider,
        values: Mapping[str, str],
        ask: Ask,
        say: Say,
        in_use: InUse,
    ) -> None:
        self._item = item
        self._provider = provider
        self._values = dict(values)
        self._ask = ask
        self._print = say
        self._in_use = in_use
        self._client = Client(item.client_id or "", item.client_secret)
        self._grant: Credentials | None = None
        self._external_account: str | None = None

    def go(self, redirect_uri: str) -> int:
        """Run all steps. Return the exit status: 0, or 1 if a step failed."""
        if self._item.auth not in {"oauth2", "client_credentials"}:
            self._say(f"{self._item.key}: is no OAuth connector; its check is tried in the popup")
            return 1
        if lacking := properties.unset(self._item, self._values):
            choices = {one.name: "|".join(one.choices or ()) for one in self._item.fields}
            wanted = (f"--set {name}={choices.get(name) or 'VALUE'}" for name in lacking)
            self._say(f"set these fields: {', '.join(wanted)}")
            return 1
        revoked = 0
        try:
            status = self._tried(lambda: self._sign_in(redirect_uri))
        finally:
            # Whatever failed: nobody else knows this grant.
            if (grant := self._grant) is not None:
                revoked = self._tried(lambda: self._revoke(grant))
        return max(status, revoked)

    def _tried(self, step: Callable[[], None]) -> int:
        """Run a step. Return 0, or 1 if it failed."""
        try:
            step()
        except ProviderFailed as failure:
            self._say(f"failed: {failure.error}")
            if failure.said is not None:
                self._report_answer(failure.said)
            if failure.refused is not None:
                self._keep_refused(failure.refused)
            return 1
        except templates.Unfit as error:
            self._say(f"failed: {error}")
            return 1
        return 0

    def _sign_in(self, redirect_uri: str) -> None:
        tokens, document = self._tokens(redirect_uri)
        self._grant = tokens
        self._report_tokens(tokens)
        self._grant = tokens = self._account(tokens, document)
        if tokens.refresh_token:
            self._grant = self._refresh(tokens)

    def _keep_refused(self, refused: Credentials) -> None:
        """Keep tokens of an answer that cannot be used: they can still be revoked."""
        old = self._grant or replace(refused, values=self._values)
        self._grant = replace(
            old,
            access_token=refused.access_token,
            refresh_token=refused.refresh_token or old.refresh_token,
            expires_at=refused.expires_at,
            extra={**old.extra, **refused.extra},
        )

    def _say(self, text: str) -> None:
        self._print(one_line(text))

    def _tokens(self, redirect_uri: str) -> tuple[Credentials, Any]:
        if self._item.needs_no_user:
            return self._provider.client_credentials(self._item, self._client, self._values)
        flow_secrets = authorize.Secrets(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        url = authorize.url_for(self._item, self._client, self._values, flow_secrets, redirect_uri)
        self._say("1. open this address in a browser, and sign in:")
        self._say(f"   {url}")
        ended = self._ask(
            "2. paste the address that it ended at (the page there says that it cannot go on): "
        )
        answer = dict(parse_qsl(urlsplit(ended.strip()).query, keep_blank_values=True))
        code = answer.get(self._item.parameter_names.get("code", "code"), "")
        self._say(f"   came back with: {', '.join(sorted(answer)) or 'nothing'}")
        if answer.get(self._item.state_name) != flow_secrets.state:
            self._say("   its state is not the one that was sent")
        if answer.get("error") or not code:
            raise ProviderFailed(
                answer.get("error") or "no_code", said=said.of_answer("authorize", None, answer, [code])
            )
        kept = {name: answer[name] for name in self._item.keep_from_callback if answer.get(name)}
        grant_code = Code(code, flow_secrets.verifier, redirect_uri, self._values, kept)
        return self._provider.exchange_code(self._item, self._client, grant_code)

    def _report_tokens(self, tokens: Credentials) -> None:
        ends = f"{tokens.expires_at:%Y-%m-%d %H:%M:%S} UTC" if tokens.expires_at else "not told"
        self._say(f"3. tokens: refresh token {'yes' if tokens.refresh_token else 'no'}, end {ends}")
        self._say(f"   scopes: {tokens.scope if tokens.scope is not None else 'not told'}")

    def _account(self, tokens: Credentials, document: Any) -> Credentials:
        identified = self._provider.identify(self._item, tokens, document)
        self._external_account = identified.account
        self._say(
            f"4. account: {identified.account or 'not told'} (account_claim {self._item.account_claim})"
        )
        if identified.said is not None:
            self._report_answer(identified.said)
        for name, value in identified.credentials.extra.items():
            self._say(f"   kept: {name} = {value}")
        missing = [name for name in self._item.kept if name not in identified.credentials.extra]
        if missing:
            self._say(f"   not there to be kept: {', '.join(missing)}")
        return identified.credentials

    def _refresh(self, tokens: Credentials) -> Credentials:
        if self._item.revocation_ends == "grant" and self._is_in_use(tokens):
            # A connection has the same token, and a refresh may put an end to it.
            self._say("5. not refreshed: in use by a connection")
            return tokens
        new = self._provider.refresh(self._item, self._client, tokens)
        # house-allow: secret-compare: both came from the third party, and nobody outside chooses either
        rotated = bool(new.refresh_token) and new.refresh_token != tokens.refresh_token
        self._say(f"5. refreshed: {'with a new refresh token' if rotated else 'the refresh token stays'}")
        refresh = new.refresh_token or tokens.refresh_token
        return replace(tokens, access_token=new.access_token, refresh_token=refresh)

    def _revoke(self, tokens: Credentials) -> None:
        if self._item.revocation_url is None:
            self._say("6. not revoked: there is no revocation_url; end the grant at the third party yourself")
            return
        in_use = self._is_in_use(tokens)
        if in_use:
            self._say("6. not revoked: in use by a connection")
            return
        if in_use is None and self._item.revocation_ends == "consent":
            self._say("6. not revoked: the database does not tell whether a connection uses it;")
            self._say("   end the grant at the third party yourself")
            return
        ending.end(self._provider, self._item, self._client, tokens)
        self._say("6. revoked")

    def _is_in_use(self, tokens: Credentials) -> bool | None:
        grant = grants_in_use.Grant(tokens, self._client, NOT_STORED, self._external_account)
        return self._in_use(grant)

    def _report_answer(self, answer: said.Said) -> None:
        words = (answer.endpoint, answer.status, answer.error, answer.description)
        self._say("   it answered: " + " ".join(str(word) for word in words if word))
