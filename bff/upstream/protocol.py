"""The partner service as the BFF needs it: Cyclr's protocol as an interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bff.common.secret import Secret
from bff.identity.principal import AccountRef


@dataclass(frozen=True)
class Owner:
    """Whose an account at the partner service is: a product's, for the account of this id at its host."""

    product: str
    account: str


@dataclass(frozen=True)
class Connector:
    """A connector of the partner service's catalogue: all its releases, which have one name.

    ``id`` is the release that new installs get: the newest approved one, unless ``installable`` is False.
    ``others`` are the further releases, which accounts may have installed earlier.
    """

    id: int
    name: str
    others: tuple[int, ...] = ()
    installable: bool = True

    def is_in(self, installed: AccountConnector) -> bool:
        """Whether an account connector is an install of this connector, of whichever release."""
        return (
            installed.connector_id == self.id
            or installed.connector_id in self.others
            or installed.connector_name == self.name
        )


@dataclass(frozen=True)
class SignInRecord:
    """What became of one sign-in token. ``result`` is connected, declined, failed or started."""

    token_sha256: str
    result: str
    error: str | None
    at: datetime
    external_account: str | None


@dataclass(frozen=True)
class AccountConnector:
    """A connector installed in an account.

    ``sign_ins`` (newest first) is None where the partner service does not tell, as Cyclr does not. Only
    ``listed``: the list left out whether it is authenticated; ask for it by its id.
    """

    id: int
    name: str
    connector_id: int
    connector_name: str
    authenticated: bool
    sign_ins: tuple[SignInRecord, ...] | None
    listed: bool = False


@dataclass(frozen=True)
class SignInToken:
    """A one-time token that signs one browser in at the partner service.

    ``completes``: the partner service promises that the sign-in counts only once it is completed.
    ``account_connector``: the one to sign in for, where the partner service tells it with the token.
    """

    value: Secret
    expires_at: datetime
    completes: bool = False
    account_connector: AccountConnector | None = None


@dataclass(frozen=True)
class CompletionWish:
    """Where a browser is sent with a code before its sign-in counts; the one target its link may name."""

    url: str
    target: str


class PartnerService(Protocol):
    """Cyclr's HTTP protocol, as far as a Connect click needs it.

    Every call raises ``PartnerUnavailable`` when no sensible answer came within its deadline. Only
    ``make_account``, ``install_connector`` and ``mint_sign_in_token`` make an account that is not there; they
    raise ``AccountUnknown`` where that is forbidden.
    """

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """The catalogue entry by id, key or name. Raises ``ConnectorUnavailable`` when there is none.

        Raises ``AccountUnknown`` when the catalogue is shown to accounts that exist only, and this does not.
        """

    def make_account(self, account: AccountRef) -> None:
        """Make it; one that is there already is as good."""

    def list_account_connectors(self, account: AccountRef) -> list[AccountConnector]:
        """What is installed in the account; empty while the account does not exist."""

    def get_account_connector(
        self, account: AccountRef, account_connector_id: int
    ) -> AccountConnector | None:
        """One installed connector, or None when it is gone."""

    def install_connector(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install it, creating the account when unknown; one that is there already is returned.

        Raises ``ConnectorUnavailable`` for a connector without an approved release, too.
        """

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionWish | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """A sign-in token for this user, who is created when unknown.

        ``connector``: the account's copy of it is wanted with the token, installed if there is none.
        """

    def complete_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """The right browser brought ``code``: the id of the page that finishes; None for a worthless code."""

    def refuse_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> bool:
        """Another browser brought ``code``: what it would have connected is forgotten. False if worthless."""

    def accept_sign_in(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """Keep what a sign-in to another third-party account brought, in place of the connected one.

        Raises ``InvalidRequest`` when it is too late for that, or the partner service knows no such thing.
        """


class AccountOwners(Protocol):
    """Where it is kept which product an account at the partner service belongs to.

    ``names`` are ids there; of two that differ in case or in their Unicode form only, one is known.
    """

    def of(self, names: Sequence[str]) -> dict[str, Owner]:
        """Who owns each of ``names``, by name; one that nobody owns is left out."""

    def claim(self, name: str, owner: Owner) -> bool:
        """Give it to ``owner``, unless somebody owns it already. Of any number at once, one is told True."""


@dataclass(frozen=True)
class KnownConnector:
    """What the catalogue said of a reference, and when; None: that there is no such connector."""

    connector: Connector | None
    at: datetime


class ConnectorStore(Protocol):
    """What all workers know of the catalogue. A store that is away knows nothing, and raises nothing."""

    def get(self, references: Sequence[str]) -> dict[str, KnownConnector]:
        """What is known of these."""

    def put(self, reference: str, known: KnownConnector) -> None:
        """Remember it for all."""

    def doubt(self, at: datetime) -> None:
        """What was heard later than that is as old as that."""


def whole_of(partner: PartnerService, account: AccountRef, item: AccountConnector) -> AccountConnector:
    """An item of a list, asked for by itself where the list left something out."""
    return (partner.get_account_connector(account, item.id) or item) if item.listed else item
