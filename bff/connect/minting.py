"""Sign-in tokens for an account's own copy of a connector: by one question, where the partner service can."""

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
from bff.upstream.protocol import whole_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bff.common.background import Aside
    from bff.content.product import OfferedConnector
    from bff.identity.principal import AccountRef
    from bff.upstream.catalogue import Catalogue
    from bff.upstream.protocol import AccountConnector, CompletionWish, Connector, PartnerService, SignInToken

INSTALLED_WITHIN: Final = 5.0
"""Seconds that a launch which has failed waits for what it is installing."""
MOST_TAKEN_AWAY: Final = 8
"""So often others may take, at the same moment, what was installed for a further account."""


@dataclass(frozen=True)
class Aim:
    """Which of an account's connections a sign-in is for: that ``number`` and no other, or the one there is.

    ``adds``: where one is connected already, it is for a further one, which is kept for this ``attempt``.
    """

    number: int | None = None
    adds: bool = False
    attempt: str = ""


class Claims(Protocol):
    """What is known of an account's connections beside what the partner service tells."""

    def lost(self, account: AccountRef) -> Set[int]:
        """Those that need a new sign-in: they are somebody's, although they are not authenticated."""

    def busy(self, account: AccountRef) -> Set[int]:
        """Those that users are signing in to now."""

    def take(self, account: AccountRef, offered: OfferedConnector, number: int, attempt: str) -> bool:
        """Keep one for an attempt whose sign-in is being minted; False when another one has it."""


class Minter:
    """Mints sign-in tokens, and finds the account connector to sign in for, or installs it.

    A partner service that tells it with the token is asked once. Of any other (Cyclr) what is installed is
    asked at the same time as the token: a person waits for both, but no longer than for one.
    """

    def __init__(
        self,
        partner: PartnerService,
        catalogue: Catalogue,
        aside: Aside,
        several: Callable[[AccountRef, Sequence[AccountConnector]], None] = lambda _account, _installs: None,
        claims: Claims | None = None,
    ) -> None:
        self._partner = partner
        self._catalogue = catalogue
        self._aside = aside
        self._several = several
        self._claims = claims
        self._tells = True

    def mint(
        self,
        account: AccountRef,
        offered: OfferedConnector,
        username: str,
        completion: CompletionWish | None = None,
        aim: Aim = Aim(),  # frozen
    ) -> tuple[AccountConnector, SignInToken]:
        """The account connector to sign in for, and a token for ``username``.

        Raises ``PartnerProblem``; of these ``ConnectionNotFound`` for an ``aim`` that is not there, and
        ``SeveralConnections`` where several are connected and none is aimed at.
        """
        wanted = self.find(account, offered)
        if aim.number is not None or aim.adds:
            return self._aimed(account, offered, wanted, aim, username, completion)
        listed = None
        if not self._tells:
            listed = self._aside(partial(self._partner.list_account_connectors, account))
        token = self._partner.mint_sign_in_token(account, username, completion, wanted)
        self._tells = token.account_connector is not None
        if token.account_connector is not None and token.installed <= 1:
            return token.account_connector, token
        installed = listed.result() if listed else self._partner.list_account_connectors(account)
        return self._chosen(account, wanted, self._ours(account, wanted, installed)), token

    def _aimed(
        self,
        account: AccountRef,
        offered: OfferedConnector,
        wanted: Connector,
        aim: Aim,
        username: str,
        completion: CompletionWish | None,
    ) -> tuple[AccountConnector, SignInToken]:
        # Without the connector: the partner service would choose by itself.
        found = self._aside(partial(self._sought, account, offered, wanted, aim))
        try:
            token = self._partner.mint_sign_in_token(account, username, completion)
        except PartnerProblem:
            # An install that is under way is there for the next try to find.
            wait([found], INSTALLED_WITHIN)
            raise
        return found.result(), token

    def _sought(
        self, account: AccountRef, offered: OfferedConnector, wanted: Connector, aim: Aim
    ) -> AccountConnector:
        if aim.number is None:
            return self._further(account, offered, wanted, aim.attempt)
        found = self._partner.get_account_connector(account, aim.number)
        if found is None or not wanted.is_in(found):
            raise ConnectionNotFound(f"there is no connection {aim.number} of {offered.key}")
        return found

    def _further(
        self, account: AccountRef, offered: OfferedConnector, wanted: Connector, attempt: str
    ) -> AccountConnector:
        """One that stands for nothing yet and that nobody is at, or a new one.

        What an earlier try installed that came to nothing is such a one, also where its process has died
        right after. One that somebody else has taken meanwhile is left to them, also if we installed it.
        """
        for _ in range(MOST_TAKEN_AWAY):
            found = self._free(account, offered, wanted, attempt)
            if found is not None:
                return found
            made = self._partner.add_connector(account, wanted)
            if self._take(account, offered, made, attempt):
                return made
        raise PartnerUnavailable(f"too many users add an account of {offered.key} at once")

    def _free(
        self, account: AccountRef, offered: OfferedConnector, wanted: Connector, attempt: str
    ) -> AccountConnector | None:
        ours = self._ours(account, wanted, self._partner.list_account_connectors(account))
        lost = self._lost(account)
        if not any(item.authenticated for item in ours) and any(item.id in lost for item in ours):
            return self._chosen(account, wanted, ours)
        busy = lost | (self._claims.busy(account) if self._claims else set())
        for item in ours:
            is_free = not item.authenticated and item.id not in busy
            if is_free and self._take(account, offered, item, attempt):
                return item
        return None

    def _take(
        self, account: AccountRef, offered: OfferedConnector, item: AccountConnector, attempt: str
    ) -> bool:
        return self._claims is None or self._claims.take(account, offered, item.id, attempt)

    def _lost(self, account: AccountRef) -> Set[int]:
        return self._claims.lost(account) if self._claims else set()

    def find(self, account: AccountRef, offered: OfferedConnector) -> Connector:
        """The catalogue's entry of what a product offers; the account is made if need be.

        Raises ``PartnerProblem``.
        """
        try:
            return self._catalogue.find(account, offered)
        except AccountUnknown:
            # The catalogue is shown to accounts that exist. This one is about to be needed anyway.
            self._partner.make_account(account)
            return self._catalogue.find(account, offered)

    def _ours(
        self, account: AccountRef, wanted: Connector, installed: list[AccountConnector]
    ) -> list[AccountConnector]:
        ours = [whole_of(self._partner, account, item) for item in installed if wanted.is_in(item)]
        return sorted(ours, key=lambda item: (not item.authenticated, item.id))

    def _chosen(
        self, account: AccountRef, wanted: Connector, ours: list[AccountConnector]
    ) -> AccountConnector:
        """The account's own copy, of whichever release it has; a new one is of the newest.

        Of several (an earlier set-up by hand, say) it is the one that is connected, or that was and needs a
        new sign-in; of those that never were, the first that was installed. ``several`` is told.
        """
        if not ours:
            return self._partner.install_connector(account, wanted)
        if len(ours) == 1:
            return ours[0]
        self._several(account, ours)
        standing = [item for item in ours if item.authenticated]
        if not standing:
            lost = self._lost(account)
            standing = [item for item in ours if item.id in lost]
        if len(standing) > 1:
            raise SeveralConnections(
                f"account {account.id!r} has several connections of {wanted.name!r}:"
                f" {', '.join(str(item.id) for item in standing)}; name one of them as connection"
            )
        return standing[0] if standing else ours[0]
