"""Two hundred flows at once for two minutes: no error, and nothing that grows. See ``make soak``.

The real programs run as an operator starts them, with the partner service 200 ms away. A load generator in a
process of its own is 200 visitors, each with an account, who connect again and again: session, attempt,
launch, redemption, consent, callback, and polls until connected. Meanwhile /proc tells of both programs how
many threads, descriptors and database connections they have, and their memory.

``HITCHPOST_SOAK_SECONDS`` (120), ``HITCHPOST_SOAK_FLOWS`` (200) and ``HITCHPOST_SOAK_DATABASE`` (``sqlite``,
or ``postgresql`` where it is installed) change the run. Exit status 1: an error, or something grew.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import create_engine, text  # noqa: E402

from bff.serving.database import MOST_CONNECTIONS  # noqa: E402
from tests.support.databases import sqlite_url  # noqa: E402
from tests.support.ports import free_ports  # noqa: E402
from tests.support.postgresql import private_postgresql  # noqa: E402
from tests.support.programs import SIGNING_KEY  # noqa: E402
from tests.support.started import started  # noqa: E402
from tests.support.world import (  # noqa: E402
    CLIENT_ID,
    CLIENT_SECRET,
    PRODUCTS,
    SANDBOX_SECRET,
    catalogue_for,
)

SECONDS: Final = float(os.environ.get("HITCHPOST_SOAK_SECONDS", "120"))
FLOWS: Final = int(os.environ.get("HITCHPOST_SOAK_FLOWS", "200"))
AWAY_SECONDS: Final = 0.2
ERROR: Final = re.compile(
    r'"level": "(warning|error|critical)"|"status": "none"|^[\w.]+(Error|Exception|Timeout)\b'
)
WARM_SHARE: Final = 0.4
"""Of the time: so long programs may still grow, as their pools and caches fill."""

BOUNDS: Final = {"threads": (1.15, 8), "memory (MB)": (1.10, 12), "descriptors": (1.15, 24)}
"""What the last quarter of the time may have more than the one after the warm-up: times this, and so many."""
MOST: Final = {"connections": MOST_CONNECTIONS}
"""What may be at any time: a pool fills up to here as it needs, and no further."""


def main() -> int:
    """Run everything; the exit status."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hitchpost-soak-")))
        databases = stack.enter_context(_databases(folder))
        environment = _environment(folder, databases)
        processes = {}
        for name, arguments, health in _programs(environment):
            program = stack.enter_context(
                started(arguments, environment, log=folder / f"{name}.log", health=health)
            )
            if health:
                program.wait_until_ready()
            processes[name] = program.process.pid
        watched = {"bff": processes["bff"], "partner": processes["partner"]}
        told, samples = _run(environment, watched, dict(zip(watched, databases, strict=True)))
        fine = _tell(told, samples)
        if told["errors"]:
            for name in watched:
                _tell_log(name, folder / f"{name}.log")
    return 0 if fine else 1


@contextlib.contextmanager
def _databases(folder: Path) -> Iterator[list[str]]:
    if os.environ.get("HITCHPOST_SOAK_DATABASE") == "postgresql":
        with private_postgresql(durable=True) as server:
            yield [server.url("bff"), server.url("partner")]
    else:
        yield [sqlite_url(folder, "bff"), sqlite_url(folder, "partner")]


def _environment(folder: Path, databases: list[str]) -> dict[str, str]:
    bff, partner, sandbox, relay = (f"127.0.0.1:{port}" for port in free_ports(4))
    (folder / "products.toml").write_text(PRODUCTS)
    (folder / "catalogue.toml").write_text(catalogue_for(f"http://{sandbox}"))
    return {
        "HITCHPOST_PUBLIC_URL": f"http://{bff}",
        "HITCHPOST_BIND": bff,
        "HITCHPOST_DATABASE_URL": databases[0],
        "HITCHPOST_SECRET_KEYS": SIGNING_KEY,
        "HITCHPOST_PARTNER_API_URL": f"http://{relay}",
        "HITCHPOST_PARTNER_SERVICE_URL": f"http://{partner}",
        "HITCHPOST_PARTNER_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_PARTNER_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_PRODUCTS": str(folder / "products.toml"),
        "HITCHPOST_EMBEDDED_PUBLIC_URL": f"http://{partner}",
        "HITCHPOST_EMBEDDED_BIND": partner,
        "HITCHPOST_EMBEDDED_DATABASE_URL": databases[1],
        "HITCHPOST_EMBEDDED_CATALOGUE": str(folder / "catalogue.toml"),
        "HITCHPOST_EMBEDDED_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_EMBEDDED_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": "k1:" + "A" * 43 + "=",
        "HITCHPOST_SANDBOX_PUBLIC_URL": f"http://{sandbox}",
        "HITCHPOST_SANDBOX_BIND": sandbox,
        "HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET,
        "HITCHPOST_SANDBOX_REDIRECT_URIS": f"http://{partner}/connector/callback",
    } | {name: value for name, value in os.environ.items() if name.endswith("_THREADS")}


