"""What grows with every sign-in is never read as a whole to find a few."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from bff.partner.storage.database import Database
from tests.support.databases import sqlite_url

QUESTIONS = {
    "SELECT state_sha256 FROM flow WHERE token_sha256 = '0'": "ix_flow_token_sha256",
    "SELECT id FROM sign_in WHERE held IS NOT NULL AND at < '2026-01-01'": "ix_sign_in_held",
    "SELECT id FROM account_connector WHERE connector_id IN (1, 2)": "ix_account_connector_connector_id",
}


@pytest.mark.parametrize(("question", "index"), QUESTIONS.items())
def test_an_index_answers(tmp_path: Path, question: str, index: str) -> None:
    """However many sign-ins and connections there are: housekeeping and bad links ask this all the time."""
    with Database(sqlite_url(tmp_path, "partner")).engine.connect() as connection:
        plan = " ".join(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {question}")))
    assert index in plan
