"""Calls of the host's server."""
