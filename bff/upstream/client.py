"""Client of Cyclr's HTTP API, which the embedded partner service implements too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final

from bff.common.errors import AccountUnknown, ConnectorUnavailable, PartnerUnavailable
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.outbound.client import Answer, HttpClient, Limits
from bff.upstream import json_reader as partner_json
from bff.upstream.access_tokens import TokenEndpoint, TokenSource
from bff.upstream.bearer import Bearer
from bff.upstream.calls import (
    BAD_REQUEST,
    NOT_FOUND,
    PartnerCalls,
    has_content,
    message_of,
    require_done,
    require_ok,
    segment,
)
from bff.upstream.catalogue_reader import PartnerCatalogue, pages
from bff.upstream.connection_calls import LISTED, ConnectionCalls
from bff.upstream.protocol import AccessToken, AccountConnector, CompletionRequest, Connector, SignInToken
from bff.upstream.releases import connector_of
from bff.upstream.retry_after import Quiet
from bff.upstream.sign_in_calls import SignInCalls
from bff.upstream.sign_in_forms import Credentials, RejectedValues

MOST_NAMES: Final = 20
"""How many names an install is tried under, if other installs have the first."""
CONFLICT: Final = 409
REFUSED, NO_ANSWER = 422, 424
"""Statuses of the embedded service: the third party refused what a user typed, or did not answer."""


class PartnerClient:
    """Implements ``bff.upstream.protocol.PartnerService`` over HTTP.

    An account is made when a call needs it and it is not there, if that is allowed (``create_accounts``);
    reading makes none.
    """

    def __init__(
        self,
        api_url: str,
        client_id: str,
        client_secret: Secret,
        limits: Limits | None = None,
        *,
        share: Callable[[TokenSource], TokenSource] = lambda source: source,
        create_accounts: bool = True,
        quiet: Quiet | None = None,
    ) -> None:
        self._http, self.quiet = HttpClient(api_url, limits or Limits()), quiet or Quiet()
        endpoint = TokenEndpoint(self._http, client_id, client_secret, self.quiet.clock)
        bearer = Bearer(share(endpoint), self.quiet.clock)
        self._calls = PartnerCalls(self._http, bearer, self.quiet)
        self._create_accounts = create_accounts
        self._connections = ConnectionCalls(self._calls)
        self._sign_ins = SignInCalls(self._calls)
        self.catalogue = PartnerCatalogue(self._calls)

    def breaker_state(self) -> str:
        """``closed``, ``open`` or ``half-open``: whether calls to the partner service go through."""
        return self._http.breaker.state().value

    def takes_any_account_id(self) -> bool:
        """Whether this is the embedded service, which accepts any id for a new account.

        Known from any answer; before the first, makes a call. Raises ``PartnerUnavailable``.
        """
        return self._calls.is_embedded()

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """Looks up by id (one release) or by name or key (a list of releases). Ignores drafts."""
        found = connector_of(self.catalogue.releases(account, reference), reference)
        if found is None:
            raise ConnectorUnavailable(f"the partner service has no connector {reference!r}")
        if not found.installable and str(found.id) == reference:
            # The named release cannot be installed (any more); another of the same connector can.
            found = connector_of(self.catalogue.releases(account, found.name), found.name) or found
        return found

    def list_account_connectors(self, account: AccountRef) -> list[AccountConnector]:
        """All account connectors; empty for an account that does not exist."""
        try:
            found = [item for page in pages(self._calls, LISTED, account) for item in page]
        except AccountUnknown:
            return []
        return partner_json.readable(found, partial(partner_json.read_account_connector, listed=True))

    def get_account_connector(
        self, account: AccountRef, account_connector_id: int
    ) -> AccountConnector | None:
        """One account connector; its ``Authenticated`` flag is the only authority that Cyclr has."""
        path, template = f"/v1.0/account/connectors/{account_connector_id}", "/v1.0/account/connectors/{id}"
        try:
            answer = self._calls.call("GET", path, template, account=account, means={NOT_FOUND}, waits=True)
        except AccountUnknown:
            return None
        if answer.status == NOT_FOUND:
            return None
        return partner_json.read_account_connector(require_ok(answer))

    def install_connector(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install under the connector's name. Raises ``ConnectorUnavailable``, ``PartnerUnavailable``.

        A name may be taken by an install of another connector: then it is numbered.
        """
        if (made := self._install_as(account, connector, _names(connector))) is not None:
            return made
        raise ConnectorUnavailable(f"connector {connector.id} cannot be installed: every name is in use")

    def install_another(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install it once more, under a name with a number. Raises as ``install_connector``.

        Returns one that has appeared under this name meanwhile: the answer to an install may have been lost.
        """
        there = [item for item in self.list_account_connectors(account) if connector.is_in(item)]
        names, known = _names(connector, len(there)), {item.id for item in there}
        if (made := self._install_as(account, connector, names, known)) is not None:
            return made
        raise ConnectorUnavailable(f"connector {connector.id} cannot be installed: every name is in use")

    def _install_as(
        self,
        account: AccountRef,
        connector: Connector,
        names: Iterable[str],
        known: Collection[int] = (),
    ) -> AccountConnector | None:
        """``known``: the existing installs, which are not to be returned."""
        if not connector.installable:
            raise ConnectorUnavailable(f"connector {connector.name!r} has no approved release to install")
        for name in names:
            answer = self._install(account, connector, name)
            if answer.ok and has_content(answer):
                return partner_json.read_account_connector(answer.document(), listed=True)
            if not answer.ok and not _is_in_use(message := message_of(answer)):
                raise ConnectorUnavailable(f"connector {connector.id} cannot be installed: {message}")
            # It was installed at the same moment, by hand before, or by a call of ours whose answer was lost
            # or empty.
            listed = self.list_account_connectors(account)
            matching = [item for item in listed if connector.is_in(item) and item.id not in known]
            if matching:
                return matching[0]
            if answer.ok:
                raise PartnerUnavailable(f"connector {connector.id} was installed, but is not listed yet")
        return None

    def deauthenticate(self, account: AccountRef, account_connector_id: int) -> bool:
        """End its grant; False if the account connector does not exist."""
        return self._connections.deauthenticate(account, account_connector_id)

    def remove_connector(self, account: AccountRef, account_connector_id: int) -> bool:
        """Delete it; False if it did not exist."""
        return self._connections.remove(account, account_connector_id)

    def access_token(
        self, account: AccountRef, account_connector_id: int, *, force: bool = False
    ) -> AccessToken:
        """The embedded service's own call. Raises ``ConnectionNotFound``, ``NeedsReconnect``."""
        return self._connections.access_token(account, account_connector_id, force=force)

    def _install(self, account: AccountRef, connector: Connector, name: str) -> Answer:
        path, template = f"/v1.0/connectors/{connector.id}/install", "/v1.0/connectors/{connector}/install"
        # Harmless: if the first of two was done, the second is refused by its name, and the first is found.
        more: Any = {"account": account, "document": {"Name": name}, "harmless": True}
        return self._for_account(account, lambda: self._calls.call("POST", path, template, **more))

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionRequest | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """``POST /v1.0/accounts/{id}/signintoken``: one use, five minutes; creates an unknown user.

        Further wishes go into the field ``Hitchpost``, which Cyclr ignores.
        """
        document: dict[str, Any] = {"Username": username}
        wishes: dict[str, Any] = {}
        if completion:
            wishes |= {"CompletionUrl": completion.url, "TargetOrigin": completion.target}
        if connector:
            wishes["Connector"] = connector.id
        if wishes:
            document["Hitchpost"] = wishes
        path = f"/v1.0/accounts/{segment(account.id)}/signintoken"
        template = "/v1.0/accounts/{account}/signintoken"
        # Harmless: if a token is minted twice, the unused one expires.
        more: Any = {"account": account, "named": False, "missing": {NOT_FOUND}}
        more |= {"document": document, "harmless": True}
        answer = self._for_account(account, lambda: self._calls.call("POST", path, template, **more))
        if connector and answer.status == CONFLICT:
            raise ConnectorUnavailable(f"connector {connector.id} cannot be installed: {message_of(answer)}")
        return partner_json.read_sign_in_token(require_ok(answer), connector)

    def properties(self, account: AccountRef, account_connector_id: int) -> Mapping[str, str]:
        """``GET /v1.0/account/connectors/{id}/properties``."""
        path = f"/v1.0/account/connectors/{account_connector_id}/properties"
        template = "/v1.0/account/connectors/{id}/properties"
        try:
            answer = self._calls.call("GET", path, template, account=account, means={NOT_FOUND})
        except AccountUnknown:
            return {}
        return partner_json.read_properties(require_ok(answer)) if answer.status != NOT_FOUND else {}

    def give_credentials(
        self, account: AccountRef, account_connector_id: int, credentials: Credentials
    ) -> AccountConnector | RejectedValues:
        """``PUT /v1.0/account/connectors/{id}`` with ``Properties`` and ``AuthValue``.

        The embedded service tries them first, and says which it does not take; Cyclr takes what it is given,
        but may refuse a property with 400. Its answer is the account connector (Cyclr's documentation,
        "Authenticate API key"); after an empty one with a status of 2xx, the account connector is read.
        """
        path, template = f"/v1.0/account/connectors/{account_connector_id}", "/v1.0/account/connectors/{id}"
        given = [{"Name": name, "Value": value.reveal()} for name, value in credentials.properties.items()]
        document: dict[str, Any] = {"Properties": given}
        if credentials.auth_value is not None:
            document["AuthValue"] = credentials.auth_value.reveal()
        document["Hitchpost"] = {"SignIn": credentials.sign_in}
        more: Any = {"document": document, "means": {BAD_REQUEST, NOT_FOUND}, "asks_others": True}
        answer = self._calls.call("PUT", path, template, account=account, **more)
        if answer.status in {BAD_REQUEST, REFUSED, NO_ANSWER}:
            return partner_json.read_not_taken(
                answer.document_if_any(), unreachable=answer.status == NO_ANSWER
            )
        changed = None
        if has_content(answer):
            changed = partner_json.read_account_connector(require_ok(answer), listed=True)
            if not changed.listed:
                return changed
        current = self.get_account_connector(account, account_connector_id) or changed
        if current is None:
            raise PartnerUnavailable(f"account connector {account_connector_id} is not there any more")
        return current

    def accept_sign_in(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """A call of the embedded service, which Cyclr does not have."""
        self._sign_ins.accept(account, account_connector_id, token_sha256)

    def complete_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """A call of the embedded service, which Cyclr does not have."""
        return self._sign_ins.complete(account, account_connector_id, token_sha256, code)

    def refuse_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> bool:
        """Discards the grant that the code stands for."""
        return self._sign_ins.refuse(account, account_connector_id, token_sha256, code)

    def make_account(self, account: AccountRef) -> None:
        """Its id there is the host's own; one that is there already is as good. Raises ``AccountUnknown``."""
        if not self._create_accounts:
            if self._calls.is_there(account):
                return
            raise AccountUnknown(
                f"account {account.id!r} does not exist at the partner service, and"
                " HITCHPOST_PARTNER_CREATE_ACCOUNTS is off: make it there first; account.id is its API ID"
            )
        document = {"Id": account.id, "Name": account.name}
        # Harmless: of two the second finds the id in use, which is as good as making it.
        answer = self._calls.call("POST", "/v1.0/accounts", document=document, harmless=True)
        if answer.ok:
            require_done(answer)
        is_made = answer.ok or message_of(answer) == "ID already in use"
        if not is_made and not self._calls.is_there(account):
            raise PartnerUnavailable(f"account {account.id!r} cannot be made: {message_of(answer)}")
        self._calls.has_made(account)

    def _for_account(self, account: AccountRef, call: Callable[[], Answer]) -> Answer:
        """Make a call that needs the account. If it does not exist, create it and repeat the call."""
        try:
            return call()
        except AccountUnknown:
            self.make_account(account)
            return call()


def _names(connector: Connector, first: int = 0) -> Iterable[str]:
    """The names for an install, the preferred one first: the connector's own, then with a number."""
    for number in range(first + 1, first + 1 + MOST_NAMES):
        yield connector.name if number == 1 else f"{connector.name} {number}"


def _is_in_use(message: str) -> bool:
    return message.startswith("Account connector name ") and message.endswith(" is in use.")
