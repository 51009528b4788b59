"""Credentials of third parties: kept, refreshed, revoked."""
