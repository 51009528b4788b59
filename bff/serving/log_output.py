"""Writes log lines without blocking. A line that cannot be written is dropped and counted."""

from __future__ import annotations

import atexit
import os
import select
import socket
import stat
import threading
from collections import deque
from contextlib import suppress
from typing import Final, TextIO

MOST_HELD: Final = 1 << 20
"""Maximum bytes that are buffered for a slow reader. Further lines are dropped."""

TERMINAL_ROOM: Final = 128
"""Bytes that a terminal takes without blocking when it is ready. A line feed may take two."""


class LogOutput:
    """Writes whole lines to a stream's file, and never waits for its reader.

    Lines for a slow reader are buffered, and written before the next line. ``lost`` counts the dropped lines:
    the reader is gone or too slow, or the disk is full.
    """

    def __init__(self, stream: TextIO) -> None:
        self.lost = 0
        self._stream = stream
        self._held: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()
        self._broken = False
        self._file: int | None = None
        self._room: select.poll | None = None
        self._at_once = 0
        with suppress(OSError, ValueError):  # A stream in memory has no file.
            self._open(stream.fileno())
        atexit.register(self.flush)

    def write(self, line: str) -> None:
        """Write one line, which includes its line feed."""
        data = line.encode(errors="backslashreplace")
        with self._lock:
            if self._size + len(data) > MOST_HELD:
                self.lost += 1
                return
            self._held.append(data)
            self._size += len(data)
            self._write_held()

    def flush(self) -> None:
        """Write the buffered lines, as far as the reader accepts them."""
        with self._lock:
            self._write_held()

    def _write_held(self) -> None:
        while self._held:
            data = self._held[0]
            try:
                written = self._put(b"\n" + data if self._broken else data) - self._broken
            except BlockingIOError:
                return
            except (OSError, ValueError):
                self.lost += len(self._held)
                self._held.clear()
                self._size = 0
                return
            self._size -= len(data)
            self._held.popleft()
            # A line that was written in part counts as lost. The next write starts a new line.
            self._broken = written < len(data)
            self.lost += self._broken

    def _open(self, file_descriptor: int) -> None:
        self._file = file_descriptor
        mode = os.fstat(file_descriptor).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
            return
        # Opened anew, as O_NONBLOCK on the inherited pipe or terminal would apply to every process that
        # shares it.
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        try:
            self._file = os.open(f"/proc/self/fd/{file_descriptor}", flags)
        except OSError:
            # The pipe or terminal of another user cannot be opened. Poll it before each write instead.
            self._at_once = select.PIPE_BUF if stat.S_ISFIFO(mode) else TERMINAL_ROOM
            self._room = select.poll()
            self._room.register(file_descriptor, select.POLLOUT)

    def _put(self, data: bytes) -> int:
        """Write what fits and return its length. Raises ``BlockingIOError`` if that is nothing."""
        if self._file is None:
            self._stream.write(data.decode())
            return len(data)
        if stat.S_ISSOCK(os.fstat(self._file).st_mode):
            with socket.socket(fileno=os.dup(self._file)) as other:
                return other.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        return os.write(self._file, data) if self._room is None else self._put_polled(self._room, data)

    def _put_polled(self, room: select.poll, data: bytes) -> int:
        written = 0
        while written < len(data) and room.poll(0):
            written += os.write(self._file or 0, data[written : written + self._at_once])
        if not written:
            raise BlockingIOError
        return written
