"""Decodes the files that operators write: UTF-8, as every editor saves it."""

from __future__ import annotations

import codecs
from typing import Final

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(content: bytes) -> str:
    """The text of a file, with line feeds. Editors on Windows begin it with a byte order mark, left out here.

    Raises ``ValueError`` for another encoding.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        if content.startswith(_UTF16):
            raise ValueError("it is in UTF-16; save it in UTF-8") from None
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"it is not in UTF-8 (line {line}); save it in UTF-8") from None
