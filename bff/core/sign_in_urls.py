"""The URL at the partner service that signs one browser in: built, and minted for servers that redirect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from bff.core.errors import InvalidRequest, OriginNotRegistered, UnknownConnector
from bff.core.minting import Minter
from bff.core.model import Product, User
from bff.core.origins import origin_of
from bff.core.ports import AccountRef, AttemptStore, MintedUrl
from bff.core.secret import Secret

SIGN_IN_PATH: Final = "/connectorauth/updateaccountconnectoroauth"


def sign_in_url(
    service_url: str, account_connector_id: int, token: Secret, target: str, message: str | None
) -> Secret:
    """The one-time URL (Cyclr's documentation, "Build the URL to Redirect to").

    Every value is percent-encoded: a sign-in token is standard base64, and an unencoded ``+`` would arrive
    as a space. Without ``message`` the partner service redirects to ``target`` instead of posting.
    """
    values = {"id": str(account_connector_id), "token": token.reveal(), "targetOrigin": target}
    if message is not None:
        values["callbackMessage"] = message
    return Secret(f"{service_url}{SIGN_IN_PATH}?{urlencode(values)}")


class SignInUrls:
    """Mints a sign-in URL for a host's server, without an attempt of ours around it."""

    def __init__(
        self, minter: Minter, attempts: AttemptStore, service_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._minter = minter
        self._attempts = attempts
        self._service_url = service_url
        self._clock = clock

    def mint(
        self,
        product: Product,
        account: AccountRef,
        user: User,
        *,
        connector: str,
        target_origin: str,
        callback_message: str | None,
    ) -> tuple[Secret, datetime]:
        """The URL and when its token ends (UTC).

        ``target_origin`` is one of the product's origins; without ``callback_message`` it may be any page
        there. Raises ``UnknownConnector``, ``OriginNotRegistered``, ``InvalidRequest`` or ``PartnerProblem``.
        """
        offered = product.connector(connector)
        if offered is None:
            raise UnknownConnector(f"connector {connector!r} is not offered by product {product.key}")
        origin = origin_of(target_origin)
        if origin not in product.origins:
            raise OriginNotRegistered(f"target_origin: {target_origin!r} is not registered for {product.key}")
        if callback_message is not None and target_origin != origin:
            raise InvalidRequest(
                f"target_origin: with a callback_message it must be the bare origin, {origin}"
            )
        installed, token = self._minter.mint(account, offered, user.id)
        if installed.sign_ins is None:
            # Else what comes of it would be taken for the work of an attempt.
            self._attempts.note_sign_in_url(
                MintedUrl(
                    installed.id, product.key, account.id, user.id, self._clock(), installed.authenticated
                )
            )
        url = sign_in_url(self._service_url, installed.id, token.value, target_origin, callback_message)
        return url, token.expires_at
