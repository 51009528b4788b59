"""Escapes control characters in the output of commands, so that foreign text cannot control a terminal.

Ids, names and texts come from hosts, their users and third parties. Terminals execute control sequences
(ECMA-48; also with U+0080 to U+009F), and bidirectional controls (UAX 9) reorder the characters of a line.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import Any, Final, TextIO, cast

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
STEERING: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")
"""Control characters, except the tab and the line feed, which our own output contains."""
IN_A_LINE: Final = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")
"""Control characters, including the tab and the line feed."""


def one_line(value: object) -> str:
    """Escape foreign text for use within a line, so that it cannot start a new one."""
    return IN_A_LINE.sub(_escaped, str(value))


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Context manager that escapes control characters on stdout and stderr, as ``<U+001B>``."""
    with (
        contextlib.redirect_stdout(cast(TextIO, _Plain(sys.stdout))),
        contextlib.redirect_stderr(cast(TextIO, _Plain(sys.stderr))),
    ):
        yield


class _Plain:
    """A text stream that escapes control characters and writes to another stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text`` escaped; return its number of characters."""
        self._stream.write(STEERING.sub(_escaped, text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _escaped(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"
