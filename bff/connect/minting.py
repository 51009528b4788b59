"""Sign-in tokens for an account's own copy of a connector: by one question, where the partner service can."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bff.common.errors import AccountUnknown
from bff.upstream.protocol import whole_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bff.common.background import Aside
    from bff.content.product import OfferedConnector
    from bff.identity.principal import AccountRef
    from bff.upstream.catalogue import Catalogue
    from bff.upstream.protocol import AccountConnector, CompletionWish, Connector, PartnerService, SignInToken


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
    ) -> None:
        self._partner = partner
        self._catalogue = catalogue
        self._aside = aside
        self._several = several
        self._tells = True

    def mint(
        self,
        account: AccountRef,
        offered: OfferedConnector,
        username: str,
        completion: CompletionWish | None = None,
    ) -> tuple[AccountConnector, SignInToken]:
        """The account connector to sign in for, and a token for ``username``. Raises ``PartnerProblem``."""
        wanted = self.find(account, offered)
        listed = None
        if not self._tells:
            listed = self._aside(partial(self._partner.list_account_connectors, account))
        token = self._partner.mint_sign_in_token(account, username, completion, wanted)
        self._tells = token.account_connector is not None
        if token.account_connector is not None:
            return token.account_connector, token
        installed = listed.result() if listed else self._partner.list_account_connectors(account)
        return self._chosen(account, wanted, installed), token

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

    def _chosen(
        self, account: AccountRef, wanted: Connector, installed: list[AccountConnector]
    ) -> AccountConnector:
        """The account's own copy, of whichever release it has; a new one is of the newest.

        Of several (an earlier set-up by hand, say) it is the one in use, and of those the first that was
        installed; ``several`` is told, in that order.
        """
        ours = [whole_of(self._partner, account, item) for item in installed if wanted.is_in(item)]
        ours.sort(key=lambda item: (not item.authenticated, item.id))
        if len(ours) > 1:
            self._several(account, ours)
        return ours[0] if ours else self._partner.install_connector(account, wanted)
