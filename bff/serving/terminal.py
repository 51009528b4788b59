"""What a command prints is text: nothing in it steers a terminal, or makes one line look like another.

Ids, names and texts come from hosts, their users and third parties. A terminal acts on control characters
(ECMA-48; those from U+0080 to U+009F too), and bidirectional controls (UAX 9) turn around what stands there.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import Any, Final, TextIO, cast

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
STEERING: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")
"""Every such character, but for the tab and the line feed that our own lines are made with."""
IN_A_LINE: Final = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")
"""The same, and those two: none is inside a line."""


def one_line(value: object) -> str:
    """What somebody else chose, inside a line of ours: it cannot begin one of its own."""
    return IN_A_LINE.sub(_named, str(value))


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Within it, whatever is printed shows each such character by its number, as ``<U+001B>``."""
    with (
        contextlib.redirect_stdout(cast(TextIO, _Plain(sys.stdout))),
        contextlib.redirect_stderr(cast(TextIO, _Plain(sys.stderr))),
    ):
        yield


class _Plain:
    """A text stream before another."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, harmless. The number of characters that were given."""
        self._stream.write(STEERING.sub(_named, text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _named(found: re.Match[str]) -> str:
    return f"<U+{ord(found[0]):04X}>"
