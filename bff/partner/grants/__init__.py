"""Stores, refreshes and revokes the grants that third parties issue."""
