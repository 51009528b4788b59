"""How either program is served: gunicorn, the edge, logs, metrics, traces, stopping.

A leaf: it imports nothing of the BFF and nothing of the embedded partner service, so that both can use it.
"""
