"""What tests hold of the stand-in: what exists there, how it behaves, and what it was asked."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Denial = Literal["page", "error", "bare"]


@dataclass
class Habits:
    """What Cyclr does not document, or does more slowly one day than another. All may change at any time.

    ``slow`` (seconds) and ``busy`` (status and ``Retry-After``, None for none) are by the name of a route, as
    in ``api.py``: ``{"get_connector": 0.8}``; ``*`` stands for all.
    """

    unknown_account: int = 404
    """The status for an account that does not exist, named in ``X-Cyclr-Account``."""
    unknown_account_path: int = 404
    """The same, named in the path: ``/v1.0/accounts/{id}`` and ``/v1.0/accounts/{id}/signintoken``."""
    catalogue_needs_account: bool = True
    """Whether ``/v1.0/connectors`` wants an ``X-Cyclr-Account`` of an account that exists."""
    name_finds_all_releases: bool = True
    """Whether ``/v1.0/connectors/{name}`` answers every release, or only the approved ones."""
    slow: dict[str, float] = field(default_factory=dict)
    busy: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    held: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What is called, and waited for, before the answer of a route, by its name."""
    lost_answers: list[str] = field(default_factory=list)
    """Routes, by their names, whose next answer is lost on its way: it was done, and the caller hears 503."""
    total_pages: bool = True
    longest_page: int = 100
    repeats_last_page: bool = False
    """Whether a page after the last one is the last one again, or empty."""
    lists_say_authenticated: bool = True
    changes_say_authenticated: bool = True
    """Whether the answer to an install, or to a change of one, has ``Authenticated``."""
    icon_bytes: int = 200
    token_seconds: float = 300.0
    on_denial: Denial = "page"
    """After Deny: an error page; a redirect with ``error``, or one without any word (as after Allow)."""
    refused_values: frozenset[str] = frozenset()
    """Values of ``AuthValue`` that are refused with 400; of Cyclr it is not known that it ever does."""
    shops: frozenset[str] = frozenset({"north", "south"})
    """The values of a property ``Shop`` that the third party has a page for."""
    posts_to: Literal["opener", "parent"] = "opener"
    closes_itself: bool = False


@dataclass(frozen=True)
class Release:
    """A release of a connector: what a connector id of Cyclr's names.

    ``keys`` are properties that it must have, and are secret; ``plain_keys`` likewise, and are none.
    ``values`` lists what one may be, by its name.
    """

    id: int
    name: str
    version: str | None = "1.0"
    status: str = "Approved"
    auth_type: str = "OAuth2"
    oauth2_type: str = "AuthorisationCode"
    keys: tuple[str, ...] = ()
    plain_keys: tuple[str, ...] = ()
    auth_description: str | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def needed(self) -> tuple[str, ...]:
        """The properties without which nobody signs in."""
        return (*self.keys, *self.plain_keys)


@dataclass
class Installed:
    """A connector in an account: Cyclr's "account connector"."""

    id: int
    account: str
    name: str
    release: Release
    authenticated: bool = False
    auth_value: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """A request that arrived: the route by its name, the account that it named, and what was answered."""

    method: str
    path: str
    route: str
    account: str | None
    bearer: str | None
    status: int
    at: float


@dataclass
class SignIn:
    """A sign-in token, and the browser flow that it was used for."""

    token: str
    account: str
    username: str
    ends: float
    used: bool = False
    installed: Installed | None = None
    target: str = ""
    message: str | None = None


class Cyclr:
    """The whole partner service. Its HTTP is in ``api.py`` (for servers) and ``pages.py`` (for browsers)."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.api = self.service = self.third_party = ""
        self.habits = Habits()
        self.lock = threading.RLock()
        self.accounts: dict[str, str] = {}
        self.releases: list[Release] = []
        self.installed: list[Installed] = []
        self.bearers: set[str] = set()
        self.sign_ins: dict[str, SignIn] = {}
        self.flows: dict[str, SignIn] = {}
        self.seen: list[Seen] = []
        self.knew_at = 0.0
        """When the last sign-in ended here, in seconds since 1970."""
        self._number = 36_000

    def release(self, number: int, name: str, version: str | None = "1.0", **more: Any) -> Release:
        """Put a release into the catalogue, after those that are there."""
        made = Release(number, name, version, **more)
        self.releases.append(made)
        return made

    def add_account(self, account: str) -> None:
        """Make an account."""
        self.accounts[account] = account

    def install(
        self, account: str, release: Release, name: str | None = None, *, authenticated: bool = False
    ) -> Installed:
        """Install a release in an account, which is made if need be. Raises ``NameInUse``."""
        with self.lock:
            self.accounts.setdefault(account, account)
            called = name or release.name
            if any(item.name == called for item in self.of(account)):
                raise NameInUse(called)
            self._number += 1
            made = Installed(self._number, account, called, release, authenticated)
            self.installed.append(made)
            return made

    def of(self, account: str) -> list[Installed]:
        """What is installed in an account."""
        return [item for item in self.installed if item.account == account]

    def asked(self, route: str, account: str | None = None) -> list[Seen]:
        """The requests to a route, those for one account if it is given."""
        return [seen for seen in self.seen if seen.route == route and account in {None, seen.account}]

    def counts(self) -> Counter[str]:
        """How often each route was asked."""
        return Counter(seen.route for seen in self.seen)

    def reset(self) -> None:
        """Nothing exists, nothing was asked, and every habit is the usual one. Access tokens stay good."""
        self.habits = Habits()
        for kept in (self.accounts, self.releases, self.installed, self.sign_ins, self.flows, self.seen):
            kept.clear()

    def forget_what_was_asked(self) -> None:
        """Count from here."""
        self.seen.clear()

    def revoke_bearers(self) -> None:
        """What the console's "revoke" does: no access token that was given is good any more."""
        self.bearers.clear()

    def new_bearer(self) -> str:
        """An access token: 64 hexadecimal digits."""
        self.bearers.add(token := secrets.token_hex(32))
        return token

    def new_sign_in(self, account: str, username: str) -> SignIn:
        """A sign-in token: the base64 of 32 bytes, which always has a ``+`` and a ``/`` here."""
        while True:
            token = base64.b64encode(secrets.token_bytes(32)).decode()
            if "+" in token and "/" in token:
                break
        made = SignIn(token, account, username, time.time() + self.habits.token_seconds)
        self.sign_ins[token] = made
        return made


class NameInUse(Exception):
    """An account has something of this name already."""
