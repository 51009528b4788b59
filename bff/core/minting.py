"""Sign-in tokens for an account's own copy of a connector: by one question, where the partner service can."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bff.core.catalogue import Catalogue
    from bff.core.model import OfferedConnector
    from bff.core.ports import (
        AccountConnector,
        AccountRef,
        Aside,
        CompletionWish,
        Connector,
        PartnerService,
        SignInToken,
    )


class Minter:
    """Mints sign-in tokens, and finds the account connector to sign in for, or installs it.

    A partner service that tells it with the token is asked once. Of any other (Cyclr) what is installed is
    asked at the same time as the token: a person waits for both, but no longer than for one.
    """

    def __init__(self, partner: PartnerService, catalogue: Catalogue, aside: Aside) -> None:
        self._partner = partner
        self._catalogue = catalogue
        self._aside = aside
        self._tells = True

    def mint(
        self,
        account: AccountRef,
        offered: OfferedConnector,
        username: str,
        completion: CompletionWish | None = None,
    ) -> tuple[AccountConnector, SignInToken]:
        """The account connector to sign in for, and a token for ``username``. Raises ``PartnerProblem``."""
        wanted = self._catalogue.find(account, offered)
        listed = None
        if not self._tells:
            listed = self._aside(partial(self._partner.list_account_connectors, account))
        token = self._partner.mint_sign_in_token(account, username, completion, wanted)
        self._tells = token.account_connector is not None
        if token.account_connector is not None:
            return token.account_connector, token
        installed = listed.result() if listed else self._partner.list_account_connectors(account)
        return self._chosen(account, wanted, installed), token

    def _chosen(
        self, account: AccountRef, wanted: Connector, installed: list[AccountConnector]
    ) -> AccountConnector:
        ours = [item for item in installed if item.connector_id == wanted.id]
        # Several may be installed (an earlier set-up by hand, say): the one in use is the one to renew.
        ours.sort(key=lambda item: (not item.authenticated, item.id))
        return ours[0] if ours else self._partner.install_connector(account, wanted)
