"""What the database alone can do: ``bare_commits.py DATABASE SECONDS``, in one process.

DATABASE is a copy of the embedded service's own, with its tables, indices and settings, in which one sign-in
token was minted and redeemed. Each round writes the same rows again under new keys, in the two transactions
that this takes, without the questions, HTTP, hashing and sealing around them. Prints rounds a second and CPU
ms of a round, as JSON.
"""

import json
import secrets
import sqlite3
import sys
import time

PRAGMAS = ("busy_timeout=10000", "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL")
USED = "UPDATE sign_in_token SET used_at = ? WHERE sha256 = ? AND used_at IS NULL"


def row_of(database, table):
    database.row_factory = sqlite3.Row
    return dict(database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone())


def insert(table, row):
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"


def rounds(database, until):
    token, sign_in, flow = (row_of(database, table) for table in ("sign_in_token", "sign_in", "flow"))
    used_at = token.pop("used_at")
    del sign_in["id"]
    new_token, new_sign_in, new_flow = (
        insert("sign_in_token", token),
        insert("sign_in", sign_in),
        insert("flow", flow),
    )
    done = 0
    while time.monotonic() < until:
        key = secrets.token_hex(32)
        database.execute("BEGIN IMMEDIATE")
        database.execute(new_token, token | {"sha256": key})
        database.execute("COMMIT")
        database.execute("BEGIN IMMEDIATE")
        database.execute(USED, (used_at, key))
        database.execute(new_sign_in, sign_in | {"token_sha256": key})
        state, cookie = secrets.token_hex(32), secrets.token_hex(32)
        own = {"token_sha256": key, "state_sha256": state, "cookie_sha256": cookie}
        database.execute(new_flow, flow | own)
        database.execute("COMMIT")
        done += 1
    return done


def main():
    path, seconds = sys.argv[1], float(sys.argv[2])
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        database.execute(f"PRAGMA {pragma}")
    began, cpu = time.monotonic(), time.process_time()
    done = rounds(database, began + seconds)
    spent, used = time.monotonic() - began, time.process_time() - cpu
    json.dump({"rate": done / spent, "cpu_ms": used * 1000 / done}, sys.stdout)


if __name__ == "__main__":
    main()
