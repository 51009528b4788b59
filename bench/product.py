"""Our BFF as in production: ``hitchpost serve`` under gunicorn, and what its visitors bring."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import requests
from sqlalchemy import Engine, insert

from bench.load import form_request
from bench.process import ROOT, Server, serving, wait_until
from bench.products_file import CONNECTOR, PRODUCT, products_file
from bff.common.secret import fingerprint
from bff.connect.new_attempt import UNLAUNCHED_LIFE, support_code
from bff.serving.database import open_database, writing
from bff.storage.tables import attempts
from tests.support.ports import free_port

NAME: Final = "Hitchpost"
PUBLIC_URL: Final = "https://connect.example.com"
HOST: Final = "https://app.example.com"
PARTNER_PAGES: Final = "https://partner.example.com"
SECRET_KEY: Final = "sk_bench_7f2c91d4e8b05a6372c1"
SIGNING_KEY: Final = "3f1d9c27ab5e84f06d2b7c9e51a08f43d6e2b90c7f5a1384"
USERS_OF_AN_ACCOUNT: Final = 5
UNLIMITED: Final = str(10**9)
LIMITS: Final = (
    "ADDRESS", "FAILURES", "USER_ATTEMPTS", "USER_LAUNCHES", "ACCOUNT_ATTEMPTS", "ACCOUNT_LAUNCHES",
)  # fmt: skip


@dataclass(frozen=True)
class Product:
    """A running BFF. Calls go to ``server.url`` and name ``public_url``, as its proxy's would."""

    server: Server
    public_url: str
    database_url: str
    engine: Engine

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy in front adds to each call."""
        scheme, _, host = self.public_url.partition("://")
        return {"Host": host, "X-Forwarded-Proto": scheme, "X-Forwarded-For": "198.51.100.7"}

    def session(self, account: str = "acme", user: str = "ada") -> str:
        """A session token for a page, by the API."""
        body = {"user": {"id": user, "name": user.title()}, "account": {"id": account}}
        token: str = self._call("/v1/sessions", SECRET_KEY, body)["token"]
        return token

    def begin(self, session: str) -> dict[str, Any]:
        """An attempt, by the API."""
        return self._call("/v1/attempts", session, {"connector": CONNECTOR})

    def prepare(self, count: int) -> list[str]:
        """Launch tokens of ``count`` new attempts, each of a user of its own; five users share an account.

        One is begun by the API; the others are its copies, written straight into the database.
        """
        first = self.begun_row()
        now, tokens = datetime.now(UTC), [secrets.token_urlsafe(32) for _ in range(count)]
        rows = [copy_of(first, token, number, now) for number, token in enumerate(tokens)]
        with writing(self.engine).begin() as connection:
            connection.execute(insert(attempts), rows)
        return tokens

    def begun_row(self) -> dict[str, Any]:
        """An attempt begun by the API, as the database has it."""
        begun = self.begin(self.session())
        with self.engine.connect() as connection:
            found = connection.execute(attempts.select().where(attempts.c.id == begun["id"]))
            return dict(found.mappings().one())

    def launches(self, count: int) -> list[bytes]:
        """Whole requests that launch, each with a token of its own: what the opening page posts."""
        url, headers = f"{self.server.url}/connect/launch", self.headers | {"Origin": self.public_url}
        page = {"product": PRODUCT, "origin": HOST}
        return [form_request(url, headers, {"launch_token": token} | page) for token in self.prepare(count)]

    def _call(self, path: str, token: str, body: Any) -> dict[str, Any]:
        headers = self.headers | {"Authorization": f"Bearer {token}", "Origin": HOST}
        answer = requests.post(self.server.url + path, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


@contextlib.contextmanager
def running(
    folder: Path,
    partner_url: str,
    *,
    name: str = NAME,
    workers: int = 1,
    database_url: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Product]:
    """A BFF below ``folder`` that asks ``partner_url``. ``settings`` replace its own; rates are unlimited.

    It is in production, behind a proxy that speaks https. SQLite in a file, unless another database is named.
    """
    (folder / "products.toml").write_text(products_file(HOST, SECRET_KEY))
    port, database = free_port(), database_url or f"sqlite:///{folder / 'bff.db'}"
    environment = {
        "PYTHONPATH": str(ROOT),
        "HITCHPOST_PUBLIC_URL": PUBLIC_URL,
        "HITCHPOST_BIND": f"127.0.0.1:{port}",
        "HITCHPOST_PROXY_HOPS": "1",
        "HITCHPOST_WORKERS": str(workers),
        "HITCHPOST_DRAIN_SECONDS": "0",
        "HITCHPOST_DATABASE_URL": database,
        "HITCHPOST_SECRET_KEYS": SIGNING_KEY,
        "HITCHPOST_PARTNER_API_URL": partner_url,
        "HITCHPOST_PARTNER_SERVICE_URL": PARTNER_PAGES,
        "HITCHPOST_PARTNER_CLIENT_ID": "bff",
        "HITCHPOST_PARTNER_CLIENT_SECRET": "5d0c7f3a9be2416890d1c4a7",
        "HITCHPOST_PRODUCTS": str(folder / "products.toml"),
        **{f"HITCHPOST_LIMIT_{limit}": UNLIMITED for limit in LIMITS},
        **(settings or {}),
    }
    command = [sys.executable, "-m", "bff", "serve"]
    log = folder / "bff.log"
    with serving(name, command, port=port, log=log, environment=environment) as server:
        wait_until(lambda: _is_ready(server), f"{name} is not ready; see {log}")
        engine = open_database(database)
        try:
            yield Product(server, environment["HITCHPOST_PUBLIC_URL"], database, engine)
        finally:
            engine.dispose()


def _is_ready(server: Server) -> bool:
    server.require_alive()
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{server.url}/health/ready", timeout=10).ok
    return False


def copy_of(first: Mapping[str, Any], token: str, number: int, now: datetime) -> dict[str, Any]:
    """The row of another prepared attempt, with this launch token: that of the user ``number``."""
    # Nothing of it may be the same where a browser's or a user's own would differ.
    account = f"account-{number // USERS_OF_AN_ACCOUNT}"
    return dict(first) | {
        "id": "att_" + secrets.token_urlsafe(18),
        "support_code": support_code(secrets.token_urlsafe(32)),
        "launch_token_sha256": fingerprint(token),
        "account_id": account,
        "account_name": account,
        "user_id": f"user-{number}",
        "created_at": now,
        "expires_at": now + UNLAUNCHED_LIFE,
    }
