"""A sign-in at a third party step by step in a terminal: for whoever writes an entry of the catalogue.

Nothing is stored, and no token is printed. The grant that it gets is revoked at the end, where that can be.
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
"""Prints a question, and waits for a line."""
Say = Callable[[str], None]


class Walk:
    """One sign-in. ``values`` are what a user would type into the fields."""

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
        """All of it; the exit status, 1 where a step failed."""
        if self._item.auth not in {"oauth2", "client_credentials"}:
            self._say(f"{self._item.key}: is no OAuth connector; its check is tried in the popup")
            return 1
        if lacking := properties.unset(self._item, self._values):
            choices = {one.name: "|".join(one.choices or ()) for one in self._item.fields}
            wanted = (f"--set {name}={choices.get(name) or 'VALUE'}" for name in lacking)
            self._say(f"set these fields: {', '.join(wanted)}")
            return 1
        try:
            found, document = self._tokens(redirect_uri)
            self._tell_tokens(found)
            found = self._account(found, document)
            if found.refresh_token:
                found = self._refresh(found)
            self._revoke(found)
        except ProviderFailed as failure:
            self._say(f"failed: {failure.error}")
            if failure.said is not None:
                self._tell(failure.said)
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
        tie = authorize.Secrets(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        url = authorize.url_for(self._item, self._client, self._values, tie, redirect_uri)
        self._say("1. open this address in a browser, and sign in:")
        self._say(f"   {url}")
        ended = self._ask(
            "2. paste the address that it ended at (the page there says that it cannot go on): "
        )
        answer = dict(parse_qsl(urlsplit(ended.strip()).query, keep_blank_values=True))
        code = answer.get(self._item.parameter_names.get("code", "code"), "")
        self._say(f"   came back with: {', '.join(sorted(answer)) or 'nothing'}")
        if answer.get(self._item.parameter_names.get("state", "state")) != tie.state:
            self._say("   its state is not the one that was sent")
        if answer.get("error") or not code:
            raise ProviderFailed(
                answer.get("error") or "no_code", said=said.of_answer("authorize", None, answer, [code])
            )
        kept = {name: answer[name] for name in self._item.keep_from_callback if answer.get(name)}
        full = Code(code, tie.verifier, redirect_uri, self._values, kept)
        return self._provider.exchange_code(self._item, self._client, full)

    def _tell_tokens(self, found: Credentials) -> None:
        ends = f"{found.expires_at:%Y-%m-%d %H:%M:%S} UTC" if found.expires_at else "not told"
        self._say(f"3. tokens: refresh token {'yes' if found.refresh_token else 'no'}, end {ends}")
        self._say(f"   scopes: {found.scope if found.scope is not None else 'not told'}")

    def _account(self, found: Credentials, document: Any) -> Credentials:
        identified = self._provider.identify(self._item, found, document)
        self._say(
            f"4. account: {identified.account or 'not told'} (account_claim {self._item.account_claim})"
        )
        if identified.said is not None:
            self._tell(identified.said)
        for name, value in identified.credentials.extra.items():
            self._say(f"   kept: {name} = {value}")
        missing = [name for name in self._item.kept if name not in identified.credentials.extra]
        if missing:
            self._say(f"   not there to be kept: {', '.join(missing)}")
        return identified.credentials

    def _refresh(self, found: Credentials) -> Credentials:
        new = self._provider.refresh(self._item, self._client, found)
        # house-allow: secret-compare: both came from the third party, and nobody outside chooses either
        rotated = bool(new.refresh_token) and new.refresh_token != found.refresh_token
        self._say(f"5. refreshed: {'with a new refresh token' if rotated else 'the refresh token stays'}")
        refresh = new.refresh_token or found.refresh_token
        return replace(found, access_token=new.access_token, refresh_token=refresh)

    def _revoke(self, found: Credentials) -> None:
        if self._item.revocation_url is None:
            self._say("6. not revoked: there is no revocation_url; end the grant at the third party yourself")
            return
        ending.end(self._provider, self._item, self._client, found)
        self._say("6. revoked")

    def _tell(self, answer: said.Said) -> None:
        words = (answer.endpoint, answer.status, answer.error, answer.description)
        self._say("   it answered: " + " ".join(str(word) for word in words if word))
