"""Walks through a sign-in at a third party in a terminal, to test a catalogue entry.

Stores nothing and prints no tokens. Revokes the grant at the end if the entry has a ``revocation_url``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bff.partner.account_connectors import properties
from bff.partner.grants import ending
from bff.partner.providers import said, templates
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import Code, Provider, ProviderFailed
from bff.partner.sign_in import authorize
from bff.serving.terminal import one_line

Ask = Callable[[str], str]
"""Prints a prompt and returns the line that the user enters."""
Say = Callable[[str], None]


class Walk:
    """A sign-in in a terminal. ``values`` are the values of the entry's form fields, by field name."""

    def __init__(
        self, item: CatalogueConnector, provider: Provider, values: Mapping[str, str], ask: Ask, say: Say
    ) -> None:
        self._item = item
        self._provider = provider
        self._values = dict(values)
        self._ask = ask
        self._print = say
        self._client = Client(item.client_id or "", item.client_secret)

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
        try:
            tokens, document = self._tokens(redirect_uri)
            self._report_tokens(tokens)
            tokens = self._account(tokens, document)
            if tokens.refresh_token:
                tokens = self._refresh(tokens)
            self._revoke(tokens)
        except ProviderFailed as failure:
            self._say(f"failed: {failure.error}")
            if failure.said is not None:
                self._report_answer(failure.said)
            return 1
        except templates.Unfit as error:
            self._say(f"failed: {error}")
            return 1
        return 0

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
        ending.end(self._provider, self._item, self._client, tokens)
        self._say("6. revoked")

    def _report_answer(self, answer: said.Said) -> None:
        words = (answer.endpoint, answer.status, answer.error, answer.description)
        self._say("   it answered: " + " ".join(str(word) for word in words if word))
