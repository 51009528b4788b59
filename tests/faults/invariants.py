"""What must be so after any number of kills."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import Engine, Row, inspect, select, text, update

from bff.common.secret import Secret
from bff.connect.attempt import GIVEN_UP, Status
from bff.partner.account_connectors.store import sealed_in
from bff.partner.crypto import Vault
from bff.partner.settings import encryption_keys
from bff.partner.storage import tables as partner
from bff.serving.database import open_database
from bff.storage.sealing import Place, Sealing
from bff.storage.tables import attempts, connections, upstream_tokens
from tests.faults import told, told_connections
from tests.faults.flows import FINAL, Seen
from tests.faults.programs import Stack
from tests.faults.stack import SIGNING_KEY, VAULT_KEY, WEBHOOK_SECRET, heard_in
from tests.support.postgresql import PostgresqlServer
from tests.support.world import CLIENT_SECRET, HOST, SECRET_KEY


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
        over = {"expires_at": past, "lease_end": None, "polls": 0}
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
        statuses = {row.id: _status_of(row) for row in ended}
        outcomes = Counter(statuses.values())
        self._check_tokens()
        self._check_statuses(statuses)
        known = self._check_connections(ended)
        self._check_events()
        self._check_dumps(known)
        return outcomes

    def _check_events(self) -> None:
        """What the host's server was told, after a last look at each account, with nothing left to send."""
        with self.bff.begin() as connection:
            # Whoever was about to end one and was killed has had its time.
            past = datetime.now(UTC) - timedelta(seconds=1)
            left = update(connections).where(connections.c.ending_until.is_not(None))
            connection.execute(left.values(ending_until=past))
            accounts = list(connection.scalars(select(attempts.c.account_id).distinct()))
        with ThreadPoolExecutor(4) as pool:
            for account, found in zip(accounts, pool.map(self._look_at, accounts), strict=True):
                if found != "looked at":
                    self.violations.append(f"{account} cannot be looked at: {found}")
        told.deliver_all(self.bff, self._give_up_a_click)
        events = told.events_in(heard_in(self.stack.programs["receiver"].log.parent))
        self.violations += told.violations_of(self.bff, events)
        of_connections = [event for event in events if str(event.get("type")).startswith("connection.")]
        self.violations += told_connections.violations_of(
            self.bff, self.partner, of_connections, self.seen.deeds
        )

    def _look_at(self, account: str) -> str:
        def look() -> str:
            answer = requests.get(
                f"{self.stack.bff}/v1/connections",
                params={"account": account},
                headers={"Authorization": f"Bearer {SECRET_KEY}"},
                timeout=30,
            )
            return "looked at" if answer.ok and "unknown" not in answer.text else ""

        return _insist(look)

    def _give_up_a_click(self) -> None:
        """One more attempt of the product, which ends at once."""
        server = {"Authorization": f"Bearer {SECRET_KEY}"}
        who = {"user": {"id": "inspector"}, "account": {"id": "account of the inspector"}}
        url, connector = self.stack.bff, {"connector": "sandbox"}
        session = requests.post(f"{url}/v1/sessions", json=who, headers=server, timeout=30).json()
        page = {"Authorization": f"Bearer {session['token']}", "X-Hitchpost": "1", "Origin": HOST}
        attempt = requests.post(f"{url}/v1/attempts", json=connector, headers=page, timeout=30).json()
        cancel = f"{url}/v1/attempts/{attempt['id']}/cancel"
        requests.post(cancel, json={}, headers=page, timeout=30).raise_for_status()

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
            kept = installed.get(row.account_connector_id)
            if row.status in GIVEN_UP and stands and row.late_success_at is None:
                # A worker that was killed while it asked holds up the others' questions for half a minute.
                # What its user has ended meanwhile, or what was taken away, is no late success.
                if kept is not None and kept.authenticated:
                    self._ask_late(row.id)
            elif (row.status == "connected") != stands and row.status not in GIVEN_UP:
                self.violations.append(f"{row.id} is {row.status}, and connected: {stands}")
            # It may have ended since, or been taken away.
            if row.status == "connected" and kept is not None and kept.credentials is not None:
                opened = vault.open(kept.credentials, sealed_in(kept, "credentials"))
                secrets |= self._check_credentials(row.id, json.loads(opened))
        return secrets

    def _check_credentials(self, attempt: str, opened: dict[str, Any]) -> set[str]:
        headers = {"Authorization": f"Bearer {opened['access_token']}"}
        answer = requests.get(f"{self.stack.sandbox}/userinfo", headers=headers, timeout=20)
        if not answer.ok and opened["access_token"] not in self.seen.revoked:
            self.violations.append(f"{attempt}: its credentials are not good at the third party")
        return {opened["access_token"], opened["refresh_token"]}

    def _ask_late(self, attempt: str) -> None:
        """It succeeded when it was given up or its time was over: one of the next looks tells that apart.

        A look whose question to the partner service fails (the breaker may be open still) tells nothing.
        """

        def noticed() -> str:
            with self.bff.begin() as connection:
                over = {"lease_end": None, "polls": 0, "polled_at": None}
                connection.execute(update(attempts).where(attempts.c.id == attempt).values(over))
            self._read(attempt)
            with self.bff.connect() as connection:
                late = connection.scalar(select(attempts.c.late_success_at).where(attempts.c.id == attempt))
            return "told" if late else ""

        if _insist(noticed) != "told":
            self.violations.append(f"{attempt} was given up, stands, and nobody is told")

    def _check_dumps(self, credentials: set[str]) -> None:
        # A part of a minted URL is what gives access; its other parts are no secret.
        parts = {secret.partition("token=")[2].partition("&")[0] or secret for secret in self.seen.secrets}
        wanted = parts | credentials | self._access_tokens() | {CLIENT_SECRET, SECRET_KEY, WEBHOOK_SECRET}
        for name, dump in self._dumps():
            found = [secret for secret in wanted if secret in dump]
            if found or len(dump) < 1000:
                found_in = [dump[max(0, dump.index(secret) - 300) :][:400] for secret in found[:1]]
                self.violations.append(f"{len(found)} of {len(wanted)} secrets are in {name}: {found_in}")

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


def _status_of(row: Row[Any]) -> str:
    """As the BFF tells it once the time of each is over: that one expired without a launch is not stored."""
    return Status.EXPIRED if row.status == Status.CREATED else str(row.status)


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
