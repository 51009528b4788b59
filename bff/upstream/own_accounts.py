"""Restricts a partner service to each product's own accounts. All calls go through it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from bff.common.errors import ConnectionNotFound, InvalidRequest, PartnerUnavailable
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.upstream.accounts import Accounts, refusal
from bff.upstream.protocol import (
    AccessToken,
    AccountConnector,
    CompletionRequest,
    Connector,
    PartnerService,
    SignInToken,
)
from bff.upstream.sign_in_forms import Credentials, RejectedValues


class OwnAccounts:
    """A ``PartnerService`` in which every account is its product's own.

    A call that only looks finds nothing in another product's account. One that changes something makes the
    account the product's, or raises ``AccountOfAnotherProduct``.

    ``connected``: the ids of the stored connections that exist. Where one of them is not found, but the
    product may have made it in another account than the one to read now, a look raises
    ``PartnerUnavailable``: nothing shows that it has ended.
    """

    def __init__(
        self,
        partner: PartnerService,
        accounts: Accounts,
        connected: Callable[[AccountRef], Collection[int]] = lambda _account: (),
    ) -> None:
        self._partner = partner
        self._accounts = accounts
        self._connected = connected

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """The catalogue's entry. Raises ``AccountOfAnotherProduct``: that says nothing of the connector."""
        known = self._accounts.known(account)
        if known is None:
            raise refusal(account)
        return self._partner.find_connector(known, reference)

    def list_account_connectors(self, account: AccountRef) -> list[AccountConnector]:
        """What is installed."""
        reading = self._accounts.reading(account)
        found = self._partner.list_account_connectors(reading.account) if reading.account else []
        if self._accounts.may_be_elsewhere(account, reading):
            listed = {item.id for item in found}
            self._require_none(account, [each for each in self._connected(account) if each not in listed])
        return found

    def get_account_connector(
        self, account: AccountRef, account_connector_id: int
    ) -> AccountConnector | None:
        """One installed connector."""
        reading, found = self._accounts.reading(account), None
        if reading.account:
            found = self._partner.get_account_connector(reading.account, account_connector_id)
        if found is None and self._accounts.may_be_elsewhere(account, reading):
            lost = [each for each in self._connected(account) if each == account_connector_id]
            self._require_none(account, lost)
        return found

    def make_account(self, account: AccountRef) -> None:
        """Make it, as the product's own."""
        self._partner.make_account(self._accounts.claimed(account))

    def install_connector(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install it."""
        return self._partner.install_connector(self._accounts.claimed(account), connector)

    def install_another(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install it once more."""
        return self._partner.install_another(self._accounts.claimed(account), connector)

    def deauthenticate(self, account: AccountRef, account_connector_id: int) -> bool:
        """End its grant."""
        known = self._accounts.known(account)
        return self._partner.deauthenticate(known, account_connector_id) if known else False

    def remove_connector(self, account: AccountRef, account_connector_id: int) -> bool:
        """Delete an installed connector."""
        known = self._accounts.known(account)
        return self._partner.remove_connector(known, account_connector_id) if known else False

    def access_token(
        self, account: AccountRef, account_connector_id: int, *, force: bool = False
    ) -> AccessToken:
        """An access token that can be used now."""
        known = self._accounts.known(account)
        if known is None:
            raise ConnectionNotFound(f"there is no connection {account_connector_id}")
        return self._partner.access_token(known, account_connector_id, force=force)

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionRequest | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """A sign-in token."""
        own = self._accounts.claimed(account)
        return self._partner.mint_sign_in_token(own, username, completion, connector)

    def properties(self, account: AccountRef, account_connector_id: int) -> Mapping[str, str]:
        """The properties that have a value."""
        known = self._accounts.known(account)
        return self._partner.properties(known, account_connector_id) if known else {}

    def give_credentials(
        self, account: AccountRef, account_connector_id: int, credentials: Credentials
    ) -> AccountConnector | RejectedValues:
        """Connect with what a user typed."""
        return self._partner.give_credentials(
            self._accounts.claimed(account), account_connector_id, credentials
        )

    def complete_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """The right browser brought ``code``."""
        known = self._accounts.known(account)
        if known is None:
            return None
        return self._partner.complete_sign_in(known, account_connector_id, token_sha256, code)

    def refuse_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> bool:
        """Another browser brought ``code``."""
        known = self._accounts.known(account)
        if known is None:
            return False
        return self._partner.refuse_sign_in(known, account_connector_id, token_sha256, code)

    def accept_sign_in(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """Keep what a sign-in to another third-party account brought."""
        known = self._accounts.known(account)
        if known is None:
            raise InvalidRequest("accept: no other account has signed in here")
        self._partner.accept_sign_in(known, account_connector_id, token_sha256)

    def _require_none(self, account: AccountRef, missing: Collection[int]) -> None:
        if missing:
            raise PartnerUnavailable(
                f"account {account.id!r} of product {account.product!r}: its connections are in an account"
                " at the partner service that is not found under today's account_prefix and"
                " account_namespace; put the former ones back into the product file, or connect again",
                refused=True,
            )