def _programs(environment: dict[str, str]) -> list[tuple[str, list[str], str]]:
    relay = environment["HITCHPOST_PARTNER_API_URL"]
    behind = environment["HITCHPOST_EMBEDDED_BIND"]
    away = ["tests.support.relay", relay.rpartition(":")[2], str(AWAY_SECONDS), behind]
    return [
        ("sandbox", ["bff.partner.sandbox"], f"{environment['HITCHPOST_SANDBOX_PUBLIC_URL']}/health/live"),
        ("partner", ["bff", "partner"], f"http://{behind}/health/live"),
        ("away", away, f"{relay}/health/live"),
        ("bff", ["bff", "serve"], f"{environment['HITCHPOST_PUBLIC_URL']}/health/live"),
    ]


def _run(
    environment: dict[str, str], watched: dict[str, int], databases: dict[str, str]
) -> tuple[dict[str, Any], dict[str, list[dict[str, float]]]]:
    away = f"the partner service {AWAY_SECONDS * 1000:.0f} ms away"
    print(f"{FLOWS} flows at once for {SECONDS:.0f} seconds, {away}", flush=True)
    load = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts/soak_load.py"), str(FLOWS), str(SECONDS)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in watched}
    counting = {name: _connections(url) for name, url in databases.items()}
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and load.poll() is None:
        for name, process in watched.items():
            samples[name].append(_sample(process, counting[name]))
        time.sleep(1)
    said, _ = load.communicate()
    told: dict[str, Any] = json.loads(said)
    return told, samples


def _connections(url: str) -> Callable[[list[int]], int]:
    """How to count the connections that a program has to its database."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        return lambda processes: sum(_links(process).count(path) for process in processes)
    engine = create_engine(url)
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")

    def count(_: list[int]) -> int:
        with engine.connect() as connection:
            return int(connection.execute(asked).scalar_one()) - 1

    return count


def _sample(process: int, connections: Callable[[list[int]], int]) -> dict[str, float]:
    family = [process, *_children(process)]
    status = [Path(f"/proc/{one}/status").read_text() for one in family]
    return {
        "threads": sum(_number(text, "Threads:") for text in status),
        "memory (MB)": sum(_number(text, "VmRSS:") for text in status) / 1024,
        "descriptors": sum(len(_links(one)) for one in family),
        "connections": connections(family),
    }


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in found]


def _number(status: str, name: str) -> int:
    return int(status.split(name, 1)[1].split(None, 1)[0])


def _links(process: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            found.append(str(link.readlink()))
    return found


def _tell(told: dict[str, Any], samples: dict[str, list[dict[str, float]]]) -> bool:
    flows, errors = told["flows"], told["errors"]
    print(f"flows {len(flows)} ({len(flows) / SECONDS:.1f}/s), errors {len(errors)}")
    for error in errors[:10]:
        print(f"  {error}")
    for name, values in (("launch", told["launches"]), ("whole flow", flows)):
        if values:
            ordered = sorted(values)
            p50, p99 = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.99))
            print(f"{name}: p50 {p50:.2f} s, p99 {p99:.2f} s")
    return all([not errors, bool(flows), *(_is_flat(name, found) for name, found in samples.items())])


def _tell_log(name: str, path: Path) -> None:
    """What a program said of errors, each line once."""
    said = path.read_text(errors="replace").splitlines()
    for line in [line for line in said if ERROR.search(line)][:8]:
        print(f"{name}: {line[:200]} ... {line[-500:]}")


def _is_flat(name: str, found: list[dict[str, float]]) -> bool:
    """Whether the last quarter of the time had no more of anything than the one after the warm-up."""
    warm, quarter = int(len(found) * WARM_SHARE), max(len(found) // 4, 1)
    early, late, flat = found[warm : warm + quarter], found[-quarter:], True
    for what, (times, more) in BOUNDS.items():
        before, after = (statistics.median(sample[what] for sample in part) for part in (early, late))
        grew = after > before * times + more
        flat = flat and not grew
        print(f"{name} {what}: {before:.0f}, at the end {after:.0f}{'  GREW' if grew else ''}")
    for what, most in MOST.items():
        seen = max(sample[what] for sample in found)
        flat = flat and seen <= most
        print(f"{name} {what}: at most {seen:.0f}{'  TOO MANY' if seen > most else ''}")
    return flat


if __name__ == "__main__":
    sys.exit(main())
