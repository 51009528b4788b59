"""What must be so after any number of kills."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import Engine, Row, inspect, select, text, update

from bff.common.secret import Secret
from bff.partner.account_connectors.store import sealed_in
from bff.partner.crypto import Vault
from bff.partner.settings import encryption_keys
from bff.partner.storage import tables as partner
from bff.serving.database import open_database
from bff.storage.sealing import Place, Sealing
from bff.storage.tables import attempts, upstream_tokens
from tests.faults.flows import FINAL, Seen
from tests.faults.programs import Stack
from tests.faults.stack import SIGNING_KEY, VAULT_KEY, WEBHOOK_SECRET, heard_in
from tests.faults.told import violations_of
from tests.support.postgresql import PostgresqlServer
from tests.support.world import CLIENT_SECRET, SECRET_KEY


class Inspector:
    """Looks into both databases, and asks the BFF."""

    def __init__(self, stack: Stack, seen: Seen, server: PostgresqlServer | None) -> None:
        self.stack = stack
        self.seen = seen
        self.server = server
        self.bff: Engine = open_database(stack.bff_database)
        self.partner: Engine = open_database(stack.partner_database)
        self.violations: list[str] = []

    def settle(self) -> None:
        """Let the time of every attempt be over, and read until each has its end."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        live = attempts.c.status.not_in(FINAL)
        # With the time, the questions that died with their worker are over too, and more are earned.
        over = {"expires_at": past, "checking_until": None, "checks": 0}
        with self.bff.begin() as connection:
            found = list(
                connection.scalars(update(attempts).where(live).values(over).returning(attempts.c.id))
            )
        for attempt in found:
            status = self._read(attempt)
            self.seen.status("settler", attempt, status)
            if status not in FINAL:
                self.violations.append(f"{attempt} does not end: {status}")

    def check(self) -> Counter[str]:
        """Every invariant, into ``violations``; how the attempts ended."""
        with self.bff.connect() as connection:
            ended = list(connection.execute(select(attempts)))
        outcomes = Counter(row.status for row in ended)
        self._check_tokens()
        self._check_statuses({row.id: row.status for row in ended})
        known = self._check_connections(ended)
        heard = heard_in(self.stack.programs["receiver"].log.parent)
        self.violations += violations_of(self.bff, heard)
        self._check_dumps(known)
        return outcomes

    def _read(self, attempt: str) -> str:
        def read() -> str:
            answer = requests.get(
                f"{self.stack.bff}/v1/attempts/{attempt}?hint=trouble",
                headers={"Authorization": f"Bearer {SECRET_KEY}"},
                timeout=30,
            )
            return str(answer.json()["status"]) if answer.ok else ""

        return _insist(read)

    def _check_tokens(self) -> None:
        twice = [token for token, times in self.seen.spent.items() if times > 1]
        self.violations += [f"spent twice: {token[:20]}..." for token in twice]
        if times := self.seen.counts["tokens spent twice"]:
            self.violations.append(f"{times} tokens spent twice at the same moment")

    def _check_statuses(self, stored: dict[str, str]) -> None:
        for (observer, attempt), statuses in self.seen.statuses.items():
            ends = [status for status in statuses if status in FINAL]
            after = statuses[statuses.index(ends[0]) :] if ends else []
            if any(status != ends[0] for status in after) or (ends and ends[0] != stored.get(attempt)):
                self.violations.append(f"{attempt}: {observer} saw {statuses}; now {stored.get(attempt)}")
        self.violations += [f"{key} has no end: {it}" for key, it in stored.items() if it not in FINAL]

    def _check_connections(self, ended: list[Row[Any]]) -> set[str]:
        """Told and standing are the same; what is told as connected can still be used. All credentials."""
        vault = Vault(encryption_keys(VAULT_KEY))
        with self.partner.connect() as connection:
            results = {row.token_sha256: row for row in connection.execute(select(partner.sign_in))}
            installed = {row.id: row for row in connection.execute(select(partner.account_connector))}
        secrets = set()
        for row in ended:
            sign_in = results.get(row.sign_in_token_sha256 or "")
            stands = sign_in is not None and sign_in.result == "connected"
            if row.status == "expired" and stands and row.late_success_at is None:
                self._ask_late(row.id)
            elif (row.status == "connected") != stands and row.status != "expired":
                self.violations.append(f"{row.id} is {row.status}, and connected: {stands}")
            if row.status == "connected":
                kept = installed[row.account_connector_id]
                opened = vault.open(kept.credentials, sealed_in(kept, "credentials"))
                secrets |= self._check_credentials(row.id, json.loads(opened))
        return secrets

    def _check_credentials(self, attempt: str, opened: dict[str, Any]) -> set[str]:
        headers = {"Authorization": f"Bearer {opened['access_token']}"}
        answer = requests.get(f"{self.stack.sandbox}/userinfo", headers=headers, timeout=20)
        if not answer.ok:
            self.violations.append(f"{attempt}: its credentials are not good at the third party")
        return {opened["access_token"], opened["refresh_token"]}

    def _ask_late(self, attempt: str) -> None:
        """It succeeded when its time was over: that is told apart, by one of the next looks.

        A look whose question to the partner service fails (the breaker may be open still) tells nothing.
        """

        def told() -> str:
            with self.bff.begin() as connection:
                over = {"checking_until": None, "checks": 0, "checked_at": None}
                connection.execute(update(attempts).where(attempts.c.id == attempt).values(over))
            self._read(attempt)
            with self.bff.connect() as connection:
                late = connection.scalar(select(attempts.c.late_success_at).where(attempts.c.id == attempt))
            return "told" if late else ""

        if _insist(told) != "told":
            self.violations.append(f"{attempt} expired, stands, and nobody is told")

    def _check_dumps(self, credentials: set[str]) -> None:
        # A part of a minted URL is what gives access; its other parts are no secret.
        told = {secret.partition("token=")[2].partition("&")[0] or secret for secret in self.seen.secrets}
        wanted = told | credentials | self._access_tokens() | {CLIENT_SECRET, SECRET_KEY, WEBHOOK_SECRET}
        for name, dump in self._dumps():
            found = [secret for secret in wanted if secret in dump]
            if found or len(dump) < 1000:
                told = [dump[max(0, dump.index(secret) - 300) :][:400] for secret in found[:1]]
                self.violations.append(f"{len(found)} of {len(wanted)} secrets can be read in {name}: {told}")

    def _access_tokens(self) -> set[str]:
        """The BFF's own; none when whoever fetched the first was killed over it."""
        sealing, found = Sealing([Secret(SIGNING_KEY)]), set()
        with self.bff.connect() as connection:
            rows = connection.execute(select(upstream_tokens).where(upstream_tokens.c.sealed.is_not(None)))
            for row in rows:
                place = Place("upstream_tokens", row.credential, "sealed")
                found.add(json.loads(sealing.open(row.sealed, place).reveal())["value"])
        return found

    def _dumps(self) -> Iterator[tuple[str, str]]:
        for engine in (self.bff, self.partner):
            rows = []
            with engine.connect() as connection:
                for table in inspect(engine).get_table_names():
                    rows += [str(tuple(row)) for row in connection.execute(text(f"SELECT * FROM {table}"))]
            yield f"the tables of {engine.url.database}", "\n".join(rows)
            if self.server is None:
                for path in sorted(self.stack.programs["bff"].log.parent.glob("*.db*")):
                    yield path.name, path.read_bytes().decode("latin-1")
            else:
                command = [str(self.server.binaries / "pg_dump"), "-h", str(self.server.folder)]
                dumped = subprocess.run([*command, str(engine.url.database)], capture_output=True, check=True)
                yield f"a dump of {engine.url.database}", dumped.stdout.decode()
        for program in self.stack.programs.values():
            yield program.log.name, program.log.read_text(errors="replace") + " " * 1000


def _insist(call: Callable[[], str]) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if found := call():
                return found
        except requests.RequestException:
            pass
        time.sleep(0.05)
    return "no answer"
