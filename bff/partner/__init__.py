"""The embedded partner service: a separate program that implements Cyclr's HTTP protocol.

Neither program imports the other, except for ``bff.serving``. They communicate over HTTP only, so that the
rest of the product works the same way with this service and with Cyclr.
"""
