"""Waiting pages, in a process of their own: each asks when it is due, whether or not others were answered.

``python -m bench.pages`` reads a ``Plan`` as JSON from standard input and writes a ``Told`` to standard
output. wrk sends a request as soon as one is answered, so a slow server is asked less; here nothing waits for
it. A latency runs from the moment a request was due, so a page that still waits for its last answer counts
too. A page has one connection, kept alive as a browser keeps it, opened anew where the server closed it.
"""

from __future__ import annotations

import errno
import heapq
import json
import re
import select
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
HELD_BACK: Final = {errno.EINPROGRESS, errno.EAGAIN}


@dataclass(frozen=True)
class Plan:
    """Who asks what, and when. Times are seconds after ``starts_at``, which is seconds since 1970."""

    host: str
    port: int
    starts_at: float
    measured: tuple[float, float]
    """Only what was due between these counts."""
    requests: Sequence[str]
    """Of each page: its request, whole."""
    dues: Sequence[Sequence[float]]
    """Of each page: when it asks, ascending. After its last answer its connection is closed."""
    expected: str
    """What every answer has to hold, besides status 200."""
    patience: float = 3.0
    """So long after the end an answer is still waited for; then it counts as having taken until there."""


@dataclass
class Told:
    """What became of it."""

    latencies_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    """How late the generator itself was. It is part of the latency, too."""
    answered: int = 0
    unanswered: int = 0
    connects: int = 0
    errors: dict[str, int] = field(default_factory=dict)


class _Page:
    """One page: what it has to ask yet, and its connection."""

    __slots__ = ("asked", "buffer", "connection", "dues", "fresh", "left", "request", "waiting")

    def __init__(self, request: bytes, dues: deque[float]) -> None:
        self.request = request
        self.dues = dues
        self.left = len(dues)
        self.waiting: deque[float] = deque()
        self.asked: float | None = None
        self.connection: socket.socket | None = None
        self.fresh = True
        self.buffer = b""


class Generator:
    """Asks, and writes down how long the answers took."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._zero = time.monotonic() + plan.starts_at - time.time()
        self._pages = [
            _Page(request.encode(), deque(dues))
            for request, dues in zip(plan.requests, plan.dues, strict=True)
        ]
        self._due = [(page.dues.popleft(), number) for number, page in enumerate(self._pages) if page.dues]
        heapq.heapify(self._due)
        self._poll = select.epoll()
        self._open: dict[int, _Page] = {}
        self._errors: Counter[str] = Counter()
        self._expected = plan.expected.encode()
        self._told = Told()

    def run(self) -> Told:
        """Until everything is answered, or patience is at its end."""
        end = self._plan.measured[1] + self._plan.patience
        while (now := self._now()) < end and not self._is_done(now):
            for number, what in self._poll.poll(max(0.0, self._next(now) - now)):
                self._ready(self._open[number], what)
            self._fire()
        for page in self._pages:
            for due in [page.asked, *page.waiting]:
                if due is not None and self._counts(due):
                    self._told.unanswered += 1
                    self._told.latencies_ms.append((self._now() - due) * 1000)
        self._told.errors = dict(self._errors)
        return self._told

    def _now(self) -> float:
        return time.monotonic() - self._zero

    def _next(self, now: float) -> float:
        """When there is something to do although nobody answers."""
        asking_ends = self._plan.measured[1]
        if now >= asking_ends:
            return asking_ends + self._plan.patience
        return min(self._due[0][0], asking_ends) if self._due else asking_ends

    def _counts(self, due: float) -> bool:
        return self._plan.measured[0] <= due < self._plan.measured[1]

    def _is_done(self, now: float) -> bool:
        return now >= self._plan.measured[1] and all(page.asked is None for page in self._pages)

    def _fire(self) -> None:
        until = min(self._now(), self._plan.measured[1])
        while self._due and self._due[0][0] <= until:
            due, number = heapq.heappop(self._due)
            page = self._pages[number]
            if page.dues:
                heapq.heappush(self._due, (page.dues.popleft(), number))
            page.left -= 1
            page.waiting.append(due)
            if page.asked is None:
                if self._counts(due):
                    self._told.late_ms.append((self._now() - due) * 1000)
                self._ask(page)

    def _ask(self, page: _Page) -> None:
        page.asked = page.waiting.popleft()
        if page.connection is None:
            self._connect(page)
        else:
            self._send(page, page.connection)

    def _send(self, page: _Page, connection: socket.socket) -> None:
        try:
            connection.send(page.request)
        except OSError:
            self._closed(page)

    def _connect(self, page: _Page) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        page.connection, page.fresh, page.buffer = connection, True, b""
        self._open[connection.fileno()] = page
        self._told.connects += 1
        state = connection.connect_ex((self._plan.host, self._plan.port))
        if state in HELD_BACK:
            self._poll.register(connection, select.EPOLLOUT)
        elif state == 0:
            self._poll.register(connection, select.EPOLLIN)
            self._send(page, connection)
        else:
            self._fail(page, f"connect: {errno.errorcode.get(state, state)}")

    def _ready(self, page: _Page, what: int) -> None:
        connection = page.connection
        assert connection is not None
        if what & select.EPOLLOUT:
            if state := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._fail(page, f"connect: {errno.errorcode.get(state, state)}")
                return
            self._poll.modify(connection, select.EPOLLIN)
            self._send(page, connection)
            return
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._closed(page)
            return
        page.buffer += data
        self._read(page)

    def _read(self, page: _Page) -> None:
        head, separator, body = page.buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not separator or (length and len(body) < int(length[1])):
            return
        if not head.startswith(b"HTTP/1.1 200 ") or self._expected not in body:
            self._fail(page, head[:20].decode("latin-1"))
            return
        due, page.asked, page.buffer, page.fresh = page.asked, None, b"", False
        self._told.answered += 1
        if due is not None and self._counts(due):
            self._told.latencies_ms.append((self._now() - due) * 1000)
        if _CLOSE.search(head) or not (page.left or page.waiting):
            self._drop(page)
        if page.waiting:
            self._ask(page)

    def _closed(self, page: _Page) -> None:
        fresh = page.fresh
        self._drop(page)
        if page.asked is None:
            return
        if fresh:
            self._fail(page, "closed without an answer")
        else:
            self._connect(page)  # As browsers do: the server had closed what was idle.

    def _fail(self, page: _Page, why: str) -> None:
        self._errors[why] += 1
        page.asked = None
        self._drop(page)
        if page.waiting:
            self._ask(page)

    def _drop(self, page: _Page) -> None:
        if page.connection is not None:
            del self._open[page.connection.fileno()]
            page.connection.close()
            page.connection = None


def main() -> None:
    """One plan."""
    told = Generator(Plan(**json.load(sys.stdin))).run()
    json.dump(asdict(told), sys.stdout)


if __name__ == "__main__":
    main()
