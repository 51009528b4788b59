"""Serves both programs: gunicorn, WSGI middleware, logs, metrics, traces, draining, database, rate limits.

Imports neither the BFF nor the embedded partner service, as both use it.
"""
