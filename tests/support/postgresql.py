"""A private PostgreSQL server, for as long as a block lasts, on a socket and in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.support.databases import SCHEMAS, bring_up_to_date

INSTALLATIONS: Final = Path("/usr/lib/postgresql")
FAST: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
"""A test's server may lose everything when its machine stops; one that is killed must not, and does not."""


class NoPostgresql(Exception):
    """There is no server on this machine. The text says what to install."""


@dataclass
class PostgresqlServer:
    """A running server. ``folder`` holds its data and its socket."""

    binaries: Path
    folder: Path
    settings: tuple[str, ...] = FAST
    _made: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [f"-k {self.folder} -c listen_addresses='' -c max_connections=300"]
        options += [f"-c {setting}" for setting in self.settings]
        log = self.folder / "log"
        self._run(
            "pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", str(log), "-o", " ".join(options), "start"
        )

    def stop(self) -> None:
        """Stop it in order."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "fast", "stop")

    @property
    def process_id(self) -> int:
        """The id of its first process."""
        return int((self.folder / "data/postmaster.pid").read_text().splitlines()[0])

    def url(self, name: str, like: str | None = None, encoding: str | None = None) -> str:
        """The SQLAlchemy URL of a database, which is made when it is asked for the first time.

        It is empty; or, ``like`` a program's, a copy of one that all migrations of that program have run on.
        ``encoding``: another one than UTF-8, as a server has whose machine's locale is another.
        """
        with self._lock:
            if encoding is not None:
                self._make(name, "--template", "template0", "--locale", "C", "--encoding", encoding)
            elif like in SCHEMAS:
                model = f"migrated_{like}"
                if model not in self._made:
                    self._make(model)
                    bring_up_to_date(self._url(model), like)
                self._make(name, "--template", model)
            else:
                self._make(name)
        return self._url(name)

    def _make(self, name: str, *options: str) -> None:
        if name not in self._made:
            self._run("createdb", "-h", str(self.folder), *options, name)
            self._made.add(name)

    def _url(self, name: str) -> str:
        user = "root" if os.geteuid() == 0 else ""
        return f"postgresql+psycopg://{user}@/{name}?host={self.folder}"

    def prepare(self) -> None:
        """Make its data folder. Whoever runs the tests is its superuser."""
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        trust = ("-A", "trust", "-U", "root" if os.geteuid() == 0 else _me())
        self._run("initdb", "-D", self._data, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", *trust)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        # The server refuses to run as root.
        other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        unprivileged = other if os.geteuid() == 0 and program != "createdb" else []
        command = [*unprivileged, str(self.binaries / program), *arguments]
        # Into a file: a server that was started would keep a pipe open.
        with tempfile.TemporaryFile() as said:
            ended = subprocess.run(command, stdout=said, stderr=said, check=False, cwd="/", timeout=120)
            said.seek(0)
            assert ended.returncode == 0, said.read().decode()


@contextlib.contextmanager
def private_postgresql(
    *, durable: bool = False, settings: tuple[str, ...] = FAST
) -> Iterator[PostgresqlServer]:
    """Start a server. Raises ``NoPostgresql``. ``durable``: as in production, at its price."""
    found = sorted(INSTALLATIONS.glob("*/bin/initdb"))
    if not found:
        raise NoPostgresql("no PostgreSQL server here; on Debian: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="hitchpost-pg-", dir="/tmp"))
    server = PostgresqlServer(found[-1].parent, folder, () if durable else settings)
    try:
        server.prepare()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def database_name(folder: Path, name: str) -> str:
    """A name for ``name`` in ``folder``, as one file of that name would be its own."""
    return f"{name}_{sha256(str(folder).encode()).hexdigest()[:16]}"


def _me() -> str:
    return os.environ.get("USER") or subprocess.check_output(["id", "-un"], text=True).strip()
