"""What the embedded service's database asks for, in bare Flask: mint a sign-in token; redeem it, and send on.

BENCH_DATABASE is a copy of the service's own, with its tables and indices, in which one token was minted and
redeemed. The same two requests write the same rows under new keys, in the same two transactions, with the
same settings. Nobody is asked who they are, nothing is sealed, checked or counted.
"""

import os
import secrets
import sqlite3
import threading
from hashlib import sha256

from flask import Flask, jsonify, redirect, request

DATABASE = os.environ["BENCH_DATABASE"]
PRAGMAS = ("busy_timeout=10000", "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL")
USED = "UPDATE sign_in_token SET used_at = ? WHERE sha256 = ? AND used_at IS NULL"
AUTHORIZE = "https://crm.example.com/authorize?client_id=hitchpost&response_type=code&state="

app = Flask(__name__)
kept = threading.local()
# SQLite lets one write at a time. Without a queue of their own, threads would sleep and try again.
turn = threading.Lock()


def connection():
    if not hasattr(kept, "connection"):
        kept.connection = sqlite3.connect(DATABASE, isolation_level=None)
        kept.connection.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            kept.connection.execute(f"PRAGMA {pragma}")
    return kept.connection


def row_of(table):
    return dict(connection().execute(f"SELECT * FROM {table} LIMIT 1").fetchone())


def insert(table, row):
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"


TOKEN, SIGN_IN, FLOW = row_of("sign_in_token"), row_of("sign_in"), row_of("flow")
USED_AT = TOKEN.pop("used_at")
del SIGN_IN["id"]
NEW_TOKEN = insert("sign_in_token", TOKEN)
NEW_SIGN_IN = insert("sign_in", SIGN_IN)
NEW_FLOW = insert("flow", FLOW)


def key_of(token):
    return sha256(token.encode()).hexdigest()


@app.post("/v1.0/accounts/<account>/signintoken")
def mint(account):
    username, token = request.get_json()["Username"], secrets.token_urlsafe(32)
    row = TOKEN | {"sha256": key_of(token), "account_id": account, "username": username}
    with turn:
        database = connection()
        database.execute("BEGIN IMMEDIATE")
        database.execute(NEW_TOKEN, row)
        database.execute("COMMIT")
    return jsonify({"Token": token, "ExpiresAtUtc": TOKEN["expires_at"]})


@app.get("/connectorauth/updateaccountconnectoroauth")
def redeem():
    key, state, cookie = key_of(request.args["token"]), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    own = {"token_sha256": key, "state_sha256": key_of(state), "cookie_sha256": key_of(cookie)}
    with turn:
        database = connection()
        database.execute("BEGIN IMMEDIATE")
        changed = database.execute(USED, (USED_AT, key)).rowcount
        if changed:
            database.execute(NEW_SIGN_IN, SIGN_IN | {"token_sha256": key})
            database.execute(NEW_FLOW, FLOW | own)
        database.execute("COMMIT")
    if not changed:
        return "this link was used", 410
    answer = redirect(AUTHORIZE + state)
    answer.set_cookie("flow", cookie, httponly=True, secure=True, samesite="Lax")
    return answer


@app.get("/health/ready")
def ready():
    return jsonify({"status": "ok"})
