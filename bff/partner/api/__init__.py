"""The embedded partner service's HTTP API."""
