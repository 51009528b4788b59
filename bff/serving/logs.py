"""Configures logging: one JSON object a line on standard output, with an allowlist of fields.

A field that is not in ``FIELDS`` is left out, and its name is listed in ``dropped``. Values are escaped, so
that they cannot start a new line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog

from bff.serving import metrics
from bff.serving.faulty import Faulty
from bff.serving.log_output import LogOutput
from bff.serving.terminal import IN_A_LINE

Form = Literal["json", "console"]

FIELDS: Final = frozenset(
    {
        # every line
        "at", "level", "logger", "event", "request_id", "dropped",
        # a request, and a call to the partner service
        "method", "route", "endpoint", "path", "status", "ms", "client", "code", "tries", "state", "upstream",
        # what it was about
        "what", "attempt", "support_code", "product", "connector", "account", "user", "role", "version",
        "error", "checks", "delivery", "channel", "result", "account_connector", "actor", "connection",
        "taken", "reason",
        # a webhook
        "event_id", "type", "attempts", "answer", "milliseconds",
        # housekeeping, starting and stopping
        "ended", "forgotten", "count", "seconds", "bind", "workers", "threads", "key_id",
        # what to change
        "advice",
        # what broke
        "error_type", "error_text", "error_at",
    }
)  # fmt: skip
LONGEST: Final = 1000
MOST_FRAMES: Final = 12
# A text of this length without spaces may be a token, a key or a query string. It is masked in the messages
# of other libraries.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_+=%~-]{20,}")
_JSON: Final = json.JSONEncoder(ensure_ascii=False)
_SETTING: Final = re.compile(r"HITCHPOST_[A-Z_]+")

Event = MutableMapping[str, Any]


def tell_unknown(lines: list[str]) -> None:
    """Log once which variables look like settings and are none."""
    if lines:
        structlog.get_logger("hitchpost.server").warning("unknown settings", advice=" | ".join(lines))


def tell_of_failed_start(error: Exception) -> None:
    """Log why a program or a worker cannot start: a line for each fault that an operator has to correct."""
    log = structlog.get_logger("hitchpost.server")
    if isinstance(error, Faulty):
        for fault in error.faults:
            log.error("cannot start", error_text=fault)
    else:
        log.error("cannot start", **about(error))


def configure(form: Form, stream: TextIO | None = None) -> None:
    """Send all logs of this process, our own and those of libraries, to ``stream`` (default: stdout).

    Our own lines bypass the standard library's loggers, which take three times as long.
    """
    chosen = LogOutput(stream or sys.stdout)
    metrics.watch_log(lambda: chosen.lost)
    handler = _Handler(chosen)
    handler.setFormatter(_formatter(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("hitchpost").setLevel(logging.INFO)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_FINISH, _renderer(form)],
        logger_factory=lambda name="": _Written(name, chosen),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )


def masked(text: str) -> str:
    """Replace parts of ``text`` that may be secrets by ``…``, except names of settings."""
    return _TOKEN.sub(lambda match: match[0] if _SETTING.fullmatch(match[0]) else "…", text)


def about(error: BaseException) -> dict[str, str]:
    """Log fields of an exception: type, masked message, and frames. Messages may quote user input."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return {
        "error_type": type(error).__name__,
        "error_text": masked(str(error)),
        "error_at": " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames),
    }


class _Written:
    """A structlog logger that writes whole lines to a ``LogOutput``."""

    def __init__(self, name: str, output: LogOutput) -> None:
        self.name = name
        self._output = output

    def msg(self, message: str) -> None:
        """Write one line."""
        self._output.write(message + "\n")

    debug = info = warning = warn = error = critical = fatal = exception = log = msg


class _Handler(logging.Handler):
    """Writes the log records of libraries to the same ``LogOutput``."""

    def __init__(self, output: LogOutput) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line. A record that cannot be formatted is counted as lost."""
        try:
            self._output.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  # logging must not fail the caller
            self._output.lost += 1


def _renderer(form: Form) -> Any:
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=False)
    return _as_json


def _as_json(_logger: Any, _method: str, event: Event) -> str:
    return _JSON.encode(event)


def _formatter(form: Form) -> logging.Formatter:
    """The formatter for records of libraries."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, _mask_event],
        processors=[*_FINISH, _renderer(form)],
    )


def _mask_event(_logger: Any, _method: str, event: Event) -> Event:
    event["event"] = masked(str(event.get("event", "")))
    return event


def _add_exception(_logger: Any, _method: str, event: Event) -> Event:
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if info is True:
        error = sys.exc_info()[1]
    if error is None:
        return event
    event.update(about(error))
    return event


def keep_listed(_logger: Any, _method: str, event: Event) -> Event:
    """Keep the fields in ``FIELDS``, each as a number or a one-line text; list the others in ``dropped``."""
    kept = {name: _one_line(value) for name, value in event.items() if name in FIELDS}
    if len(kept) == len(event):
        return kept
    if dropped := sorted(str(name) for name in event.keys() - FIELDS if not str(name).startswith("_")):
        kept["dropped"] = _one_line(", ".join(dropped))
    return kept


def _one_line(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)[:LONGEST]
    if text.isprintable():
        return text
    return IN_A_LINE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


_FINISH: Final = (
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    _add_exception,
    keep_listed,
)
