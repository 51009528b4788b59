"""Logs: one JSON object a line on standard output, with fields from a list and nothing else.

A field that is not in ``FIELDS`` is left out, and its name told in ``dropped``: whoever adds a field thinks
once whether it is fit for a log. No value can begin a new line.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog

from bff.serving import metrics
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
# What is as long as this and has no space may be a token, a key or a URL's query: in texts that other
# libraries wrote, it is not shown.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_+=%~-]{20,}")
_SETTING: Final = re.compile(r"HITCHPOST_[A-Z_]+")

Event = MutableMapping[str, Any]


def configure(form: Form, stream: TextIO | None = None) -> None:
    """Send every log of this process to ``stream`` (standard output), our own and those of libraries.

    Our own are written at once: by way of the standard library's loggers a line costs three times as much.
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
    """The text without what may be a secret in it."""
    # The name of a setting is no secret, and says what to mend.
    return _TOKEN.sub(lambda found: found[0] if _SETTING.fullmatch(found[0]) else "…", text)


def about(error: BaseException) -> dict[str, str]:
    """What broke and where, as fields. Its text may quote what somebody sent, so it is masked."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return {
        "error_type": type(error).__name__,
        "error_text": masked(str(error)),
        "error_at": " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames),
    }


class _Written:
    """Writes whole lines; its name is told in them."""

    def __init__(self, name: str, output: LogOutput) -> None:
        self.name = name
        self._output = output

    def msg(self, message: str) -> None:
        """Write one line."""
        self._output.write(message + "\n")

    debug = info = warning = warn = error = critical = fatal = exception = log = msg


class _Handler(logging.Handler):
    """The lines of libraries, to the same place."""

    def __init__(self, output: LogOutput) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; what cannot even be put into words is lost."""
        try:
            self._output.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  # a log never stops what it tells of
            self._output.lost += 1


def _renderer(form: Form) -> Any:
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=False)
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _formatter(form: Form) -> logging.Formatter:
    """For the lines of libraries."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, _mask_event],
        processors=[*_FINISH, _renderer(form)],
    )


def _mask_event(_logger: Any, _method: str, event: Event) -> Event:
    event["event"] = masked(str(event.get("event", "")))
    return event


def _tell_exception(_logger: Any, _method: str, event: Event) -> Event:
    given = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if given is True:
        error = sys.exc_info()[1]
    if error is None:
        return event
    event.update(about(error))
    return event


def keep_listed(_logger: Any, _method: str, event: Event) -> Event:
    """The fields of the list, each a number or a text of one line."""
    kept = {name: _one_line(value) for name, value in event.items() if name in FIELDS}
    if dropped := sorted(str(name) for name in event.keys() - FIELDS if not str(name).startswith("_")):
        kept["dropped"] = _one_line(", ".join(dropped))
    return kept


def _one_line(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)[:LONGEST]
    if text.isprintable():
        return text
    return IN_A_LINE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


_FINISH: Final = (
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    _tell_exception,
    keep_listed,
)
