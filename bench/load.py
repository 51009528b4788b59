"""Load by wrk, in a process of its own: a connection sends its next request when the last is answered."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

SCRIPT: Final = Path(__file__).parent / "load.lua"
MOST_SECONDS: Final = 30
"""An answer that takes longer is an error."""


class LoadFailed(Exception):
    """A run that counts for nothing: some answer was not the expected one, or the requests ran out."""


@dataclass(frozen=True)
class Run:
    """What one run found. ``generator_cpu`` is wrk's own CPU time, in seconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    mean_ms: float
    generator_cpu: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def http_request(method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A whole HTTP/1.1 request. ``headers`` may name another ``Host`` than the URL's."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = {"Host": parts.netloc} | dict(headers or {})
    if body or method not in {"GET", "HEAD"}:
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def form_request(url: str, headers: Mapping[str, str], fields: Mapping[str, str]) -> bytes:
    """A POST of a form, as a browser's page sends it."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return http_request("POST", url, kind | dict(headers), urlencode(fields).encode())


def closed_loop(
    url: str,
    requests: Sequence[bytes],
    folder: Path,
    *,
    seconds: float,
    connections: int = 16,
    threads: int = 1,
    expected: int = 200,
    once: bool = False,
    warm_up: bool = False,
) -> Run:
    """Load ``url`` with ``requests``, again from the first after the last, or each ``once``.

    Raises ``LoadFailed``: an answer had another status than ``expected``, a connection broke, or the requests
    ran out before the time was over. A ``warm_up`` counts for nothing, so they may, and nothing needs to be
    answered yet.
    """
    path = folder / "requests"
    path.write_bytes(b"\0".join(requests))
    # wrk counts whole seconds only.
    command = [
        *("wrk", "--latency", f"-t{threads}", f"-c{connections}", f"-d{max(round(seconds), 1)}s"),
        *("--timeout", f"{MOST_SECONDS}s", "-s", str(SCRIPT), url),
        *("--", str(path), str(threads), "once" if once else "again", str(expected)),
    ]
    said, cpu = _output_and_cpu(command)
    path.unlink()
    return _read(said, cpu, warm_up=warm_up)


def _read(said: str, cpu: float, *, warm_up: bool) -> Run:
    _, found, result = said.partition("\nRESULT ")
    if not found:
        raise LoadFailed(f"wrk told nothing: {said[-2000:]}")
    told: dict[str, Any] = json.loads(result)
    if told["wrong"] or told["broken"] or told["late"]:
        raise LoadFailed(
            f"{told['wrong']} of {told['requests']} answers were not as expected (the first:"
            f" {told['sample']}), {told['broken']} connections broke, {told['late']} answers came late"
        )
    if told["ran_out"] and not warm_up:
        raise LoadFailed(f"the requests ran out after {told['requests']}")
    if not told["requests"] and not warm_up:
        raise LoadFailed("nothing was answered")
    seconds = told["microseconds"] / 1e6
    p50, p99, mean = (told[name] / 1000 for name in ("p50", "p99", "mean"))
    return Run(told["requests"], seconds, p50, p99, mean, cpu)


def _output_and_cpu(command: list[str]) -> tuple[str, float]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise LoadFailed(f"wrk ended with status {process.returncode}: {said[-2000:]}")
    return said, usage.ru_utime + usage.ru_stime
