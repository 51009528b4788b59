"""The interface of the partner service: the part of Cyclr's protocol that the BFF uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.upstream.sign_in_forms import NO_FORM, Credentials, RejectedValues, SignInForm

LAST_ID: Final = 2**31 - 1
"""The greatest id of an account connector: Cyclr's are 32-bit integers."""


@dataclass(frozen=True)
class Owner:
    """The owner of an account at the partner service: a product, and its host's account id."""

    product: str
    account: str


def plain_name(name: str) -> str:
    """A connector's name without case and spaces, in which its releases differ."""
    return " ".join(name.split()).casefold()


@dataclass(frozen=True)
class Connector:
    """A connector of the partner service's catalogue: all its releases, which have one name.

    ``id`` is the release that new installs get: the newest approved one, unless ``installable`` is False.
    ``others`` are the further releases, which accounts may have installed earlier. ``form``: how it is
    connected, and the fields that its users fill in.
    """

    id: int
    name: str
    others: tuple[int, ...] = ()
    installable: bool = True
    form: SignInForm = NO_FORM

    def is_in(self, installed: AccountConnector) -> bool:
        """Whether an account connector is an install of this connector, of any release."""
        return (
            installed.connector_id == self.id
            or installed.connector_id in self.others
            or plain_name(installed.connector_name) == plain_name(self.name)
        )


@dataclass(frozen=True)
class SignInRecord:
    """The result of one sign-in token: ``result`` is connected, declined, failed or started.

    ``third_party_error``: what the third party answered where it failed, in one line.
    """

    token_sha256: str
    result: str
    error: str | None
    at: datetime
    external_account: str | None
    third_party_error: str | None = None


@dataclass(frozen=True)
class Grant:
    """A grant as the partner service reports it: ``state`` is connected, needs_reconnect or none.

    ``reason``: a code for why a user has to sign in again. ``scopes``: the granted ones, None if unknown;
    ``wanted_scopes``: the requested ones. ``expires_at``: when the grant ends (UTC).
    """

    state: str
    reason: str | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    wanted_scopes: tuple[str, ...] = ()
    extra: Mapping[str, str] | None = None


@dataclass(frozen=True)
class AccessToken:
    """An access token for the host's server. ``expires_at`` (UTC) is None if it is unknown."""

    value: Secret
    token_type: str
    expires_at: datetime | None
    scopes: tuple[str, ...] | None
    extra: Mapping[str, str] | None


@dataclass(frozen=True)
class AccountConnector:
    """A connector installed in an account.

    ``sign_ins`` (newest first) is None if the partner service keeps no records, as Cyclr; likewise
    ``authenticated_at``, ``scopes`` and ``grant``. ``listed``: it comes from a list that left out
    whether it is authenticated; read it by its id (``with_details``).
    """

    id: int
    name: str
    connector_id: int
    connector_name: str
    authenticated: bool
    sign_ins: tuple[SignInRecord, ...] | None
    listed: bool = False
    authenticated_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    grant: Grant | None = None


@dataclass(frozen=True)
class SignInToken:
    """A one-time token that signs one browser in at the partner service.

    ``completes``: the partner service promises that the sign-in counts only once it is completed.
    ``account_connector``: the one to sign in to, if the partner service returns it with the token; the
    account has ``install_count`` installs of this connector.
    """

    value: Secret
    expires_at: datetime
    completes: bool = False
    account_connector: AccountConnector | None = None
    install_count: int = 1


@dataclass(frozen=True)
class CompletionRequest:
    """Where a browser is sent with a code before its sign-in counts; the one target its link may name."""

    url: str
    target: str


