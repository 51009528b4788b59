"""What a row of the database holds of an attempt."""

from __future__ import annotations

from dataclasses import fields

from bff.connect.attempt import Attempt
from bff.connect.attempt_rows import from_row, to_row
from bff.storage.tables import attempts
from tests.connect.test_timeline import attempt


def test_an_attempt_that_is_read_is_the_one_that_was_written() -> None:
    """Every field of it is there, and none besides."""
    written = attempt()
    values = to_row(written)
    read = from_row(tuple(values.get(column.key) for column in attempts.c))
    assert read == written
    assert vars(read).keys() == {field.name for field in fields(Attempt)}
