"""A bare Flask route that answers JSON of the size of an attempt's. What anybody would write first."""

from flask import Flask, jsonify

app = Flask(__name__)
ANSWER = {
    "id": "att_" + "a" * 24,
    "status": "launched",
    "connector": "sandbox",
    "message": "connected:sandbox",
    "connection": None,
    "error": None,
    "support_code": "ABCD-2345",
    "receipt": None,
    "late_success": None,
    "created_at": "2026-01-01T12:00:00.000000+00:00",
    "expires_at": "2026-01-01T12:15:00.000000+00:00",
}


@app.get("/v1/attempts/<attempt_id>")
def read(attempt_id):
    return jsonify(ANSWER | {"id": attempt_id})


@app.get("/health/ready")
def ready():
    return jsonify({"status": "ok"})
