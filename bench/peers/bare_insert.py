"""A bare Flask route that reads JSON and inserts one row into SQLite, of the size of an attempt's row."""

import os
import secrets
import sqlite3
import threading

from flask import Flask, jsonify, request

DATABASE = os.environ["BENCH_DATABASE"]
ROW_BYTES = int(os.environ["BENCH_ROW_BYTES"])
ID_BYTES = 28

app = Flask(__name__)
kept = threading.local()
# SQLite lets one write at a time. Without a queue of their own, threads would sleep and try again.
turn = threading.Lock()


def connection():
    if not hasattr(kept, "connection"):
        kept.connection = sqlite3.connect(DATABASE, isolation_level=None)
        kept.connection.execute("PRAGMA busy_timeout=10000")
        kept.connection.execute("PRAGMA journal_mode=WAL")
        kept.connection.execute("PRAGMA synchronous=NORMAL")
        kept.connection.execute("CREATE TABLE IF NOT EXISTS attempt (id TEXT PRIMARY KEY, document TEXT)")
    return kept.connection


@app.post("/v1/attempts")
def begin():
    connector = request.get_json()["connector"]
    attempt = "att_" + secrets.token_urlsafe(18)
    row = attempt, (connector + "x" * ROW_BYTES)[: ROW_BYTES - ID_BYTES]
    with turn:
        connection().execute("INSERT INTO attempt VALUES (?, ?)", row)
    return jsonify({"id": attempt, "status": "created", "connector": connector, "pad": "x" * 400}), 201


@app.get("/health/ready")
def ready():
    return jsonify({"status": "ok"})
