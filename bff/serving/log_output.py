"""Where log lines go: a line that cannot be written is lost and counted, and nobody waits for it."""

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
"""So many bytes are held for a reader that is slow. Beyond that lines are lost."""


class LogOutput:
    """Writes whole lines to a stream's file, without ever waiting for its reader.

    What a slow reader has not taken is held and written before the next line. ``lost`` counts the lines that
    are gone: nobody reads any more, the disk is full, the reader is too slow.
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
        with suppress(OSError, ValueError):  # A stream in memory has no file.
            self._open(stream.fileno())
        atexit.register(self.flush)

    def write(self, line: str) -> None:
        """Write one line, with its end."""
        data = line.encode(errors="backslashreplace")
        with self._lock:
            if self._size + len(data) > MOST_HELD:
                self.lost += 1
                return
            self._held.append(data)
            self._size += len(data)
            self._write_held()

    def flush(self) -> None:
        """Write what is held, as far as its reader takes it."""
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
            # A part of a line is no line: the next one begins on its own.
            self._broken = written < len(data)
            self.lost += self._broken

    def _open(self, number: int) -> None:
        self._file = number
        if not stat.S_ISFIFO(os.fstat(number).st_mode):
            return
        # To set O_NONBLOCK on the pipe that is there would set it for every process that has it.
        try:
            self._file = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            # Somebody else's pipe: it is asked each time whether there is room for a line.
            self._room = select.poll()
            self._room.register(number, select.POLLOUT)

    def _put(self, data: bytes) -> int:
        if self._file is None:
            self._stream.write(data.decode())
            return len(data)
        if stat.S_ISSOCK(os.fstat(self._file).st_mode):
            with socket.socket(fileno=os.dup(self._file)) as other:
                return other.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        if self._room is not None and not self._room.poll(0):
            raise BlockingIOError
        return os.write(self._file, data)