class PartnerService(Protocol):
    """Cyclr's HTTP protocol, as far as a Connect click needs it.

    Every call raises ``PartnerUnavailable`` if no valid response came within its deadline. Only
    ``make_account``, ``install_connector``, ``install_another`` and ``mint_sign_in_token`` create a missing
    account; they raise ``AccountUnknown`` where that is forbidden.
    """

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """The catalogue entry by id, key or name. Raises ``ConnectorUnavailable`` when there is none.

        Raises ``AccountUnknown`` if the account does not exist and only existing ones see the catalogue.
        """

    def make_account(self, account: AccountRef) -> None:
        """Create the account, unless it exists."""

    def list_account_connectors(self, account: AccountRef) -> list[AccountConnector]:
        """The account connectors of an account; empty if the account does not exist."""

    def get_account_connector(
        self, account: AccountRef, account_connector_id: int
    ) -> AccountConnector | None:
        """One account connector; None if it does not exist."""

    def install_connector(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install it, or return the existing install. Creates the account if it does not exist.

        Raises ``ConnectorUnavailable`` for a connector without an approved release, too.
        """

    def install_another(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Install it once more, beside existing installs. Raises as ``install_connector``."""

    def deauthenticate(self, account: AccountRef, account_connector_id: int) -> bool:
        """End its grant, and its running sign-ins if the partner service can.

        False if the account connector does not exist.
        """

    def remove_connector(self, account: AccountRef, account_connector_id: int) -> bool:
        """Delete an account connector; False if it did not exist."""

    def access_token(
        self, account: AccountRef, account_connector_id: int, *, force: bool = False
    ) -> AccessToken:
        """A valid access token; with ``force`` a new one, for the third party refuses the last.

        Raises ``ConnectionNotFound``, ``NeedsReconnect``; ``NotSupportedByPartner`` if the partner service
        gives none.
        """

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionRequest | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """Mint a sign-in token for this user, who is created if unknown.

        ``connector``: also return the account's install of it, installed if there is none.
        """

    def properties(self, account: AccountRef, account_connector_id: int) -> Mapping[str, str]:
        """The properties of an account connector that have a value; empty if it does not exist."""

    def give_credentials(
        self, account: AccountRef, account_connector_id: int, credentials: Credentials
    ) -> AccountConnector | RejectedValues:
        """Connect with what a user typed, or set the properties that a sign-in needs. Never retried.

        Returns the changed account connector, or why the values were rejected; then nothing has changed.
        """

    def complete_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """The launching browser brought ``code``: the id of the finishing page; None for an invalid code."""

    def refuse_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> bool:
        """Another browser brought ``code``: discard its grant. False for an invalid code."""

    def accept_sign_in(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """Replace the connected third-party account with the one that this sign-in was for.

        Raises ``TooLate`` if the grant is no longer held, and ``InvalidRequest`` if none ever was.
        """


class AccountOwners(Protocol):
    """Stores which product an account at the partner service belongs to.

    ``names``: ids there. Two that differ in case or Unicode form only are one (``accounts.fold``).
    """

    def of(self, names: Sequence[str]) -> dict[str, Owner]:
        """The owner of each of ``names``, by name, without those that have none."""

    def has_any(self, account: str) -> bool:
        """Whether any product owns an account under any name that stands for this id of a host."""

    def claim(self, name: str, owner: Owner) -> bool:
        """Make ``owner`` the owner, unless there is one; of concurrent calls one returns True."""


@dataclass(frozen=True)
class KnownConnector:
    """A cached catalogue entry, and when it was read (UTC); None if there is no such connector."""

    connector: Connector | None
    at: datetime


class ConnectorStore(Protocol):
    """The catalogue cache that workers share. While it is unavailable it is empty, and raises nothing."""

    def get(self, references: Sequence[str]) -> dict[str, KnownConnector]:
        """The cached entries of these references."""

    def put(self, reference: str, known: KnownConnector) -> None:
        """Cache an entry for all workers."""

    def doubt(self, at: datetime) -> None:
        """Make entries that were read after ``at`` as old as ``at``."""


def with_details(partner: PartnerService, account: AccountRef, item: AccountConnector) -> AccountConnector:
    """An account connector from a list, read by its id if the list left something out."""
    return (partner.get_account_connector(account, item.id) or item) if item.listed else item
