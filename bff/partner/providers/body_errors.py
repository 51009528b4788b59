"""Finds the error that a response with a successful status reports in its body."""

from __future__ import annotations

from typing import Any, Final

from bff.partner.providers.dotted import plain_text
from bff.partner.providers.said import code_of, error_in

UNNAMED: Final = "error"
"""Error code of a body that reports a failure without naming it."""
_NO_ERROR: Final = frozenset({"", "0", "200", "false", "no_error", "none", "null", "ok", "success"})
"""Values of an error field that report success: TikTok's ``error.code`` is "ok" then."""
_FAILED: Final = frozenset({"error", "fail", "failed", "failure"})
_STATUSES: Final = ("status", "statusCode", "status_code", "code")
_REFUSED: Final = frozenset({"401", "403"})
_MESSAGES: Final = ("message", "msg", "errorMessage", "error_message", "detail")


def refusal_in(document: Any) -> str | None:
    """The error code in the body of a 2xx response; None if it reports no failure.

    Recognizes ``ok`` or ``success`` as false; a set ``error``; ``errors`` without any ``data`` beside them
    (with data they are partial, as in GraphQL); ``status`` as a failure, beside a message; an HTTP status of
    401 or 403 in the body.
    """
    if not isinstance(document, dict):
        return None
    failed = (
        any(document.get(name) is False for name in ("ok", "success"))
        or _is_error(document.get("error"))
        or (bool(_errors_in(document)) and not _has_value(document.get("data")))
        or _has_failed_status(document)
    )
    return (error_in(document) or _refused_status(document) or UNNAMED) if failed else None


def is_refusal(document: Any) -> bool:
    """Whether the body of a 2xx response to a revocation reports an error: ``ok`` is false, or ``error``."""
    return isinstance(document, dict) and (document.get("ok") is False or _is_error(document.get("error")))


def is_none(error: str) -> bool:
    """Whether an error code reports success."""
    return code_of(error) in _NO_ERROR


def _is_error(value: Any) -> bool:
    if isinstance(value, dict):
        codes = [plain_text(value[name]) for name in ("code", "type") if name in value]
        return bool(value) and not any(code is not None and is_none(code) for code in codes)
    if isinstance(value, bool):
        return value
    return isinstance(value, str) and not is_none(value)


def _errors_in(document: dict[str, Any]) -> Any:
    errors = document.get("errors")
    return errors if isinstance(errors, list | dict | str) else None


def _has_failed_status(document: dict[str, Any]) -> bool:
    if str(document.get("status")).casefold() in _FAILED:
        return any(document.get(name) for name in ("code", *_MESSAGES))
    # Alone, "code" may be a number of the account's own.
    names = _STATUSES if any(document.get(name) for name in _MESSAGES) else _STATUSES[:-1]
    return any(plain_text(document.get(name)) in _REFUSED for name in names)


def _refused_status(document: dict[str, Any]) -> str | None:
    texts = (plain_text(document.get(name)) for name in _STATUSES)
    return next((text for text in texts if text in _REFUSED), None)


def _has_value(data: Any) -> bool:
    if isinstance(data, dict):
        return any(map(_has_value, data.values()))
    return bool(data)
