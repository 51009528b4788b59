"""Escapes control characters in the output of commands, so that foreign text cannot control a terminal.

Characters that the terminal's encoding does not have are escaped too.

Ids, names and texts come from hosts, their users and third parties. Terminals execute control sequences
(ECMA-48; also with U+0080 to U+009F), and bidirectional controls (UAX 9) reorder the characters of a line.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TextIO, cast

FAULTY, INTERRUPTED, NOBODY_READS = 2, 130, 141
"""Exit statuses: faulty arguments, settings or files; and what a shell tells of SIGINT and SIGPIPE."""
_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
STEERING: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")
"""Control characters, except the tab and the line feed, which our own output contains."""
IN_A_LINE: Final = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")
"""Control characters, including the tab and the line feed."""


def one_line(value: object) -> str:
    """Escape foreign text for use within a line, so that it cannot start a new one."""
    return IN_A_LINE.sub(_escaped, str(value))


class Unwritable(Exception):
    """Standard output takes no more: nobody reads it (``reason`` is None), or its disk is full, say."""

    def __init__(self, error: OSError) -> None:
        self.reason = None if isinstance(error, BrokenPipeError) else error.strerror
        super().__init__(self.reason)


def run_plainly(run: Callable[[], int]) -> int:
    """Run a command with ``plain`` output; return its exit status.

    That is ``NOBODY_READS`` if the program that reads it has ended, such as ``head``; ``FAULTY``, with a line
    on standard error, if its output cannot be written or its input has ended; ``INTERRUPTED`` after Ctrl-C.
    """
    try:
        with plain():
            return run()
    except Unwritable as lost:
        _discard_output()
        if lost.reason is None:
            return NOBODY_READS
        _complain(f"standard output cannot be written: {lost.reason}")
    except EOFError:
        _complain("standard input has ended; what was asked was not answered")
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAULTY


def _complain(line: str) -> None:
    with contextlib.suppress(OSError, AttributeError):
        sys.stderr.write(f"{line}\n")


def _discard_output() -> None:
    # Else the interpreter tries again to write what is left, and complains.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Context manager that escapes control characters on stdout and stderr, as ``<U+001B>``."""
    with (
        contextlib.redirect_stdout(cast(TextIO, _Plain(sys.stdout))),
        contextlib.redirect_stderr(cast(TextIO, _Complaints(sys.stderr))),
    ):
        try:
            yield
        finally:
            sys.stdout.flush()


class _Plain:
    """A text stream that escapes control characters and writes to another stream."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream or io.StringIO()  # Python has none for a descriptor that is closed.

    def write(self, text: str) -> int:
        """Write ``text`` escaped; return its number of characters. Raises ``Unwritable``."""
        try:
            self._stream.write(self._encodable(STEERING.sub(_escaped, text)))
        except OSError as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered. Raises ``Unwritable``."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def _encodable(self, text: str) -> str:
        """The text with each character escaped that the stream's encoding does not have."""
        encoding = self._stream.encoding or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return "".join(map(partial(_encodable, encoding), text))
        return text

    def _lose(self, error: OSError) -> None:
        raise Unwritable(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Complaints(_Plain):
    """The same for standard error. There is no other place to say that it cannot be written."""

    def _lose(self, error: OSError) -> None:
        pass


def is_a_person_there() -> bool:
    """Whether somebody can answer at standard input. Python has none for a descriptor that is closed."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def write_in_utf8() -> None:
    """Write standard output in UTF-8 from now on, for a file's text, whatever the terminal's encoding is."""
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(encoding="utf-8")


def _escaped(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"


def _encodable(encoding: str, letter: str) -> str:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return f"<U+{ord(letter):04X}>"
    return letter
