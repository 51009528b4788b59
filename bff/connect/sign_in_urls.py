"""Mints sign-in URLs, with which a host's server redirects a browser by itself, outside of any attempt."""

from __future__ import annotations

from datetime import datetime

from bff.common.errors import ConnectorUnavailable, InvalidRequest, OriginNotRegistered, UnknownConnector
from bff.common.origins import origin_of
from bff.common.secret import Secret, fingerprint
from bff.connect.context import ConnectContext
from bff.connect.minting import ConnectionTarget, Minter
from bff.connect.ports import AttemptStore, HostSignInUrl, SignInUrlFollowUp
from bff.content.minted_url import check_url_of_target, sign_in_url
from bff.content.product import OfferedConnector, Product
from bff.identity.principal import AccountRef, User
from bff.upstream.protocol import AccountConnector, SignInToken
from bff.upstream.sign_in_forms import AuthKind


class SignInUrls:
    """Mints a sign-in URL for a host's server."""

    def __init__(
        self,
        minter: Minter,
        attempts: AttemptStore,
        context: ConnectContext,
        follow_up: SignInUrlFollowUp | None = None,
    ) -> None:
        self._minter = minter
        self._attempts = attempts
        self._context = context
        self._follow_up = follow_up

    def mint(
        self,
        product: Product,
        account: AccountRef,
        user: User,
        *,
        connector: str,
        target_origin: str,
        callback_message: str | None,
        connection: int | None = None,
    ) -> tuple[Secret, datetime]:
        """The URL, and when its token expires (UTC).

        ``target_origin``: one of the product's origins, or, without ``callback_message``, a URL below one.
        ``connection``: the account connector to reconnect. It is checked already: it is one of the account's.
        Without it, a connector that may be connected several times gets another connection.
        Raises ``UnknownConnector``, ``OriginNotRegistered``, ``InvalidRequest`` or ``PartnerProblem``:
        ``ConnectorUnavailable`` if the connector needs a form whose values are not set.
        """
        offered = product.connector(connector)
        if offered is None:
            raise UnknownConnector(f"connector {connector!r} is not offered by product {product.key}")
        _require_origin(product, target_origin, callback_message)
        check_url_of_target(self._context.partner_service_url, target_origin, callback_message)
        found = self._minter.catalogue_entry(account, offered)
        if found.form.auth is not AuthKind.OAUTH:
            raise ConnectorUnavailable(
                f"connector {connector!r} has no sign-in URL: it needs a form in the popup, or"
                " cannot be connected"
            )
        adds = offered.multiple and connection is None
        target = ConnectionTarget(connection, adds, f"url_{self._context.random_token()[:24]}")
        try:
            account_connector, token = self._minter.mint(account, offered, user.id, target=target)
            _require_values(account_connector, self._minter.missing_values(account, found, account_connector))
            self._note(product, account, user, offered, account_connector, token)
        finally:
            # While a stored URL is valid, nobody else can claim its account connector
            # (``KnownConnections.claim``). If none was minted, the account connector is free again.
            if adds and self._follow_up is not None:
                self._follow_up.release(account, target.claimant)
        base = self._context.partner_service_url
        url = sign_in_url(base, account_connector.id, token.value, target_origin, callback_message)
        return url, token.expires_at

    def _note(
        self,
        product: Product,
        account: AccountRef,
        user: User,
        offered: OfferedConnector,
        account_connector: AccountConnector,
        token: SignInToken,
    ) -> None:
        # So that the connection which the sign-in makes is attributed to this user. Where the partner service
        # keeps no record of sign-ins, it is at least not attributed to the user of an attempt.
        self._attempts.note_sign_in_url(
            HostSignInUrl(
                account_connector.id,
                product.key,
                account.id,
                user.id,
                self._context.clock(),
                account_connector.authenticated,
                fingerprint(token.value.reveal()),
            )
        )
        if self._follow_up is not None and not account_connector.authenticated:
            self._follow_up.expect(account, offered, account_connector.id)


def _require_origin(product: Product, target_origin: str, callback_message: str | None) -> None:
    origin = origin_of(target_origin)
    if origin not in product.origins:
        raise OriginNotRegistered(f"target_origin: {target_origin!r} is not registered for {product.key}")
    if callback_message is not None and target_origin != origin:
        raise InvalidRequest(f"target_origin: with a callback_message it must be the bare origin, {origin}")


def _require_values(account_connector: AccountConnector, missing: list[str]) -> None:
    # The partner service would show the user an error page, "Bad Request".
    if missing:
        raise ConnectorUnavailable(
            f"connector {account_connector.connector_name!r} needs values before its sign-in:"
            f" {', '.join(missing)}; set these properties of account connector {account_connector.id} at the"
            " partner service, or let the user type them into the form in the popup"
        )
