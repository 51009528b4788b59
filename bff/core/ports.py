"""What the core asks of the world; ``bff/adapters`` answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from bff.core.content import Registration
    from bff.core.drafts import Clash, Draft, Edit, Version
    from bff.core.images import Logo
    from bff.core.model import Attempt, AttemptChanges, Hint, Product, Status
    from bff.core.outcome import OtherSignIn
    from bff.core.pace import Turn
    from bff.core.secret import Secret
    from bff.core.timeline import Step


T = TypeVar("T")


class Aside(Protocol):
    """Where work is done while its caller goes on."""

    def __call__(self, work: Callable[[], T]) -> Future[T]:
        """Begin it."""


@dataclass(frozen=True)
class AccountRef:
    """An account of a product, by the id that the host chose (any string).

    ``product`` is the key of the product whose account it is: two of one id are not the same. A host's own
    code need not name it; whoever is signed in belongs to a product anyway.
    """

    id: str
    name: str
    product: str = field(default="", compare=False)


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
class MintedUrl:
    """A sign-in URL that a host's server asked for: for whom, for what, and when (UTC)."""

    account_connector_id: int
    product: str
    account: str
    user: str
    minted_at: datetime
    authenticated_before: bool


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


class ProductStore(Protocol):
    """Where products live."""

    def sharing(self, key: str) -> tuple[str, ...]:
        """The keys of the products that share their accounts with this one, which is the first."""

    def get(self, key: str) -> Product | None:
        """The product of this key."""

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product that this secret key belongs to."""

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product registered exactly this origin."""

    def registration(self, key: str) -> Registration | None:
        """What operators said of the product of this key."""

    def forget(self, key: str) -> None:
        """Read the product anew next time: something has changed."""


class ContentStore(Protocol):
    """Where it is kept what product teams wrote. Each change is one transaction."""

    def published(self, product: str) -> Version:
        """What users meet now."""

    def version(self, product: str, number: int) -> Version:
        """One published version. Raises ``NotFound``."""

    def history(self, product: str, most: int = 100) -> list[Version]:
        """What was published, newest first."""

    def draft(self, product: str) -> Draft:
        """What is not published yet."""

    def save(self, product: str, edits: Sequence[Edit], who: str) -> tuple[Draft, list[Clash]]:
        """Put edits into the draft; the clashes are those that were left out."""

    def rebase(self, product: str) -> tuple[Draft, list[Clash]]:
        """Bring the draft up to the newest published version; its own changes stay."""

    def discard(self, product: str, revision: int) -> None:
        """Forget the draft. Raises ``Outdated``."""

    def publish_draft(self, product: str, revision: int, who: str, note: str = "") -> Version:
        """Make the draft what users meet. Raises ``Outdated``."""

    def restore(self, product: str, number: int, who: str, *, expected: int) -> Version:
        """Publish an earlier version's content again. Raises ``NotFound`` or ``Outdated``."""


class ImageStore(Protocol):
    """Where the images of the looks live."""

    def get(self, name: str) -> Logo | None:
        """The image of this name."""

    def put(self, logo: Logo, product: str, most: int | None = None) -> None:
        """Keep an image that was checked. Raises ``FaultyImage`` when the product has ``most`` already."""


class AlreadyBegun(Exception):
    """There is an attempt that was begun by the same request or choice. ``attempt`` is that one."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.id)
        self.attempt = attempt


class AttemptStore(Protocol):
    """Where attempts live. Only ``transition`` changes one, and only from a status that was expected."""

    def add(self, attempt: Attempt) -> None:
        """Keep a new attempt. Raises ``AlreadyBegun`` when one has the same id or ``idempotency_sha256``."""

    def get(self, attempt_id: str) -> Attempt | None:
        """The attempt of this id."""

    def find_by_launch_token(self, token_sha256: str) -> Attempt | None:
        """The attempt that this launch token (by its SHA-256) belongs to."""

    def find_by_return_secret(self, secret_sha256: str) -> Attempt | None:
        """The attempt whose return page has this secret (by its SHA-256)."""

    def transition(self, attempt_id: str, expected: Set[Status], changes: AttemptChanges) -> Attempt | None:
        """Compare-and-set: apply ``changes`` if the status is one of ``expected``.

        The attempt as it is afterwards; None when the status was another.
        """

    def find_by_support_code(self, support_code: str) -> list[Attempt]:
        """The attempts that show this support code, newest first: one, as a rule."""

    def others(self, attempt: Attempt, since: datetime) -> list[OtherSignIn]:
        """Every other sign-in to its account connector that was minted since then, of any product."""

    def note_sign_in_url(self, minted: MintedUrl) -> None:
        """A sign-in is possible that has no attempt around it."""

    def claim_check(self, attempt_id: str, now: datetime, turn: Turn) -> bool:
        """Whether this caller may ask the partner service now. One at a time: ``end_check`` when done."""

    def end_check(self, attempt_id: str) -> None:
        """The question that ``claim_check`` allowed has been answered, or has failed."""

    def note_hint(self, attempt_id: str, hint: Hint, now: datetime) -> None:
        """A page was woken by this signal."""

    def note_begun(self, attempt_id: str, at: datetime) -> None:
        """The browser had arrived at the partner service."""

    def note(self, attempt_id: str, step: str, at: datetime) -> None:
        """Something else happened that belongs into the story (``timeline.SENTENCES``)."""

    def overdue(self, now: datetime, limit: int) -> list[Attempt]:
        """Launched attempts that should have ended before ``now``, the longest overdue first."""

    def steps(self, attempt_id: str) -> list[Step]:
        """What was noted of an attempt, and how often the partner service was asked."""


class ReceiptSigner(Protocol):
    """Who signs for what an attempt came to."""

    def sign(self, attempt: Attempt) -> str | None:
        """A receipt for the host's server (a compact JWS); None unless its user is known to have done it."""

    def public_keys(self) -> dict[str, object]:
        """The JWK set that receipts are verified with."""


class Events(Protocol):
    """Whom the core tells what happened to attempts."""

    def tell(self, event: str, attempt: Attempt) -> None:
        """Something happened: ``settled``, ``late success``, ``completed elsewhere``, ``cannot complete``."""
