"""Mints sign-in tokens, and finds or installs the account connector to sign in to."""

from __future__ import annotations

from collections.abc import Set
from concurrent.futures import wait
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from bff.common.errors import (
    AccountUnknown,
    ConnectionNotFound,
    PartnerProblem,
    PartnerUnavailable,
    SeveralConnections,
)
from bff.upstream.protocol import with_details

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bff.common.background import Submit
    from bff.content.product import OfferedConnector
    from bff.identity.principal import AccountRef
    from bff.upstream.catalogue import Catalogue
    from bff.upstream.protocol import (
        AccountConnector,
        CompletionRequest,
        Connector,
        PartnerService,
        SignInToken,
    )

INSTALL_WAIT: Final = 5.0
"""Seconds that a failed launch waits for an installation that it started, so that the next one finds it."""
MOST_CLAIM_ROUNDS: Final = 8
"""How often to try the free account connectors, then a new one, while other attempts claim each first."""


@dataclass(frozen=True)
class ConnectionTarget:
    """Which account connector a sign-in is for: the one with this id.

    Without an id: the one that ``Minter`` finds or installs.

    ``adds``: connect another third-party account. An account connector is then claimed by ``claimant``, the
    id of the attempt (or, for a sign-in URL, one of its own): a free one (installed, not connected, not in
    use) or a new one. If nothing is connected and one connection has lost its grant, that one comes first.
    """

    account_connector_id: int | None = None
    adds: bool = False
    claimant: str = ""


class KnownConnections(Protocol):
    """What the BFF stores about an account's connectors, and the partner service does not report.

    That is: which ones have lost their grant, which ones users sign in to now, and which claims there are.
    """

    def lost(self, account: AccountRef) -> Set[int]:
        """Account connectors that have lost their grant: unauthenticated, but still somebody's connection."""

    def busy(self, account: AccountRef) -> Set[int]:
        """Account connectors that users are signing in to now."""

    def claim(
        self, account: AccountRef, offered: OfferedConnector, account_connector_id: int, claimant: str
    ) -> bool:
        """Reserve this account connector for ``claimant``; False when another one has claimed it."""


