"""Sends one HTTP request to a third party, with an address policy, a deadline and a size limit."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
import structlog

from bff.serving import retry_after, tls
from bff.serving.deadline import deadline
from bff.serving.destinations import ForbiddenUrl, Policy
from bff.serving.logs import about
from bff.serving.pinned import Open, connect_watched, pin

MAX_BYTES: Final = 64 * 1024
"""The most bytes of a response of a token endpoint."""
MAX_LISTED_BYTES: Final = 2 * 1024 * 1024
"""The most bytes of a response that may list things, such as the plugins of a shop or a user's accounts."""
FORBIDDEN: Final = "third_party_url_forbidden"
"""Error code: the policy forbids the URL. No request was sent."""
_REMAINING: Final = ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining")
log = structlog.get_logger("hitchpost.embedded")


@dataclass(frozen=True)
class Limits:
    """Time limits of a call, in seconds: for connecting, for one read, and for the whole call.

    ``ends``: when all calls with these limits end, on the monotonic clock; None if they have no common end.
    """

    connect: float = 5.0
    read: float = 15.0
    total: float = 20.0
    ends: float | None = None

    @property
    def left(self) -> float:
        """Seconds that a call which begins now may take; at least 0."""
        return self.total if self.ends is None else max(0.0, min(self.total, self.ends - time.monotonic()))


@dataclass(frozen=True)
class Reply:
    """A response of any status. ``media_type`` is in lower case, without parameters."""

    status: int
    media_type: str
    body: bytes
    asks_less: bool = False
    """Whether its headers report rate limiting. Some third parties send these with status 403."""
    retry_after: float | None = None
    """Seconds until the next request is welcome (``Retry-After``); None if it does not tell."""
    cut: bool = False
    """Whether the body was longer than the limit. ``body`` is then its beginning."""


class NoReply(Exception):
    """No usable response: unreachable, disconnected, too slow, too large, malformed, or a forbidden URL.

    ``code`` is the error code of the reason.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def send(
    policy: Policy,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limits: Limits = Limits(),
    most_bytes: int = MAX_BYTES,
    cuts: bool = False,
) -> Reply:
    """Send a request once. Uses no redirects, cookies, proxies or .netrc. Raises ``NoReply``.

    ``cuts``: return the beginning of a body longer than ``most_bytes``, in place of raising.
    """
    # Without compression, a decompression bomb is impossible.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
    with _call(policy, limits) as opener, _Session() as session:
        policy.check(url)
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            session.mount(scheme, _PinnedAdapter(opener))
        with session.request(
            method,
            url,
            headers=headers,
            data=form if body is None else body,
            timeout=(limits.connect, limits.read),
            allow_redirects=False,
            stream=True,
        ) as response:
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            read = _read(response, most_bytes)
            if (cut := len(read) > most_bytes) and not cuts:
                raise NoReply("third_party_answer_too_large")
            return Reply(
                response.status_code,
                media_type,
                read[:most_bytes],
                _is_rate_limited(response),
                _retry_after(response),
                cut,
            )


def _is_rate_limited(response: requests.Response) -> bool:
    # RFC 9110, section 10.2.3; the common rate-limit headers; a challenge by Cloudflare's proxy.
    sent = response.headers
    spent = any(sent.get(name, "").strip() == "0" for name in _REMAINING)
    return spent or "Retry-After" in sent or "CF-Mitigated" in sent


def _retry_after(response: requests.Response) -> float | None:
    sent = response.headers
    return retry_after.seconds(sent.get("Retry-After", ""), sent.get("Date", ""))


def _read(response: requests.Response, most_bytes: int) -> bytes:
    """The body; of one longer than ``most_bytes``, somewhat more than these."""
    body = bytearray()
    for chunk in response.iter_content(16 * 1024):
        body += chunk
        if len(body) > most_bytes:
            break
    return bytes(body)


@contextlib.contextmanager
def _call(policy: Policy, limits: Limits) -> Iterator[Open]:
    """Return what opens the block's connections, which end at the deadline. Raises ``NoReply``."""
    with deadline(limits.left) as watch:
        try:
            yield functools.partial(connect_watched, policy, watch, limits.connect)
        except ForbiddenUrl as error:
            raise NoReply(FORBIDDEN) from error
        except NoReply:
            raise
        except (requests.RequestException, OSError) as error:
            raise NoReply("third_party_too_slow" if watch.fired else "third_party_unreachable") from error
        except Exception as error:
            # Any other exception of the HTTP libraries is caused by the response: count it as malformed.
            log.error("unforeseen answer of a third party", **about(error))  # noqa: TRY400  # a trace would hold it
            raise NoReply("third_party_answer_not_understood") from error
    if watch.fired:
        # A response cut off inside its headers may look complete.
        raise NoReply("third_party_too_slow")


class _Session(requests.Session):
    """Ignores redirects. Even unfollowed, requests would read the whole body and parse the Location."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Always None: treat no response as a redirect."""


class _PinnedAdapter(tls.Adapter):
    """Sends requests over connections that ``opener`` opens."""

    def __init__(self, opener: Open) -> None:
        self._opener = opener
        super().__init__()

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """Return the connection pool for a request."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pin(pool, self._opener)
        return pool
