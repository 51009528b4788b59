"""How either program is served: gunicorn, edge, logs, metrics, traces, stopping, database, counts of calls.

A leaf: it imports nothing of the BFF and nothing of the embedded partner service, so that both can use it.
"""
