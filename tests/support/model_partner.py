"""A partner service as a model: what it knows, without HTTP. For tests of the core alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bff.common.background import T
from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret, fingerprint
from bff.identity.principal import AccountRef
from bff.upstream.protocol import (
    AccountConnector,
    CompletionRequest,
    Connector,
    KnownConnector,
    SignInRecord,
    SignInToken,
)
from bff.upstream.sign_in_forms import Credentials, RejectedValues


@dataclass
class Clock:
    """A time that moves only when told to."""

    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class ModelPartner:
    """Implements ``PartnerService``. ``tells`` is False for one that tells no sign-ins, as Cyclr."""

    clock: Clock
    tells: bool = True
    authenticated: bool = False
    down: bool = False
    checks: int = 0
    minted: list[str] = field(default_factory=list)
    records: dict[str, SignInRecord] = field(default_factory=dict)

    def finish(self, token_sha256: str, result: str, *, error: str | None = None) -> None:
        """The user's sign-in with this token ends."""
        self.records[token_sha256] = SignInRecord(token_sha256, result, error, self.clock(), "ada")
        self.authenticated = self.authenticated or result == "connected"

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """There is one."""
        return Connector(1, reference)

    def make_account(self, account: AccountRef) -> None:
        """It is there already."""

    def list_account_connectors(self, account: AccountRef) -> list[AccountConnector]:
        """It is installed."""
        return [self._told()]

    def get_account_connector(self, account: AccountRef, account_connector_id: int) -> AccountConnector:
        """What a check is told. Raises ``PartnerUnavailable`` while it is down."""
        self.checks += 1
        if self.down:
            raise PartnerUnavailable("down")
        return self._told()

    def install_connector(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """It was there already."""
        return self._told()

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionRequest | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """A token of its own for every attempt."""
        token = f"token-{len(self.minted)}"
        self.minted.append(fingerprint(token))
        return SignInToken(Secret(token), self.clock() + timedelta(minutes=5))

    def properties(self, account: AccountRef, account_connector_id: int) -> dict[str, str]:
        """Nothing is set."""
        return {}

    def give_credentials(
        self, account: AccountRef, account_connector_id: int, credentials: Credentials
    ) -> AccountConnector | RejectedValues:
        """Nobody types anything here."""
        return RejectedValues()

    def accept_sign_in(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """The other account is taken."""
        self.finish(token_sha256, "connected")

    def complete_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """Nothing waits to be completed here."""

    def refuse_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> bool:
        """Nothing waits to be refused here."""
        return False

    def _told(self) -> AccountConnector:
        records = tuple(self.records.values()) if self.tells else None
        return AccountConnector(7, "Sandbox", 1, "Sandbox", self.authenticated, records)


def at_once(work: Callable[[], T]) -> Future[T]:
    """A ``Submit`` that is done before its caller goes on."""
    done: Future[T] = Future()
    try:
        done.set_result(work())
    except Exception as error:  # noqa: BLE001  # kept for whoever asks for the result
        done.set_exception(error)
    return done


class NoStore:
    """Implements ``ConnectorStore``: nothing is known."""

    def get(self, references: object) -> dict[str, KnownConnector]:
        """Nothing."""
        return {}

    def put(self, reference: str, known: KnownConnector) -> None:
        """It is forgotten at once."""


class NoEvents:
    """Implements ``Events``: nobody listens."""

    def emit(self, event: str, attempt: object) -> None:
        """Heard by nobody."""