class Minter:
    """Mints a sign-in token for the account connector it finds or installs.

    The embedded partner service returns the account connector with the token: one call. Cyclr does not, so
    the account connectors are listed in parallel: the user waits for the slower of two calls, not for both.
    """

    def __init__(
        self,
        partner: PartnerService,
        catalogue: Catalogue,
        submit: Submit,
        warn_of_several: Callable[[AccountRef, Sequence[AccountConnector]], None] = lambda _account, _found: (
            None
        ),
        connections: KnownConnections | None = None,
    ) -> None:
        self._partner = partner
        self._catalogue = catalogue
        self._submit = submit
        self._warn_of_several = warn_of_several
        self._connections = connections
        # Learned from the last reply to a mint.
        self._reply_has_account_connector = True

    def mint(
        self,
        account: AccountRef,
        offered: OfferedConnector,
        user_id: str,
        completion: CompletionRequest | None = None,
        target: ConnectionTarget = ConnectionTarget(),  # frozen
    ) -> tuple[AccountConnector, SignInToken]:
        """The account connector to sign in to, and a sign-in token. ``user_id`` is Cyclr's ``username``.

        Raises ``PartnerProblem``: ``ConnectionNotFound`` when the one in ``target`` does not exist,
        ``SeveralConnections`` when ``target`` names none, and several are connected, or none is and several
        have lost their grants.
        """
        connector = self.catalogue_entry(account, offered)
        if target.account_connector_id is not None or target.adds:
            return self._mint_for_target(account, offered, connector, target, user_id, completion)
        listed = None
        if not self._reply_has_account_connector:
            listed = self._submit(partial(self._partner.list_account_connectors, account))
        token = self._partner.mint_sign_in_token(account, user_id, completion, connector)
        self._reply_has_account_connector = token.account_connector is not None
        if token.account_connector is not None and token.install_count <= 1:
            return token.account_connector, token
        found = listed.result() if listed else self._partner.list_account_connectors(account)
        return self._choose(account, connector, self._installed(account, connector, found)), token

    def _mint_for_target(
        self,
        account: AccountRef,
        offered: OfferedConnector,
        connector: Connector,
        target: ConnectionTarget,
        user_id: str,
        completion: CompletionRequest | None,
    ) -> tuple[AccountConnector, SignInToken]:
        found = self._submit(partial(self._named_or_free, account, offered, connector, target))
        try:
            # Without ``connector``: with it the partner service would choose an account connector itself.
            token = self._partner.mint_sign_in_token(account, user_id, completion)
        except PartnerProblem:
            # Let a running installation finish, so that the next try finds it and does not install another.
            wait([found], INSTALL_WAIT)
            raise
        return found.result(), token

    def _named_or_free(
        self, account: AccountRef, offered: OfferedConnector, connector: Connector, target: ConnectionTarget
    ) -> AccountConnector:
        if target.account_connector_id is None:
            return self._free_or_new(account, offered, connector, target.claimant)
        found = self._partner.get_account_connector(account, target.account_connector_id)
        if found is None or not connector.is_in(found):
            raise ConnectionNotFound(f"there is no connection {target.account_connector_id} of {offered.key}")
        return found

    def _free_or_new(
        self, account: AccountRef, offered: OfferedConnector, connector: Connector, claimant: str
    ) -> AccountConnector:
        """An account connector that ``claimant`` has claimed: an existing one, or a new one.

        Prefers the one that has lost its grant, if it is the only such one and none is connected; then one
        that an earlier attempt has left unconnected. If another attempt claims the one that was found, or
        the one that was installed here, tries the next one.
        """
        for _ in range(MOST_CLAIM_ROUNDS):
            free = self._claim_free(account, offered, connector, claimant)
            if free is not None:
                return free
            made = self._partner.install_another(account, connector)
            if self._claim(account, offered, made, claimant):
                return made
        raise PartnerUnavailable(
            f"could not claim an account connector of {offered.key}: too many sign-ins at once"
        )

    def _claim_free(
        self, account: AccountRef, offered: OfferedConnector, connector: Connector, claimant: str
    ) -> AccountConnector | None:
        installed = self._installed(account, connector, self._partner.list_account_connectors(account))
        lost, busy = self._lost(account), self._busy(account)
        candidates = [item for item in installed if not item.authenticated and item.id not in lost | busy]
        lost_ones = [item for item in installed if item.id in lost]
        # A user who wants to reconnect one of several connections names it. Without a name, only a single one
        # can be meant, and only if nothing is connected; otherwise the user adds another one.
        if len(lost_ones) == 1 and not any(item.authenticated for item in installed):
            candidates = [item for item in lost_ones if item.id not in busy] + candidates
        return next((item for item in candidates if self._claim(account, offered, item, claimant)), None)

    def _claim(
        self, account: AccountRef, offered: OfferedConnector, item: AccountConnector, claimant: str
    ) -> bool:
        return self._connections is None or self._connections.claim(account, offered, item.id, claimant)

    def _lost(self, account: AccountRef) -> Set[int]:
        return self._connections.lost(account) if self._connections else set()

    def _busy(self, account: AccountRef) -> Set[int]:
        return self._connections.busy(account) if self._connections else set()

    def catalogue_entry(self, account: AccountRef, offered: OfferedConnector) -> Connector:
        """The catalogue's entry for an offered connector. Creates the account if it does not exist.

        Raises ``PartnerProblem``.
        """
        try:
            return self._catalogue.find(account, offered)
        except AccountUnknown:
            # The partner service shows the catalogue to existing accounts only. A sign-in needs one anyway.
            self._partner.make_account(account)
            return self._catalogue.find(account, offered)

    def missing_values(
        self, account: AccountRef, connector: Connector, account_connector: AccountConnector
    ) -> list[str]:
        """The names of the values that the sign-in needs and that are not set. Raises ``PartnerProblem``."""
        form = connector.form
        return form.missing(self._partner.properties(account, account_connector.id)) if form.fields else []

    def default_target(self, account: AccountRef, connector: Connector) -> AccountConnector | None:
        """The account connector to sign in to when the request names none; None if none is installed.

        Raises ``PartnerProblem``, such as ``SeveralConnections``.
        """
        installed = self._installed(account, connector, self._partner.list_account_connectors(account))
        return self._choose(account, connector, installed) if installed else None

    def _installed(
        self, account: AccountRef, connector: Connector, listed: list[AccountConnector]
    ) -> list[AccountConnector]:
        """Those of ``connector``, the connected and the oldest first."""
        found = [with_details(self._partner, account, item) for item in listed if connector.is_in(item)]
        return sorted(found, key=lambda item: (not item.authenticated, item.id))

    def _choose(
        self, account: AccountRef, connector: Connector, installed: list[AccountConnector]
    ) -> AccountConnector:
        """The account connector to sign in to; installs the newest release where there is none.

        Of several it is the connected one, else the one that lost its grant, else the oldest; operators are
        warned of them (``warn_of_several``). Raises ``SeveralConnections`` if more than one is connected, or
        none is and more than one lost its grant.
        """
        if not installed:
            return self._partner.install_connector(account, connector)
        if len(installed) == 1:
            return installed[0]
        self._warn_of_several(account, installed)
        candidates = [item for item in installed if item.authenticated]
        if not candidates:
            lost = self._lost(account)
            candidates = [item for item in installed if item.id in lost]
        if len(candidates) > 1:
            raise SeveralConnections(
                f"account {account.id!r} has several connections of {connector.name!r}:"
                f" {', '.join(str(item.id) for item in candidates)}; name one of them as connection"
            )
        return candidates[0] if candidates else installed[0]
