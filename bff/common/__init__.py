"""Helpers that every package may import: errors, secrets, origins, strict JSON, a cache."""
